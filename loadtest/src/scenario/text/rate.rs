//! Rates: `"500/s"`, `"600/min"`.

use std::fmt;

use super::split_number;
use crate::scenario::problem::{Complaint, quoted};

const PERIODS: [(&str, f64); 3] = [("s", 1.0), ("min", 60.0), ("h", 3_600.0)];

/// More than any client makes; a typing mistake.
const HIGHEST: u32 = 10_000_000;

/// So many a second. Never negative, and finite.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Rate(f64);

impl Rate {
    /// Nothing at all.
    pub(crate) const ZERO: Self = Self(0.0);

    /// So many a second.
    #[must_use]
    pub fn per_second(self) -> f64 {
        self.0
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s", self.0)
    }
}

/// A rate, zero included.
pub(crate) fn read_rate(text: &str) -> Result<Rate, Complaint> {
    let (count, seconds) = parts(text).ok_or_else(|| not_a_rate(text))?;
    if count > HIGHEST {
        let message = format!("{} is more than any client can make", quoted(text));
        return Err(Complaint::new(message, format!("write at most \"{HIGHEST}/s\"")));
    }
    Ok(Rate(f64::from(count) / seconds))
}

/// A rate on the command line.
///
/// # Errors
///
/// What is wrong with it, and how one is written.
pub fn parse_rate(text: &str) -> Result<Rate, String> {
    read_rate(text).map_err(|complaint| format!("{}; {}", complaint.message, complaint.help))
}

fn parts(text: &str) -> Option<(u32, f64)> {
    let (count, unit) = split_number(text)?;
    let unit = unit.strip_prefix('/')?;
    let (_, seconds) = PERIODS.iter().find(|(name, _)| *name == unit)?;
    Some((count.parse().ok()?, *seconds))
}

fn not_a_rate(text: &str) -> Complaint {
    let number = split_number(text.trim()).map(|(number, _)| number);
    let help = match number {
        Some(number) if text.trim().len() > number.len() && !text.contains("min") => {
            format!("write a number and `/s`, `/min` or `/h`, for instance \"{number}/s\"")
        }
        Some(number) => format!("write \"{number}/s\""),
        None => "write a number and `/s`, `/min` or `/h`: \"500/s\", \"600/min\"".into(),
    };
    Complaint::new(format!("{} is not a rate", quoted(text)), help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_a_number_in_a_time() {
        for (text, per_second) in
            [("0/s", 0.0), ("500/s", 500.0), ("600/min", 10.0), ("36/h", 0.01)]
        {
            assert_eq!(read_rate(text).unwrap().per_second(), per_second, "{text}");
        }
        for text in ["", "500", "/s", "5 /s", "5/m", "-5/s", "0.5/s", "99999999/s"] {
            assert!(read_rate(text).is_err(), "{text}");
        }
    }
}
