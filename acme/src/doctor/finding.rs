//! What the doctor says.

use std::fmt;

use gateway_config::model::ChallengeKind;
use serde::{Serialize, Serializer};

/// What is looked at, in the order in which a person would look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    /// What the configuration says about the name.
    Configuration,
    /// Whether the CAs can be reached, and what time they have.
    Ca,
    /// Where the name leads to.
    Addresses,
    /// Who stands in front.
    Cdn,
    /// Which CAs may issue.
    Caa,
    /// Whether this gateway answers at port 80.
    Http01,
    /// Whether this gateway answers at port 443.
    TlsAlpn01,
    /// Whether records could be changed.
    Dns01,
    /// The storage folder.
    Storage,
    /// What was tried so far.
    Ledger,
}

impl Check {
    /// The check of a challenge.
    fn of(kind: ChallengeKind) -> Self {
        match kind {
            ChallengeKind::Http01 => Self::Http01,
            ChallengeKind::TlsAlpn01 => Self::TlsAlpn01,
            ChallengeKind::Dns01 => Self::Dns01,
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Configuration => "configuration",
            Self::Ca => "CA",
            Self::Addresses => "addresses",
            Self::Cdn => "CDN",
            Self::Caa => "CAA",
            Self::Http01 => "port 80",
            Self::TlsAlpn01 => "port 443",
            Self::Dns01 => "dns-01",
            Self::Storage => "storage",
            Self::Ledger => "ledger",
        })
    }
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// As it should be.
    Ok,
    /// Worth a look; it keeps no certificate from coming.
    Warning,
    /// It keeps a certificate from coming.
    Problem,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Problem => "problem",
        })
    }
}

/// One thing that was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// By which check.
    pub check: Check,
    /// How bad it is.
    pub severity: Severity,
    /// What was seen, in a sentence.
    pub what: String,
    /// What to do about it, in sentences.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
    /// The challenges that it stands in the way of; empty: of every one.
    #[serde(serialize_with = "as_text", skip_serializing_if = "<[_]>::is_empty")]
    pub challenges: &'static [ChallengeKind],
}

/// The challenges for which the CA comes to look.
pub(super) const VISITS: &[ChallengeKind] = &[ChallengeKind::Http01, ChallengeKind::TlsAlpn01];
pub(super) const HTTP_01: &[ChallengeKind] = &[ChallengeKind::Http01];
pub(super) const TLS_ALPN_01: &[ChallengeKind] = &[ChallengeKind::TlsAlpn01];
pub(super) const DNS_01: &[ChallengeKind] = &[ChallengeKind::Dns01];

impl Finding {
    pub(super) fn ok(check: Check, what: String) -> Self {
        Self { check, severity: Severity::Ok, what, advice: None, challenges: &[] }
    }

    pub(super) fn warning(check: Check, what: String, advice: impl Into<String>) -> Self {
        let advice = Some(advice.into()).filter(|advice| !advice.is_empty());
        Self { check, severity: Severity::Warning, what, advice, challenges: &[] }
    }

    pub(super) fn problem(check: Check, what: String, advice: impl Into<String>) -> Self {
        Self { severity: Severity::Problem, ..Self::warning(check, what, advice) }
    }

    /// The same, as something that stands in the way of these challenges alone.
    pub(super) fn of(self, challenges: &'static [ChallengeKind]) -> Self {
        Self { challenges, ..self }
    }

    /// From an error's sentences: the first is what was seen, the others what to do.
    pub(super) fn problem_of(check: Check, error: &impl fmt::Display) -> Self {
        let text = error.to_string();
        let (what, advice) = split_sentence(&text);
        Self::problem(check, capitalised(what), advice)
    }

    pub(super) fn is_problem(&self) -> bool {
        self.severity == Severity::Problem
    }
}

