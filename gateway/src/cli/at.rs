//! Points in time, for people and for scripts.

use std::time::{Duration, SystemTime};

use gateway_acme::Moment;
use serde::{Serialize, Serializer};

use crate::time::Rfc3339;

/// A point in time; in JSON as RFC 3339 has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct At(pub(super) SystemTime);

impl From<Moment> for At {
    fn from(moment: Moment) -> Self {
        Self(moment.system_time())
    }
}

impl Serialize for At {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&Rfc3339(self.0))
    }
}

impl At {
    /// The day, in UTC.
    pub(super) fn day(self) -> String {
        let text = Rfc3339(self.0).to_string();
        text.split('T').next().unwrap_or_default().to_owned()
    }

    /// "in 41 days", "3 hours ago".
    pub(super) fn distance(self, now: Self) -> String {
        match self.0.duration_since(now.0) {
            Ok(left) if left < Duration::from_secs(1) => "now".to_owned(),
            Ok(left) => format!("in {}", rounded(left)),
            Err(error) => format!("{} ago", rounded(error.duration())),
        }
    }

    /// The day and how far it is away.
    pub(super) fn both(self, now: Self) -> String {
        format!("{}, {}", self.day(), self.distance(now))
    }
}

/// In the unit that people would use, rounded down: what is left is never said to be more.
fn rounded(duration: Duration) -> String {
    const UNITS: [(u64, u64, &str); 3] =
        [(86_400, 2 * 86_400, "day"), (3600, 2 * 3600, "hour"), (60, 120, "minute")];
    let seconds = duration.as_secs();
    let unit = UNITS.into_iter().find(|(_, from, _)| seconds >= *from);
    let (length, _, unit) = unit.unwrap_or((1, 0, "second"));
    let count = seconds / length;
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_as_people_say_them() {
        let at = |seconds: u64| At::from(Moment(1_000_000 + seconds));
        let now = at(0);
        for (seconds, said) in [
            (0, "now"),
            (1, "in 1 second"),
            (119, "in 119 seconds"),
            (600, "in 10 minutes"),
            (86_400, "in 24 hours"),
            (41 * 86_400 + 80_000, "in 41 days"),
        ] {
            assert_eq!(at(seconds).distance(now), said);
        }
        assert_eq!(now.distance(at(3 * 86_400)), "3 days ago");
        assert_eq!(at(0).day(), "1970-01-12");
    }
}
