//! Requests of an event loop: made, answered, given up.

use super::{Nanos, Timer, Turn, Worker, nanos, turn};
use crate::scenario::Load;
use crate::wire::{Ending, Failure, FailureKind, Flight, Outcome};

impl Worker {
    /// The time of the run begins: every connection that is open takes requests.
    pub(super) fn begin_requests(&mut self) {
        let now = self.shared.now();
        for index in 0..self.slots.len() {
            if self.slots[index].is_open {
                self.fill(index, now);
                // What goes wrong is found out by the next event.
                let _ = self.flush(index, now);
            }
        }
    }

    /// Makes as many requests as a connection takes.
    fn fill(&mut self, index: usize, now: Nanos) {
        match self.scenario().load {
            Load::Closed { .. } => {
                for _ in 0..self.room(index) {
                    self.start_next(index, now);
                }
            }
            Load::Open(_) => self.make_ready(index),
            Load::Idle => {}
        }
    }

    fn room(&self, index: usize) -> usize {
        let slot = &self.slots[index];
        let connection = slot.connection.as_ref().filter(|_| slot.is_open);
        connection.map_or(0, |connection| connection.exchange.room())
    }

    /// Goes on after a connection has moved.
    pub(super) fn refill(&mut self, index: usize, now: Nanos) {
        if !self.is_serving(now) {
            return;
        }
        match self.scenario().load {
            // A connection that is new begins, and one that has answered thinks first.
            Load::Closed { think } if think.is_zero() || !self.slots[index].has_answered => {
                self.fill(index, now);
            }
            Load::Open(_) => self.make_ready(index),
            Load::Closed { .. } | Load::Idle => {}
        }
    }

    fn make_ready(&mut self, index: usize) {
        if self.room(index) > 0 && !self.slots[index].is_ready {
            self.slots[index].is_ready = true;
            self.ready.push_back(index);
        }
    }

    /// Makes the next request on a connection that takes one.
    pub(super) fn start_next(&mut self, index: usize, now: Nanos) {
        let flight = match self.again.pop_front() {
            Some(flight) => flight,
            None => self.arrivals.next(now, &mut self.rng),
        };
        self.start(index, flight);
    }

    fn start(&mut self, index: usize, flight: Flight) {
        let Some(connection) = &mut self.slots[index].connection else { return };
        self.out.clear();
        std::mem::swap(&mut self.out, &mut connection.written);
        connection.exchange.start(flight, &mut turn!(self));
        std::mem::swap(&mut self.out, &mut connection.written);
        self.flying += 1;
    }

    pub(super) fn think_is_over(&mut self, index: usize, now: Nanos) {
        if self.is_serving(now) && self.room(index) > 0 {
            self.start_next(index, now);
            let _ = self.flush(index, now);
        }
    }

    /// Makes the requests of an open loop that are due, as far as connections take them.
    pub(super) fn dispatch(&mut self, now: Nanos) {
        if self.ready.is_empty() || !self.is_serving(now) {
            return;
        }
        let mut touched = Vec::new();
        while let Some(index) = self.ready.front().copied() {
            if self.room(index) == 0 {
                self.ready.pop_front();
                self.slots[index].is_ready = false;
                continue;
            }
            let Some(flight) = self.next_due(now) else { break };
            self.start(index, flight);
            touched.push(index);
            // The next request is another connection's turn.
            self.ready.rotate_left(1);
        }
        for index in touched {
            let _ = self.flush(index, now);
        }
    }

    fn next_due(&mut self, now: Nanos) -> Option<Flight> {
        if let Some(flight) = self.again.pop_front() {
            return Some(flight);
        }
        let due = self.due().filter(|due| *due <= now)?;
        Some(self.arrivals.next(due, &mut self.rng))
    }

    /// Counts what came of requests.
    pub(super) fn take_outcomes(&mut self, index: usize, now: Nanos) {
        let mut outcomes = std::mem::take(&mut self.outcomes);
        for Outcome { flight, status, ending } in outcomes.drain(..) {
            self.flying -= 1;
            let nanos = now.saturating_sub(flight.due);
            if self.counts(&flight) {
                self.tally.status(status);
            }
            match ending {
                Ending::Unprocessed => {
                    self.again.push_back(flight);
                    continue;
                }
                Ending::Good if self.counts(&flight) => self.tally.good(flight.request, nanos),
                Ending::Failed(failure) => self.count_failed(&flight, &failure, now),
                Ending::Good => {}
            }
            self.answered(index, status, now);
        }
        self.outcomes = outcomes;
    }

    /// A request has come to its end on this connection.
    fn answered(&mut self, index: usize, status: u16, now: Nanos) {
        let is_first = !self.slots[index].has_answered && status > 0;
        self.slots[index].has_answered |= status > 0;
        match self.scenario().load {
            Load::Closed { think } if !think.is_zero() => {
                self.timer(now.saturating_add(nanos(think)), index, Timer::Think);
            }
            Load::Idle if is_first => self.shared.one_open(&self.reports),
            _ => {}
        }
    }

    pub(super) fn count_failed(&mut self, flight: &Flight, failure: &Failure, now: Nanos) {
        if self.counts(flight) {
            self.tally.failed(flight.request, now.saturating_sub(flight.due), failure);
        }
    }

    /// What an open loop was to do before it counts does not count, however late it comes.
    fn counts(&self, flight: &Flight) -> bool {
        match (&self.scenario().load, &self.timeline) {
            (Load::Open(_), Some(timeline)) => flight.due >= timeline.counts_from,
            _ => true,
        }
    }

    /// Gives up every request that was due before then.
    pub(super) fn expire_requests(&mut self, before: Nanos, now: Nanos) {
        let failure = Failure::new(FailureKind::Timeout, "no answer within `timeout`");
        for index in 0..self.slots.len() {
            let Some(connection) = &mut self.slots[index].connection else { continue };
            if connection.exchange.oldest().is_none_or(|due| due > before) {
                continue;
            }
            self.out.clear();
            let goes_on = connection.exchange.expire(before, &failure, &mut turn!(self));
            connection.written.append(&mut self.out);
            self.take_outcomes(index, now);
            if goes_on {
                self.refill(index, now);
                let _ = self.flush(index, now);
            } else {
                self.retire(index, now);
            }
        }
        self.expire_waiting(before, now);
    }

    /// Gives up what has been waiting for a connection for too long.
    fn expire_waiting(&mut self, before: Nanos, now: Nanos) {
        let failure = Failure::new(FailureKind::Timeout, "no connection was free within `timeout`");
        while let Some(flight) = self.again.pop_front_if(|flight| flight.due <= before) {
            self.count_failed(&flight, &failure, now);
        }
        while let Some(due) = self.due()
            && due <= before
        {
            let flight = self.arrivals.next(due, &mut self.rng);
            self.count_failed(&flight, &failure, now);
        }
    }
}
