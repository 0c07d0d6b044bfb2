//! Sizes: `"10MiB"`, `"512KiB"`, `"1GB"`.

use super::split_number;
use crate::complaint::{Complaint, quoted};
use crate::problem::Code;

const UNITS: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("TB", 1_000_000_000_000),
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("KB", 1_000),
    ("B", 1),
];

/// A size in bytes.
pub(crate) fn parse_size(text: &str) -> Result<u64, Complaint> {
    bytes(text).ok_or_else(|| not_a_size(text))
}

fn bytes(text: &str) -> Option<u64> {
    let (number, unit) = split_number(text)?;
    let (_, factor) =
        UNITS.iter().find(|(name, _)| *name == unit || (*name == "KB" && unit == "kB"))?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

fn not_a_size(text: &str) -> Complaint {
    let help = meant(text).unwrap_or_else(|| {
        "write a number and `B`, `KiB`, `MiB`, `GiB`, `TiB`, `KB`, `MB`, `GB` or `TB`: \"10MiB\""
            .into()
    });
    Complaint::new(Code::BadSize, format!("{} is not a size", quoted(text))).help(help)
}

/// `10M`, `10 MiB` and `10mib` are clear enough to suggest the right spelling.
fn meant(text: &str) -> Option<String> {
    let (number, unit) = split_number(text.trim())?;
    let unit = match unit.trim().to_ascii_lowercase().as_str() {
        "" => {
            return Some(format!(
                "write the unit too: \"{number}MiB\", or \"{number}B\" for bytes"
            ));
        }
        "k" | "kib" => "KiB",
        "m" | "mib" => "MiB",
        "g" | "gib" => "GiB",
        "t" | "tib" => "TiB",
        "kb" => "KB",
        "mb" => "MB",
        "gb" => "GB",
        "tb" => "TB",
        _ => return None,
    };
    let better = format!("{number}{unit}");
    bytes(&better).map(|_| format!("write \"{better}\""))
}

/// A size as the configuration writes it: with the largest unit that leaves no rest.
#[must_use]
pub fn format_size(bytes: u64) -> String {
    UNITS
        .iter()
        .filter(|(_, factor)| bytes > 0 && bytes.is_multiple_of(*factor))
        .map(|(unit, factor)| format!("{}{unit}", bytes / factor))
        .min_by_key(String::len)
        .unwrap_or_else(|| "0B".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_unit_is_read() {
        for (text, bytes) in [
            ("0B", 0),
            ("512B", 512),
            ("1kB", 1_000),
            ("1KB", 1_000),
            ("512KiB", 524_288),
            ("10MB", 10_000_000),
            ("10MiB", 10_485_760),
            ("1GiB", 1_073_741_824),
            ("2TB", 2_000_000_000_000),
        ] {
            assert_eq!(parse_size(text).ok(), Some(bytes), "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for text in ["", "10", "10M", "MiB", "10 MiB", "10mib", "-1B", "1.5MiB", "99999999TiB"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn written_and_read_again_it_is_the_same(bytes in any::<u64>(), shift in 0_u32..64) {
            let bytes = bytes >> shift;
            prop_assert_eq!(parse_size(&format_size(bytes)).ok(), Some(bytes));
        }
    }
}
