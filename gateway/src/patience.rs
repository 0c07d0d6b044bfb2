//! A deadline that moves on with every sign of life. The timer behind it is set anew only when it
//! fires or would fire too late, not for every piece of a body or request of a connection.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// How long is too long.
#[derive(Debug)]
pub(crate) struct Patience {
    limit: Duration,
    until: Instant,
    /// Made when something is really waited for.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Patience {
    /// `limit` from `now` on.
    pub(crate) fn new(now: Instant, limit: Duration) -> Self {
        Self { limit, until: now + limit, timer: None }
    }

    /// From `now` on, `limit` without another call is too long.
    pub(crate) fn allow(&mut self, now: Instant, limit: Duration) {
        self.limit = limit;
        self.until = now + limit;
    }

    /// Ready when it was too long, with what was allowed.
    pub(crate) fn poll_over(&mut self, cx: &mut Context<'_>) -> Poll<Duration> {
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(self.until)));
        if self.until < timer.deadline() {
            timer.as_mut().reset(self.until);
        }
        while timer.as_mut().poll(cx).is_ready() {
            if self.until <= timer.deadline() {
                return Poll::Ready(self.limit);
            }
            timer.as_mut().reset(self.until);
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn signs_of_life_move_the_deadline_and_a_shorter_one_counts_at_once() {
        let begun = Instant::now();
        let mut patience = Patience::new(begun, Duration::from_secs(10));
        let over = async |patience: &mut Patience| {
            std::future::poll_fn(|cx| patience.poll_over(cx)).await;
            begun.elapsed().as_secs()
        };
        assert_eq!(over(&mut patience).await, 10);
        patience.allow(Instant::now(), Duration::from_secs(60));
        tokio::time::sleep(Duration::from_secs(5)).await;
        patience.allow(Instant::now(), Duration::from_secs(60));
        assert_eq!(over(&mut patience).await, 75);
        patience.allow(Instant::now(), Duration::from_secs(100));
        let waited = tokio::time::timeout(Duration::from_secs(1), over(&mut patience)).await;
        assert!(waited.is_err());
        patience.allow(Instant::now(), Duration::from_secs(2));
        assert_eq!(over(&mut patience).await, 78);
    }
}
