//! Drives `loadtest run` as a process of its own, so that its time and its cores are its own.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde::Deserialize;

use super::cores::CoreList;
use super::error::Error;
use super::process::Process;

/// How long a run may take beyond its duration: for connecting, for the last answers, for writing.
const GRACE: Duration = Duration::from_secs(30);

/// Which server is asked for what, for messages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'s> {
    pub(crate) server: &'s str,
    pub(crate) row: &'s str,
}

impl Subject<'_> {
    /// What was asked for did not come about.
    pub(crate) fn failed(&self, why: impl ToString) -> Error {
        Error::Load { name: self.server.into(), row: self.row.into(), why: why.to_string() }
    }
}

/// What came of a run: the part of its JSON that is looked at here.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Outcome {
    pub(crate) requests: u64,
    errors: Errors,
    pub(crate) rate_per_s: f64,
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
    pub(crate) connections: Connections,
    pub(crate) latency_ms: Option<Latency>,
}

#[derive(Debug, Clone, Deserialize)]
struct Errors {
    total: u64,
    #[serde(default)]
    examples: std::collections::BTreeMap<String, String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct Connections {
    pub(crate) handshakes_full: u64,
    pub(crate) handshakes_resumed: u64,
}

#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct Latency {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
}

/// Starts the load on some cores.
#[derive(Debug)]
pub(crate) struct Generator {
    executable: PathBuf,
    cores: CoreList,
    folder: PathBuf,
}

impl Generator {
    /// Works in `folder`.
    ///
    /// # Errors
    /// The program cannot be found again.
    pub(crate) fn new(cores: CoreList, folder: PathBuf) -> Result<Self, Error> {
        let executable = std::env::current_exe().map_err(Error::own("loadtest cannot be found"))?;
        Ok(Self { executable, cores, folder })
    }

    /// Runs a scenario to its end.
    ///
    /// # Errors
    /// The run failed, took too long, or more than one answer in a thousand was no good.
    pub(crate) fn run(
        &self,
        subject: Subject<'_>,
        scenario: &str,
        duration: Duration,
    ) -> Result<Outcome, Error> {
        let result = self.folder.join("result.json");
        let file = File::create(&result).map_err(|error| subject.failed(error))?;
        let mut process = self.start(scenario, file.into())?;
        let status = process.wait(duration + GRACE).map_err(Error::own("the load"))?;
        match status {
            Some(status) if status.success() => {}
            Some(_) => return Err(subject.failed(process.last_words())),
            None => return Err(subject.failed("it did not end")),
        }
        let text = std::fs::read(&result).map_err(|error| subject.failed(error))?;
        let outcome: Outcome =
            serde_json::from_slice(&text).map_err(|error| subject.failed(error))?;
        outcome.checked(subject)
    }

    /// Opens connections and holds them until this is dropped.
    ///
    /// # Errors
    /// They could not all be opened.
    pub(crate) fn hold(&self, subject: Subject<'_>, scenario: &str) -> Result<Held, Error> {
        let mut process = self.start(scenario, Stdio::piped())?;
        let stdout = process.take_stdout().map(BufReader::new);
        let mut lines = stdout.into_iter().flat_map(BufReader::lines).map_while(Result::ok);
        match lines.find(|line| line.starts_with("all open:")) {
            Some(_) => Ok(Held { _process: process }),
            None => {
                drop(process.wait(GRACE));
                Err(subject.failed(process.last_words()))
            }
        }
    }

    /// The result goes to stdout.
    fn start(&self, scenario: &str, stdout: Stdio) -> Result<Process, Error> {
        let own = |source| Error::own("the load cannot be started")(source);
        let file = self.folder.join("scenario.toml");
        std::fs::write(&file, scenario).map_err(own)?;
        let mut command = Command::new(&self.executable);
        command.arg("run").arg(&file).args(["--quiet", "--json", "-"]);
        Process::start(command, &self.cores, &self.folder, stdout).map_err(own)
    }
}

/// Connections that are open.
#[derive(Debug)]
pub(crate) struct Held {
    _process: Process,
}

impl Outcome {
    fn checked(self, subject: Subject<'_>) -> Result<Self, Error> {
        let errors = self.errors.total;
        if self.requests > 0 && errors * 1000 <= self.requests {
            return Ok(self);
        }
        let example = self.errors.examples.into_iter().next();
        Err(Error::BadAnswers {
            name: subject.server.into(),
            row: subject.row.into(),
            errors,
            requests: self.requests,
            example: example
                .map_or_else(|| "none".into(), |(kind, text)| format!("{kind}: {text}")),
        })
    }
}
