//! Connections of an event loop: opened, moved on, replaced.

use super::{Nanos, Timer, Turn, Unusable, Worker, nanos, turn};
use crate::engine::connection::{Connection, Phase};
use crate::engine::dial::Dialing;
use crate::scenario::Load;
use crate::wire::{Failure, FailureKind};

/// How many connect at one moment: a server's backlog is not endless.
const MOST_OPENING: usize = 256;

impl Worker {
    /// Begins the connections that are to be opened.
    pub(super) fn connect(&mut self, now: Nanos) -> Result<(), Unusable> {
        while self.opening < MOST_OPENING
            && let Some(index) = self.unopened.pop_front()
        {
            let slot = &mut self.slots[index];
            (slot.is_open, slot.has_answered) = (false, false);
            let dialing = Dialing {
                address: self.shared.address,
                source: slot.source,
                tls: self.tls.as_ref(),
            };
            self.out.clear();
            let begun = Connection::begin(&dialing, now, index, &self.poll, &mut turn!(self));
            self.opening += 1;
            match begun {
                Ok(connection) => self.slots[index].connection = Some(connection),
                Err(failure) => self.lose(index, &failure, now)?,
            }
        }
        Ok(())
    }

    /// Something can be done with a connection.
    pub(super) fn advance(&mut self, index: usize) -> Result<(), Unusable> {
        let Some(mut connection) = self.slots[index].connection.take() else { return Ok(()) };
        self.out.clear();
        let moved = connection.advance(&mut self.scratch, &mut turn!(self));
        let now = self.shared.now();
        connection.written.append(&mut self.out);
        let moved = match moved {
            Ok(moved) => moved,
            Err(failure) => return self.lose_with(index, connection, &failure, now),
        };
        self.tally.counts().bytes_in += moved.received as u64;
        if let Some(resumed) = moved.opened {
            self.count_handshake(resumed, now.saturating_sub(connection.since));
        }
        if moved.has_ended {
            connection.exchange.ended(&mut turn!(self));
        }
        self.slots[index].connection = Some(connection);
        self.take_outcomes(index, now);
        self.notice_opening(index, now);
        self.refill(index, now);
        if moved.has_ended {
            return self.ended(index, now);
        }
        self.flush(index, now)
    }

    fn count_handshake(&mut self, resumed: Option<bool>, nanos: Nanos) {
        let counts = self.tally.counts();
        counts.opened += 1;
        match resumed {
            Some(true) => counts.handshakes_resumed += 1,
            Some(false) => counts.handshakes_full += 1,
            None => return,
        }
        self.tally.handshake(nanos);
    }

    /// A connection that takes its first request is open: with WebSocket, that is not at once.
    fn notice_opening(&mut self, index: usize, now: Nanos) {
        let slot = &mut self.slots[index];
        let Some(connection) = &slot.connection else { return };
        if slot.is_open || connection.phase != Phase::Open || connection.exchange.room() == 0 {
            return;
        }
        slot.is_open = true;
        self.opening -= 1;
        self.progress = now;
        let is_first = !std::mem::replace(&mut slot.was_open, true);
        match self.scenario().load {
            // Idle connections count when their request has been answered.
            Load::Idle => self.start_next(index, now),
            _ if is_first => self.shared.one_open(&self.reports),
            _ => {}
        }
    }

    /// Sends what a connection has to send, and replaces it where it has served its time.
    pub(super) fn flush(&mut self, index: usize, now: Nanos) -> Result<(), Unusable> {
        let Some(connection) = &mut self.slots[index].connection else { return Ok(()) };
        match connection.flush(index, &self.poll) {
            Ok(written) => self.tally.counts().bytes_out += written as u64,
            Err(failure) => return self.lose(index, &failure, now),
        }
        if connection.exchange.is_over() {
            self.retire(index, now);
        }
        Ok(())
    }

