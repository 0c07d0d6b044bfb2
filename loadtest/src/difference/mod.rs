//! Whether a run is better than an earlier one, with intervals: `--compare`.
//!
//! The seconds of both runs are drawn anew, with replacement, in blocks of neighbours (the circular
//! block bootstrap), because a second is like the one before it. From each drawing the figures are
//! computed as from the run itself, out of the joined histograms. The middle 95 % of the ratios new to
//! old are the interval; where 1 is in it, no difference was seen. Open loops with
//! the same schedule are drawn in pairs of seconds. What varies from one run to the next and not within
//! them is in no interval.

mod bootstrap;
mod figures;

use serde::{Deserialize, Serialize};

use crate::result::RunResult;
use bootstrap::{Seconds, intervals};
use figures::Figure;

/// Fewer seconds than this say nothing about how seconds vary.
pub(crate) const FEWEST_SECONDS: usize = 10;

/// A run beside an earlier one.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Comparison {
    pub(crate) old_name: String,
    pub(crate) old_started: String,
    /// How the intervals were computed, for people.
    pub(crate) method: String,
    /// What the two runs were asked to do differently.
    pub(crate) unlike: Vec<String>,
    pub(crate) figures: Vec<Compared>,
}

/// One figure of both.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Compared {
    pub(crate) figure: String,
    pub(crate) unit: String,
    pub(crate) old: f64,
    pub(crate) new: f64,
    /// New to old, or for the share of errors, new minus old in percentage points.
    pub(crate) change: Option<Change>,
    pub(crate) verdict: Judgement,
}

/// A change and its 95 % interval.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Change {
    pub(crate) value: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) is_difference: bool,
}

/// What an interval says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Judgement {
    Better,
    Worse,
    NoDifferenceSeen,
    /// One of the runs has fewer than ten seconds.
    TooShort,
}

impl Judgement {
    /// For people.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Worse => "worse",
            Self::NoDifferenceSeen => "no difference seen",
            Self::TooShort => "too short to tell",
        }
    }
}

/// Compares a run with an earlier one.
pub(crate) fn compare(old: &RunResult, new: &RunResult) -> Comparison {
    let (old_seconds, new_seconds) = (Seconds::new(&old.series), Seconds::new(&new.series));
    let lengths = [old_seconds.len(), new_seconds.len()];
    let is_long_enough = lengths.iter().all(|length| *length >= FEWEST_SECONDS);
    let unlike = unlike(old, new);
    // An open loop asks the same of each second.
    let are_paired =
        old.rate_asked_per_s.is_some() && unlike.is_empty() && lengths[0] == lengths[1];
    let drawn = is_long_enough.then(|| intervals(&old_seconds, &new_seconds, are_paired));
    let before = old_seconds.figures();
    let after = new_seconds.figures();
    let figures = Figure::ALL.into_iter().filter_map(|figure| {
        let (old, new) = (before[figure as usize]?, after[figure as usize]?);
        let interval = drawn.as_ref().and_then(|drawn| drawn[figure as usize]);
        Some(compared(figure, old, new, interval, is_long_enough))
    });
    let [old_length, new_length] = lengths;
    let method = match is_long_enough {
        true => format!(
            "95 % intervals by circular block bootstrap of {old_length} and {new_length} seconds{}, \
             {} drawings",
            if are_paired { ", drawn in pairs" } else { "" },
            bootstrap::DRAWINGS
        ),
        false => format!(
            "no intervals: {old_length} and {new_length} seconds are too few, {FEWEST_SECONDS} each are needed"
        ),
    };
    Comparison {
        old_name: old.name.clone(),
        old_started: old.started.clone(),
        method,
        unlike,
        figures: figures.collect(),
    }
}

fn compared(
    figure: Figure,
    old: f64,
    new: f64,
    interval: Option<(f64, f64)>,
    is_long_enough: bool,
) -> Compared {
    let change = interval.and_then(|(low, high)| {
        let value = figure.change(old, new)?;
        Some(Change { value, low, high, is_difference: figure.is_difference() })
    });
    let verdict = match &change {
        None if !is_long_enough => Judgement::TooShort,
        None => Judgement::NoDifferenceSeen,
        Some(Change { low, high, .. }) if *low <= figure.same() && figure.same() <= *high => {
            Judgement::NoDifferenceSeen
        }
        Some(Change { low, .. }) if (*low > figure.same()) == figure.more_is_better() => {
            Judgement::Better
        }
        Some(_) => Judgement::Worse,
    };
    Compared { figure: figure.name().into(), unit: figure.unit().into(), old, new, change, verdict }
}

/// What makes a comparison doubtful.
fn unlike(old: &RunResult, new: &RunResult) -> Vec<String> {
    let rate = |result: &RunResult| {
        result.rate_asked_per_s.map_or("none".into(), |rate| format!("{rate}/s"))
    };
    let asked = [
        ("protocol", old.protocol.clone(), new.protocol.clone()),
        ("mode", old.mode.clone(), new.mode.clone()),
        ("connections", old.connections_asked.to_string(), new.connections_asked.to_string()),
        ("streams", old.streams.to_string(), new.streams.to_string()),
        ("rate", rate(old), rate(new)),
    ];
    let differing = asked.into_iter().filter(|(_, old, new)| old != new);
    differing.map(|(key, old, new)| format!("{key}: {old}, now {new}")).collect()
}

#[cfg(test)]
mod tests;
