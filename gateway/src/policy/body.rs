//! What a request's body may be: no larger than the cap, no slower than the minimum rate.

use std::time::Duration;

use tokio::time::Instant;

use crate::fault::Fault;

/// A client that keeps sending, but slower than this after [`GRACE`], only holds a connection.
const MINIMUM_RATE: u64 = 240;
const GRACE: Duration = Duration::from_secs(30);

/// Counts a request's body.
#[derive(Debug)]
pub(crate) struct BodyGauge {
    cap: u64,
    received: u64,
    began: Instant,
}

impl BodyGauge {
    /// Starts counting at `now`.
    ///
    /// # Errors
    /// [`Fault::BodyTooLarge`] where the announced length is over the cap already.
    pub(crate) fn start(cap: u64, announced: Option<u64>, now: Instant) -> Result<Self, Fault> {
        if announced.is_some_and(|length| length > cap) {
            return Err(Fault::BodyTooLarge { cap });
        }
        Ok(Self { cap, received: 0, began: now })
    }

    /// Counts a piece of the body that arrived at `now`.
    ///
    /// # Errors
    /// [`Fault::BodyTooLarge`], [`Fault::BodyTooSlow`].
    pub(crate) fn add(&mut self, bytes: usize, now: Instant) -> Result<(), Fault> {
        self.received += bytes as u64;
        if self.received > self.cap {
            return Err(Fault::BodyTooLarge { cap: self.cap });
        }
        let counted = now.duration_since(self.began).saturating_sub(GRACE).as_secs();
        if self.received < counted * MINIMUM_RATE {
            return Err(Fault::BodyTooSlow(MINIMUM_RATE));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cap_is_the_last_size_that_passes() {
        let now = Instant::now();
        assert!(BodyGauge::start(10, Some(10), now).is_ok());
        assert!(matches!(
            BodyGauge::start(10, Some(11), now),
            Err(Fault::BodyTooLarge { cap: 10 })
        ));
        let mut gauge = BodyGauge::start(10, None, now).unwrap();
        assert!(gauge.add(10, now).is_ok());
        assert!(matches!(gauge.add(1, now), Err(Fault::BodyTooLarge { .. })));
    }

    #[test]
    fn drips_are_cut_and_slow_links_are_not() {
        let start = Instant::now();
        let mut dripping = BodyGauge::start(1 << 30, None, start).unwrap();
        let mut cut_after = None;
        for second in 1..600 {
            if dripping.add(10, start + Duration::from_secs(second)).is_err() {
                cut_after = Some(second);
                break;
            }
        }
        assert_eq!(cut_after, Some(32));
        let mut slow = BodyGauge::start(1 << 30, None, start).unwrap();
        assert!((1..600).all(|second| slow.add(300, start + Duration::from_secs(second)).is_ok()));
    }
}
