//! What was tried so far, and what comes next.

use std::sync::Arc;
use std::time::SystemTime;

use super::finding::{Check, Finding};
use super::subject::{Subject, now};
use crate::authority::known;
use crate::failure::Failed;
use crate::keeper::{Keeper, State};
use crate::moment::Moment;
use crate::storage::{Disk, StorageError};

pub(super) enum Seen {
    Unreadable(StorageError),
    Nothing {
        hosts: String,
        ca: String,
    },
    UnderWay {
        hosts: String,
        ca: String,
        since: Moment,
    },
    Issued {
        hosts: String,
        issuer: String,
        until: Moment,
        due: Option<Moment>,
        ended: bool,
    },
    Failed {
        hosts: String,
        failures: u32,
        failed: Failed,
        ca: String,
        next: Option<Moment>,
        served: bool,
    },
}

impl From<Seen> for Finding {
    fn from(seen: Seen) -> Self {
        let check = Check::Ledger;
        match seen {
            Seen::Unreadable(error) => Self::problem_of(check, &error),
            Seen::Nothing { hosts, ca } => Self::ok(
                check,
                format!("Nothing was tried yet for {hosts}. {ca} can be asked at once."),
            ),
            Seen::UnderWay { hosts, ca, since } => Self::ok(
                check,
                format!("An attempt is under way for {hosts} with {ca}, since {since}."),
            ),
            Seen::Issued { hosts, issuer, until, ended: true, .. } => Self::problem(
                check,
                format!("The certificate for {hosts} ended at {until} (issued by {issuer})."),
                "The other lines say what keeps the next one from coming.",
            ),
            Seen::Issued { hosts, issuer, until, due, .. } => {
                let due = due.map(|due| format!(", and will be renewed at {due}"));
                Self::ok(
                    check,
                    format!(
                        "There is a certificate for {hosts}, issued by {issuer}. It is valid until {until}{}.",
                        due.unwrap_or_default()
                    ),
                )
            }
            Seen::Failed { hosts, failures, failed, ca, next, served } => {
                let attempts = match failures {
                    0 | 1 => "The last attempt".to_owned(),
                    many => format!("The last {many} attempts"),
                };
                let what = format!(
                    "{attempts} for {hosts} failed, at {} with {}: {}",
                    failed.at,
                    known::name(&failed.directory),
                    failed.failure.what
                );
                let next = match next {
                    Some(next) => format!("The next attempt is at {next}, with {ca}."),
                    None => format!("The next attempt, with {ca}, is due now."),
                };
                let advice = format!("{} {next}", failed.failure.advice);
                match served {
                    true => Self::warning(check, what, advice),
                    false => Self::problem(check, what, advice),
                }
            }
        }
    }
}

pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let disk = Arc::new(Disk::existing(subject.storage()));
    let acme = &subject.examination.config.acme;
    let states = Keeper::look(acme, subject.wanted.clone(), disk, SystemTime::now());
    match states {
        Ok(states) => states.iter().flat_map(|state| of(state, now())).map(Finding::from).collect(),
        Err(error) => vec![Seen::Unreadable(error).into()],
    }
}

fn of(state: &State, now: Moment) -> Vec<Seen> {
    let hosts = state.hosts.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let ca = known::name(&state.next_directory).to_owned();
    let served = state.lifetime.is_some_and(|lifetime| lifetime.not_after > now);
    let mut seen = Vec::new();
    if let Some(lifetime) = state.lifetime {
        seen.push(Seen::Issued {
            hosts: hosts.clone(),
            issuer: state.issuer.clone().unwrap_or_default(),
            until: lifetime.not_after,
            due: state.due,
            ended: !served,
        });
    }
    if let Some(begun) = &state.under_way {
        let ca = known::name(&begun.directory).to_owned();
        seen.push(Seen::UnderWay { hosts: hosts.clone(), ca, since: begun.at });
    }
    if let Some(failed) = state.failed.clone() {
        let next = Some(state.next_attempt).filter(|next| *next > now);
        seen.push(Seen::Failed { hosts, failures: state.failures, failed, ca, next, served });
    } else if seen.is_empty() {
        seen.push(Seen::Nothing { hosts, ca });
    }
    seen
}
