//! Which request is made next, and in an open loop, when.

use std::time::Duration;

use crate::scenario::{Load, Request, Scenario, Schedule};
use crate::wire::{Flight, Nanos, Values};

use super::timeline::nanos;

/// The requests of one event loop.
pub(super) struct Arrivals {
    /// Of the requests, in the order of the scenario, added up.
    weights: Vec<u32>,
    /// The next one's number: each event loop has every so manyth.
    number: u64,
    step: u64,
}

impl Arrivals {
    pub(super) fn new(requests: &[Request], thread: usize, threads: usize) -> Self {
        let added = requests.iter().scan(0_u32, |sum, request| {
            *sum = sum.saturating_add(request.weight);
            Some(*sum)
        });
        Self { weights: added.collect(), number: thread as u64, step: threads as u64 }
    }

    /// The next request.
    pub(super) fn next(&mut self, due: Nanos, rng: &mut fastrand::Rng) -> Flight {
        let request = match self.weights.as_slice() {
            [] | [_] => 0,
            weights => {
                let drawn = rng.u32(..weights.last().copied().unwrap_or(1));
                weights.partition_point(|end| *end <= drawn)
            }
        };
        let values = Values { counter: self.number, random: rng.u64(..) };
        self.number += self.step;
        Flight { due, request, values }
    }

    /// When the next request of an open loop is due; `None` where there is none.
    pub(super) fn due(&self, schedule: &Schedule, zero: Nanos) -> Option<Nanos> {
        schedule.due(self.number).map(|after: Duration| zero.saturating_add(nanos(after)))
    }
}

/// The schedule, where there is one.
pub(super) fn schedule(scenario: &Scenario) -> Option<&Schedule> {
    match &scenario.load {
        Load::Open(schedule) => Some(schedule),
        Load::Closed { .. } | Load::Idle => None,
    }
}
