//! The two output streams of the gateway's process: read by threads, so that the process never
//! waits for a test, and kept, so that a test can wait for a line and a failure can show them all.

use std::io::{BufRead, BufReader, Read};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use serde_json::Value;
use tokio::sync::watch;

use super::DEADLINE;

/// One stream, as far as it has been read.
pub(crate) struct Output {
    name: &'static str,
    lines: Arc<Mutex<Vec<String>>>,
    progress: watch::Receiver<Progress>,
    reader: Option<JoinHandle<()>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    Lines(usize),
    Ended,
}

impl Output {
    /// Starts to read. `name` stands in front of the lines when they are shown.
    pub(crate) fn read(name: &'static str, stream: impl Read + Send + 'static) -> Self {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (sender, progress) = watch::channel(Progress::Lines(0));
        let kept = Arc::clone(&lines);
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(stream).split(b'\n') {
                let Ok(line) = line else { break };
                let mut kept = kept.lock().unwrap();
                kept.push(String::from_utf8_lossy(&line).into_owned());
                sender.send_replace(Progress::Lines(kept.len()));
            }
            sender.send_replace(Progress::Ended);
        });
        Self { name, lines, progress, reader: Some(reader) }
    }

    /// Every line so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    /// Every line so far, as one text.
    pub(crate) fn text(&self) -> String {
        self.lines().join("\n")
    }

    /// Every line so far that is a JSON object.
    pub(crate) fn objects(&self) -> Vec<Value> {
        self.lines().iter().filter_map(|line| object(line)).collect()
    }

    /// Waits for the first line that `wanted` makes something of.
    ///
    /// # Panics
    /// Where it does not come before [`DEADLINE`], or the stream ends without it.
    pub(crate) async fn line<T>(&self, what: &str, wanted: impl Fn(&str) -> Option<T>) -> T {
        let mut progress = self.progress.clone();
        let mut seen = 0;
        let search = async {
            loop {
                let state = *progress.borrow_and_update();
                let found = {
                    let lines = self.lines.lock().unwrap();
                    let found = lines[seen..].iter().find_map(|line| wanted(line));
                    seen = lines.len();
                    found
                };
                match found {
                    Some(found) => return found,
                    None if state == Progress::Ended => {
                        panic!("the gateway's {} ended without {what}", self.name)
                    }
                    // An error means that the reader is gone, and it says `Ended` before it goes.
                    None => drop(progress.changed().await),
                }
            }
        };
        match tokio::time::timeout(DEADLINE, search).await {
            Ok(found) => found,
            Err(_) => panic!("the gateway's {} showed nothing like: {what}", self.name),
        }
    }

    /// Waits for the first JSON object that fits.
    pub(crate) async fn object(&self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        self.line(what, |line| object(line).filter(&fits)).await
    }

    /// Waits until the process has closed the stream, so that nothing can be missing.
    pub(crate) fn join(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
    }

    /// Prints everything: a test failed.
    pub(crate) fn show(&self) {
        for line in self.lines() {
            eprintln!("gateway {}: {line}", self.name);
        }
    }
}

fn object(line: &str) -> Option<Value> {
    serde_json::from_str(line).ok().filter(Value::is_object)
}
