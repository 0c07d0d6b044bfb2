//! Bandwidths: `"1MiB/s"`.

use std::num::NonZeroU64;

use super::parse_size;
use crate::complaint::{Complaint, quoted};
use crate::problem::Code;

/// Bytes a second.
pub(crate) fn parse_bandwidth(text: &str) -> Result<NonZeroU64, Complaint> {
    let bytes = match text.strip_suffix("/s").map(parse_size) {
        Some(Ok(bytes)) => bytes,
        Some(Err(complaint)) => return Err(complaint.or_help(|help| with_unit(&help))),
        None => return Err(not_a_bandwidth(text)),
    };
    NonZeroU64::new(bytes).ok_or_else(|| {
        complaint(format!("{} would never end", quoted(text)))
            .help("write a bandwidth of at least \"1B/s\"")
    })
}

/// The help about a size, with the time behind it.
fn with_unit(help: &str) -> String {
    match help.strip_suffix('"') {
        Some(help) => format!("{help}/s\""),
        None => help.to_owned(),
    }
}

fn not_a_bandwidth(text: &str) -> Complaint {
    let help = match parse_size(text) {
        Ok(_) => format!("write \"{text}/s\""),
        Err(_) => {
            "write a size and `/s`, for instance \"1MiB/s\"; a bit is the eighth part of a byte"
                .into()
        }
    };
    complaint(format!("{} is not a bandwidth", quoted(text))).help(help)
}

fn complaint(message: impl Into<String>) -> Complaint {
    Complaint::new(Code::BadRate, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_a_second() {
        for (text, bytes) in [("1B/s", 1), ("512KiB/s", 512 << 10), ("1MB/s", 1_000_000)] {
            assert_eq!(parse_bandwidth(text).map(NonZeroU64::get).ok(), Some(bytes), "{text}");
        }
        for text in ["", "/s", "1MiB", "1/s", "10Mbit/s", "0B/s", "1MiB/min", "1 MiB/s", "-1B/s"] {
            assert!(parse_bandwidth(text).is_err(), "{text}");
        }
    }
}
