//! `cache_control`: how long answers may be kept, by how the path ends.

use gateway_config::model::CacheControl;
use http::StatusCode;

use super::deny_paths::ends_with;
use crate::asked::normal_path;
use crate::head::{Known, RequestHead, ResponseHead};

/// Says it where nobody has, and only of what was found: a 404 that is kept for a year is a file that
/// is missing for a year.
pub(crate) fn apply(entries: &[CacheControl], asked: &RequestHead, head: &mut ResponseHead) {
    use StatusCode as S;
    let found = matches!(head.status, S::OK | S::PARTIAL_CONTENT | S::NOT_MODIFIED);
    if !found || head.fields.has(Known::CacheControl) || head.fields.has_named(b"expires") {
        return;
    }
    let Ok(path) = normal_path(asked) else { return };
    let fits =
        |entry: &&CacheControl| entry.suffixes.iter().any(|suffix| ends_with(&path.normal, suffix));
    if let Some(entry) = entries.iter().find(fits) {
        head.fields.add_known(Known::CacheControl, entry.value.as_bytes());
    }
}
