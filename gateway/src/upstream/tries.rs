//! Reaching a server for one request: the first it is meant for, or others where that fails and
//! trying again is safe.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use tokio::time::Instant;

use super::members::{Members, Place};
use super::names::Name;
use super::pick::{Chosen, Pick, Tried, Wanted};
use super::queue::Slot;
use super::standing::now;
use super::{Connection, Pool, Upstream};
use crate::fault::Fault;
use crate::shard::Alone;

/// What has been tried for one request.
pub(crate) struct Tries {
    /// Whose turn it is, once that has been asked.
    turn: Option<usize>,
    /// How often a server was asked for a connection, or was found to have one.
    count: u32,
    tried: Tried,
    /// Who is to be asked next; found before it was known that a connection must be made.
    chosen: Option<Chosen>,
    /// A server that is asked once more where there is no other left: perhaps only the connection had
    /// died on which it did not answer.
    again: Option<u64>,
    /// Those that have been.
    asked_again: Tried,
    /// From then on only new connections will do.
    fresh_only: bool,
    /// Name servers have been asked for this request already.
    refreshed: bool,
    /// How the last try failed.
    last: Option<Fault>,
}

impl Tries {
    /// How many there have been.
    pub(crate) fn count(&self) -> u32 {
        self.count
    }
}

impl Upstream {
    /// Begins a request.
    pub(crate) fn begin(&self) -> Tries {
        self.budget.request();
        Tries {
            turn: None,
            count: 0,
            tried: Tried::new(),
            chosen: None,
            again: None,
            asked_again: Tried::new(),
            fresh_only: false,
            refreshed: false,
            last: None,
        }
    }

    /// A kept connection to the server that a request is meant for. Without one, [`Self::open`] goes on
    /// from here.
    pub(crate) fn kept(
        &self,
        tries: &mut Tries,
        wanted: Wanted<'_>,
        pool: &Pool,
    ) -> Option<Connection> {
        if tries.fresh_only {
            return None;
        }
        let members = self.members.load();
        let turn = self.turn(tries, &members);
        let Pick::Member(picked) = self.pick(&members, turn, wanted, &tries.tried) else {
            return None;
        };
        let Some((member, session)) = self.kept_to(picked.member.id, pool) else {
            tries.chosen = Some(picked.chosen());
            return None;
        };
        tries.note(member.id);
        Some(self.connection(Chosen { member, slot: picked.slot }, session, true))
    }

    /// Where there is one server, it is always its turn: the workers need not count together. No turn is
    /// remembered then, as there may be more by the time this request is tried again.
    fn turn(&self, tries: &mut Tries, members: &Members) -> usize {
        if members.len() <= 1 {
            return 0;
        }
        let Alone(turn) = &self.turn;
        *tries.turn.get_or_insert_with(|| turn.fetch_add(1, Relaxed))
    }

    /// A connection to the server that a request is meant for, or to another that can be reached.
    ///
    /// # Errors
    /// [`Fault::Unresolved`], [`Fault::Busy`], [`Fault::NoDescriptor`], and [`Fault::Connect`] or
    /// [`Fault::ConnectTimeout`] of the last server tried.
    pub(crate) async fn open(
        &self,
        tries: &mut Tries,
        wanted: Wanted<'_>,
        pool: &Pool,
    ) -> Result<Connection, Fault> {
        loop {
            if tries.count > self.config.retries
                && let Some(last) = tries.last.take()
            {
                return Err(last);
            }
            let chosen = match tries.chosen.take() {
                Some(chosen) => Some(chosen),
                None => self.next(tries, wanted).await?,
            };
            let Some(chosen) = chosen else {
                if self.learn_of_others(tries).await {
                    continue;
                }
                return Err(tries.last.take().unwrap_or_else(|| self.unresolved()));
            };
            if let Some(last) = tries.last.take_if(|_| !self.may_try_again()) {
                return Err(last);
            }
            tries.note(chosen.member.id);
            let kept = (tries.count > 1 && !tries.fresh_only)
                .then(|| self.kept_to(chosen.member.id, pool))
                .flatten();
            if let Some((_, session)) = kept {
                return Ok(self.connection(chosen, session, true));
            }
            let fault = match self.open_to(&chosen.member, wanted.client).await {
                Ok(session) => return Ok(self.connection(chosen, session, false)),
                // No server can be blamed, and none reached.
                Err(fault @ Fault::NoDescriptor { .. }) => return Err(fault),
                Err(fault) => fault,
            };
            self.metrics.failed.inc();
            self.refresh(&chosen.member);
            self.failed_on(&chosen.member, &fault);
            tries.last = Some(fault);
        }
    }

