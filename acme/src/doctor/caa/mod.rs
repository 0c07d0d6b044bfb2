//! Which CAs may issue for the domain: CAA records (RFC 8659), the nearest up the tree.

mod rules;

use std::sync::Arc;

use gateway_config::model::AcmeDirectory;
use hickory_resolver::proto::rr::rdata::CAA;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use tokio::task::JoinSet;

use self::rules::Verdict;
use super::finding::{Check, Finding, Severity};
use super::subject::Subject;
use crate::authority::{DirectoryDocument, known};
use crate::dns::lookup::{Inquiry, Told};
use crate::dns::record::{and_ancestors, fqdn, shown};

pub(super) enum Seen {
    None { name: String },
    Open { at: String },
    Allowed { ca: String, at: String, record: String },
    Forbidden { ca: String, identity: String, at: String, records: Vec<String>, wildcard: bool },
    Methods { ca: String, at: String, record: String },
    Critical { at: String, record: String },
    NoIdentity { ca: String, at: String },
    Failed { at: String, why: Vec<String> },
}

impl From<Seen> for Finding {
    fn from(seen: Seen) -> Self {
        let check = Check::Caa;
        match seen {
            Seen::None { name } => {
                Self::ok(check, format!("`{name}` has no CAA record, so every CA may issue."))
            }
            Seen::Open { at } => {
                Self::ok(check, format!("The CAA records of `{at}` restrict no CA."))
            }
            Seen::Allowed { ca, at, record } => {
                Self::ok(check, format!("{ca} may issue: `{at}` has the CAA record {record}."))
            }
            Seen::Forbidden { ca, identity, at, records, wildcard } => Self::problem(
                check,
                format!("{ca} may not issue: `{at}` has the CAA records {}.", records.join(", ")),
                format!(
                    "Add 0 {} \"{identity}\" to `{at}`, or choose a CA that the records name.",
                    if wildcard { "issuewild" } else { "issue" }
                ),
            ),
            Seen::Methods { ca, at, record } => Self::problem(
                check,
                format!(
                    "{ca} may issue by other challenges only: `{at}` has the CAA record {record}."
                ),
                "Add one that is possible here to its `validationmethods`, or make one of those possible.",
            ),
            Seen::Critical { at, record } => Self::problem(
                check,
                format!(
                    "A CA that does not know it must refuse: `{at}` has the critical CAA record {record}."
                ),
                "Write the record with 0 in the place of 128, or take it away.",
            ),
            Seen::NoIdentity { ca, at } => Self::warning(
                check,
                format!("`{at}` has CAA records, and what they would call {ca} is not known."),
                "Ask whoever runs the CA; its directory would say it in `caaIdentities`.",
            ),
            Seen::Failed { at, why } => Self::problem(
                check,
                format!("Nobody says whether `{at}` has CAA records: {}.", why.join("; ")),
                "A CA that gets no answer must refuse. Have the zone's name servers answer to CAA, with no record where there is none; check DNSSEC.",
            ),
        }
    }
}

/// The records that count, and where they are.
#[derive(Debug)]
pub(super) enum Found {
    None,
    Here { at: String, records: Vec<CAA> },
    Failed { at: String, why: Vec<String> },
}

/// Walks up from the name. All levels are asked at the same time.
pub(super) async fn look_up(name: &str, inquiry: &Arc<Inquiry>) -> Found {
    let Some(name) = fqdn(name) else { return Found::None };
    let mut asking = JoinSet::new();
    for (level, ancestor) in and_ancestors(&name).enumerate() {
        let inquiry = inquiry.clone();
        asking.spawn(async move {
            let found = at(&ancestor, &inquiry).await;
            (level, found)
        });
    }
    let mut found = asking.join_all().await;
    found.sort_by_key(|(level, _)| *level);
    let nearest = found.into_iter().map(|(_, found)| found);
    nearest.into_iter().find(|found| !matches!(found, Found::None)).unwrap_or(Found::None)
}

async fn at(name: &Name, inquiry: &Inquiry) -> Found {
    let answers = inquiry.ask(name, RecordType::CAA).await;
    if answers.told.is_empty() {
        let why = answers.silent.iter().map(|(server, why)| format!("{server} ({why})"));
        return Found::Failed { at: shown(name), why: why.collect() };
    }
    let mut records: Vec<CAA> = Vec::new();
    for (_, told) in answers.told {
        let Told::Records(told) = told else { continue };
        for record in told {
            if let RData::CAA(record) = record
                && !records.contains(&record)
            {
                records.push(record);
            }
        }
    }
    match records.is_empty() {
        true => Found::None,
        false => Found::Here { at: shown(name), records },
    }
}

/// What the records mean for each CA.
pub(super) fn judge(
    subject: &Subject<'_>,
    found: Found,
    documents: &[Option<DirectoryDocument>],
) -> Vec<Finding> {
    let (at, records) = match found {
        Found::None => return vec![Seen::None { name: subject.name().to_owned() }.into()],
        Found::Failed { at, why } => return vec![Seen::Failed { at, why }.into()],
        Found::Here { at, records } => (at, records),
    };
    let mut findings: Vec<Finding> = Vec::new();
    for (index, directory) in subject.directories().iter().enumerate() {
        let document = documents.get(index).and_then(Option::as_ref);
        let seen = of_ca(subject, directory, document, &at, &records);
        let finding = Finding::from(seen);
        if !findings.contains(&finding) {
            findings.push(finding);
        }
    }
    // Where one CA may not issue the next is asked.
    if findings.iter().any(|finding| !finding.is_problem()) {
        findings.iter_mut().for_each(|it| it.severity = it.severity.min(Severity::Warning));
    }
    findings
}

fn of_ca(
    subject: &Subject<'_>,
    directory: &AcmeDirectory,
    document: Option<&DirectoryDocument>,
    at: &str,
    records: &[CAA],
) -> Seen {
    let (ca, at) = (known::name(directory.ca.url()).to_owned(), at.to_owned());
    let said = document.map(DirectoryDocument::caa_identities).unwrap_or_default();
    let known = known::caa_identities(&directory.ca).iter().map(|&one| one.to_owned());
    let identities: Vec<String> = known.chain(said.iter().cloned()).collect();
    let wildcard = subject.is_wildcard();
    match rules::judge(records, wildcard, &identities, &subject.kinds) {
        Verdict::Open => Seen::Open { at },
        Verdict::Allowed { record } => Seen::Allowed { ca, at, record },
        Verdict::Methods { record } => Seen::Methods { ca, at, record },
        Verdict::Critical { record } => Seen::Critical { at, record },
        Verdict::Forbidden { records } => match identities.into_iter().next() {
            Some(identity) => Seen::Forbidden { ca, identity, at, records, wildcard },
            None => Seen::NoIdentity { ca, at },
        },
    }
}
