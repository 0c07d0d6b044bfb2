//! The result: what each round said, and what follows from that.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::peer::Name;
use super::row::Figure;
use crate::bench::machine::Machine;
use crate::bench::statistics::Spread;

/// What `--json` writes, and what tables and pictures are made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Of this format.
    pub version: u32,
    /// The day, `YYYY-MM-DD`.
    pub date: String,
    /// What it was measured on.
    pub machine: Machine,
    /// The numbers of the cores that the servers ran on.
    pub server_cores: String,
    /// Those of the client and the origin.
    pub client_cores: String,
    /// How often each was measured.
    pub rounds: u32,
    /// How long each load lasted.
    pub seconds: f64,
    /// Requests a second at which latency was measured: 70 % of the best peer's peak.
    pub latency_rate_per_s: Option<f64>,
    /// The servers, the gateway first.
    pub peers: Vec<PeerReport>,
    /// The lines.
    pub figures: Vec<FigureReport>,
}

/// A server that was measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerReport {
    /// Which.
    pub name: Name,
    /// What it says about itself.
    pub version: String,
}

/// One line: less is better in all of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FigureReport {
    /// Its name for programs.
    pub id: String,
    /// Its name for people.
    pub title: String,
    /// What the values are in.
    pub unit: String,
    /// What gateway / best peer should be at most.
    pub goal: Option<f64>,
    /// The values, round by round.
    pub rounds: BTreeMap<Name, Vec<f64>>,
}

/// The gateway against the peer that did best.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Against {
    pub(crate) best: Name,
    pub(crate) ratio: Spread,
}

impl FigureReport {
    pub(crate) fn of(figure: &Figure) -> Self {
        Self {
            id: figure.id.into(),
            title: figure.title.into(),
            unit: figure.unit.into(),
            goal: figure.goal,
            rounds: BTreeMap::new(),
        }
    }

    pub(crate) fn spread(&self, name: Name) -> Option<Spread> {
        Spread::of(self.rounds.get(&name)?)
    }

    /// The peer with the smallest median, and its median.
    pub(crate) fn best_peer(&self) -> Option<(Name, f64)> {
        let peers = Name::ALL.into_iter().filter(|name| *name != Name::Gateway);
        let medians = peers.filter_map(|name| Some((name, self.spread(name)?.median)));
        medians.min_by(|(_, one), (_, other)| one.total_cmp(other))
    }

    /// The ratio gateway / best peer, taken round by round.
    pub(crate) fn against(&self) -> Option<Against> {
        let (best, _) = self.best_peer()?;
        let of = |name| self.rounds.get(&name).map(Vec::as_slice).unwrap_or_default();
        let ratio = Spread::of_ratios(of(Name::Gateway), of(best))?;
        Some(Against { best, ratio })
    }

    /// Whether the goal is reached; `None` where there is none.
    pub(crate) fn met(&self) -> Option<bool> {
        Some(self.against()?.ratio.median <= self.goal?)
    }
}
