//! Stopping: first nothing new begins, then what is left gets told, then the process ends.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{
    AtomicU8,
    Ordering::{AcqRel, Acquire},
};
use std::task::{Poll, Waker};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::shard::Alone;

/// How far a stop has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Stage {
    /// Not stopping.
    Running,
    /// No new connections; idle ones are closed; requests go on.
    Draining,
    /// Time is up: WebSockets are told (close 1001), everything else is broken off.
    Ending,
    /// Nothing is served any more; the workers leave.
    Ended,
}

/// Tells everybody how far the stop has got. Every request asks, on every worker: that only reads, so
/// that no worker waits for another.
#[derive(Debug, Clone)]
pub(crate) struct Stop(Arc<Progress>);

#[derive(Debug, Default)]
struct Progress {
    /// A [`Stage`].
    stage: Alone<AtomicU8>,
    advanced: Notify,
    /// Advancing and beginning to wait exclude each other, so that whoever is woken finds a later stage.
    one_at_a_time: Mutex<()>,
}

impl Stage {
    fn numbered(number: u8) -> Self {
        let stages = [Self::Running, Self::Draining, Self::Ending];
        stages.get(usize::from(number)).copied().unwrap_or(Self::Ended)
    }
}

impl Stop {
    pub(crate) fn new() -> Self {
        Self(Arc::default())
    }

    pub(crate) fn advance(&self, stage: Stage) {
        let Progress { stage: Alone(now), advanced, one_at_a_time } = &*self.0;
        let _alone = one_at_a_time.lock();
        if now.fetch_max(stage as u8, AcqRel) < stage as u8 {
            advanced.notify_waiters();
        }
    }

    pub(crate) fn stage(&self) -> Stage {
        let Alone(stage) = &self.0.stage;
        Stage::numbered(stage.load(Acquire))
    }

    /// Returns once the stop has got to `stage`. A connection polls this whenever it is woken, so only
    /// the first poll takes the lock of those that wait.
    pub(crate) async fn reached(&self, stage: Stage) {
        loop {
            let mut advanced = pin!(self.0.advanced.notified());
            let seen = {
                let _alone = self.0.one_at_a_time.lock();
                advanced.as_mut().enable();
                self.stage()
            };
            if seen >= stage {
                return;
            }
            let mut registered: Option<Waker> = None;
            poll_fn(|cx| {
                if self.stage() > seen {
                    return Poll::Ready(());
                }
                if registered.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
                    return Poll::Pending;
                }
                registered = Some(cx.waker().clone());
                advanced.as_mut().poll(cx)
            })
            .await;
        }
    }
}

/// How long WebSockets have for their closing handshake after [`Stage::Ending`].
pub(crate) const FAREWELL: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::Ordering::Release;
    use std::task::Context;

    #[tokio::test]
    async fn whoever_waits_is_woken_by_its_stage_and_by_none_before() {
        let stop = Stop::new();
        let waits = tokio::spawn({
            let stop = stop.clone();
            async move {
                stop.reached(Stage::Ending).await;
                stop.stage()
            }
        });
        tokio::task::yield_now().await;
        stop.advance(Stage::Draining);
        tokio::task::yield_now().await;
        assert!(!waits.is_finished());
        stop.advance(Stage::Ending);
        assert_eq!(waits.await.unwrap(), Stage::Ending);
        stop.reached(Stage::Draining).await;
    }

    #[test]
    fn it_never_goes_back() {
        let stop = Stop::new();
        stop.advance(Stage::Ending);
        stop.advance(Stage::Draining);
        assert_eq!(stop.stage(), Stage::Ending);
        stop.advance(Stage::Ended);
        assert_eq!(stop.stage(), Stage::Ended);
    }

    /// A future may move to another task between two polls; the last one is woken.
    #[test]
    fn the_last_who_polled_is_woken() {
        let (first, last) = (Woken::new(), Woken::new());
        let stop = Stop::new();
        let mut reached = pin!(stop.reached(Stage::Draining));
        for woken in [&first, &first, &last] {
            let waker = Waker::from(woken.clone());
            assert!(reached.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        }
        stop.advance(Stage::Draining);
        assert!(last.is());
    }

    #[test]
    fn a_stage_that_is_told_again_wakes_nobody_and_loses_nobody() {
        let (stop, woken) = (Stop::new(), Woken::new());
        let waker = Waker::from(woken.clone());
        let mut cx = Context::from_waker(&waker);
        let mut reached = pin!(stop.reached(Stage::Ending));
        for _ in 0..3 {
            assert!(reached.as_mut().poll(&mut cx).is_pending());
            stop.advance(Stage::Draining);
        }
        assert!(reached.as_mut().poll(&mut cx).is_pending());
        woken.forget();
        stop.advance(Stage::Draining);
        assert!(!woken.is());
        stop.advance(Stage::Ending);
        assert!(woken.is());
        assert!(reached.as_mut().poll(&mut cx).is_ready());
    }

    struct Woken(std::sync::atomic::AtomicBool);

    impl Woken {
        fn new() -> Arc<Self> {
            Arc::new(Self(false.into()))
        }

        fn is(&self) -> bool {
            self.0.load(Acquire)
        }

        fn forget(&self) {
            self.0.store(false, Release);
        }
    }

    impl std::task::Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Release);
        }
    }
}
