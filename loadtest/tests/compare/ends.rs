//! Whatever it starts ends with it.

use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};

use crate::harness::{Folder, until};

#[test]
fn an_interrupt_ends_everything_and_leaves_nothing() {
    let folder = Folder::new();
    let never_ready = "case $1 in -v|--version) echo slow 1.0.0; exit;; esac\nsleep 1000 & wait\n";
    folder.script("slow", never_ready);
    folder.script("nginx", never_ready);
    for (signal, status) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let mut command = folder.command(&["compare", "--gateway", "slow"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // The origin, the script, and its child.
        until("three processes", || folder.processes().len() == 3);
        kill_process(Pid::from_child(&child), signal).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(status));
        until("no process is left", || folder.processes().is_empty());
        assert!(folder.left().is_empty(), "{:?}", folder.left());
    }
}
