//! From what went wrong to whose fault it is and what to do about it, in plain words.

use gateway_config::model::ChallengeKind;
use instant_acme::Error;

use super::known;
use super::refusal::{Problem, Refusal};
use crate::failure::{Blame, Failure};
use crate::https::HttpsError;

/// What was being tried.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attempt<'a> {
    /// The CA's directory.
    pub(crate) directory: &'a str,
    /// How the names are being proved, once that is decided.
    pub(crate) challenge: Option<ChallengeKind>,
}

impl Attempt<'_> {
    fn ca(&self) -> &str {
        known::name(self.directory)
    }

    /// What an error of the CA's API comes down to.
    pub(crate) fn failure(&self, error: &Error) -> Failure {
        match error {
            Error::Api(problem) => self.problem(&problem.into(), None),
            Error::Other(other) => {
                if let Some(refusal) = other.downcast_ref::<Refusal>() {
                    self.refused(refusal)
                } else if let Some(error) = other.downcast_ref::<HttpsError>() {
                    Failure::explained(
                        Blame::Ca,
                        &format!("{} cannot be asked: ", self.ca()),
                        error,
                    )
                } else {
                    self.nonsense(other)
                }
            }
            Error::Json(_) | Error::Str(_) => self.nonsense(error),
            Error::Timeout(_) => self.failed(
                Blame::Ca,
                format!("{} did not come to a decision in time.", self.ca()),
                "Nothing is to be done: it is asked again.",
            ),
            error => self.nonsense(error),
        }
    }

    fn failed(&self, blame: Blame, what: String, advice: impl ToString) -> Failure {
        Failure { blame, what, advice: advice.to_string(), retry_after: None }
    }

    fn nonsense(&self, error: impl std::fmt::Display) -> Failure {
        self.failed(
            Blame::Ca,
            format!("{} answered what no ACME server should ({error}).", self.ca()),
            "Check that `directory` in [acme] is the URL of an ACME directory; it is asked again.",
        )
    }

    fn refused(&self, refusal: &Refusal) -> Failure {
        let mut failure = match &refusal.problem {
            Some(problem) => self.problem(problem, refusal.retry_after),
            None => self.bare(refusal),
        };
        failure.retry_after = refusal.retry_after;
        failure
    }

    /// An answer without a problem document.
    fn bare(&self, refusal: &Refusal) -> Failure {
        let what = format!("{} answered with {refusal}.", self.ca());
        match refusal.status.as_u16() {
            429 => self.failed(
                Blame::Limit,
                what,
                "Nothing is to be done: it is left alone for a while.",
            ),
            404 => self.failed(
                Blame::Ca,
                what,
                "Check that `directory` in [acme] is the URL of an ACME directory.",
            ),
            _ => self.failed(Blame::Ca, what, "Nothing is to be done: it is asked again."),
        }
    }

    /// What the CA said about the request or about a name.
    pub(crate) fn problem(
        &self,
        problem: &Problem,
        retry_after: Option<std::time::Duration>,
    ) -> Failure {
        let (blame, advice) = self.judge(problem.kind());
        let what = format!("{} says: {problem}.", self.ca());
        Failure { blame, what, advice, retry_after }
    }

    fn judge(&self, kind: &str) -> (Blame, String) {
        let fixed = |blame, advice: &str| (blame, advice.to_owned());
        match kind {
            "rateLimited" => fixed(
                Blame::Limit,
                "Nothing is to be done: it is left alone until it takes orders again. A limit that is reached often is a reason to use fewer names, or one wildcard.",
            ),
            "externalAccountRequired" => fixed(
                Blame::Account,
                "Get an external account key from the CA, and write it into [acme] as directory = { ca = …, eab = { key_id = …, key = { file = … } } }.",
            ),
            "invalidContact" | "unsupportedContact" => fixed(
                Blame::Account,
                "Put an address that the CA can write to into `contact` in [acme], as \"mailto:you@example.com\".",
            ),
            "userActionRequired" => fixed(
                Blame::Account,
                "The CA wants something done at its site first, often to agree to new terms; its words above name the page.",
            ),
            "accountDoesNotExist" => fixed(
                Blame::Account,
                "Nothing is to be done: another account is made at the next attempt.",
            ),
            "unauthorized" if self.challenge.is_none() => fixed(
                Blame::Account,
                "Check `eab` in [acme]: key id and key are a pair, and some CAs take each pair only once.",
            ),
            "invalidProfile" => fixed(
                Blame::Account,
                "Choose one of the CA's profiles for `profile` in [acme], or leave it out; `gateway acme status` lists them.",
            ),
            "rejectedIdentifier" => fixed(
                Blame::Name,
                "The CA issues no certificate for this name. Use a name that is yours in public DNS, or tls = \"self-signed\" for the site.",
            ),
            "caa" => fixed(
                Blame::Name,
                "A CAA record of the domain names other CAs. Add this one to it, or choose one that it names.",
            ),
            "dns" => fixed(Blame::Name, self.dns_advice()),
            "connection" | "tls" | "unauthorized" | "incorrectResponse" | "malformed"
                if self.challenge.is_some() =>
            {
                fixed(Blame::Name, self.unseen_advice())
            }
            "serverInternal" | "badNonce" | "orderNotReady" => {
                fixed(Blame::Ca, "Nothing is to be done: it is asked again.")
            }
            "alreadyReplaced" => fixed(
                Blame::Ca,
                "Nothing is to be done: the next attempt does not say what it replaces.",
            ),
            "badCSR" | "badPublicKey" | "badSignatureAlgorithm" => fixed(
                Blame::Account,
                "The CA does not take this kind of key: change `keys` in [acme].",
            ),
            _ => fixed(
                Blame::Ca,
                "It is asked again. If it stays, the CA's words above are the thing to look for.",
            ),
        }
    }

    fn dns_advice(&self) -> &'static str {
        match self.challenge {
            Some(ChallengeKind::Dns01) => {
                "Check that the zone is the one that the world asks, and that its name servers agree."
            }
            _ => {
                "Give the name an A or AAAA record that leads to this machine, and check that its name servers answer."
            }
        }
    }

    /// The CA came to look and did not see what it should.
    fn unseen_advice(&self) -> &'static str {
        match self.challenge {
            Some(ChallengeKind::Http01) => {
                "Let the world reach this machine's port 80 by this name: check its A and AAAA records, the firewall, and that a container publishes the port. `gateway acme doctor` looks."
            }
            Some(ChallengeKind::TlsAlpn01) => {
                "Let the world reach this machine's port 443 by this name, without a proxy or CDN that ends TLS in front: check its A and AAAA records and the firewall. `gateway acme doctor` looks."
            }
            Some(ChallengeKind::Dns01) => {
                "Check that `dns` in [acme] changes the zone that the world asks, and that all its name servers follow."
            }
            None => "`gateway acme doctor` looks closer.",
        }
    }
}
