//! File descriptors: every connection is one, and the system lets a process have only so many.

use std::io;

use gateway_config::model::Connections;
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::journal;

/// Raises this process's limit as far as it may be raised without further rights. Many systems begin with
/// 1024, for the sake of programs that use select(2); this one does not.
pub(crate) fn raise_limit() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // Where that fails the limit stays as it is, and `warn_if_few` looks at what it is.
    _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}

/// How many there may be at once; `None`: any number.
fn limit() -> Option<u64> {
    getrlimit(Resource::Nofile).current
}

const HOW: &str =
    "raise its limit (`LimitNOFILE=` of systemd, `ulimits: nofile` of Compose, `ulimit -n`)";

/// Says so where the limit would be reached before the caps are. A request that is passed on has two
/// connections: its client's and its upstream's.
pub(crate) fn warn_if_few(caps: Connections) {
    let needed = 2 * caps.total.get() as u64;
    if let Some(limit) = limit().filter(|limit| *limit < needed) {
        journal::warn(
            "few_files",
            format_args!(
                "{} connections of clients may be open (`max_connections`), and with those to \
                 upstreams they are up to {needed} files; the system allows this process {limit}: \
                 {HOW}, or lower `max_connections`",
                caps.total
            ),
            &[("limit", &limit)],
        );
    }
}

/// Whether something failed because this process, or the whole system, has no descriptor left.
pub(crate) fn are_spent(error: &io::Error) -> bool {
    let spent = [Errno::MFILE, Errno::NFILE].map(Errno::raw_os_error);
    error.raw_os_error().is_some_and(|code| spent.contains(&code))
}

/// What to do about an error of the system, to be put behind it; empty where it is another.
pub(crate) fn advice(error: &io::Error) -> String {
    let is_own_limit = error.raw_os_error() == Some(Errno::MFILE.raw_os_error());
    match limit().filter(|_| is_own_limit) {
        Some(limit) => format!("; this process may have {limit}: {HOW}"),
        None => String::new(),
    }
}
