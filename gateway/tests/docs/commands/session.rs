//! One reader at one terminal, going through one document.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::origin;
use super::process::{self, Answer};
use super::server::{Server, is_server};
use crate::project;

/// Where the documents' gateways listen.
const LISTENERS: [&str; 3] = ["8080", "8443", "9180"];

/// What the documents' gateways stand in front of on this machine.
const ORIGINS: [&str; 2] = ["3000", "8000"];

/// A folder, what runs in it, and where that listens.
pub(crate) struct Session {
    folder: TempDir,
    server: Option<Server>,
    /// Free ports, by the ports that the documents say.
    ports: BTreeMap<&'static str, u16>,
    /// The files that the document wrote, as it shows them.
    files: BTreeMap<String, String>,
    last_status: i32,
    written: String,
}

impl Session {
    pub(crate) fn begin() -> Self {
        let folder = tempfile::Builder::new().prefix("gateway-docs-").tempdir().unwrap();
        // A page that says 502 is no success, even where a reader would see what it says.
        std::fs::write(folder.path().join(".curlrc"), "fail\n").unwrap();
        Self {
            folder,
            server: None,
            ports: ORIGINS.iter().map(|port| (*port, origin::start())).collect(),
            files: BTreeMap::new(),
            last_status: 0,
            written: String::new(),
        }
    }

    /// Writes a file. What it listens on becomes a port that is free when it is listened on.
    pub(crate) fn write(&mut self, file: &str, text: &str) {
        self.files.insert(file.to_owned(), text.to_owned());
        let mut text = text.to_owned();
        for listener in LISTENERS {
            text = replaced(&text, listener, 0);
        }
        self.write_with_ports(file, &text);
    }

    fn write_with_ports(&self, file: &str, text: &str) {
        let path = self.folder.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, self.with_ports(text)).unwrap();
    }

    /// Runs a command, or starts the gateway that it starts.
    pub(crate) fn run(&mut self, command: &str, place: &str) -> Answer {
        let command = command.split(" #").next().unwrap_or_default().trim();
        if command == "make demo" {
            check_target("demo", place);
            self.start("gateway demo");
            return Answer::nothing_to_compare();
        }
        if let Some(target) = command.strip_prefix("make ") {
            // What stands behind it is ARGS, for the program that the target runs.
            check_target(target.split(' ').next().unwrap_or_default(), place);
            return Answer::nothing_to_compare();
        }
        if command.starts_with(".ci/") {
            assert!(project::root().join(command).exists(), "{place}: {command}");
            return Answer::nothing_to_compare();
        }
        if is_server(command) {
            self.start(&self.with_ports(command));
            return Answer::nothing_to_compare();
        }
        let program = command.split_whitespace().next().unwrap();
        if matches!(program, "curl" | "openssl") && !process::is_installed(program) {
            eprintln!("SKIPPED: {place}: {command}: {program} is not installed");
            return Answer::nothing_to_compare();
        }
        let command = match command {
            "echo $?" => format!("echo {}", self.last_status),
            command => self.with_ports(command),
        };
        let answer = process::run(&command, self.folder.path());
        self.last_status = answer.status;
        answer
    }

    fn start(&mut self, command: &str) {
        self.stop();
        let server = Server::start(command, self.folder.path());
        self.ports.extend(server.ports());
        self.server = Some(server);
        // Further commands read in the files where to ask.
        for (file, text) in &self.files {
            self.write_with_ports(file, text);
        }
    }

    fn stop(&mut self) {
        if let Some(server) = self.server.take() {
            self.written.push_str(&server.stop());
        }
    }

    /// Everything that the running gateway has written so far.
    pub(crate) fn said(&self) -> String {
        self.server.as_ref().map(Server::said).unwrap_or_default()
    }

    /// Stops what runs, and returns everything that gateways wrote.
    pub(crate) fn end(mut self) -> String {
        self.stop();
        self.written
    }

    /// A text of a document, with the ports that things listen on here.
    pub(crate) fn with_ports(&self, text: &str) -> String {
        let ports = self.ports.iter();
        ports.fold(text.to_owned(), |text, (shown, port)| replaced(&text, shown, *port))
    }
}

/// Replaces a port of this machine, wherever it stands behind an address and a colon.
fn replaced(text: &str, shown: &str, port: u16) -> String {
    let hosts = ["127.0.0.1", "localhost", "[::]", "[::1]", "0.0.0.0"];
    hosts.iter().fold(text.to_owned(), |text, host| {
        let address = format!("{host}:{shown}");
        let mut parts = text.split(&address);
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |text, behind| {
            let longer = behind.starts_with(|next: char| next.is_ascii_digit());
            let port = if longer { shown.to_owned() } else { port.to_string() };
            format!("{text}{host}:{port}{behind}")
        })
    })
}

/// A target of the Makefile can be made; what that would run is not run.
fn check_target(target: &str, place: &str) {
    let output = Command::new("make").arg("-n").arg(target).current_dir(project::root()).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{place}: make {target}: {output:?}");
    assert!(Path::new(&project::root().join("Makefile")).exists());
}

#[test]
fn only_ports_of_this_machine_are_replaced() {
    let text = "https://localhost:8443/ [::]:8443 127.0.0.1:84430 frontend:8443 8443";
    let expected = "https://localhost:7/ [::]:7 127.0.0.1:84430 frontend:8443 8443";
    assert_eq!(replaced(text, "8443", 7), expected);
}
