//! The result.

use serde::{Deserialize, Serialize};

use crate::bench::machine::Machine;
use crate::bench::statistics::Spread;

/// What `--json` writes, and what the tables are made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Of this format.
    pub version: u32,
    /// The day, `YYYY-MM-DD`.
    pub date: String,
    /// What it was measured on.
    pub machine: Machine,
    /// The gateway's version.
    pub gateway: String,
    /// How often each was measured.
    pub rounds: u32,
    /// How long each load lasted.
    pub seconds: f64,
    /// One for each thing that grows.
    pub groups: Vec<Group>,
}

/// What was measured while one thing grew.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// What grew.
    pub title: String,
    /// What the ratios are to.
    pub against: String,
    /// From small to large.
    pub lines: Vec<Line>,
    /// What could not be done.
    pub note: Option<String>,
}

/// One size.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Which.
    pub title: String,
    /// What the values are in.
    pub unit: String,
    /// Round by round.
    pub rounds: Vec<f64>,
    /// The ratio to the smallest, round by round, and what it should be.
    pub ratio: Option<Ratio>,
}

/// A ratio with its goal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ratio {
    /// Round by round.
    pub rounds: Vec<f64>,
    /// What its median should be.
    pub goal: Goal,
}

/// What a ratio should be.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// From the first to the second.
    Between(f64, f64),
    /// No more.
    AtMost(f64),
    /// No less.
    AtLeast(f64),
}

impl Line {
    pub(super) fn new(title: &str, unit: &str, rounds: Vec<f64>) -> Self {
        Self { title: title.into(), unit: unit.into(), rounds, ratio: None }
    }

    /// This by `other`.
    pub(super) fn against(self, other: &[f64], goal: Goal) -> Self {
        let rounds = self.rounds.iter().zip(other).map(|(this, other)| this / other).collect();
        Self { ratio: Some(Ratio { rounds, goal }), ..self }
    }

    /// `other` by this.
    pub(super) fn worth(self, other: &[f64], goal: Goal) -> Self {
        let rounds = self.rounds.iter().zip(other).map(|(this, other)| other / this).collect();
        Self { ratio: Some(Ratio { rounds, goal }), ..self }
    }

    pub(super) fn spread(&self) -> Option<Spread> {
        Spread::of(&self.rounds)
    }
}

impl Ratio {
    pub(super) fn spread(&self) -> Option<Spread> {
        Spread::of(&self.rounds)
    }
}

impl Goal {
    pub(super) fn is_met_by(self, ratio: f64) -> bool {
        match self {
            Self::Between(least, most) => (least..=most).contains(&ratio),
            Self::AtMost(most) => ratio <= most,
            Self::AtLeast(least) => ratio >= least,
        }
    }
}

impl std::fmt::Display for Goal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Between(least, most) => write!(f, "{least:.2} to {most:.2}"),
            Self::AtMost(most) => write!(f, "≤ {most:.2}"),
            Self::AtLeast(least) => write!(f, "≥ {least:.2}"),
        }
    }
}
