//! Sizes: `"128B"`, `"100KiB"`, `"1MB"`.

use super::split_number;
use crate::scenario::problem::{Complaint, quoted};

const UNITS: [(&str, u64); 7] = [
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("KB", 1_000),
    ("B", 1),
];

/// Bodies are held in memory.
const LARGEST: u64 = 1 << 30;

/// A size in bytes, at most a gibibyte.
pub(crate) fn read_size(text: &str) -> Result<usize, Complaint> {
    let bytes = bytes(text).ok_or_else(|| not_a_size(text))?;
    let bytes = usize::try_from(bytes).ok().filter(|_| bytes <= LARGEST);
    bytes.ok_or_else(|| {
        Complaint::new(format!("{} is too large", quoted(text)), "write at most \"1GiB\"")
    })
}

fn bytes(text: &str) -> Option<u64> {
    let (number, unit) = split_number(text)?;
    let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

fn not_a_size(text: &str) -> Complaint {
    let help = match split_number(text.trim()) {
        Some((number, "")) => {
            format!("write the unit too: \"{number}KiB\", or \"{number}B\" for bytes")
        }
        _ => "write a number and `B`, `KiB`, `MiB`, `GiB`, `KB`, `MB` or `GB`: \"100KiB\"".into(),
    };
    Complaint::new(format!("{} is not a size", quoted(text)), help)
}

/// A size for people: three digits and a binary unit.
pub(crate) fn format_size(bytes: u64) -> String {
    let units = [("GiB", 1_u64 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    #[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
    let in_unit = |factor: u64| bytes as f64 / factor as f64;
    match units.iter().find(|(_, factor)| bytes >= *factor) {
        Some((unit, factor)) if in_unit(*factor) < 10.0 => {
            format!("{:.2} {unit}", in_unit(*factor))
        }
        Some((unit, factor)) => format!("{:.0} {unit}", in_unit(*factor)),
        None => format!("{bytes} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        for (text, bytes) in [("0B", 0), ("128B", 128), ("100KiB", 102_400), ("1MB", 1_000_000)] {
            assert_eq!(read_size(text).unwrap(), bytes, "{text}");
        }
        for text in ["", "10", "10M", "1.5MiB", "10 MiB", "2GiB", "99999999999GiB"] {
            assert!(read_size(text).is_err(), "{text}");
        }
        assert_eq!(format_size(1_536), "1.50 KiB");
        assert_eq!(format_size(3 << 30), "3.00 GiB");
    }
}
