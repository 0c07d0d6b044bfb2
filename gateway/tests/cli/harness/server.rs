//! A running gateway, and servers that are none.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;

use super::Folder;

/// Starting takes less.
const LIMIT: Duration = Duration::from_secs(60);

/// A gateway that serves until it is dropped.
pub(crate) struct Running {
    child: Child,
    addresses: Vec<(String, SocketAddr)>,
}

impl Running {
    /// Starts `gateway run` and waits until it is ready.
    pub(crate) fn start(folder: &Folder) -> Self {
        let mut command = folder.command(&["run"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (sender, events) = mpsc::channel();
        // Reads to the end, so that the gateway never waits for somebody to read.
        std::thread::spawn(move || {
            for line in stderr.lines() {
                let event: Value = serde_json::from_str(&line.unwrap()).unwrap();
                // Whoever starts a gateway listens only until it is ready.
                drop(sender.send(event));
            }
        });
        let mut running = Self { child, addresses: Vec::new() };
        loop {
            let event = events.recv_timeout(LIMIT).expect("the gateway is ready in time");
            match event["event"].as_str() {
                Some("listening") => {
                    let text = |key: &str| event[key].as_str().unwrap().to_owned();
                    running.addresses.push((text("listener"), text("address").parse().unwrap()));
                }
                Some("ready") => return running,
                _ => {}
            }
        }
    }

    pub(crate) fn address(&self, listener: &str) -> SocketAddr {
        let found = self.addresses.iter().find(|(name, _)| name == listener);
        found.expect("the listener is configured").1
    }

    /// Sends a request of the plain listener and returns the answer's head.
    pub(crate) fn plain(&self, target: &str, host: &str) -> String {
        let mut tcp = TcpStream::connect(self.address("http")).unwrap();
        tcp.set_read_timeout(Some(LIMIT)).unwrap();
        write!(tcp, "GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        tcp.read_to_string(&mut answer).unwrap();
        answer.split("\r\n\r\n").next().unwrap().to_owned()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already, which the test has noticed then.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A server that reads a request, answers with these bytes, and keeps the connection open.
pub(crate) fn answering(bytes: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut open = Vec::new();
        for tcp in listener.incoming() {
            let mut tcp = tcp.unwrap();
            let mut lines = BufReader::new(tcp.try_clone().unwrap()).lines();
            while lines.next().is_some_and(|line| !line.unwrap().is_empty()) {}
            tcp.write_all(bytes.as_bytes()).unwrap();
            open.push(tcp);
        }
    });
    address
}
