//! Rates: `"10/s"`, `"600/min"`.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use super::split_number;
use crate::complaint::{Complaint, quoted};
use crate::model::Rate;
use crate::problem::Code;

const PERIODS: [(&str, u64); 4] = [("s", 1), ("min", 60), ("h", 3_600), ("d", 86_400)];

/// So many in so long.
pub(crate) fn parse_rate(text: &str) -> Result<Rate, Complaint> {
    let (count, period) = parts(text).ok_or_else(|| not_a_rate(text))?;
    let count = NonZeroU32::new(count).ok_or_else(|| {
        complaint(format!("{} would refuse every request", quoted(text)))
            .help("write a rate of at least 1, or refuse by `deny`")
    })?;
    Ok(Rate { count, per: Duration::from_secs(period) })
}

fn parts(text: &str) -> Option<(u32, u64)> {
    let (count, unit) = split_number(text)?;
    let unit = unit.strip_prefix('/')?;
    let (_, seconds) = PERIODS.iter().find(|(name, _)| *name == unit)?;
    Some((count.parse().ok()?, *seconds))
}

fn not_a_rate(text: &str) -> Complaint {
    let help = meant(text).unwrap_or_else(|| {
        "write a number and `/s`, `/min`, `/h` or `/d`: \"10/s\", \"600/min\"".into()
    });
    complaint(format!("{} is not a rate", quoted(text))).help(help)
}

/// `10r/s`, `10/sec` and `10 / s` are clear enough to suggest the right spelling.
fn meant(text: &str) -> Option<String> {
    let (count, unit) = split_number(text.trim())?;
    let unit = unit.trim().trim_start_matches('r').trim_start_matches('/');
    let unit = match unit.trim() {
        "" | "s" | "sec" | "second" => "s",
        "m" | "min" | "minute" => "min",
        "h" | "hour" => "h",
        "d" | "day" => "d",
        _ => return None,
    };
    let better = format!("{count}/{unit}");
    parts(&better).map(|_| format!("write \"{better}\""))
}

fn complaint(message: impl Into<String>) -> Complaint {
    Complaint::new(Code::BadRate, message)
}

impl fmt::Display for Rate {
    /// As the configuration writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.per.as_secs();
        match PERIODS.iter().find(|(_, length)| *length == seconds) {
            Some((unit, _)) => write!(f, "{}/{unit}", self.count),
            None => write!(f, "{}/{}", self.count, super::duration::format_duration(self.per)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_period_is_read() {
        for (text, count, seconds) in
            [("10/s", 10, 1), ("600/min", 600, 60), ("5/h", 5, 3_600), ("1/d", 1, 86_400)]
        {
            let rate = parse_rate(text).expect(text);
            assert_eq!((rate.count.get(), rate.per.as_secs()), (count, seconds), "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "",
            "10",
            "10/",
            "/s",
            "10r/s",
            "10/sec",
            "0/s",
            "-1/s",
            "1.5/s",
            "4294967296/s",
            "10/m",
        ] {
            assert!(parse_rate(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn written_and_read_again_it_is_the_same(count in 1_u32.., period in 0_usize..4) {
            let text = format!("{count}/{}", PERIODS[period].0);
            prop_assert_eq!(parse_rate(&text).map(|rate| rate.to_string()).ok(), Some(text));
        }
    }
}