    /// A request is to be tried once more that the server of `connection` has not answered. Where that
    /// may not be, [`Self::open`] fails with `fault`.
    pub(crate) fn try_again(&self, tries: &mut Tries, connection: &Unanswered, fault: Fault) {
        self.metrics.retried.inc();
        tries.last = Some(fault);
        tries.fresh_only = true;
        tries.refreshed = false;
        if connection.reused || self.members.load().len() == 1 {
            tries.again = Some(connection.member);
        }
        let stays = matches!(self.config.balance, super::Balance::Sticky(_));
        if connection.reused && stays {
            // Its client belongs there.
            tries.tried.retain(|member| *member != connection.member);
            tries.again = None;
        }
    }

    fn may_try_again(&self) -> bool {
        let allowed = self.budget.take(now());
        self.metrics.retry(allowed);
        allowed
    }

    /// Who is asked next, once there is room. `None`: there is nobody else.
    async fn next(&self, tries: &mut Tries, wanted: Wanted<'_>) -> Result<Option<Chosen>, Fault> {
        let turn = self.turn(tries, &self.members.load());
        match self.pick(&self.members.load(), turn, wanted, &tries.tried) {
            Pick::Member(picked) => return Ok(Some(picked.chosen())),
            Pick::Full => {}
            Pick::Nobody => return Ok(self.asked_again(tries)),
        }
        let Some(room) = &self.room else { return Err(self.busy(1)) };
        let try_again = || match self.pick(&self.members.load(), turn, wanted, &tries.tried) {
            Pick::Member(picked) => Some(picked.chosen()),
            Pick::Full | Pick::Nobody => None,
        };
        let waited = |slot: Slot| {
            let member = slot.member().cloned();
            member.map(|member| Chosen { member, slot: Some(slot) })
        };
        let found = room.wait(|| try_again().map(Some), waited).await.flatten();
        found.map(Some).ok_or_else(|| self.busy(room.retry_after()))
    }

    /// The server whose connection had died, now that there is no other.
    fn asked_again(&self, tries: &mut Tries) -> Option<Chosen> {
        let again = tries.again.take().filter(|again| !tries.asked_again.contains(again))?;
        tries.asked_again.push(again);
        let members = self.members.load();
        let member = members.iter().find(|member| member.id == again)?;
        member.enter(None).then(|| Chosen {
            member: member.clone(),
            slot: Some(Slot::new(member.clone(), self.room.clone())),
        })
    }

    /// Where no address is known or all have been tried: waits for name servers to say others. `false`
    /// where there is nothing to hope for.
    async fn learn_of_others(&self, tries: &mut Tries) -> bool {
        let names: Vec<_> = self.names().cloned().collect();
        let deadline = Instant::now() + self.config.connect;
        if self.members.load().len() == 0 {
            for name in &names {
                name.answered(deadline).await;
                name.refresh_soon();
            }
            return self.members.load().len() > 0;
        }
        if names.is_empty() || std::mem::replace(&mut tries.refreshed, true) {
            return false;
        }
        let asked: Vec<_> = names.iter().map(|name| (name, name.ask_afresh())).collect();
        for (name, number) in asked {
            name.ended(number, deadline).await;
        }
        true
    }

    fn names(&self) -> impl Iterator<Item = &Arc<Name>> {
        self.servers.iter().filter_map(|server| match &server.place {
            Place::Named { name, .. } => Some(name),
            Place::Fixed(_) => None,
        })
    }

    fn unresolved(&self) -> Fault {
        let unknown = self.names().find(|name| name.known().is_none());
        match unknown {
            Some(name) => {
                Fault::Unresolved { name: name.host().to_string(), reason: name.why_unknown() }
            }
            // The configuration has at least one server, and an address is one.
            None => Fault::Unresolved {
                name: self.config.name.clone(),
                reason: "it has no servers".into(),
            },
        }
    }

    fn busy(&self, retry_after: u64) -> Fault {
        Fault::Busy { upstream: self.config.name.as_str().into(), retry_after }
    }
}

/// A connection on which a request was not answered.
pub(crate) struct Unanswered {
    member: u64,
    reused: bool,
}

impl Connection {
    /// What is remembered about it once it is gone.
    pub(crate) fn unanswered(&self) -> Unanswered {
        Unanswered { member: self.member.id, reused: self.reused }
    }
}

impl Tries {
    fn note(&mut self, member: u64) {
        self.count += 1;
        self.tried.push(member);
    }
}
