//! What happens, for whoever is told: the log and the metrics.

use std::fmt;

use gateway_config::model::ChallengeKind;

use super::State;
use crate::authority::known;
use crate::failure::Failure;
use crate::moment::Moment;
use crate::plan::Stage;

/// Is told what happens. It must not block.
pub trait Observer: Send + Sync {
    /// Something happened.
    fn event(&self, event: &Event<'_>);

    /// How things stand now; called after everything that changes it.
    fn states(&self, states: &[State]);
}

/// Which certificate an event is about.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// The site's name.
    pub site: &'a str,
    /// The hosts of the certificate.
    pub hosts: &'a str,
    /// The directory of the CA.
    pub directory: &'a str,
    /// Which of the CA's environments.
    pub stage: Stage,
}

/// Something that happened.
#[derive(Debug)]
pub enum Event<'a> {
    /// An attempt begins.
    Trying {
        /// At what.
        about: About<'a>,
        /// How the names are proved.
        challenge: ChallengeKind,
    },
    /// A certificate was issued and is served from now on.
    Issued {
        /// Which.
        about: About<'a>,
        /// Its last valid second.
        not_after: Moment,
        /// When it will be renewed.
        due: Moment,
    },
    /// The staging environment issued: the names are fine.
    Rehearsed {
        /// Which.
        about: About<'a>,
    },
    /// An attempt failed.
    Failed {
        /// At what.
        about: About<'a>,
        /// Why.
        failure: &'a Failure,
        /// When the next one is made.
        next: Moment,
    },
    /// The CA has brought a renewal forward.
    BroughtForward {
        /// Which.
        about: About<'a>,
        /// To when.
        due: Moment,
        /// The CA's page about it.
        explanation: Option<&'a str>,
    },
    /// The CA does not say when to renew; told once until it does.
    NotSuggested {
        /// Which.
        about: About<'a>,
        /// Why.
        failure: &'a Failure,
    },
    /// Something that was kept is of no use; it was moved out of the way.
    Damaged {
        /// What it was.
        what: String,
        /// Where it is now.
        aside: String,
        /// What is wrong with it.
        why: String,
    },
    /// Something cannot be kept.
    NotKept {
        /// Why.
        failure: &'a Failure,
    },
    /// This machine's clock is wrong.
    ClockIsWrong {
        /// By how many seconds it is behind; negative where it is ahead.
        seconds: i64,
    },
    /// Another process looks after the certificates of this storage.
    AnotherProcess,
}

/// How urgent an event is for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// As it should be.
    Ordinary,
    /// Worth a look.
    Notable,
    /// Something is to be done.
    Trouble,
}

impl Event<'_> {
    /// A name from a fixed set.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Trying { .. } => "acme_trying",
            Self::Issued { .. } => "acme_issued",
            Self::Rehearsed { .. } => "acme_rehearsed",
            Self::Failed { .. } => "acme_failed",
            Self::BroughtForward { .. } => "acme_brought_forward",
            Self::NotSuggested { .. } => "acme_not_suggested",
            Self::Damaged { .. } => "acme_damaged",
            Self::NotKept { .. } => "acme_not_kept",
            Self::ClockIsWrong { .. } => "acme_clock",
            Self::AnotherProcess => "acme_another_process",
        }
    }

    /// How urgent it is.
    #[must_use]
    pub fn urgency(&self) -> Urgency {
        match self {
            Self::Trying { .. }
            | Self::Issued { .. }
            | Self::Rehearsed { .. }
            | Self::NotSuggested { .. } => Urgency::Ordinary,
            Self::BroughtForward { .. } | Self::AnotherProcess => Urgency::Notable,
            Self::Failed { .. } | Self::ClockIsWrong { .. } | Self::Damaged { .. } => {
                Urgency::Notable
            }
            Self::NotKept { .. } => Urgency::Trouble,
        }
    }

    /// What it is about, where that is one certificate.
    #[must_use]
    pub fn about(&self) -> Option<About<'_>> {
        match self {
            Self::Trying { about, .. }
            | Self::Issued { about, .. }
            | Self::Rehearsed { about }
            | Self::Failed { about, .. }
            | Self::BroughtForward { about, .. }
            | Self::NotSuggested { about, .. } => Some(*about),
            _ => None,
        }
    }
}

impl fmt::Display for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trying { about, challenge } => write!(
                f,
                "asking {} for a certificate for {}, proved by {}",
                known::name(about.directory),
                about.hosts,
                challenge
            ),
            Self::Issued { about, not_after, due } => write!(
                f,
                "{} has issued a certificate for {}; it is valid until {not_after} and will be renewed at {due}",
                known::name(about.directory),
                about.hosts
            ),
            Self::Rehearsed { about } => write!(
                f,
                "{} could see the names {}; now the real certificate is asked for",
                known::name(about.directory),
                about.hosts
            ),
            Self::Failed { about, failure, next } => write!(
                f,
                "no certificate for {}: {failure} The next attempt is at {next}.",
                about.hosts
            ),
            Self::BroughtForward { about, due, explanation } => {
                write!(f, "the CA wants the certificate for {} renewed early, at {due}", about.hosts)?;
                explanation.map_or(Ok(()), |page| write!(f, "; see {page}"))
            }
            Self::NotSuggested { about, failure } => write!(
                f,
                "when to renew the certificate for {} is decided without the CA: {failure}",
                about.hosts
            ),
            Self::Damaged { what, aside, why } => {
                write!(f, "{what} is of no use ({why}). It was moved to {aside} and is replaced.")
            }
            Self::NotKept { failure } => failure.fmt(f),
            Self::ClockIsWrong { seconds } => write!(
                f,
                "this machine's clock is {} seconds {} the CA's. Certificates are looked after by the CA's; set this machine's right, by NTP for instance.",
                seconds.unsigned_abs(),
                if *seconds > 0 { "behind" } else { "ahead of" }
            ),
            Self::AnotherProcess => f.write_str(
                "another process looks after the certificates in this storage; this one serves what it wins, and takes over when it ends",
            ),
        }
    }
}
