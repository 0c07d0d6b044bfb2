//! Commands that end, Docker's among them, and what is free on this machine.

use std::net::TcpListener;
use std::process::{Command, Output, Stdio};

/// What Docker prints; anything but success fails the test.
pub(crate) fn docker(arguments: &[&str]) -> String {
    let output = bounded(60, "docker", arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "docker {arguments:?}: {said}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// A command that ends by itself or is ended.
pub(crate) fn bounded(seconds: u64, program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new("timeout");
    command.arg("--kill-after=5").arg(seconds.to_string()).arg(program).args(arguments);
    command.stdin(Stdio::null());
    command
}

/// All that a command has printed.
pub(crate) fn text(output: &Output) -> String {
    let both = [&output.stdout, &output.stderr];
    both.map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat()
}

pub(crate) fn has_engine() -> bool {
    bounded(20, "docker", &["info"]).output().is_ok_and(|output| output.status.success())
}

pub(crate) fn free_ports() -> [u16; 2] {
    let held = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    held.map(|one| one.local_addr().unwrap().port())
}

/// Two networks, as the first three numbers of their addresses, that no network of Docker's has.
pub(crate) fn free_networks() -> (String, String) {
    let ids = docker(&["network", "ls", "-q"]);
    let mut arguments =
        vec!["network", "inspect", "--format", "{{ range .IPAM.Config }}{{ .Subnet }} {{ end }}"];
    arguments.extend(ids.lines());
    let taken = docker(&arguments);
    let mut free = (20..250).map(|third| format!("172.31.{third}")).filter(|network| {
        !taken.contains(&format!("{network}.")) && !taken.contains("172.31.0.0/16")
    });
    (free.next().unwrap(), free.next().unwrap())
}
