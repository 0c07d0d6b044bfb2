//! Service level objectives: `p99<50ms`, `errors<0.1%`, `rate>1000/s`.

use crate::engine::histogram;
use crate::result::{RunResult, Verdict};
use crate::scenario::{parse_duration, parse_rate};

/// Something that must hold of a run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Objective {
    /// As it was written.
    expression: String,
    metric: Metric,
    operator: Operator,
    /// Milliseconds, a share of 1, or requests a second, as the metric has it.
    bound: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Metric {
    /// The percentile's number, above 0 and below 100.
    Percentile(f64),
    Mean,
    Min,
    Max,
    /// The share of requests that failed.
    Errors,
    Rate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Below,
    AtMost,
    Above,
    AtLeast,
}

/// Two characters before one, so that each is found whole.
const OPERATORS: [(&str, Operator); 4] = [
    ("<=", Operator::AtMost),
    (">=", Operator::AtLeast),
    ("<", Operator::Below),
    (">", Operator::Above),
];

impl Objective {
    /// Reads an expression.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let found = OPERATORS.iter().find_map(|(sign, operator)| {
            let (metric, bound) = text.split_once(sign)?;
            Some((metric.trim(), *operator, bound.trim()))
        });
        let Some((metric, operator, bound)) = found else {
            return Err(format!("`{text}` has no <, <=, > or >=; write for instance 'p99<50ms'"));
        };
        let metric = Metric::parse(metric)?;
        let bound = metric.bound(bound)?;
        Ok(Self { expression: text.to_owned(), metric, operator, bound })
    }

    /// Holds a result against it. What was never measured is not met.
    pub(crate) fn judge(&self, result: &RunResult) -> Verdict {
        let actual = self.metric.of(result);
        let met = actual.is_some_and(|actual| match self.operator {
            Operator::Below => actual < self.bound,
            Operator::AtMost => actual <= self.bound,
            Operator::Above => actual > self.bound,
            Operator::AtLeast => actual >= self.bound,
        });
        let actual =
            actual.map_or("nothing was measured".into(), |actual| self.metric.shown(actual));
        Verdict { expression: self.expression.clone(), actual, met }
    }
}

impl Metric {
    fn parse(text: &str) -> Result<Self, String> {
        let quantile = text.strip_prefix('p').and_then(|digits| digits.parse::<f64>().ok());
        match (text, quantile) {
            ("mean", _) => Ok(Self::Mean),
            ("min", _) => Ok(Self::Min),
            ("max", _) => Ok(Self::Max),
            ("errors", _) => Ok(Self::Errors),
            ("rate", _) => Ok(Self::Rate),
            (_, Some(percent)) if percent > 0.0 && percent < 100.0 => Ok(Self::Percentile(percent)),
            _ => Err(format!(
                "`{text}` is not measured; write p50, p99.9 or the like, mean, min, max, errors or rate"
            )),
        }
    }

    fn bound(self, text: &str) -> Result<f64, String> {
        match self {
            Self::Errors => {
                let percent =
                    text.strip_suffix('%').and_then(|number| number.trim().parse::<f64>().ok());
                let percent = percent.filter(|percent| (0.0..=100.0).contains(percent));
                let help = || format!("`{text}` is not a share; write for instance 'errors<0.1%'");
                percent.map(|percent| percent / 100.0).ok_or_else(help)
            }
            Self::Rate => parse_rate(text).map(crate::scenario::Rate::per_second),
            _ => parse_duration(text).map(|bound| bound.as_secs_f64() * 1_000.0),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
    fn of(self, result: &RunResult) -> Option<f64> {
        let latency = result.latency_ms.as_ref();
        match self {
            Self::Percentile(percent) => {
                let mut all = histogram();
                for (value, count) in &result.histogram_us {
                    all.saturating_record_n(*value, *count);
                }
                (!all.is_empty()).then(|| all.value_at_quantile(percent / 100.0) as f64 / 1_000.0)
            }
            Self::Mean => latency.map(|latency| latency.mean),
            Self::Min => latency.map(|latency| latency.min),
            Self::Max => latency.map(|latency| latency.max),
            Self::Errors => {
                (result.requests > 0).then(|| result.errors.total as f64 / result.requests as f64)
            }
            Self::Rate => Some(result.rate_per_s),
        }
    }

    fn shown(self, value: f64) -> String {
        match self {
            Self::Errors => format!("{:.3} %", value * 100.0),
            Self::Rate => format!("{value:.1}/s"),
            _ => format!("{value:.3} ms"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_a_metric_a_sign_and_a_bound() {
        let read = |text: &str| {
            let Objective { metric, operator, bound, .. } = Objective::parse(text).unwrap();
            (metric, operator, bound)
        };
        assert_eq!(read("p99<50ms"), (Metric::Percentile(99.0), Operator::Below, 50.0));
        assert_eq!(read("p99.9 <= 1s"), (Metric::Percentile(99.9), Operator::AtMost, 1_000.0));
        assert_eq!(read("errors<0.5%"), (Metric::Errors, Operator::Below, 0.005));
        assert_eq!(read("rate>=1000/s"), (Metric::Rate, Operator::AtLeast, 1_000.0));
        for wrong in ["p99", "p99=5ms", "p0<1s", "p100<1s", "px<1s", "p99<50", "errors<1", "rate>5"]
        {
            assert!(Objective::parse(wrong).is_err(), "{wrong}");
        }
    }
}
