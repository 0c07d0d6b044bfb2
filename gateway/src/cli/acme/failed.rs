//! What the ledger of a certificate says, for people and for scripts.

use std::time::SystemTime;

use gateway_acme::{Moment, State, ca_name};
use serde::Serialize;

use super::super::at::At;
use super::super::style::{Style, alarm, detail};

/// What was tried for a certificate, and what will be.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct Attempts {
    /// When it is to be renewed; none where that is at once.
    due: Option<At>,
    /// When the CA suggests to renew it.
    window: Option<Window>,
    /// The CA's page about that.
    explanation: Option<String>,
    next: At,
    next_directory: String,
    under_way: Option<UnderWay>,
    revoked: bool,
    failures: u32,
    failed: Option<Failed>,
    waits: Vec<Wait>,
}

#[derive(Debug, Serialize)]
struct Window {
    start: At,
    end: At,
}

#[derive(Debug, Serialize)]
struct UnderWay {
    since: At,
    directory: String,
}

#[derive(Debug, Serialize)]
struct Failed {
    at: At,
    directory: String,
    blame: &'static str,
    what: String,
    advice: String,
}

#[derive(Debug, Serialize)]
struct Wait {
    /// None where no CA is asked until then.
    directory: Option<String>,
    failures: u32,
    until: At,
}

impl Attempts {
    pub(in crate::cli) fn of(state: &State, now: SystemTime) -> Self {
        let failed = state.failed.as_ref().map(|failed| Failed {
            at: failed.at.into(),
            directory: failed.directory.clone(),
            blame: failed.failure.blame.label(),
            what: failed.failure.what.clone(),
            advice: failed.failure.advice.clone(),
        });
        let waits = state.waits.iter().map(|wait| Wait {
            directory: wait.directory.clone(),
            failures: wait.failures,
            until: wait.until.into(),
        });
        Self {
            due: state.due.map(At::from),
            window: state
                .window
                .map(|window| Window { start: window.start.into(), end: window.end.into() }),
            explanation: state.explanation.clone(),
            next: state.next_attempt.max(Moment::from(now)).into(),
            next_directory: state.next_directory.clone(),
            under_way: state.under_way.as_ref().map(|begun| UnderWay {
                since: begun.at.into(),
                directory: begun.directory.clone(),
            }),
            revoked: state.revoked,
            failures: state.failures,
            failed,
            waits: waits.collect(),
        }
    }

    /// When the CA suggests to renew, when the next attempt is made, and why the last one failed.
    pub(in crate::cli) fn tell(&self, text: &mut String, style: Style, now: At) {
        let mut say = |name, value: &str| detail(text, style, name, value);
        if self.revoked {
            say("revoked", "its successor is asked for as soon as a CA may be asked");
        }
        if let Some(Window { start, end }) = &self.window {
            let page = self.explanation.as_ref().map(|page| format!("; see {page}"));
            let page = page.unwrap_or_default();
            say("suggested", &format!("{} to {}, by the CA{page}", start.day(), end.day()));
        }
        if let Some(UnderWay { since, directory }) = &self.under_way {
            let ca = ca_name(directory);
            say("under way", &format!("an attempt with {ca}, begun {}", since.distance(now)));
        }
        let when = if self.next <= now { "at once".into() } else { self.next.both(now) };
        say("next", &format!("{when}, with {}", ca_name(&self.next_directory)));
        if let Some(failed) = &self.failed {
            let Failed { at, directory, what, advice, .. } = failed;
            let times = match self.failures {
                0 | 1 => String::new(),
                many => format!("{many} times, the last "),
            };
            let (ago, ca) = (at.distance(now), ca_name(directory));
            alarm(text, style, "failed", &format!("{times}{ago}, with {ca}"));
            detail(text, style, "", what);
            detail(text, style, "", advice);
        }
    }

    /// What keeps attempts from being made.
    pub(super) fn tell_waits(&self, text: &mut String, style: Style, now: At) {
        for Wait { directory, failures, until } in &self.waits {
            let whom = directory.as_deref().map_or("no CA", ca_name);
            let verb = if directory.is_some() { "is not asked" } else { "is asked" };
            let after =
                if *failures == 1 { "1 failure".into() } else { format!("{failures} failures") };
            let sentence = format!("{whom} {verb} until {}, after {after}", until.both(now));
            detail(text, style, "waits", &sentence);
        }
    }
}
