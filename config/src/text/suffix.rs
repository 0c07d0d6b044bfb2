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

/// How a path ends, with its dot, in lower case.
pub(crate) fn parse_ending(text: &str) -> Result<String, Complaint> {
    let good = text.len() > 1
        && text.starts_with('.')
        && !text.contains(|c: char| matches!(c, '*' | '/' | '?' | '%') || c.is_control());
    if good {
        return Ok(text.to_lowercase());
    }
    let bare = text.trim_start_matches(['*', '.']);
    let plain = !bare.is_empty() && bare.chars().all(|c| c.is_alphanumeric() || c == '.');
    let help = match plain {
        true => format!("write \".{bare}\""),
        false => "write how the file's name ends, with its dot, for instance \".js\"".into(),
    };
    Err(Complaint::new(Code::BadSuffix, format!("{} is not how a file's name ends", quoted(text)))
        .help(help))
}