    /// Closes a connection in order, and opens another in its place.
    pub(super) fn retire(&mut self, index: usize, now: Nanos) {
        if let Some(connection) = self.slots[index].connection.take() {
            connection.close();
            self.replace(index, now);
        }
    }

    /// The server has closed a connection. That is no failure where nothing was asked of it.
    fn ended(&mut self, index: usize, now: Nanos) -> Result<(), Unusable> {
        let slot = &mut self.slots[index];
        let Some(connection) = slot.connection.take() else { return Ok(()) };
        if slot.is_open && connection.exchange.in_flight() == 0 {
            drop(connection);
            self.replace(index, now);
            return Ok(());
        }
        let failure = connection.ended();
        self.lose_with(index, connection, &failure, now)
    }

    fn lose_with(
        &mut self,
        index: usize,
        connection: Connection,
        failure: &Failure,
        now: Nanos,
    ) -> Result<(), Unusable> {
        self.slots[index].connection = Some(connection);
        self.lose(index, failure, now)
    }

    /// A connection has failed, and with it everything that is on its way there.
    pub(super) fn lose(
        &mut self,
        index: usize,
        failure: &Failure,
        now: Nanos,
    ) -> Result<(), Unusable> {
        if let Some(mut connection) = self.slots[index].connection.take() {
            connection.exchange.give_up(failure, &mut turn!(self));
            self.take_outcomes(index, now);
        }
        if !self.slots[index].is_open {
            self.tally.counts().failed += 1;
            self.judge_opening(failure, now)?;
            // In a closed loop, a request would have been made now.
            if matches!(self.scenario().load, Load::Closed { .. }) && self.is_serving(now) {
                let flight = self.arrivals.next(now, &mut self.rng);
                self.count_failed(&flight, failure, now);
            }
        }
        self.replace(index, now);
        Ok(())
    }

    /// Before all connections are open, a first one that fails, or a long time without any, means
    /// that there will be no load.
    fn judge_opening(&self, failure: &Failure, now: Nanos) -> Result<(), Unusable> {
        let is_hopeless = !self.slots.iter().any(|slot| slot.was_open)
            || now.saturating_sub(self.progress) > nanos(self.scenario().timeout);
        if self.timeline.is_some() || !is_hopeless {
            return Ok(());
        }
        Err(Unusable::Unreachable {
            target: self.scenario().target.to_string(),
            opened: self.shared.opened.load(std::sync::atomic::Ordering::Acquire),
            asked: self.scenario().connections as usize,
            why: failure.what.clone(),
        })
    }

    /// Opens another connection in a slot's place.
    fn replace(&mut self, index: usize, now: Nanos) {
        let is_idle = matches!(self.scenario().load, Load::Idle);
        let slot = &mut self.slots[index];
        if !std::mem::replace(&mut slot.is_open, false) {
            self.opening -= 1;
        }
        if is_idle && slot.has_answered {
            self.tally.counts().lost += 1;
            return;
        }
        let pause = slot.pause();
        match pause {
            _ if self.timeline.is_some() && !self.is_serving(now) => {}
            0 => self.unopened.push_back(index),
            pause => self.timer(now.saturating_add(pause), index, Timer::Reconnect),
        }
    }

    /// Gives up connections that have taken too long to open.
    pub(super) fn expire_connections(&mut self, before: Nanos, now: Nanos) -> Result<(), Unusable> {
        for index in 0..self.slots.len() {
            let slot = &self.slots[index];
            let Some(connection) = &slot.connection else { continue };
            if slot.is_open || connection.since > before {
                continue;
            }
            let (kind, what) = match connection.phase {
                Phase::Connecting => {
                    (FailureKind::Connect, "cannot connect: it took longer than `timeout`")
                }
                Phase::Handshaking => {
                    (FailureKind::Tls, "the TLS handshake took longer than `timeout`")
                }
                Phase::Open => (FailureKind::Timeout, "the upgrade took longer than `timeout`"),
            };
            self.lose(index, &Failure::new(kind, what), now)?;
        }
        Ok(())
    }
}
