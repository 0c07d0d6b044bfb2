//! Names of limits and upstreams.

use crate::complaint::{Complaint, quoted};
use crate::problem::Code;

/// A plain word: letters, digits, `-` and `_`. It can neither be mistaken for an address nor need
/// quotes in a metric's label.
pub(crate) fn parse_name(text: &str) -> Result<String, Complaint> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if !text.is_empty() && text.chars().all(plain) {
        return Ok(text.to_owned());
    }
    Err(Complaint::new(Code::BadName, format!("{} is not a name", quoted(text)))
        .help("use letters, digits, `-` and `_`, for instance `api` or `backend-v2`"))
}
