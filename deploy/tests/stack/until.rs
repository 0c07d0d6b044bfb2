//! Waiting for something that comes when it comes.

use std::thread;
use std::time::{Duration, Instant};

/// Waits for something to become so, and fails where it does not.
pub(crate) fn until(what: &str, seconds: u64, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(seconds), "{what}: not within {seconds} s");
        // Most questions start a program, and take time from those that are waited for.
        thread::sleep(Duration::from_millis(500));
    }
}
