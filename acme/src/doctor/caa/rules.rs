//! What a set of CAA records means for a CA (RFC 8659, and RFC 8657 for its parameters).

use gateway_config::model::ChallengeKind;
use hickory_resolver::proto::rr::rdata::CAA;

/// Properties whose meaning is known and forbids nothing; any other that is critical forbids all.
const HARMLESS: [&str; 6] =
    ["iodef", "contactemail", "contactphone", "issuemail", "issuevmc", "auth"];

/// What the records say about a CA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// They restrict nobody.
    Open,
    /// This record allows it.
    Allowed { record: String },
    /// It is not among those that these records allow.
    Forbidden { records: Vec<String> },
    /// It may issue, and not by any of the challenges that are possible.
    Methods { record: String },
    /// A critical property that no CA is sure to know.
    Critical { record: String },
}

/// An `issue` or `issuewild` record's value.
struct Issuer {
    domain: String,
    methods: Option<Vec<String>>,
}

pub(super) fn judge(
    records: &[CAA],
    wildcard: bool,
    identities: &[String],
    possible: &[ChallengeKind],
) -> Verdict {
    let is = |record: &CAA, tag: &str| record.tag.eq_ignore_ascii_case(tag);
    let known =
        |record: &CAA| ["issue", "issuewild"].iter().chain(&HARMLESS).any(|tag| is(record, tag));
    if let Some(record) = records.iter().find(|record| record.issuer_critical && !known(record)) {
        return Verdict::Critical { record: shown(record) };
    }
    let of_tag = |tag| records.iter().filter(move |record| is(record, tag)).collect::<Vec<_>>();
    let wild = if wildcard { of_tag("issuewild") } else { Vec::new() };
    // Without a word about wildcards, what counts for names counts for them too.
    let relevant = if wild.is_empty() { of_tag("issue") } else { wild };
    if relevant.is_empty() {
        return Verdict::Open;
    }
    let ours = relevant.iter().filter_map(|record| {
        let issuer = read(&record.value);
        let named = identities.iter().any(|one| one.eq_ignore_ascii_case(&issuer.domain));
        named.then_some((record, issuer.methods))
    });
    let mut by_other_methods = None;
    for (record, methods) in ours {
        let fits =
            |methods: &Vec<String>| possible.iter().any(|kind| methods.contains(&kind.to_string()));
        match methods.as_ref().is_none_or(fits) {
            true => return Verdict::Allowed { record: shown(record) },
            false => by_other_methods = Some(Verdict::Methods { record: shown(record) }),
        }
    }
    by_other_methods.unwrap_or_else(|| Verdict::Forbidden {
        records: relevant.into_iter().map(shown).collect(),
    })
}

fn read(value: &[u8]) -> Issuer {
    let text = String::from_utf8_lossy(value);
    let mut parts = text.split(';').map(str::trim);
    let domain = parts.next().unwrap_or_default().trim_end_matches('.').to_owned();
    let methods = parts.filter_map(|part| part.split_once('=')).find_map(|(tag, value)| {
        let is_methods = tag.trim().eq_ignore_ascii_case("validationmethods");
        let methods =
            || value.split(',').map(|method| method.trim().to_ascii_lowercase()).collect();
        is_methods.then(methods)
    });
    Issuer { domain, methods }
}

/// As a zone file has it.
fn shown(record: &CAA) -> String {
    let value = super::super::finding::quoted(&String::from_utf8_lossy(&record.value));
    format!("{} {} \"{value}\"", record.flags(), record.tag)
}

#[cfg(test)]
mod tests {
    use hickory_resolver::proto::rr::rdata::CAA;

    use super::*;

    fn record(flags: u8, tag: &str, value: &str) -> CAA {
        let mut record = CAA::new_issue(flags > 0, None, Vec::new());
        record.tag = tag.to_owned();
        record.value = value.as_bytes().to_vec();
        record
    }

    fn verdict(records: &[CAA], wildcard: bool) -> Verdict {
        let identities = ["ca.test".to_owned()];
        judge(records, wildcard, &identities, &[ChallengeKind::Http01])
    }

    fn is_allowed(verdict: &Verdict) -> bool {
        matches!(verdict, Verdict::Open | Verdict::Allowed { .. })
    }

    #[test]
    fn issue_restricts_to_those_it_names() {
        let (ours, other) = (record(0, "issue", "CA.test"), record(0, "Issue", " other.test "));
        assert!(is_allowed(&verdict(&[other.clone(), ours], false)));
        assert!(
            matches!(verdict(&[other], false), Verdict::Forbidden { records } if records == ["0 Issue \" other.test \""])
        );
        assert!(!is_allowed(&verdict(&[record(0, "issue", ";")], false)));
        assert_eq!(verdict(&[record(0, "iodef", "mailto:a@b.test")], false), Verdict::Open);
    }

    #[test]
    fn issuewild_goes_before_issue_for_wildcards_and_counts_for_nothing_else() {
        let (issue, wild) = (record(0, "issue", "ca.test"), record(0, "issuewild", ";"));
        assert!(is_allowed(&verdict(&[issue.clone(), wild.clone()], false)));
        assert!(!is_allowed(&verdict(&[issue.clone(), wild.clone()], true)));
        assert!(is_allowed(&verdict(&[issue], true)));
        assert_eq!(verdict(&[wild], false), Verdict::Open);
    }

    #[test]
    fn what_is_critical_must_be_known() {
        let records = [record(128, "future", "x"), record(0, "issue", "ca.test")];
        assert!(matches!(verdict(&records, false), Verdict::Critical { .. }));
        assert!(is_allowed(&verdict(&[record(128, "issue", "ca.test")], false)));
        assert!(is_allowed(&verdict(&[record(0, "future", "x")], false)));
    }

    #[test]
    fn methods_must_be_possible() {
        let by =
            |methods: &str| record(0, "issue", &format!("ca.test; validationmethods={methods}"));
        assert!(is_allowed(&verdict(&[by("dns-01,http-01")], false)));
        assert!(matches!(verdict(&[by("dns-01")], false), Verdict::Methods { .. }));
        assert!(is_allowed(&verdict(&[by("dns-01"), record(0, "issue", "ca.test")], false)));
    }
}
