//! The real binary in a folder of its own, and the golden files that its outputs are held against.

pub(crate) mod certs;
pub(crate) mod dns;
pub(crate) mod server;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::time::{Duration, SystemTime};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

/// A command that takes longer hangs.
const LIMIT: Duration = Duration::from_secs(60);

/// The sites of the examples.
pub(crate) const UAT: &str = include_str!("../golden/uat.toml");

/// A folder to run commands in, and what of their output differs from run to run.
pub(crate) struct Folder {
    dir: TempDir,
    hidden: Vec<(String, String)>,
}

/// What a command did.
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    command: String,
}

impl Folder {
    pub(crate) fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("gateway-cli-").tempdir().unwrap();
        let hidden = vec![(dir.path().display().to_string(), "[DIR]".into())];
        Self { dir, hidden }
    }

    /// A folder with a `gateway.toml`.
    pub(crate) fn with_config(text: &str) -> Self {
        let folder = Self::new();
        folder.write("gateway.toml", text);
        folder
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Shows a text as `[NAME]` from now on.
    pub(crate) fn hide(&mut self, text: &str, name: &str) {
        self.hidden.push((text.to_owned(), format!("[{name}]")));
    }

    /// Starts the binary; its working folder is this one.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gateway"));
        command.args(arguments).current_dir(self.path()).stdin(Stdio::null());
        for variable in ["NO_COLOR", "CLICOLOR_FORCE", "CLICOLOR"] {
            command.env_remove(variable);
        }
        command
    }

    /// Runs a command that must leave the folder as it is.
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        let before = listing(self.path());
        let run = self.run_freely(arguments);
        assert_eq!(before, listing(self.path()), "{} has written something", run.command);
        run
    }

    /// Runs a command to its end.
    pub(crate) fn run_freely(&self, arguments: &[&str]) -> Run {
        let mut command = self.command(arguments);
        let output = ended(command.stdout(Stdio::piped()).stderr(Stdio::piped()), arguments);
        let text = |bytes| self.stable(&String::from_utf8(bytes).unwrap());
        let quoted = |argument: &&str| {
            if argument.contains([' ', '&', '*']) {
                format!("'{argument}'")
            } else {
                (*argument).to_owned()
            }
        };
        let words: Vec<String> = arguments.iter().map(quoted).collect();
        Run {
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
            command: self.stable(&format!("gateway {}", words.join(" "))),
        }
    }

    fn stable(&self, text: &str) -> String {
        let replaced =
            self.hidden.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
        hide_times(&replaced)
    }
}

/// Waits for a command's end, but not for ever.
fn ended(command: &mut Command, arguments: &[&str]) -> Output {
    let child = command.spawn().unwrap();
    let pid = Pid::from_raw(child.id().try_into().unwrap());
    let (sender, output) = mpsc::channel();
    std::thread::spawn(move || sender.send(child.wait_with_output()));
    match output.recv_timeout(LIMIT) {
        Ok(output) => output.unwrap(),
        Err(_) => {
            kill(pid, Signal::SIGKILL).unwrap();
            panic!("gateway {arguments:?} did not end within {LIMIT:?}");
        }
    }
}

/// Every file and folder below a folder, with length and time of the last change.
fn listing(path: &Path) -> BTreeMap<PathBuf, (u64, SystemTime)> {
    let mut found = BTreeMap::new();
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let facts = path.symlink_metadata().unwrap();
            if facts.is_dir() {
                folders.push(path.clone());
            }
            found.insert(path, (facts.len(), facts.modified().unwrap()));
        }
    }
    found
}

/// Shows points in time (RFC 3339, UTC) as `[TIME]`.
fn hide_times(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let word = from
            .find(|c: char| !(c.is_ascii_alphanumeric() || "-:.".contains(c)))
            .unwrap_or(from.len());
        let (word, after) = from.split_at(word);
        let (moment, tail) = word.split_at(word.find('Z').map_or(0, |end| end + 1));
        let is_time =
            moment.len() >= 20 && moment.as_bytes()[10] == b'T' && moment[11..].contains(':');
        out.push_str(if is_time { "[TIME]" } else { moment });
        out.push_str(tail);
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Shows days as `[DATE]` and numbers of days, hours and the like as `[N]`.
fn hide_days(text: &str) -> String {
    let words = text.split_inclusive([' ', '\n', ',', '.', ')']).collect::<Vec<_>>();
    let mut out = String::new();
    for (index, piece) in words.iter().enumerate() {
        let end = piece.len() - usize::from(piece.ends_with([' ', '\n', ',', '.', ')']));
        let (word, separator) = piece.split_at(end);
        let next = words
            .get(index + 1)
            .map_or("", |next| next.trim_end_matches([' ', '\n', ',', '.', ')']));
        let is_unit = ["day", "hour", "minute", "second"].contains(&next.trim_end_matches('s'));
        let is_number = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
        let is_day = word.len() == 10
            && word.bytes().enumerate().all(|(at, byte)| match at {
                4 | 7 => byte == b'-',
                _ => byte.is_ascii_digit(),
            });
        out.push_str(if is_day {
            "[DATE]"
        } else if is_number && is_unit {
            "[N]"
        } else {
            word
        });
        out.push_str(separator);
    }
    out
}

impl Run {
    /// The same without days, and how far they are away.
    pub(crate) fn on_any_day(self) -> Self {
        Self { stdout: hide_days(&self.stdout), stderr: hide_days(&self.stderr), ..self }
    }

    /// Holds the run against `golden/NAME.txt`.
    pub(crate) fn is(&self, name: &str) -> &Self {
        let Self { code, stdout, stderr, command } = self;
        let code = code.map_or("a signal".into(), |code| code.to_string());
        let mut actual = format!("$ {command}\n# exit code: {code}\n");
        for (stream, text) in [("stdout", stdout), ("stderr", stderr)] {
            if !text.is_empty() {
                actual.push_str(&format!("# {stream}:\n{text}"));
            }
        }
        compare(&format!("{name}.txt"), &actual);
        self
    }

    pub(crate) fn exits_with(&self, code: i32) -> &Self {
        let Self { stdout, stderr, command, .. } = self;
        assert_eq!(self.code, Some(code), "{command}\n{stdout}{stderr}");
        assert!(!stderr.contains("panicked"), "{command}\n{stderr}");
        self
    }
}

fn compare(name: &str, actual: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/golden").join(name);
    if std::env::var_os("BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, actual).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(expected, actual, "not as in golden/{name}");
}
