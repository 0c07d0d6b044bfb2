//! What keeps a measurement from being made.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

/// Says what, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No gateway in the places where it is built.
    #[error(
        "there is no gateway at {}\n  build one:     make dist\n  or name it:    --gateway FILE",
        .tried.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(" or ")
    )]
    NoGateway {
        /// Where it was looked for.
        tried: Vec<PathBuf>,
    },
    /// Nothing to compare with.
    #[error(
        "none of nginx, HAProxy and Caddy is installed, so there is nothing to compare with\n  \
         get them:      make compare\n  \
         or by hand:    sudo apt-get install nginx-light haproxy caddy"
    )]
    NoPeer,
    /// A program that cannot be asked for its version.
    #[error("{name} at {} cannot be run: {source}", .path.display())]
    NotAProgram {
        /// Its name.
        name: &'static str,
        /// Where it is.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A server that ended instead of serving.
    #[error("{name} does not run, it ended with {status}; its last words:\n{}", quoted(.last_words))]
    Ended {
        /// Its name.
        name: &'static str,
        /// How it ended.
        status: ExitStatus,
        /// The last lines of its stderr.
        last_words: String,
    },
    /// A server that runs and does not answer.
    #[error(
        "{name} has given no good answer within {limit:?} ({refused}); its last words:\n{}",
        quoted(.last_words)
    )]
    Silent {
        /// Its name.
        name: &'static str,
        /// How long was waited.
        limit: Duration,
        /// What came instead.
        refused: io::Error,
        /// The last lines of its stderr.
        last_words: String,
    },
    /// The load could not be made.
    #[error("the load on {name} ({row}) failed: {why}")]
    Load {
        /// The server's name.
        name: String,
        /// What was measured.
        row: String,
        /// What the generator said.
        why: String,
    },
    /// Answers that were no good. A server that fails fast would look cheap.
    #[error(
        "{errors} of {requests} answers of {name} ({row}) were errors, so its figures mean nothing; \
         one of them: {example}"
    )]
    BadAnswers {
        /// The server's name.
        name: String,
        /// What was measured.
        row: String,
        /// How many were bad.
        errors: u64,
        /// How many there were.
        requests: u64,
        /// One that was bad.
        example: String,
    },
    /// A file, a socket or a process of our own.
    #[error("{what}: {source}")]
    Own {
        /// Which.
        what: String,
        /// Why.
        source: io::Error,
    },
}

impl Error {
    /// For `map_err`: an error about `what`.
    pub(crate) fn own(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Own { what, source }
    }
}

fn quoted(text: &str) -> String {
    if text.is_empty() {
        return "  | (none)".into();
    }
    text.lines().map(|line| format!("  | {line}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    /// The sentences that no test can bring about everywhere.
    #[test]
    fn each_says_what_and_what_to_do() {
        let (name, limit) = ("nginx", Duration::from_secs(20));
        let (server, row) = (name.to_owned(), "HTTP/2".to_owned());
        let ended = ExitStatus::from_raw(9);
        let refused = || io::Error::other("it answered \"HTTP/1.1 502 Bad Gateway\"");
        let shown = [
            Error::NoPeer,
            Error::Ended { name, status: ended, last_words: String::new() },
            Error::Silent { name, limit, refused: refused(), last_words: "one\ntwo".into() },
            Error::Load { name: server.clone(), row: row.clone(), why: "it did not end".into() },
            Error::BadAnswers {
                name: server,
                row,
                errors: 7,
                requests: 9,
                example: "status: 502".into(),
            },
        ]
        .map(|error| format!("error: {error}\n"))
        .concat();
        let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/compare/golden/errors.txt");
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(golden, &shown).unwrap();
        }
        assert_eq!(std::fs::read_to_string(golden).unwrap_or_default(), shown);
    }
}
