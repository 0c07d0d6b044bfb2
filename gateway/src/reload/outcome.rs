//! What came of a reload, for whoever asked: a few lines, or JSON.

use std::fmt::{self, Display, Write as _};

use gateway_config::Problems;
use http::StatusCode;
use serde_json::{Value, json};

use super::Changes;
use crate::gateway::StartError;

/// What came of a reload.
#[derive(Debug)]
pub(crate) enum Outcome {
    Reloaded(Box<Reloaded>),
    Refused(Refusal),
}

/// A configuration that was published.
#[derive(Debug)]
pub(crate) struct Reloaded {
    pub(crate) changes: Changes,
    pub(crate) warnings: Problems,
    /// Addresses that are listened on now, and no longer, with the listener's name.
    pub(crate) opened: Vec<String>,
    pub(crate) closed: Vec<String>,
}

/// Why none was.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The gateway was built from a configuration that is no file.
    NoFile,
    /// The file cannot be read, or has errors.
    File(Problems),
    /// Its certificates, listeners, or whatever else it takes, cannot be had.
    Start(StartError),
}

impl Outcome {
    /// The metric's label.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Reloaded(_) => "reloaded",
            Self::Refused(_) => "refused",
        }
    }

    /// What HTTP calls it.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Reloaded(_) => StatusCode::OK,
            Self::Refused(Refusal::NoFile) => StatusCode::CONFLICT,
            Self::Refused(_) => StatusCode::UNPROCESSABLE_ENTITY,
        }
    }

    /// For scripts.
    pub(crate) fn to_json(&self) -> Value {
        match self {
            Self::Reloaded(reloaded) => reloaded.to_json(),
            Self::Refused(refusal) => json!({
                "ok": false,
                "outcome": self.name(),
                "error": refusal.sentence(),
                "problems": refusal.problems().map_or_else(|| json!([]), problems),
            }),
        }
    }
}

/// The list that `check-config --format json` has too.
fn problems(problems: &Problems) -> Value {
    let mut whole: Value = serde_json::from_str(&problems.render_json()).unwrap_or_default();
    whole["problems"].take()
}

/// For people.
impl Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reloaded(reloaded) => reloaded.fmt(f),
            Self::Refused(refusal) => {
                let mut why = String::new();
                match refusal.problems() {
                    Some(problems) => why.push_str(&problems.render_human(false)),
                    None => writeln!(why, "error: {}", refusal.sentence())?,
                }
                writeln!(f, "{why}The configuration was not reloaded; the one before is served on.")
            }
        }
    }
}

impl Reloaded {
    fn to_json(&self) -> Value {
        let Self { changes, warnings, opened, closed } = self;
        json!({
            "ok": true,
            "outcome": "reloaded",
            "changes": changes,
            "listeners": { "opened": opened, "closed": closed },
            "warnings": problems(warnings),
        })
    }
}

impl Display for Reloaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.warnings.render_human(false))?;
        writeln!(f, "The configuration was reloaded.")?;
        self.changes.fmt(f)?;
        for address in &self.opened {
            writeln!(f, "listening on {address}")?;
        }
        for address in &self.closed {
            writeln!(f, "no longer listening on {address}")?;
        }
        Ok(())
    }
}

impl Refusal {
    fn sentence(&self) -> String {
        match self {
            Self::NoFile => "this gateway's configuration is not in a file that could be read again; restart it with another".into(),
            Self::File(problems) => problems.summary(),
            Self::Start(error) => error.to_string(),
        }
    }

    fn problems(&self) -> Option<&Problems> {
        match self {
            Self::File(problems) => Some(problems),
            Self::NoFile | Self::Start(_) => None,
        }
    }
}
