//! Whether the CAs can be reached, and what time they have.

use std::time::SystemTime;

use bytes::Bytes;
use gateway_config::model::AcmeDirectory;
use http::Request;
use http::header::DATE;

use super::finding::{Check, Finding, Severity, quoted};
use super::subject::Subject;
use crate::authority::{DirectoryDocument, known};
use crate::https::{HttpsClient, HttpsError};

/// Clocks differ by less without anybody noticing: an answer takes a while.
const UNNOTICED: u64 = 60;

/// What signatures of DNS updates allow (RFC 8945 section 10), in seconds. Beyond it things fail.
const TOO_MUCH: u64 = 300;

pub(super) enum Seen {
    Unreachable {
        ca: String,
        error: HttpsError,
    },
    NoDirectory {
        ca: String,
        status: u16,
    },
    NoClock {
        ca: String,
    },
    Fine {
        ca: String,
        differ: u64,
    },
    /// The clock is behind, or ahead where that is negative.
    Clock {
        ca: String,
        seconds: i64,
    },
    NoProfile {
        ca: String,
        profile: String,
        offered: Vec<String>,
    },
}

impl From<Seen> for Finding {
    fn from(seen: Seen) -> Self {
        let check = Check::Ca;
        match seen {
            Seen::Unreachable { ca, error } => {
                let finding = Self::problem_of(check, &error);
                let what = format!("{ca} cannot be asked: {}", finding.what);
                Self { what, ..finding }
            }
            Seen::NoDirectory { ca, status } => Self::problem(
                check,
                format!("What answers as {ca} is no ACME server (status {status})."),
                "Check that `directory` in [acme] is the URL of an ACME directory.",
            ),
            Seen::NoClock { ca } => Self::ok(
                check,
                format!(
                    "{ca} can be reached. It does not say what time it is, so this machine's clock is compared with nothing."
                ),
            ),
            Seen::Fine { ca, differ } => Self::ok(
                check,
                format!(
                    "{ca} can be reached, and this machine's clock agrees with it ({differ} s)."
                ),
            ),
            Seen::Clock { ca, seconds } => {
                let by = seconds.unsigned_abs();
                let side = if seconds > 0 { "behind" } else { "ahead of" };
                let what =
                    format!("{ca} can be reached. This machine's clock is {by} s {side} it.");
                let advice = "Set the clock right, by NTP for instance: certificates begin and end by it, and signed DNS updates are refused.";
                match by > TOO_MUCH {
                    true => Self::problem(check, what, advice),
                    false => Self::warning(check, what, advice),
                }
            }
            Seen::NoProfile { ca, profile, offered } => Self::problem(
                check,
                format!("{ca} has no profile `{profile}`."),
                match offered.is_empty() {
                    true => "Leave `profile` out: this CA has none.".to_owned(),
                    false => format!(
                        "Leave `profile` out, or choose one that it has: {}.",
                        offered.join(", ")
                    ),
                },
            ),
        }
    }
}

/// Asks every CA for its directory: what was found, and the document of each that gave one.
pub(super) async fn check(subject: &Subject<'_>) -> (Vec<Finding>, Vec<Option<DirectoryDocument>>) {
    let mut asking = tokio::task::JoinSet::new();
    let nameservers = &subject.examination.config.server.dns;
    for (index, directory) in subject.directories().iter().enumerate() {
        let (directory, nameservers) = (directory.clone(), nameservers.clone());
        let limit = subject.examination.time_limit * 3 / 4;
        asking.spawn(async move { (index, ask(&directory, &nameservers, limit).await) });
    }
    let mut answers = asking.join_all().await;
    answers.sort_by_key(|(index, _)| *index);
    let mut findings = Vec::new();
    let mut documents = Vec::new();
    for (_, (seen, document)) in answers {
        findings.push(Finding::from(seen));
        documents.push(document);
    }
    // Where one cannot be reached the next is asked.
    if documents.iter().any(Option::is_some) {
        findings
            .iter_mut()
            .zip(&documents)
            .filter(|(_, document)| document.is_none())
            .for_each(|(finding, _)| finding.severity = finding.severity.min(Severity::Warning));
    }
    findings.extend(profiles(subject, &documents));
    (findings, documents)
}

async fn ask(
    directory: &AcmeDirectory,
    nameservers: &[std::net::SocketAddr],
    limit: std::time::Duration,
) -> (Seen, Option<DirectoryDocument>) {
    let url = directory.ca.url();
    let ca = known::name(url).to_owned();
    let answer = async {
        let client = HttpsClient::new(directory.roots.as_deref(), nameservers)?;
        let mut request = Request::new(Bytes::new());
        let no_host = || HttpsError::NoHost { uri: url.to_owned() };
        *request.uri_mut() = url.parse().map_err(|_| no_host())?;
        client.with_time_limit(limit).send(request).await
    };
    let answer = match answer.await {
        Ok(answer) => answer,
        Err(error) => return (Seen::Unreachable { ca, error }, None),
    };
    let document = serde_json::from_slice::<DirectoryDocument>(answer.body()).ok();
    match document.filter(|document| answer.status().is_success() && document.takes_orders()) {
        Some(document) => {
            let date = answer.headers().get(DATE).and_then(|date| date.to_str().ok());
            (clock(ca, date, SystemTime::now()), Some(document))
        }
        None => (Seen::NoDirectory { ca, status: answer.status().as_u16() }, None),
    }
}

fn clock(ca: String, date: Option<&str>, now: SystemTime) -> Seen {
    let Some(date) = date.and_then(|date| httpdate::parse_http_date(date).ok()) else {
        return Seen::NoClock { ca };
    };
    let (by, sign) = match date.duration_since(now) {
        Ok(behind) => (behind.as_secs(), 1),
        Err(ahead) => (ahead.duration().as_secs(), -1),
    };
    match by > UNNOTICED {
        true => Seen::Clock { ca, seconds: i64::try_from(by).unwrap_or(i64::MAX) * sign },
        false => Seen::Fine { ca, differ: by },
    }
}

/// A profile that a CA does not have it refuses.
fn profiles(subject: &Subject<'_>, documents: &[Option<DirectoryDocument>]) -> Vec<Finding> {
    let wanted = subject.wanted.iter().find_map(|wanted| wanted.certificate.profile.clone());
    let Some(profile) = wanted else { return Vec::new() };
    let known = subject.directories().iter().zip(documents);
    let without = known.filter_map(|(directory, document)| {
        let offered: Vec<_> = document.as_ref()?.profiles().map(quoted).collect();
        let (ca, profile) = (known::name(directory.ca.url()).to_owned(), profile.clone());
        (!offered.contains(&profile)).then_some(Seen::NoProfile { ca, profile, offered })
    });
    without.map(Finding::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn clocks_are_compared_in_both_directions() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let of = |seconds| {
            let date =
                httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
            clock("CA".into(), Some(&date), now)
        };
        assert!(matches!(of(1_000_060), Seen::Fine { differ: 60, .. }));
        assert!(matches!(of(1_000_061), Seen::Clock { seconds: 61, .. }));
        assert!(matches!(of(999_000), Seen::Clock { seconds: -1000, .. }));
        assert!(matches!(clock("CA".into(), Some("yesterday"), now), Seen::NoClock { .. }));
    }
}
