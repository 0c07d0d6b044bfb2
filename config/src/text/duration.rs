//! Durations: `"250ms"`, `"30s"`, `"1h30m"`.

use std::time::Duration;

use super::split_number;
use crate::complaint::{Complaint, quoted};
use crate::problem::Code;

/// From the longest to the shortest; a duration names them in this order.
const UNITS: [(&str, u64); 5] =
    [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// A year. Longer ones are typing mistakes, and clocks cannot add them without care.
const LONGEST: Duration = Duration::from_secs(365 * 86_400);

/// A duration longer than zero.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, Complaint> {
    match parse_duration_or_zero(text)? {
        Duration::ZERO => Err(complaint("a duration of zero is no duration")
            .help("write how long, for instance \"30s\"")),
        duration => Ok(duration),
    }
}

/// A duration that may be zero.
pub(crate) fn parse_duration_or_zero(text: &str) -> Result<Duration, Complaint> {
    let total = milliseconds(text).ok_or_else(|| not_a_duration(text))?;
    let duration = Duration::from_millis(total);
    if duration > LONGEST {
        return Err(complaint(format!("{} is longer than a year", quoted(text)))
            .help("write at most \"365d\""));
    }
    Ok(duration)
}

fn milliseconds(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut units = UNITS.as_slice();
    let mut total = 0_u64;
    while !rest.is_empty() {
        let (number, tail) = split_number(rest)?;
        let end = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(end);
        let index = units.iter().position(|(name, _)| *name == unit)?;
        let part = number.parse::<u64>().ok()?.checked_mul(units[index].1)?;
        total = total.checked_add(part)?;
        units = &units[index + 1..];
        rest = tail;
    }
    (!text.is_empty()).then_some(total)
}

fn not_a_duration(text: &str) -> Complaint {
    let help = match split_number(text.trim()) {
        Some((number, "")) => format!("write the unit too, for instance \"{number}s\""),
        _ => "write a number and `ms`, `s`, `m`, `h` or `d`, the longest first: \"250ms\", \"30s\", \"1h30m\"".into(),
    };
    complaint(format!("{} is not a duration", quoted(text))).help(help)
}

fn complaint(message: impl Into<String>) -> Complaint {
    Complaint::new(Code::BadDuration, message)
}

/// A duration as the configuration writes it: the units that are needed, the longest first. Parts
/// of a millisecond are left out.
#[must_use]
pub fn format_duration(duration: Duration) -> String {
    let mut rest = duration.as_millis();
    let mut text = String::new();
    for (unit, length) in UNITS {
        let length = u128::from(length);
        let count = rest / length;
        if count > 0 {
            text.push_str(&format!("{count}{unit}"));
            rest %= length;
        }
    }
    if text.is_empty() { "0s".into() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_unit_is_read() {
        for (text, milliseconds) in [
            ("250ms", 250),
            ("30s", 30_000),
            ("5m", 300_000),
            ("1h", 3_600_000),
            ("24h", 86_400_000),
            ("1h30m", 5_400_000),
            ("2d", 172_800_000),
            ("1m0s500ms", 60_500),
        ] {
            let duration = parse_duration(text).expect(text);
            assert_eq!(duration.as_millis(), milliseconds, "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "",
            "30",
            "s",
            "30 s",
            "30S",
            "-1s",
            "1.5s",
            "30m1h",
            "1s1s",
            "30s ",
            "1sm",
            "٣s",
            "0s",
            "366d",
            "99999999999999999999s",
            "18446744073709551615d",
        ] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
        assert_eq!(parse_duration_or_zero("0s").ok(), Some(Duration::ZERO));
    }

    proptest! {
        #[test]
        fn written_and_read_again_it_is_the_same(ms in 0..LONGEST.as_millis() as u64) {
            let duration = Duration::from_millis(ms);
            let read = parse_duration_or_zero(&format_duration(duration)).ok();
            prop_assert_eq!(read, Some(duration));
        }
    }
}
