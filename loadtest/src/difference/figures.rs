//! What two runs are compared by.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Figure {
    Rate,
    Mean,
    P50,
    P90,
    P99,
    P999,
    /// The share of requests that failed, in percent.
    Errors,
}

pub(super) const COUNT: usize = Figure::ALL.len();

impl Figure {
    pub(super) const ALL: [Self; 7] =
        [Self::Rate, Self::Mean, Self::P50, Self::P90, Self::P99, Self::P999, Self::Errors];

    /// Those that are read off a histogram, with their quantiles, ascending.
    pub(super) const QUANTILES: [(Self, f64); 4] =
        [(Self::P50, 0.5), (Self::P90, 0.9), (Self::P99, 0.99), (Self::P999, 0.999)];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Rate => "rate",
            Self::Mean => "mean",
            Self::P50 => "p50",
            Self::P90 => "p90",
            Self::P99 => "p99",
            Self::P999 => "p99.9",
            Self::Errors => "errors",
        }
    }

    pub(super) fn unit(self) -> &'static str {
        match self {
            Self::Rate => "/s",
            Self::Errors => "%",
            _ => "ms",
        }
    }

    pub(super) fn more_is_better(self) -> bool {
        self == Self::Rate
    }

    /// Most runs have no errors, of which there is no ratio.
    pub(super) fn is_difference(self) -> bool {
        self == Self::Errors
    }

    /// The change that is none.
    pub(super) fn same(self) -> f64 {
        if self.is_difference() { 0.0 } else { 1.0 }
    }

    pub(super) fn change(self, old: f64, new: f64) -> Option<f64> {
        if self.is_difference() {
            return Some(new - old);
        }
        (old > 0.0).then(|| new / old)
    }
}
