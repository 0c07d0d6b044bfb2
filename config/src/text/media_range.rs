//! Media types: `"text/html"`, `"text/*"`.

use crate::complaint::{Complaint, quoted};
use crate::model::MediaRange;
use crate::problem::Code;

/// A media type without parameters, or all of one kind.
pub(crate) fn parse_media_range(text: &str) -> Result<MediaRange, Complaint> {
    let complaint = |help: &str| {
        Complaint::new(Code::BadMediaType, format!("{} is not a media type", quoted(text)))
            .help(help)
    };
    if text.contains(';') {
        return Err(complaint("write it without its parameters, for instance \"text/html\""));
    }
    let is_token = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&b))
    };
    let usual = "write a type such as \"application/json\", or \"text/*\" for every kind of text";
    let (kind, subtype) = text.split_once('/').ok_or_else(|| complaint(usual))?;
    if !is_token(kind) || !(subtype == "*" || is_token(subtype)) {
        return Err(complaint(usual));
    }
    let subtype = (subtype != "*").then(|| subtype.to_ascii_lowercase());
    Ok(MediaRange { kind: kind.to_ascii_lowercase(), subtype })
}
