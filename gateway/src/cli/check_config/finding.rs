//! What is found outside of the configuration file, in the shape of the problems inside it.

use gateway_config::{Place, Problem, Severity};

/// A kind of problem. Its name is stable: scripts may rely on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Finding {
    CannotRead,
    Unresolved,
    UpstreamTls,
    Certificate,
    CertificateRisk,
    Secret,
    AcmeRoots,
    ErrorPage,
    Storage,
    Folder,
    Listen,
    AlreadyRunning,
    BadCompose,
    UnknownService,
    PublishedPort,
    UnexposedPort,
}

/// Every kind, with its name, severity and meaning.
const TABLE: [(Finding, &str, Severity, &str); 16] = {
    use Severity::{Error, Warning};
    [
        (Finding::CannotRead, "cannot-read", Error, "A file that cannot be read."),
        (
            Finding::Unresolved,
            "unresolved-name",
            Error,
            "`--live`: the name of an upstream does not resolve.",
        ),
        (
            Finding::UpstreamTls,
            "upstream-ca",
            Error,
            "`--live`: no root certificates to verify an https upstream with.",
        ),
        (
            Finding::Certificate,
            "certificate",
            Error,
            "`--live`: a site's certificate is missing, broken, over, or of other names.",
        ),
        (
            Finding::CertificateRisk,
            "certificate-risk",
            Warning,
            "`--live`: a certificate that works and deserves a look.",
        ),
        (
            Finding::Secret,
            "secret",
            Error,
            "`--live`: a secret, a file of users or a file of keys that cannot be read.",
        ),
        (
            Finding::AcmeRoots,
            "acme-roots",
            Error,
            "`--live`: no root certificates to verify a CA's own https with.",
        ),
        (
            Finding::ErrorPage,
            "error-page",
            Error,
            "`--live`: a page for errors that cannot be read, or is too large.",
        ),
        (Finding::Storage, "storage", Error, "`--live`: the storage folder cannot be used."),
        (
            Finding::Folder,
            "folder",
            Error,
            "`--live`: the folder of `files` is not there, or cannot be read.",
        ),
        (Finding::Listen, "listen", Error, "`--live`: an address cannot be listened on."),
        (
            Finding::AlreadyRunning,
            "already-running",
            Warning,
            "`--live`: a running gateway has the address.",
        ),
        (Finding::BadCompose, "bad-compose", Error, "`--compose`: not a Compose file."),
        (
            Finding::UnknownService,
            "unknown-service",
            Error,
            "`--compose`: no service has the upstream's name.",
        ),
        (
            Finding::PublishedPort,
            "published-port",
            Warning,
            "`--compose`: the upstream's port is where the host reaches the service, not where it listens.",
        ),
        (
            Finding::UnexposedPort,
            "unexposed-port",
            Warning,
            "`--compose`: the upstream's port is not among those that the service exposes.",
        ),
    ]
};

/// Every code with its meaning, in the order of the reference.
pub(in crate::cli) fn codes() -> impl Iterator<Item = (&'static str, &'static str)> {
    TABLE.iter().map(|(_, code, _, meaning)| (*code, *meaning))
}

impl Finding {
    /// The problem: what is wrong, what to do, and where in gateway.toml that is to be done.
    pub(super) fn problem(self, message: String, help: String, place: Option<Place>) -> Problem {
        let row = TABLE.iter().find(|(finding, ..)| *finding == self);
        let (code, severity) =
            row.map_or(("", Severity::Error), |(_, code, severity, _)| (*code, *severity));
        let help = Some(help).filter(|help| !help.is_empty());
        Problem { severity, code, message, help, place, related: Vec::new() }
    }

    /// The same, from one text: the first sentence is what is wrong, the others what to do.
    pub(super) fn problem_of(self, sentences: &str, place: Option<Place>) -> Problem {
        let (message, help) = split_sentence(sentences.trim_end_matches('.'));
        let mut help = help.to_owned();
        if let Some(first) = help.get_mut(..1) {
            first.make_ascii_lowercase();
        }
        self.problem(message.to_owned(), help, place)
    }
}

/// Splits behind the first full stop that is in no quoted name.
fn split_sentence(text: &str) -> (&str, &str) {
    let end = text
        .match_indices(". ")
        .map(|(at, _)| at)
        .find(|at| text[..*at].matches('`').count().is_multiple_of(2));
    end.map_or((text, ""), |at| (&text[..at], &text[at + 2..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_finding_has_its_row() {
        for (index, (finding, code, ..)) in TABLE.iter().enumerate() {
            assert_eq!(*finding as usize, index, "{code}");
        }
    }

    #[test]
    fn sentences_end_outside_of_names() {
        let split = split_sentence("the file `a. b` is gone. Look for it. Or not.");
        assert_eq!(split, ("the file `a. b` is gone", "Look for it. Or not."));
        assert_eq!(split_sentence("one"), ("one", ""));
    }
}
