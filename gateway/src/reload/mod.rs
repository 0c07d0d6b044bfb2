//! Reloading: asked for by a signal or at the admin listener, done by [`crate::oversee`], and told
//! whoever asked.
//!
//! It is all or nothing. Everything that can fail is done before anything is published: the files are
//! read, certificates loaded, addresses bound.

mod changes;
mod outcome;

use std::sync::Arc;

use gateway_config::{LoadError, Loaded};
use tokio::sync::{mpsc, oneshot};

pub(crate) use changes::{Changes, feasible};
pub(crate) use outcome::{Outcome, Refusal, Reloaded};

/// Where the configuration is read from, again and again.
pub(crate) type Source = Arc<dyn Fn() -> Result<Loaded, LoadError> + Send + Sync>;

/// Somebody who wants the configuration read again, and waits to be told what came of it.
pub(crate) type Request = oneshot::Sender<Arc<Outcome>>;

/// Where reloads are asked for. Those that come while one is going on wait for their turn.
#[derive(Debug, Clone)]
pub(crate) struct Requests(mpsc::UnboundedSender<Request>);

impl Requests {
    pub(crate) fn new() -> (Self, mpsc::UnboundedReceiver<Request>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self(sender), receiver)
    }

    /// Asks. What comes of it stands in the journal too, so that nobody has to wait for it.
    pub(crate) fn ask(&self) -> oneshot::Receiver<Arc<Outcome>> {
        let (request, answer) = oneshot::channel();
        // Where nobody listens any more, the answer never comes, which is told where it is waited for.
        drop(self.0.send(request));
        answer
    }
}
