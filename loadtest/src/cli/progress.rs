//! What people see while a run is under way: one line, on a terminal, written anew every second.

use std::io::{self, IsTerminal as _};
use std::time::Duration;

use super::output::complain;
use super::summary::grouped;
use crate::result::Second;
use crate::scenario::Scenario;

/// The line on the terminal, if there is one.
pub(super) struct Progress {
    is_shown: bool,
    has_written: bool,
    duration: Duration,
}

impl Progress {
    /// Shows nothing where nobody looks: where stderr is no terminal, or `is_quiet`.
    pub(super) fn begin(scenario: &Scenario, is_quiet: bool) -> Self {
        let is_shown = !is_quiet && io::stderr().is_terminal();
        let progress = Self { is_shown, has_written: false, duration: scenario.duration };
        if is_shown {
            complain(&format!("{scenario}\n"));
        }
        progress
    }

    pub(super) fn warming_up(&mut self) {
        self.write("  all connections are open");
    }

    /// A second is over.
    pub(super) fn second(&mut self, second: &Second, errors: u64) {
        let left = self.duration.as_secs_f64() - f64::from(second.at_s) - second.seconds;
        let latency = |value: Option<f64>| value.map_or("–".into(), |ms| format!("{ms:.3} ms"));
        self.write(&format!(
            "  {}/s   p50 {}   p99 {}   {} errors   {left:.0} s left",
            grouped(second.requests),
            latency(second.p50_ms),
            latency(second.p99_ms),
            grouped(errors),
        ));
    }

    fn write(&mut self, line: &str) {
        if self.is_shown {
            self.has_written = true;
            // To the line's beginning, and clear to its end.
            complain(&format!("\r{line}\x1b[K"));
        }
    }

    /// Takes the line away.
    pub(super) fn end(self) {
        if self.has_written {
            complain("\r\x1b[K");
        }
    }
}
