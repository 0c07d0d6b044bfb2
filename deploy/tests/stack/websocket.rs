//! A visitor who listens at a WebSocket.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::project::Stack;
use crate::until::until;
use crate::visitor::DOMAIN;

/// The longest that a visitor listens, in seconds.
const LONGEST: u64 = 20;

/// curl at a WebSocket. What the server says is not masked, so it can be read in what curl writes.
pub(crate) struct WebSocket {
    curl: Child,
    file: PathBuf,
}

impl WebSocket {
    pub(crate) fn open(stack: &Stack, path: &str) -> Self {
        let origin = format!("Origin: https://{DOMAIN}");
        let longest = LONGEST.to_string();
        let further = [
            "--http1.1",
            "--max-time",
            &longest,
            // So that the head and every message are written when they come. The head that `--include`
            // writes waits for the first message, whatever else is said.
            "--no-buffer",
            "--dump-header",
            "-",
            "--header",
            "Connection: Upgrade",
            "--header",
            "Upgrade: websocket",
            "--header",
            "Sec-WebSocket-Version: 13",
            "--header",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            "--header",
            &origin,
        ];
        let file = stack.folder.path().join("websocket");
        // Not by way of `timeout`, which would leave curl behind when it is killed.
        let curl = Command::new("curl")
            .args(stack.arguments(DOMAIN, path, &further))
            .stdin(Stdio::null())
            .stdout(File::create(&file).unwrap())
            .spawn()
            .unwrap();
        Self { curl, file }
    }

    /// Waits until the server has said something, or will say nothing more; all that it said.
    pub(crate) fn hear(&mut self, expected: &str) -> String {
        let mut heard = String::new();
        until("curl hears something or ends", LONGEST + 5, || {
            // Before the file is read: nothing comes after the end.
            let has_ended = self.curl.try_wait().unwrap().is_some();
            heard = String::from_utf8_lossy(&fs::read(&self.file).unwrap()).into_owned();
            has_ended || heard.contains(expected)
        });
        heard
    }
}

impl Drop for WebSocket {
    fn drop(&mut self) {
        drop(self.curl.kill());
        drop(self.curl.wait());
    }
}
