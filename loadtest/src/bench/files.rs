//! How many files may be open: every connection is one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the limit for this process, and so for what it starts, towards `wanted`, and says what it
/// is now. Past the hard limit only root can go.
pub(crate) fn allow(wanted: u64) -> u64 {
    let now = getrlimit(Resource::Nofile);
    let limit = |maximum: Option<u64>| Rlimit {
        current: maximum.map(|maximum| maximum.min(wanted)),
        maximum,
    };
    let higher = now.maximum.is_some_and(|maximum| maximum < wanted);
    let raised = higher
        && setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum: Some(wanted) })
            .is_ok();
    if !raised {
        // Without success things stay as they are, and that is what is said below.
        _ = setrlimit(Resource::Nofile, limit(now.maximum));
    }
    getrlimit(Resource::Nofile).current.unwrap_or(wanted)
}
