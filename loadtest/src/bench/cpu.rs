//! How long a server has been on a core.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use rustix::process::Pid;

/// The time that all threads of a process group have run, user and system, to the nanosecond.
///
/// It is the scheduler's own account (`/proc/PID/task/*/schedstat`); that of `times(2)` counts in
/// hundredths of a second. What the kernel does for a socket is charged to whoever sends, as it is
/// for every server that is measured.
///
/// # Errors
/// There is no such group, or the kernel keeps no account.
pub(crate) fn time_of(group: Pid) -> io::Result<Duration> {
    let members = members(group)?;
    if members.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "the process has ended"));
    }
    let mut nanoseconds = 0;
    for process in members {
        let Ok(threads) = fs::read_dir(format!("/proc/{process}/task")) else { continue };
        for thread in threads.flatten() {
            nanoseconds += time_of_thread(&thread.path().join("schedstat"))?;
        }
    }
    Ok(Duration::from_nanos(nanoseconds))
}

fn time_of_thread(schedstat: &Path) -> io::Result<u64> {
    let text = match fs::read_to_string(schedstat) {
        Ok(text) => text,
        // It ended between being listed and being read.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    let on_core = text.split(' ').next().and_then(|field| field.parse().ok());
    on_core.ok_or_else(|| io::Error::other("schedstat does not begin with a number"))
}

/// The ids of the processes of a group: workers and helpers that a server starts stay in it.
///
/// # Errors
/// There is no /proc.
pub(crate) fn members(group: Pid) -> io::Result<Vec<u32>> {
    let group = group.as_raw_nonzero().get();
    let processes = fs::read_dir("/proc")?.flatten();
    Ok(processes
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter(|process| {
            let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
            group_in(&stat) == Some(group)
        })
        .collect())
}

/// proc_pid_stat(5): the name in parentheses may hold anything, so what follows is counted from its
/// end: state, parent, group. What has ended and waits to be reaped belongs to no group.
fn group_in(stat: &str) -> Option<i32> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace();
    let state = fields.next()?;
    fields.nth(1)?.parse().ok().filter(|_| state != "Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_parentheses() {
        assert_eq!(group_in("7 (a) b (c)) S 1 42 42 0"), Some(42));
        assert_eq!(group_in("7 (a) Z 1 42 42 0"), None);
        assert_eq!(group_in(""), None);
    }

    #[test]
    fn time_passes_for_those_who_work() {
        let own = rustix::process::getpgrp();
        let before = time_of(own).unwrap();
        let mut sum = 0_u64;
        while time_of(own).unwrap() < before + Duration::from_millis(2) {
            sum = sum.wrapping_add(std::hint::black_box(1));
        }
        assert!(members(own).unwrap().contains(&std::process::id()));
    }
}
