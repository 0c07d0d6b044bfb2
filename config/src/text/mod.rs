//! The small languages inside strings: one parser each, from text to a domain type.

mod address;
mod argument;
mod auth;
mod bandwidth;
mod contact;
mod directory;
pub(crate) mod duration;
mod event;
mod file;
mod header;
mod include;
mod limit_key;
mod location;
mod media_range;
mod name;
mod network;
mod origin;
mod page;
mod rate;
mod rewrite;
mod server;
mod service_url;
pub(crate) mod size;
mod suffix;
mod variable;

pub(crate) use address::{parse_admin, parse_dns, parse_listen};
pub(crate) use argument::parse_argument;
pub(crate) use auth::{KeySet, parse_key_set, parse_password_hash, parse_service_path, parse_user};
pub(crate) use bandwidth::parse_bandwidth;
pub(crate) use contact::parse_contact;
pub(crate) use directory::parse_directory;
pub(crate) use duration::{parse_duration, parse_duration_or_zero};
pub(crate) use event::parse_event;
pub(crate) use file::{parse_file, parse_file_below};
pub(crate) use header::{parse_header_name, parse_header_value};
pub(crate) use include::parse_include;
pub(crate) use limit_key::{parse_cookie_name, parse_request_header};
pub(crate) use location::{Location, parse_location, parse_url};
pub(crate) use media_range::parse_media_range;
pub(crate) use name::{parse_key_name, parse_name, parse_word};
pub(crate) use network::{parse_networks, parse_proxy_source};
pub(crate) use origin::{parse_cors_header, parse_method, parse_origin};
pub(crate) use page::{parse_error_status, parse_page};
pub(crate) use rate::parse_rate;
pub(crate) use rewrite::parse_rewrite;
pub(crate) use server::{Server, looks_like_server, parse_server};
pub(crate) use service_url::parse_api;
pub(crate) use size::parse_size;
pub(crate) use suffix::{parse_ending, parse_suffix};
pub(crate) use variable::{is_variable, parse_variable};

/// Splits "10MiB" into "10" and "MiB". `None` where it does not begin with a digit.
fn split_number(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}
