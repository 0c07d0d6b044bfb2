//! What a CA finds that comes to look: where the name leads to, who answers there, who stands between.

use std::io;
use std::net::{IpAddr, SocketAddr};

use gateway_config::model::ChallengeKind;

use super::course::Course;
use super::finding::{Check, Finding, HTTP_01, TLS_ALPN_01};
use super::port443::{self, Ours};
use super::stand_in::StandIn;
use super::storage::Running;
use super::subject::{Subject, now};
use super::token::{Password, Question};
use super::{addresses, cdn, port80};
use crate::dns::lookup::Inquiry;

/// No name has more addresses that are worth looking at.
const MOST_ADDRESSES: usize = 8;

/// Why nobody looked.
pub(super) enum Seen {
    NotNeeded,
    Unrecognised,
    Taken { at: SocketAddr },
    NoListening { at: SocketAddr, error: io::Error },
    NoneRuns,
}

impl From<Seen> for Finding {
    fn from(seen: Seen) -> Self {
        match seen {
            Seen::NotNeeded => Self::ok(
                Check::Addresses,
                "Not looked at: for dns-01 nobody connects to this machine.".to_owned(),
            ),
            Seen::Unrecognised => Self::warning(
                Check::Http01,
                "Not looked at, since the running gateway could not be recognised.".to_owned(),
                "See what is said about the storage.",
            ),
            Seen::Taken { at } => Self::problem(
                Check::Http01,
                format!("No gateway runs with this storage, and another program listens at {at}."),
                "End that program, or give the gateway another address in `http` of [server] and have port 80 lead to it.",
            )
            .of(HTTP_01),
            Seen::NoListening { at, error } => Self::warning(
                Check::Http01,
                format!("Not looked at: no gateway runs, and {at} cannot be listened on in its place ({error})."),
                "Start the gateway and call this again.",
            ),
            Seen::NoneRuns => Self::warning(
                Check::TlsAlpn01,
                "Not looked at, since no gateway runs with this storage.".to_owned(),
                "Start it and call this again.",
            ),
        }
    }
}

/// Looks as a CA would.
pub(super) async fn check(
    subject: &Subject<'_>,
    running: Running,
    inquiry: &Inquiry,
    course: &Course<'_>,
) {
    if !subject.is_visited() {
        return course.done(Check::Addresses, vec![Seen::NotNeeded.into()]);
    }
    let (mut addresses, findings) = addresses::check(subject, inquiry).await;
    course.done(Check::Addresses, findings);
    addresses.truncate(MOST_ADDRESSES);
    let none_runs = matches!(running, Running::No);
    let at_80 = async {
        let looks = at_80(subject, running, &addresses, course).await;
        if !addresses.is_empty() {
            course.done(Check::Cdn, cdn::check(subject, &addresses, &looks));
        }
    };
    tokio::join!(at_80, at_443(subject, none_runs, &addresses, course));
}

async fn at_80(
    subject: &Subject<'_>,
    running: Running,
    addresses: &[IpAddr],
    course: &Course<'_>,
) -> Vec<port80::Look> {
    if !subject.can(ChallengeKind::Http01) {
        return Vec::new();
    }
    let stands_in = matches!(running, Running::No);
    let (question, stand_in) = match ask(subject, running).await {
        Ok(asked) => asked,
        Err(seen) => {
            course.done(Check::Http01, vec![seen.into()]);
            return Vec::new();
        }
    };
    let port = subject.examination.ports.http;
    let looks = port80::look(subject.name(), addresses, port, stands_in, &question).await;
    if let Some(stand_in) = stand_in {
        stand_in.stop().await;
    }
    course.done(Check::Http01, looks.iter().map(Finding::from).collect());
    looks
}

/// What to ask, and who answers where no gateway does.
async fn ask(subject: &Subject<'_>, running: Running) -> Result<(Question, Option<StandIn>), Seen> {
    match running {
        Running::Yes(Some(password)) => {
            let question = password.ask(now()).ok_or(Seen::Unrecognised)?;
            Ok((question, None))
        }
        Running::Yes(None) | Running::Unknown => Err(Seen::Unrecognised),
        Running::No => {
            let password = Password::make().and_then(|made| Password::read(made.as_bytes()));
            let question = password.and_then(|it| it.ask(now())).ok_or(Seen::Unrecognised)?;
            let listeners = subject.examination.config.server.http.iter().map(|listen| listen.0);
            match StandIn::start(listeners, &question).await {
                Ok(stand_in) => Ok((question, Some(stand_in))),
                Err((at, error)) if error.kind() == io::ErrorKind::AddrInUse => {
                    Err(Seen::Taken { at })
                }
                Err((at, error)) => Err(Seen::NoListening { at, error }),
            }
        }
    }
}

async fn at_443(subject: &Subject<'_>, none_runs: bool, addresses: &[IpAddr], course: &Course<'_>) {
    let findings = if !subject.can(ChallengeKind::TlsAlpn01) {
        Vec::new()
    } else if none_runs {
        vec![Finding::from(Seen::NoneRuns).of(TLS_ALPN_01)]
    } else {
        let (name, port) = (subject.name(), subject.examination.ports.https);
        let looks = port443::look(name, addresses, port, Ours::of(subject)).await;
        looks.into_iter().map(Finding::from).collect()
    };
    course.done(Check::TlsAlpn01, findings);
}
