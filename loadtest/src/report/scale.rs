//! From values to places on an axis, and the ticks on it.

/// One axis of a plot.
#[derive(Debug, Clone, Copy)]
pub(super) enum Scale {
    /// From 0.
    Linear { most: f64 },
    /// Each factor of ten is as long as the next.
    Logarithmic { least: f64, most: f64 },
    /// Shares of 1: each further nine is as long as the one before, as in HDR histograms.
    Percentile { nines: f64 },
}

/// A place on the axis, from 0 to 1, and what stands there.
pub(super) struct Tick {
    pub(super) at: f64,
    pub(super) label: String,
}

impl Scale {
    /// An axis from 0 that holds all values.
    pub(super) fn linear(values: impl Iterator<Item = f64>) -> Self {
        let most = values.fold(0.0, f64::max);
        let step = step(most);
        Self::Linear { most: if most > 0.0 { (most / step).ceil() * step } else { 1.0 } }
    }

    /// A logarithmic axis that holds all values, which are above 0.
    pub(super) fn logarithmic(values: impl Iterator<Item = f64> + Clone) -> Self {
        let least = values.clone().reduce(f64::min).unwrap_or(1.0).max(1e-3);
        let most = values.fold(least, f64::max);
        let round = |value: f64, up: bool| {
            let decade = 10_f64.powf(value.log10().floor());
            let steps = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * decade);
            match up {
                true => steps.into_iter().find(|step| *step >= value * 0.999),
                false => steps.into_iter().rev().find(|step| *step <= value * 1.001),
            }
        };
        let (low, high) = (round(least, false).unwrap_or(least), round(most, true).unwrap_or(most));
        Self::Logarithmic { least: low, most: if high > low { high } else { low * 10.0 } }
    }

    /// Where a value is, from 0 to 1.
    pub(super) fn place(self, value: f64) -> f64 {
        let place = match self {
            Self::Linear { most } => value / most,
            Self::Logarithmic { least, most } => {
                (value.max(least) / least).log10() / (most / least).log10()
            }
            Self::Percentile { nines } => -(1.0 - value).max(1e-12).log10() / nines,
        };
        place.clamp(0.0, 1.0)
    }

    pub(super) fn ticks(self) -> Vec<Tick> {
        let tick = |value: f64, label: String| Tick { at: self.place(value), label };
        match self {
            Self::Linear { most } => {
                let step = step(most);
                let values = (0..20).map(|index| f64::from(index) * step);
                let inside = values.take_while(|value| *value <= most * 1.0001);
                inside.map(|value| tick(value, short(value))).collect()
            }
            Self::Logarithmic { least, most } => {
                let decades = (-3..9).map(|exponent| 10_f64.powi(exponent));
                let values =
                    decades.flat_map(|decade| [1.0, 2.0, 5.0].map(|factor| factor * decade));
                let inside =
                    values.filter(|value| *value >= least * 0.999 && *value <= most * 1.001);
                let all: Vec<f64> = inside.collect();
                let every = if all.len() > 8 { 3 } else { 1 };
                // Where there are many, only the powers of ten.
                let is_shown = |value: &&f64| {
                    every == 1 || (value.log10() - value.log10().round()).abs() < 1e-6
                };
                all.iter().filter(is_shown).map(|value| tick(*value, short(*value))).collect()
            }
            Self::Percentile { nines } => {
                let shares: [(f64, &str); 8] = [
                    (0.0, "0 %"),
                    (0.5, "50 %"),
                    (0.9, "90 %"),
                    (0.99, "99 %"),
                    (0.999, "99.9 %"),
                    (0.9999, "99.99 %"),
                    (0.99999, "99.999 %"),
                    (0.999_999, "99.9999 %"),
                ];
                let inside =
                    shares.into_iter().filter(|(share, _)| -(1.0 - share).log10() <= nines + 1e-9);
                inside.map(|(share, label)| tick(share, label.to_owned())).collect()
            }
        }
    }
}

/// A round distance of ticks, about five of which make the whole.
fn step(most: f64) -> f64 {
    if most <= 0.0 {
        return 1.0;
    }
    let decade = 10_f64.powf((most / 5.0).log10().floor());
    let factors = [1.0, 2.0, 2.5, 5.0, 10.0].map(|factor| factor * decade);
    factors.into_iter().find(|step| most / step <= 5.0).unwrap_or(most)
}

/// A number as short as an axis needs it.
fn short(value: f64) -> String {
    let (scaled, unit) = match value {
        value if value >= 1e6 => (value / 1e6, "M"),
        value if value >= 1e4 => (value / 1e3, "k"),
        value => (value, ""),
    };
    let digits = format!("{scaled:.3}");
    let digits = digits.trim_end_matches('0').trim_end_matches('.');
    format!("{digits}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(scale: Scale) -> Vec<String> {
        scale.ticks().into_iter().map(|tick| tick.label).collect()
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(
            labels(Scale::linear([73_000.0].into_iter())),
            ["0", "20k", "40k", "60k", "80k"]
        );
        assert_eq!(
            labels(Scale::linear([0.9].into_iter())),
            ["0", "0.2", "0.4", "0.6", "0.8", "1"]
        );
        assert_eq!(
            labels(Scale::logarithmic([0.3, 4.0].into_iter())),
            ["0.2", "0.5", "1", "2", "5"]
        );
        assert_eq!(
            labels(Scale::Percentile { nines: 3.2 }),
            ["0 %", "50 %", "90 %", "99 %", "99.9 %"]
        );
    }

    #[test]
    fn nothing_leaves_its_axis() {
        for scale in [Scale::linear(std::iter::empty()), Scale::logarithmic(std::iter::empty())] {
            assert!((0.0..=1.0).contains(&scale.place(-5.0)));
            assert!((0.0..=1.0).contains(&scale.place(1e12)));
        }
    }
}
