//! What is being measured right now, on stderr where that is a terminal.

use std::io::{self, IsTerminal, Write};
use std::time::Instant;

/// One line that is written over and over.
#[derive(Debug)]
pub(crate) struct Progress {
    shown: bool,
    began: Instant,
    done: usize,
    steps: usize,
}

impl Progress {
    /// For a measurement of so many steps. Where stderr is a file, nothing is said: the result says it.
    pub(crate) fn of(steps: usize) -> Self {
        Self { shown: io::stderr().is_terminal(), began: Instant::now(), done: 0, steps }
    }

    /// A step begins.
    pub(crate) fn step(&mut self, what: &str) {
        self.done += 1;
        if self.shown {
            let (done, steps, seconds) = (self.done, self.steps, self.began.elapsed().as_secs());
            // A terminal that went away is no reason to stop.
            drop(write!(io::stderr().lock(), "\r\x1b[K{done}/{steps}  {seconds} s  {what}"));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown {
            drop(write!(io::stderr().lock(), "\r\x1b[K"));
        }
    }
}
