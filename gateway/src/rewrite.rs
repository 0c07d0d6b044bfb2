//! `strip_prefix` and `rewrite`: the path that an upstream is asked for.

use std::borrow::Cow;

use gateway_config::model::Rewrite;

use crate::head::RequestHead;
use crate::path::{self, Path};

/// The path for the upstream, with the query.
pub(crate) fn rewritten<'a>(
    rewrite: &Rewrite,
    prefix: usize,
    path: &'a Path<'_>,
    asked: &'a RequestHead,
) -> Cow<'a, str> {
    let query = asked.query();
    let with_query = |path: String| match query {
        Some(query) => Cow::Owned(format!("{path}?{query}")),
        None => Cow::Owned(path),
    };
    // What follows a prefix, encoded as the client did where its spelling was the plain one.
    let below = |prefix: &str| {
        let tail = match path.wire.strip_prefix(prefix) {
            Some(tail) => tail.to_owned(),
            None => path::encode(path.normal.strip_prefix(prefix)?),
        };
        (tail.is_empty() || tail.starts_with('/')).then_some(tail)
    };
    match rewrite {
        Rewrite::Keep if path.wire == asked.path() => Cow::Borrowed(asked.target()),
        Rewrite::Keep => with_query(path.wire.clone().into_owned()),
        Rewrite::To(to) => with_query(to.clone()),
        Rewrite::StripPrefix(strip) => {
            let tail = below(strip).unwrap_or_else(|| path.wire.clone().into_owned());
            with_query(if tail.is_empty() { "/".into() } else { tail })
        }
        Rewrite::Below(to) => {
            let tail = path.normal.get(..prefix).and_then(below).unwrap_or_default();
            let whole = format!("{to}{tail}");
            with_query(if whole.is_empty() { "/".into() } else { whole })
        }
    }
}
