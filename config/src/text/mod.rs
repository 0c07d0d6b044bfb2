//! The small languages inside strings: one parser each, from text to a domain type.

mod address;
mod argument;
mod contact;
mod directory;
pub(crate) mod duration;
mod file;
mod header;
mod include;
mod location;
mod name;
mod network;
mod rate;
mod rewrite;
mod server;
mod service_url;
pub(crate) mod size;
mod suffix;
mod variable;

pub(crate) use address::{parse_admin, parse_dns, parse_listen};
pub(crate) use argument::parse_argument;
pub(crate) use contact::parse_contact;
pub(crate) use directory::parse_directory;
pub(crate) use duration::{parse_duration, parse_duration_or_zero};
pub(crate) use file::parse_file;
pub(crate) use header::{parse_header_name, parse_header_value};
pub(crate) use include::parse_include;
pub(crate) use location::{Location, parse_location, parse_url};
pub(crate) use name::{parse_key_name, parse_name, parse_word};
pub(crate) use network::{parse_networks, parse_proxy_source};
pub(crate) use rate::parse_rate;
pub(crate) use rewrite::parse_rewrite;
pub(crate) use server::{Server, looks_like_server, parse_server};
pub(crate) use service_url::parse_api;
pub(crate) use size::parse_size;
pub(crate) use suffix::parse_suffix;
pub(crate) use variable::{is_variable, parse_variable};

/// Splits "10MiB" into "10" and "MiB". `None` where it does not begin with a digit.
fn split_number(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}
