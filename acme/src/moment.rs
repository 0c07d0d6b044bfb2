//! A point in time, as the ledger keeps it.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// Whole seconds since 1970, in UTC. Nothing that is decided here is finer than a second, and sums
/// of these neither overflow nor panic.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default,
)]
#[serde(transparent)]
pub struct Moment(pub u64);

impl Moment {
    /// Later than everything.
    pub const NEVER: Self = Self(u64::MAX);

    /// What `duration` later is.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration.as_secs()))
    }

    /// What `duration` earlier was.
    #[must_use]
    pub fn before(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(duration.as_secs()))
    }

    /// How long it is since `earlier`; nothing where that is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_secs(self.0.saturating_sub(earlier.0))
    }

    /// The same moment as other code has it.
    #[must_use]
    pub fn system_time(self) -> SystemTime {
        UNIX_EPOCH.checked_add(Duration::from_secs(self.0)).unwrap_or(UNIX_EPOCH)
    }
}

impl From<SystemTime> for Moment {
    fn from(time: SystemTime) -> Self {
        Self(time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs())
    }
}

/// As HTTP writes it: `Tue, 24 Nov 2026 07:00:00 GMT`.
impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            // The last second that httpdate knows to write.
            0..253_402_300_800 => httpdate::fmt_http_date(self.system_time()).fmt(f),
            _ => f.write_str("never"),
        }
    }
}

/// A wait that began at some time. Where the clock was set back since, it begins again:
/// no wait lasts longer than it was meant to, whatever the clock does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wait {
    /// When it began.
    pub from: Moment,
    /// How long it is.
    pub seconds: u64,
}

impl Wait {
    /// `duration` from `from` on.
    #[must_use]
    pub fn new(from: Moment, duration: Duration) -> Self {
        Self { from, seconds: duration.as_secs() }
    }

    /// When it is over.
    #[must_use]
    pub fn end(self) -> Moment {
        self.from.after(Duration::from_secs(self.seconds))
    }

    /// Begins again at `now`, where it has not begun yet.
    pub(crate) fn rebase(&mut self, now: Moment) {
        self.from = self.from.min(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_never_longer_than_it_was_meant_to_be() {
        let mut wait = Wait::new(Moment(1_000), Duration::from_secs(60));
        wait.rebase(Moment(1_030));
        assert_eq!(wait.end(), Moment(1_060));
        wait.rebase(Moment(500));
        assert_eq!(wait.end(), Moment(560), "the clock was set back");
    }

    #[test]
    fn moments_are_written_as_people_know_them() {
        assert_eq!(Moment(1_795_503_600).to_string(), "Tue, 24 Nov 2026 07:00:00 GMT");
        assert_eq!(Moment::NEVER.to_string(), "never");
    }
}
