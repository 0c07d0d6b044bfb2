//! Names of limits, upstreams and keys.

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

/// The name of a TSIG key, which is a domain name (RFC 8945, section 4.2), without the root's dot.
pub(crate) fn parse_key_name(text: &str) -> Result<String, Complaint> {
    const LONGEST: usize = 63;
    let name = text.strip_suffix('.').unwrap_or(text);
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let label =
        |label: &str| !label.is_empty() && label.len() <= LONGEST && label.chars().all(plain);
    if name.len() <= 253 && name.split('.').all(label) {
        return Ok(name.to_owned());
    }
    Err(Complaint::new(Code::BadName, format!("{} is not the name of a key", quoted(text)))
        .help("write it as the name server's configuration does, for instance \"acme-key\""))
}

/// What others have named, such as a profile: anything without a space.
pub(crate) fn parse_word(text: &str) -> Result<String, Complaint> {
    let strange = |c: char| c.is_whitespace() || c.is_control();
    if !text.is_empty() && !text.contains(strange) {
        return Ok(text.to_owned());
    }
    Err(Complaint::new(Code::BadName, format!("{} is not a name", quoted(text)))
        .help("write the name as the CA gives it: one word"))
}
