//! `rewrite`: the path that goes upstream.

use http::uri::PathAndQuery;
use url::Url;

use crate::complaint::{Complaint, quoted};
use crate::model::Rewrite;
use crate::path::{PathError, normalize};
use crate::problem::Code;

/// `"/new"` or `"/new/*"`, percent-encoded as it goes upstream.
pub(crate) fn parse_rewrite(text: &str) -> Result<Rewrite, Complaint> {
    let (path, below) = match text.strip_suffix("/*") {
        Some(path) => (path, true),
        None => (text, false),
    };
    if path.is_empty() && below {
        return Ok(Rewrite::Below(String::new()));
    }
    if path.contains('*') {
        return Err(complaint(text, PathError::Star));
    }
    normalize(path).map_err(|error| complaint(text, error))?;
    let path = encode(path).ok_or_else(|| complaint(text, PathError::Encoding))?;
    Ok(if below {
        Rewrite::Below(path.trim_end_matches('/').to_owned())
    } else {
        Rewrite::To(path)
    })
}

/// Only what has to be is percent-encoded.
fn encode(path: &str) -> Option<String> {
    let mut url = Url::parse("http://here/").ok()?;
    url.set_path(path);
    let path: PathAndQuery = url.path().parse().ok()?;
    Some(path.path().to_owned())
}

fn complaint(text: &str, error: PathError) -> Complaint {
    Complaint::new(Code::BadPath, format!("{} is not a path to rewrite to: {error}", quoted(text)))
        .help("write a path such as \"/new\", or \"/new/*\" to keep what the route's `*` matched")
}
