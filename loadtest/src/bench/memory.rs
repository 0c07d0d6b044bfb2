//! How much memory a server takes.

use std::fs;
use std::io;

use rustix::process::Pid;

use super::cpu::members;

/// Bytes of memory that a process group takes, pages that its processes share counted once: the sum
/// of `Pss` in `/proc/PID/smaps_rollup`. Memory of the kernel, such as socket buffers, is not in it.
///
/// # Errors
/// The group has ended, or the kernel says nothing about it.
pub(crate) fn of(group: Pid) -> io::Result<u64> {
    let mut sum = 0;
    for process in members(group)? {
        let text = fs::read_to_string(format!("/proc/{process}/smaps_rollup"))?;
        sum += pss(&text).ok_or_else(|| io::Error::other("smaps_rollup has no Pss"))?;
    }
    if sum == 0 {
        return Err(io::Error::new(io::ErrorKind::NotFound, "the process has ended"));
    }
    Ok(sum)
}

fn pss(rollup: &str) -> Option<u64> {
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pss_is_in_kibibytes() {
        assert_eq!(pss("Rss:   9 kB\nPss:      3 kB\nPss_Dirty: 1 kB\n"), Some(3072));
        assert_eq!(pss("Rss: 9 kB\n"), None);
    }

    #[test]
    fn whoever_runs_takes_some() {
        assert!(of(rustix::process::getpgrp()).unwrap() > 100_000);
    }
}
