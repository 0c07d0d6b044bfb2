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
        "`{program} … {action} {name}` {ended}{stderr}. Run it by hand to see why, and make it end with status 0 once the record is {action}."
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