/// Everything that was seen.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// What was asked about.
    pub domain: String,
    /// Whether nothing is a problem.
    pub ok: bool,
    /// The challenges by which the domain could be proved, as far as can be seen from here.
    #[serde(serialize_with = "as_text")]
    pub proved_by: Vec<ChallengeKind>,
    /// The findings, in the order of the checks.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Of what was found, where the domain may be proved by these challenges. What stands in the way
    /// of one challenge alone is no problem where another works: the gateway takes the next.
    pub(super) fn new(
        domain: String,
        possible: &[ChallengeKind],
        mut findings: Vec<Finding>,
    ) -> Self {
        findings.sort_by_key(|finding| finding.check);
        let stops = |finding: &Finding, kind: ChallengeKind| {
            finding.is_problem() && finding.challenges.contains(&kind)
        };
        // That nothing is in the way is not enough: it was seen to work.
        let seen = |finding: &Finding, kind: ChallengeKind| {
            finding.severity == Severity::Ok && finding.check == Check::of(kind)
        };
        let works = |kind: &&ChallengeKind| {
            findings.iter().any(|it| seen(it, **kind))
                && !findings.iter().any(|it| stops(it, **kind))
        };
        let proved_by: Vec<_> = possible.iter().filter(works).copied().collect();
        if !proved_by.is_empty() {
            let of_one = findings.iter_mut().filter(|finding| !finding.challenges.is_empty());
            of_one.for_each(|finding| finding.severity = finding.severity.min(Severity::Warning));
        }
        let ok = !findings.iter().any(Finding::is_problem);
        Self { domain, ok, proved_by, findings }
    }

    /// How many findings are so bad.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }
}

fn as_text<S: Serializer>(kinds: &[ChallengeKind], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(kinds.iter().map(ToString::to_string))
}

/// Splits behind the first full stop that is in no quoted name.
fn split_sentence(text: &str) -> (&str, &str) {
    let end = text
        .match_indices(". ")
        .map(|(at, _)| at + 1)
        .find(|at| text.get(..*at).is_some_and(|first| first.matches('`').count() % 2 == 0));
    let split = end.and_then(|at| text.split_at_checked(at));
    split.map_or((text, ""), |(what, advice)| (what, advice.trim_start()))
}

fn capitalised(text: &str) -> String {
    let mut text = text.to_owned();
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    text
}

/// What somebody else has said, for a line: without what would break it, and not for ever.
pub(super) fn quoted(text: &str) -> String {
    text.chars().filter(|char| !char.is_control()).take(120).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings() -> Vec<Finding> {
        let problem = |check| Finding::problem(check, String::new(), "");
        vec![
            problem(Check::TlsAlpn01).of(TLS_ALPN_01),
            problem(Check::Cdn).of(TLS_ALPN_01),
            Finding::ok(Check::Http01, String::new()),
            Finding::ok(Check::Configuration, String::new()),
        ]
    }

    #[test]
    fn one_challenge_that_works_is_enough() {
        let report = Report::new("a.test".into(), VISITS, findings());
        assert_eq!((report.ok, report.proved_by.as_slice()), (true, HTTP_01));
        assert_eq!(report.count(Severity::Warning), 2);
        assert_eq!(report.findings.first().map(|it| it.check), Some(Check::Configuration));
    }

    #[test]
    fn where_none_works_everything_in_the_way_is_a_problem() {
        let report = Report::new("a.test".into(), TLS_ALPN_01, findings());
        assert_eq!((report.ok, report.proved_by.len()), (false, 0));
        assert_eq!(report.count(Severity::Problem), 2);
    }

    #[test]
    fn what_stands_in_every_way_stays_a_problem() {
        let mut all = findings();
        all.push(Finding::problem(Check::Caa, String::new(), ""));
        assert!(!Report::new("a.test".into(), VISITS, all).ok);
    }

    #[test]
    fn sentences_end_outside_of_names() {
        assert_eq!(
            split_sentence("the `a. b` is gone. Look. Or not."),
            ("the `a. b` is gone.", "Look. Or not.")
        );
        assert_eq!(split_sentence("one."), ("one.", ""));
        assert_eq!(capitalised("one."), "One.");
    }
}
