//! Durations: `"250ms"`, `"30s"`, `"1m30s"`.

use std::time::Duration;

use super::split_number;
use crate::scenario::problem::{Complaint, quoted};

/// From the longest to the shortest; a duration names them in this order.
const UNITS: [(&str, u64); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// A day. Longer loads are typing mistakes.
const LONGEST: u64 = 86_400_000;

/// A duration, zero included.
pub(crate) fn read_duration(text: &str) -> Result<Duration, Complaint> {
    let total = milliseconds(text).ok_or_else(|| not_a_duration(text))?;
    if total > LONGEST {
        let message = format!("{} is longer than a day", quoted(text));
        return Err(Complaint::new(message, "write at most \"24h\""));
    }
    Ok(Duration::from_millis(total))
}

/// A duration on the command line.
///
/// # Errors
///
/// What is wrong with it, and how one is written.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    read_duration(text).map_err(|complaint| format!("{}; {}", complaint.message, complaint.help))
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
        _ => "write a number and `ms`, `s`, `m` or `h`, the longest first: \"250ms\", \"1m30s\""
            .into(),
    };
    Complaint::new(format!("{} is not a duration", quoted(text)), help)
}

/// A duration as a scenario writes it. Parts of a millisecond are left out.
pub(crate) fn format_duration(duration: Duration) -> String {
    let mut rest = duration.as_millis();
    let mut text = String::new();
    for (unit, length) in UNITS {
        let count = rest / u128::from(length);
        if count > 0 {
            text.push_str(&format!("{count}{unit}"));
            rest %= u128::from(length);
        }
    }
    if text.is_empty() { "0s".into() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_written() {
        for (text, milliseconds) in
            [("0ms", 0), ("250ms", 250), ("30s", 30_000), ("1m30s", 90_000), ("24h", 86_400_000)]
        {
            let duration = read_duration(text).unwrap();
            assert_eq!(duration.as_millis(), milliseconds, "{text}");
            assert!(milliseconds == 0 || format_duration(duration) == text || text == "24h");
        }
        for text in ["", "30", "s", "30 s", "-1s", "1.5s", "1s1m", "25h", "1s1s"] {
            assert!(read_duration(text).is_err(), "{text}");
        }
    }
}
