//! Stopping: first nothing new begins, then what is left gets told, then the process ends.

use std::time::Duration;

use tokio::sync::watch;

/// How far a stop has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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

/// Tells everybody how far the stop has got.
#[derive(Debug, Clone)]
pub(crate) struct Stop(watch::Sender<Stage>);

impl Stop {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(Stage::Running))
    }

    pub(crate) fn advance(&self, stage: Stage) {
        self.0.send_if_modified(|now| {
            let forward = *now < stage;
            if forward {
                *now = stage;
            }
            forward
        });
    }

    pub(crate) fn stage(&self) -> Stage {
        *self.0.borrow()
    }

    /// Returns once the stop has got to `stage`.
    pub(crate) async fn reached(&self, stage: Stage) {
        // The sender lives in `self`, so the wait cannot fail.
        drop(self.0.subscribe().wait_for(|now| *now >= stage).await);
    }
}

/// How long WebSockets have for their closing handshake after [`Stage::Ending`].
pub(crate) const FAREWELL: Duration = Duration::from_secs(1);
