//! Which member a request goes to.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use gateway_config::model::{Balance, HashKey};
use smallvec::SmallVec;

use super::Upstream;
use super::members::{Member, Members, Tier};
use super::queue::Slot;
use super::rendezvous;
use super::standing::now;
use super::sticky::cookie;
use crate::head::RequestHead;
use crate::policy::limit::ClientKey;

/// What a request says about where it belongs.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'r> {
    pub(crate) asked: &'r RequestHead,
    pub(crate) client: IpAddr,
}

/// A member, and the request counted there where requests are counted.
pub(super) struct Picked<'m> {
    pub(super) member: &'m Arc<Member>,
    pub(super) slot: Option<Slot>,
}

/// The same, for longer than the list of members is looked at.
pub(super) struct Chosen {
    pub(super) member: Arc<Member>,
    pub(super) slot: Option<Slot>,
}

impl Picked<'_> {
    pub(super) fn chosen(self) -> Chosen {
        Chosen { member: self.member.clone(), slot: self.slot }
    }
}

/// What came of picking.
pub(super) enum Pick<'m> {
    Member(Picked<'m>),
    /// Those that could be asked have as many requests as they may have.
    Full,
    /// There is nobody else.
    Nobody,
}

/// The members that a request has tried already.
pub(super) type Tried = SmallVec<[u64; 4]>;

