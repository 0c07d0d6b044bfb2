//! Medians and spreads: few rounds, and each may be disturbed.

use serde::Serialize;

/// What several rounds say about one thing.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Spread {
    /// Of no rounds nothing can be said.
    pub(crate) fn of(rounds: &[f64]) -> Option<Self> {
        let mut sorted = rounds.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let middle = sorted.len() / 2;
        let upper = *sorted.get(middle)?;
        let lower = *sorted.get((sorted.len() - 1) / 2)?;
        Some(Self { median: f64::midpoint(lower, upper), min, max })
    }

    /// Of the ratios of two that were measured one after the other in each round, so that what
    /// disturbs a round disturbs both.
    pub(crate) fn of_ratios(numerators: &[f64], denominators: &[f64]) -> Option<Self> {
        let pairs = numerators.iter().zip(denominators);
        let ratios: Vec<f64> =
            pairs.filter(|(_, below)| **below > 0.0).map(|(above, below)| above / below).collect();
        Self::of(&ratios)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_or_between_the_two() {
        let of = |rounds: &[f64]| {
            Spread::of(rounds).map(|spread| (spread.median, spread.min, spread.max))
        };
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[3.0]), Some((3.0, 3.0, 3.0)));
        assert_eq!(of(&[9.0, 1.0, 2.0]), Some((2.0, 1.0, 9.0)));
        assert_eq!(of(&[4.0, 1.0, 2.0, 9.0]), Some((3.0, 1.0, 9.0)));
    }

    #[test]
    fn ratios_are_taken_round_by_round() {
        // Each round is twice as slow as the one before, for both.
        let spread = Spread::of_ratios(&[1.0, 2.0, 4.0], &[2.0, 4.0, 8.0]).unwrap();
        assert_eq!((spread.median, spread.min, spread.max), (0.5, 0.5, 0.5));
        assert_eq!(Spread::of_ratios(&[1.0], &[]), None);
        assert_eq!(Spread::of_ratios(&[1.0], &[0.0]), None);
    }
}
