//! When a run warms up, counts, and ends.

use std::time::Duration;

use crate::wire::Nanos;

/// Where in a run something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    /// Before it counts.
    WarmUp,
    /// In this second, from 0, of the time that counts. The last one may be shorter.
    Second(u32),
    /// Behind it, while the last answers come in.
    Late,
}

/// The times of one run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timeline {
    pub(super) counts_from: Nanos,
    pub(super) ends: Nanos,
    part: Part,
}

const SECOND: Nanos = 1_000_000_000;

pub(super) fn nanos(duration: Duration) -> Nanos {
    Nanos::try_from(duration.as_nanos()).unwrap_or(Nanos::MAX)
}

impl Timeline {
    pub(super) fn new(zero: Nanos, warmup: Duration, duration: Duration) -> Self {
        let counts_from = zero.saturating_add(nanos(warmup));
        let ends = counts_from.saturating_add(nanos(duration));
        Self { counts_from, ends, part: Part::WarmUp }
    }

    /// The part that is now.
    pub(super) fn part(&self) -> Part {
        self.part
    }

    /// When the next part begins.
    pub(super) fn next_part(&self) -> Nanos {
        let second = |count: u32| self.counts_from.saturating_add(Nanos::from(count) * SECOND);
        match self.part {
            Part::WarmUp => self.counts_from,
            Part::Second(second_of) => second(second_of + 1).min(self.ends),
            Part::Late => Nanos::MAX,
        }
    }

    /// Goes on to the next part.
    pub(super) fn advance(&mut self) {
        let at = self.next_part();
        self.part = match self.part {
            Part::Second(_) if at >= self.ends => Part::Late,
            Part::WarmUp => Part::Second(0),
            Part::Second(second) => Part::Second(second + 1),
            Part::Late => Part::Late,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_follow_the_warm_up_and_the_last_may_be_short() {
        let mut timeline =
            Timeline::new(7 * SECOND, Duration::from_secs(2), Duration::from_millis(1_500));
        let mut parts = Vec::new();
        while timeline.part() != Part::Late {
            parts.push((timeline.part(), timeline.next_part()));
            timeline.advance();
        }
        let half = SECOND / 2;
        assert_eq!(
            parts,
            [
                (Part::WarmUp, 9 * SECOND),
                (Part::Second(0), 10 * SECOND),
                (Part::Second(1), 10 * SECOND + half),
            ]
        );
        assert_eq!(timeline.next_part(), Nanos::MAX);
    }
}
