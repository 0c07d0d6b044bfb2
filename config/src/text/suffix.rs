//! Patterns of `deny_paths`: `"*.bak"`.

use crate::complaint::{Complaint, quoted};
use crate::problem::Code;

/// A suffix with its dot, in lower case.
pub(crate) fn parse_suffix(text: &str) -> Result<String, Complaint> {
    let suffix = text.strip_prefix('*').filter(|rest| {
        rest.len() > 1
            && rest.starts_with('.')
            && !rest.contains(|c: char| matches!(c, '*' | '/' | '?' | '%') || c.is_control())
    });
    match suffix {
        Some(suffix) => Ok(suffix.to_lowercase()),
        None => Err(Complaint::new(
            Code::BadSuffix,
            format!("{} is not a pattern of `deny_paths`", quoted(text)),
        )
        .help("write a star and a file name's ending, for instance \"*.bak\"; for a folder, add a route that answers 403 or 404")),
    }
}
