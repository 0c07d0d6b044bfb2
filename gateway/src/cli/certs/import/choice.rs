//! Which certificate is taken for which hosts, and why none.

use std::time::SystemTime;

use gateway_acme::{Moment, State};

use super::super::super::at::At;
use super::candidate::Candidate;

/// What is done about one certificate that is wanted.
#[derive(Debug)]
pub(super) enum Choice<'f> {
    /// This is taken.
    Take(&'f Candidate),
    /// What is kept already lasts as long.
    Keep,
    /// Nothing that was found will do, and why.
    Nothing(String),
}

impl<'f> Choice<'f> {
    pub(super) fn of(state: &State, candidates: &'f [Candidate], now: SystemTime) -> Self {
        let kept = state.lifetime.filter(|kept| kept.not_after > Moment::from(now));
        let covers = |one: &&Candidate| state.hosts.iter().all(|host| one.certificate.covers(host));
        let best = candidates
            .iter()
            .filter(covers)
            .filter(|one| state.key.is_of(&one.certificate))
            .max_by_key(|one| (one.certificate.not_after(), one.certificate.not_before()));
        match (best, kept) {
            (Some(best), Some(kept))
                if Moment::from(best.certificate.not_after()) <= kept.not_after =>
            {
                Self::Keep
            }
            (Some(best), _) => Self::Take(best),
            (None, Some(_)) => Self::Keep,
            (None, None) => Self::Nothing(why_none(state, candidates)),
        }
    }

    /// Whether there is a certificate afterwards.
    pub(super) fn leaves_one(&self) -> bool {
        !matches!(self, Self::Nothing(_))
    }

    pub(super) fn sentence(&self, state: &State, dry: bool, now: At) -> String {
        match self {
            Self::Take(candidate) => {
                let verb = if dry { "would take" } else { "took" };
                let until = At(candidate.certificate.not_after()).both(now);
                format!("{verb} {}, valid until {until}", candidate.file.display())
            }
            Self::Keep => {
                let until = state.lifetime.map(|kept| At::from(kept.not_after).both(now));
                let until = until.unwrap_or_default();
                format!(
                    "took nothing: what is kept is valid until {until}, and nothing there lasts longer"
                )
            }
            Self::Nothing(why) => format!("took nothing: {why}"),
        }
    }
}

/// The certificate that comes nearest, and what it lacks.
fn why_none(state: &State, candidates: &[Candidate]) -> String {
    let missing = |one: &Candidate| {
        let hosts = state.hosts.iter().filter(|host| !one.certificate.covers(host));
        hosts.map(ToString::to_string).collect::<Vec<_>>()
    };
    let some_host = |one: &&Candidate| missing(one).len() < state.hosts.len();
    let nearest = candidates.iter().filter(some_host).min_by_key(|one| missing(one).len());
    let Some(nearest) = nearest else {
        return "no valid certificate there names its hosts".into();
    };
    let (file, missing) = (nearest.file.display(), missing(nearest));
    if missing.is_empty() {
        return format!(
            "the key of {file} is {}, and `keys` asks for {}",
            nearest.certificate.key_kind(),
            state.key.name()
        );
    }
    format!("{file} does not name {}", missing.join(", "))
}
