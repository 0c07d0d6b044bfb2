//! Why a certificate does not come, or would not: looks at everything that an issue depends on, as a
//! person would, and changes nothing. It never decides whether a certificate is asked for.

mod addresses;
mod anybody;
mod ca;
mod caa;
mod cdn;
mod configuration;
mod course;
mod dns01;
mod finding;
#[cfg(test)]
mod golden;
mod ledger;
mod port443;
mod port80;
mod reach;
mod stand_in;
mod storage;
mod subject;
mod token;
mod visit;

use std::sync::Arc;
use std::time::Duration;

use gateway_config::model::{ChallengeKind, Config, HostPattern};
use tokio::time::timeout;

use self::course::Course;
use self::storage::Running;
use self::subject::Subject;
use crate::dns::lookup::Inquiry;
use crate::keeper::Wanted;

pub use self::finding::{Check, Finding, Report, Severity};
pub(crate) use self::token::{KEY, Password};

/// How long an examination may take as a whole.
pub const TIME_LIMIT: Duration = Duration::from_secs(25);

/// What is examined.
#[derive(Debug, Clone)]
pub struct Examination {
    /// A host or a wildcard.
    pub domain: HostPattern,
    /// What the gateway runs with.
    pub config: Config,
    /// Every certificate that it wants.
    pub wanted: Vec<Wanted>,
    /// Where things are looked for.
    pub ports: Ports,
    /// How long it may take; [`TIME_LIMIT`] is a good one.
    pub time_limit: Duration,
}

/// The ports that the world has agreed upon, or those of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ports {
    /// Where a CA comes to for http-01.
    pub http: u16,
    /// Where a CA comes to for tls-alpn-01.
    pub https: u16,
    /// Where the name servers of zones listen.
    pub dns: u16,
}

impl Default for Ports {
    fn default() -> Self {
        Self { http: 80, https: 443, dns: 53 }
    }
}

/// Looks at everything, all at the same time where that is possible. `tell` is told what is still
/// looked at, each time that this changes. It reads from disk, so it is to be awaited where nobody waits.
pub async fn examine(examination: &Examination, tell: &mut dyn FnMut(&[Check])) -> Report {
    let domain = examination.domain.to_string();
    let found = configuration::site_of(&examination.config, &examination.domain);
    let (site, pattern) = match found {
        Ok(found) => found,
        Err(seen) => return Report::new(domain, &[], vec![seen.into()]),
    };
    let subject = Subject::new(examination, site, pattern);
    let course = Course::new(checks(&subject), tell);
    course.done(Check::Configuration, configuration::check(&subject));
    let (running, findings) = storage::check(subject.storage());
    course.done(Check::Storage, findings);
    course.done(Check::Ledger, ledger::check(&subject));
    let looked = timeout(examination.time_limit, look(&subject, running, &course)).await;
    let findings = course.end(looked.is_err().then_some(examination.time_limit));
    Report::new(domain, &subject.kinds, findings)
}

/// What takes a while.
fn checks(subject: &Subject<'_>) -> Vec<Check> {
    let all = [
        (Check::Ca, true),
        (Check::Caa, subject.ip().is_none()),
        (Check::Addresses, true),
        (Check::Http01, subject.can(ChallengeKind::Http01)),
        (Check::TlsAlpn01, subject.can(ChallengeKind::TlsAlpn01)),
        (Check::Dns01, subject.can(ChallengeKind::Dns01)),
    ];
    all.into_iter().filter(|(_, is)| *is).map(|(check, _)| check).collect()
}

async fn look(subject: &Subject<'_>, running: Running, course: &Course<'_>) {
    let examination = subject.examination;
    let inquiry = Arc::new(Inquiry::new(&examination.config.server.dns, examination.ports.dns));
    let cas = async {
        let asked = async {
            let (findings, documents) = ca::check(subject).await;
            course.done(Check::Ca, findings);
            documents
        };
        if subject.ip().is_some() {
            asked.await;
            return;
        }
        let (documents, found) = tokio::join!(asked, caa::look_up(subject.name(), &inquiry));
        course.done(Check::Caa, caa::judge(subject, found, &documents));
    };
    let dns = async {
        if subject.can(ChallengeKind::Dns01) {
            course.done(Check::Dns01, dns01::check(subject).await);
        }
    };
    tokio::join!(cas, dns, visit::check(subject, running, &inquiry, course));
}
