//! The small languages inside strings: one parser each, from text to a domain type.

mod duration;
mod rate;
mod size;

pub use duration::parse_duration;
pub use rate::{Rate, parse_rate};

pub(crate) use duration::{format_duration, read_duration};
pub(crate) use rate::read_rate;
pub(crate) use size::{format_size, read_size};

/// Splits "10MiB" into "10" and "MiB". `None` where it does not begin with a digit.
fn split_number(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}
