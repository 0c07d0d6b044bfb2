//! The place of one connection, which is replaced when it ends.

use std::net::IpAddr;

use crate::engine::connection::Connection;
use crate::wire::Nanos;

/// After a failure, so long until the next attempt; twice as long after each further one.
const FIRST_PAUSE: Nanos = 10_000_000;
const LONGEST_PAUSE: Nanos = 1_000_000_000;

pub(super) struct Slot {
    pub(super) connection: Option<Connection>,
    pub(super) source: Option<IpAddr>,
    /// Whether a connection of this slot has ever taken requests.
    pub(super) was_open: bool,
    /// Whether this one does.
    pub(super) is_open: bool,
    /// Whether it stands among those that wait for a request.
    pub(super) is_ready: bool,
    /// Whether this connection has answered anything.
    pub(super) has_answered: bool,
    pause: Nanos,
}

impl Slot {
    pub(super) fn new(number: usize, sources: &[IpAddr]) -> Self {
        let source = number.checked_rem(sources.len()).map(|index| sources[index]);
        Self {
            connection: None,
            source,
            was_open: false,
            is_open: false,
            is_ready: false,
            has_answered: false,
            pause: 0,
        }
    }

    /// How long to wait before the next attempt. A connection that was of use is replaced at once.
    pub(super) fn pause(&mut self) -> Nanos {
        self.pause = match self.has_answered {
            true => 0,
            false => (self.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE),
        };
        self.pause
    }
}
