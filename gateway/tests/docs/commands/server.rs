//! A gateway that a document starts and that stays up for the commands behind it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::Instant;

use nix::sys::signal::{self, Signal};
use serde_json::Value;

use super::process::{DEADLINE, pid, shell};

/// Where the documents' gateways listen, by what they do there.
const LISTENERS: [(&str, &str); 3] = [("http", "8080"), ("https", "8443"), ("admin", "9180")];

/// What every gateway says when it serves.
const READY: &str = "\"event\":\"ready\"";

/// The end of what the demo prints for its reader.
const END_OF_BANNER: &str = "Ctrl-C ends the demo";

/// A running gateway. Dropping it kills the process.
pub(super) struct Server {
    child: Child,
    command: String,
    output: Arc<Output>,
    readers: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Output {
    text: Mutex<String>,
    grown: Condvar,
}

/// Whether a command starts a gateway that stays up.
pub(super) fn is_server(command: &str) -> bool {
    let starts = ["gateway run", "gateway demo"].iter().any(|server| command.starts_with(server));
    starts && !command.contains("--print-config")
}

impl Server {
    /// Starts it and waits until it is ready.
    pub(super) fn start(command: &str, folder: &Path) -> Self {
        let free_ports = " --http-port 0 --https-port 0 --admin-port 0";
        let options = if command.starts_with("gateway demo") { free_ports } else { "" };
        let command = format!("exec {}{options}", command.trim_end_matches('&').trim_end());
        let mut shell = shell(&command, folder);
        let mut child = shell.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let output = Arc::<Output>::default();
        let readers = vec![
            output.read(child.stdout.take().unwrap()),
            output.read(child.stderr.take().unwrap()),
        ];
        let server = Self { child, command, output, readers };
        server.wait_until_ready();
        server
    }

    fn wait_until_ready(&self) {
        let is_demo = self.command.starts_with("exec gateway demo");
        let ready = |text: &str| text.contains(READY) && (!is_demo || text.contains(END_OF_BANNER));
        let began = Instant::now();
        let mut text = self.output.text.lock().unwrap();
        while !ready(&text) {
            let left = DEADLINE.saturating_sub(began.elapsed());
            assert!(!left.is_zero(), "`{}` did not become ready:\n{text}", self.command);
            assert!(
                !text.contains("\"level\":\"error\"") && !text.starts_with("error"),
                "`{}` failed:\n{text}",
                self.command
            );
            text = self.output.grown.wait_timeout(text, left).unwrap().0;
        }
    }

    /// The ports that it listens on, by those that the documents say.
    pub(super) fn ports(&self) -> BTreeMap<&'static str, u16> {
        let text = self.output.text.lock().unwrap();
        let events = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let said: Vec<(String, u16)> = events.filter_map(|event| listening(&event)).collect();
        let port = |listener: &str| {
            let (_, port) = said.iter().find(|(name, _)| name == listener)?;
            Some(*port)
        };
        let found = LISTENERS.iter().filter_map(|(listener, shown)| {
            Some((*shown, port(listener).or_else(|| in_banner(&text, listener))?))
        });
        found.collect()
    }

    /// Everything that it has written so far.
    pub(super) fn said(&self) -> String {
        self.output.text.lock().unwrap().clone()
    }

    /// Stops it as an operator would, and returns everything that it wrote.
    ///
    /// # Panics
    /// Where it does not end, or not well.
    pub(super) fn stop(mut self) -> String {
        signal::kill(pid(&self.child), Signal::SIGTERM).unwrap();
        let status = self.child.wait().unwrap();
        for reader in self.readers.drain(..) {
            reader.join().unwrap();
        }
        let text = self.output.text.lock().unwrap().clone();
        assert!(status.success(), "`{}` ended with {status}:\n{text}", self.command);
        assert!(!text.contains("panicked"), "{text}");
        text
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // After a failed test; a process that has been waited for is not killed again.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Output {
    fn read(self: &Arc<Self>, pipe: impl Read + Send + 'static) -> JoinHandle<()> {
        let output = self.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                let mut text = output.text.lock().unwrap();
                text.push_str(&line);
                text.push('\n');
                output.grown.notify_all();
            }
        })
    }
}

fn listening(event: &Value) -> Option<(String, u16)> {
    let is_listening = event["event"] == "listening";
    let address = event["address"].as_str().filter(|_| is_listening)?;
    let port = address.rsplit(':').next()?.parse().ok()?;
    Some((event["listener"].as_str()?.to_owned(), port))
}

/// The demo says where it listens in the addresses that it prints.
fn in_banner(text: &str, listener: &str) -> Option<u16> {
    let before = match listener {
        "http" => " http://localhost:",
        "https" => " https://localhost:",
        _ => " http://127.0.0.1:",
    };
    text.split(before).nth(1)?.split('/').next()?.parse().ok()
}
