//! `bandwidth`: how fast an answer is sent. A bucket that fills at the rate and holds the burst; what
//! is sent is taken out of it.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use gateway_config::model::Bandwidth;
use tokio::time::{Instant, Sleep, sleep_until};

/// So many times a second, at most, is somebody woken to send the next piece.
const STEPS: u64 = 10;

const SECOND: u128 = 1_000_000_000;

/// The pace of one answer.
#[derive(Debug)]
pub(crate) struct Pace {
    /// Bytes a second.
    rate: u64,
    /// What the bucket holds when it is full, at least a step.
    burst: u64,
    /// What is waited for when the bucket is empty.
    step: u64,
    /// When the bucket will be full if nothing more is sent.
    full_at: Instant,
    /// Made when something is really waited for.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Pace {
    /// With a full bucket.
    pub(crate) fn begin(bandwidth: Bandwidth, now: Instant) -> Self {
        let rate = bandwidth.rate.get();
        let step = (rate / STEPS).max(1);
        let burst = bandwidth.burst.get().max(step);
        Self { rate, burst, step, full_at: now, timer: None }
    }

    /// How many bytes may be sent, once it is worth sending any.
    pub(crate) fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<usize> {
        loop {
            let now = Instant::now();
            let room = self.room(now);
            if room >= self.step {
                return Poll::Ready(usize::try_from(room).unwrap_or(usize::MAX));
            }
            let due = self.due(now);
            let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(due)));
            if timer.deadline() != due {
                timer.as_mut().reset(due);
            }
            ready!(timer.as_mut().poll(cx));
        }
    }

    /// Takes what was sent at `now` out of the bucket.
    pub(crate) fn spend(&mut self, bytes: usize, now: Instant) {
        self.full_at = self.full_at.max(now) + self.time_for(bytes as u64);
    }

    /// What is in the bucket.
    fn room(&self, now: Instant) -> u64 {
        let missing = self.full_at.saturating_duration_since(now).as_nanos();
        let missing = missing.saturating_mul(self.rate.into()).div_ceil(SECOND);
        self.burst.saturating_sub(u64::try_from(missing).unwrap_or(u64::MAX))
    }

    /// When there will be a step in the bucket.
    fn due(&self, now: Instant) -> Instant {
        let then_missing = self.time_for(self.burst - self.step);
        self.full_at.checked_sub(then_missing).map_or(now, |due| due.max(now))
            + Duration::from_millis(1)
    }

    fn time_for(&self, bytes: u64) -> Duration {
        let nanos = (u128::from(bytes) * SECOND).div_ceil(self.rate.into());
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX / 4).min(u64::MAX / 4))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use std::num::NonZeroU64;

    fn pace(rate: u64, burst: u64) -> Pace {
        let of = |bytes| NonZeroU64::new(bytes).unwrap();
        Pace::begin(Bandwidth { rate: of(rate), burst: of(burst) }, Instant::now())
    }

    /// Sends so many bytes in pieces of so many, as fast as it goes. Returns the time that it took.
    async fn send(pace: &mut Pace, mut bytes: usize, piece: usize) -> Duration {
        let began = Instant::now();
        while bytes > 0 {
            let room = poll_fn(|cx| pace.poll_room(cx)).await;
            let sent = room.min(piece).min(bytes);
            assert!(sent > 0);
            pace.spend(sent, Instant::now());
            bytes -= sent;
        }
        began.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn the_burst_goes_at_once_and_then_the_rate_counts() {
        let mut pace = pace(1000, 4000);
        assert_eq!(send(&mut pace, 4000, 16_384).await, Duration::ZERO);
        let took = send(&mut pace, 10_000, 16_384).await.as_secs_f64();
        assert!((9.9..10.3).contains(&took), "{took} seconds for ten seconds' worth");
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(send(&mut pace, 2000, 7).await, Duration::ZERO, "what a pause is worth");
        tokio::time::sleep(Duration::from_secs(3600)).await;
        assert_eq!(send(&mut pace, 4000, 512).await, Duration::ZERO);
        let took = send(&mut pace, 1000, 512).await.as_secs_f64();
        assert!((0.9..1.2).contains(&took), "an hour's pause is worth no more than the burst");
    }

    #[tokio::test(start_paused = true)]
    async fn any_rate_is_kept_however_small_the_burst() {
        for rate in [1, 9, 1000, 1 << 20, 1 << 32] {
            let mut pace = pace(rate, 1);
            let bytes = usize::try_from(rate * 20).unwrap();
            let took = send(&mut pace, bytes, usize::MAX).await.as_secs_f64();
            assert!((18.5..21.5).contains(&took), "{took} seconds at {rate} bytes a second");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_is_woken_more_often_than_is_worth_it() {
        let mut pace = pace(100_000, 100_000);
        send(&mut pace, 100_000, usize::MAX).await;
        let mut pieces = 0;
        let mut left: usize = 1_000_000;
        while left > 0 {
            let sent = poll_fn(|cx| pace.poll_room(cx)).await.min(left);
            pace.spend(sent, Instant::now());
            left -= sent;
            pieces += 1;
        }
        assert!(pieces <= 105, "{pieces} pieces in ten seconds");
    }

    #[test]
    fn no_size_overflows() {
        let mut pace = pace(1, u64::MAX);
        let now = Instant::now();
        for _ in 0..3 {
            pace.spend(usize::MAX, now);
            pace.room(now);
            pace.due(now);
        }
        let mut pace = self::pace(u64::MAX, u64::MAX);
        pace.spend(usize::MAX / 2, now);
        assert!(pace.room(now) > 0);
    }
}
