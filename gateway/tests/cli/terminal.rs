//! Colours: on terminals only.

use std::io::Read;
use std::process::Stdio;

use nix::pty::openpty;

use crate::harness::{Folder, UAT};

/// What a command writes to a terminal.
fn on_a_terminal(arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let folder = Folder::with_config(UAT);
    let pty = openpty(None, None).unwrap();
    let mut command = folder.command(arguments);
    command.env("TERM", "xterm").envs(variables.iter().copied());
    command.stdout(Stdio::from(pty.slave.try_clone().unwrap())).stderr(Stdio::from(pty.slave));
    let mut child = command.spawn().unwrap();
    // The terminal ends when the last who could write to it is gone.
    drop(command);
    let mut written = Vec::new();
    // Linux says that a terminal has ended by an error (EIO).
    drop(std::fs::File::from(pty.master).read_to_end(&mut written));
    child.wait().unwrap();
    String::from_utf8(written).unwrap().replace('\r', "")
}

fn without_colours(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |plain, part| plain + part.split_once('m').expect("a colour ends").1)
}

#[test]
fn explanations_and_problems_are_coloured_on_terminals_only() {
    for arguments in
        [&["explain", "https://uat.example.com/metrics"][..], &["check-config", "missing.toml"]]
    {
        let coloured = on_a_terminal(arguments, &[]);
        assert!(coloured.contains("\x1b["), "{coloured}");
        let piped = Folder::with_config(UAT).run(arguments);
        assert_eq!(without_colours(&coloured), piped.stdout + &piped.stderr);
        for no in [("NO_COLOR", "1"), ("TERM", "dumb")] {
            let plain = on_a_terminal(arguments, &[no]);
            assert!(!plain.contains('\x1b'), "{no:?}: {plain}");
        }
    }
}

#[test]
fn json_is_never_coloured() {
    let json = on_a_terminal(&["explain", "https://uat.example.com/", "--json"], &[]);
    assert!(!json.contains('\x1b'), "{json}");
}