impl Upstream {
    /// A member for a request: one that is due to be tried again, or else the one that `balance` says
    /// of those that are in, backups only where there is no other. Where nobody is in, everybody may be
    /// asked: what is known about them may be old, or the checks may be what is wrong.
    pub(super) fn pick<'m>(
        &self,
        members: &'m Members,
        turn: usize,
        wanted: Wanted<'_>,
        tried: &Tried,
    ) -> Pick<'m> {
        if let Some(member) = self.due_for_trial(members, tried)
            && let Some(picked) = self.enter(member)
        {
            return Pick::Member(picked);
        }
        let untried = |member: &Arc<Member>| !tried.contains(&member.id);
        let is_in = |member: &Arc<Member>| untried(member) && member.standing.is_in();
        let mut full = false;
        for tier in [&members.first, &members.backups] {
            match self.pick_of(tier, turn, wanted, &is_in) {
                Pick::Nobody => {}
                Pick::Full => full = true,
                picked @ Pick::Member(_) => return picked,
            }
        }
        if full {
            return Pick::Full;
        }
        match self.pick_of(&members.first, turn, wanted, &untried) {
            Pick::Nobody => self.pick_of(&members.backups, turn, wanted, &untried),
            picked => picked,
        }
    }

    /// One that has been left out long enough for failed requests.
    fn due_for_trial<'m>(&self, members: &'m Members, tried: &Tried) -> Option<&'m Arc<Member>> {
        let fail = self.config.fail?;
        if !members.troubled.load(Relaxed) {
            return None;
        }
        if members.iter().all(|member| member.standing.is_in()) {
            members.troubled.store(false, Relaxed);
            return None;
        }
        let now = now();
        let due = |member: &&Arc<Member>| {
            !tried.contains(&member.id) && member.standing.take_trial(fail, now)
        };
        members.iter().find(due)
    }

    fn pick_of<'m>(
        &self,
        tier: &'m Tier,
        turn: usize,
        wanted: Wanted<'_>,
        may: &dyn Fn(&Arc<Member>) -> bool,
    ) -> Pick<'m> {
        let has_room = |member: &Arc<Member>| {
            self.most.is_none_or(|most| member.in_flight.load(Relaxed) < most)
        };
        let candidate = |member: &Arc<Member>| may(member) && has_room(member);
        // Between looking and entering, somebody else may have taken the last place.
        while let Some(best) = self.best_of(tier, turn, wanted, &candidate) {
            if let Some(picked) = self.enter(best) {
                return Pick::Member(picked);
            }
        }
        if self.most.is_some() && tier.list.iter().any(may) { Pick::Full } else { Pick::Nobody }
    }

    /// Counts the request at a member, where requests are counted.
    fn enter<'m>(&self, member: &'m Arc<Member>) -> Option<Picked<'m>> {
        if !self.counts {
            return Some(Picked { member, slot: None });
        }
        member.enter(self.most).then(|| {
            let slot = Some(Slot::new(member.clone(), self.room.clone()));
            Picked { member, slot }
        })
    }

    fn best_of<'m>(
        &self,
        tier: &'m Tier,
        turn: usize,
        wanted: Wanted<'_>,
        may: &dyn Fn(&Arc<Member>) -> bool,
    ) -> Option<&'m Arc<Member>> {
        let chosen = match &self.config.balance {
            Balance::RoundRobin => None,
            Balance::LeastConnections => return self.least_busy(tier, turn, may),
            Balance::Hash(key) => key_of(key, wanted).and_then(|key| {
                let score =
                    |member: &&Arc<Member>| rendezvous::score(key, member.hash, member.weight);
                let scored = tier.list.iter().filter(|member| may(member));
                scored.max_by(|a, b| score(a).total_cmp(&score(b)))
            }),
            Balance::Sticky(name) => cookie(&wanted.asked.fields, name).and_then(|said| {
                let is_named =
                    |member: &Member| member.token.as_ref().is_some_and(|t| t.as_bytes() == said);
                tier.list.iter().find(|member| is_named(member) && may(member))
            }),
        };
        chosen.or_else(|| self.in_turn(tier, turn, may))
    }

    /// The one whose turn it is. In the place of one that cannot be asked, any: otherwise the one
    /// behind it in the list would have its share too.
    fn in_turn<'m>(
        &self,
        tier: &'m Tier,
        turn: usize,
        may: &dyn Fn(&Arc<Member>) -> bool,
    ) -> Option<&'m Arc<Member>> {
        let Tier { list, order } = tier;
        let next = list.get(*order.get(turn % order.len().max(1))?)?;
        let may_next = may(next);
        if may_next && self.takes_its_share(next) {
            return Some(next);
        }
        let start = fastrand::usize(..order.len());
        let others =
            (0..order.len()).filter_map(|step| list.get(*order.get((start + step) % order.len())?));
        let mut others = others.filter(|other| other.id != next.id && may(other));
        others.next().or_else(|| may_next.then_some(next))
    }

    /// While it starts slowly, a member leaves a part of its turns to others.
    fn takes_its_share(&self, member: &Member) -> bool {
        self.config.slow_start.is_none_or(|slow| {
            let share = member.standing.share(slow, now());
            share >= 1.0 || fastrand::f32() < share
        })
    }

    fn least_busy<'m>(
        &self,
        tier: &'m Tier,
        turn: usize,
        may: &dyn Fn(&Arc<Member>) -> bool,
    ) -> Option<&'m Arc<Member>> {
        let busyness = |member: &Arc<Member>| {
            let share =
                self.config.slow_start.map_or(1.0, |slow| member.standing.share(slow, now()));
            let requests = f64::from(member.in_flight.load(Relaxed)) + 1.0;
            requests / (f64::from(member.weight) * f64::from(share))
        };
        // Of those that are equally busy, the one whose turn it is.
        let start = turn % tier.list.len().max(1);
        let (before, from) = tier.list.split_at_checked(start)?;
        let in_turn = from.iter().chain(before).filter(|member| may(member));
        in_turn.min_by(|a, b| busyness(a).total_cmp(&busyness(b)))
    }
}

/// The hash of what requests have in common that belong together; `None` where this one lacks it.
fn key_of(key: &HashKey, wanted: Wanted<'_>) -> Option<u64> {
    let fields = &wanted.asked.fields;
    let bytes = match key {
        HashKey::ClientIp => {
            return Some(rendezvous::hash(ClientKey::of(wanted.client).to_string().as_bytes()));
        }
        HashKey::Path => wanted.asked.path().as_bytes(),
        HashKey::Header(name) => fields.named(name.as_str().as_bytes()).next()?,
        HashKey::Cookie(name) => cookie(fields, name)?,
    };
    Some(rendezvous::hash(bytes))
}
