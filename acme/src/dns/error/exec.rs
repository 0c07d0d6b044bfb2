//! What goes wrong with the user's program.

use std::io;
use std::time::Duration;

/// Why the user's program did not change a record.
#[derive(Debug, thiserror::Error)]
pub enum ExecError {
    /// It cannot be started.
    #[error("`{program}` cannot be started ({source}). {advice}")]
    Start {
        /// The program.
        program: String,
        /// What the system said.
        source: io::Error,
        /// What to do.
        advice: &'static str,
    },
    /// It said that it failed.
    #[error(
        "`{program} … {action} {name}` {ended}{stderr}. Run it by hand to see why, and make it end with status 0 once that is done."
    )]
    Failed {
        /// The program.
        program: String,
        /// `set` or `remove`.
        action: &'static str,
        /// The record's name.
        name: String,
        /// How it ended.
        ended: String,
        /// The last lines of its standard error, introduced.
        stderr: String,
    },
    /// It did not end.
    #[error("`{program} … {action} {name}` had not ended after {} s and was killed{stderr}. Make it end once the record is changed.", limit.as_secs())]
    Hung {
        /// The program.
        program: String,
        /// `set` or `remove`.
        action: &'static str,
        /// The record's name.
        name: String,
        /// How long it could run.
        limit: Duration,
        /// The last lines of its standard error, introduced.
        stderr: String,
    },
}

impl ExecError {
    /// That the program cannot be started, with what to do about it.
    #[must_use]
    pub fn start(program: String, source: io::Error) -> Self {
        let advice = match source.kind() {
            io::ErrorKind::NotFound => {
                "Check `command`: the program, and what its first line after `#!` names, must exist."
            }
            io::ErrorKind::PermissionDenied => {
                "Make it executable for the gateway's user (chmod +x, and no noexec mount)."
            }
            _ => {
                "A script needs a first line such as `#!/bin/sh`; a program must be of this machine's kind."
            }
        };
        Self::Start { program, source, advice }
    }
}
