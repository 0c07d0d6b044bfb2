//! Where redirects lead: absolute URLs and paths.

use url::Url;

use crate::complaint::{Complaint, quoted};
use crate::model::Host;
use crate::problem::Code;

/// A checked redirect target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Location {
    /// As it goes into the `Location` header: ASCII, percent-encoded.
    pub(crate) text: String,
    /// The host and port of an absolute URL; `None` for a path.
    pub(crate) authority: Option<(Host, u16)>,
    /// The path alone, percent-encoded.
    pub(crate) path: String,
    /// Whether a query or fragment follows the path.
    pub(crate) has_tail: bool,
}

/// An absolute `http` or `https` URL.
pub(crate) fn parse_url(text: &str) -> Result<Location, Complaint> {
    let url = Url::parse(text).map_err(|_| not_a_url(text))?;
    let host = url.host_str().and_then(|host| Host::parse(host).ok());
    let authority = host.zip(url.port_or_known_default());
    let clean = !text.contains('\\') && text.trim() == text;
    let (true, "http" | "https", Some(authority)) = (clean, url.scheme(), authority) else {
        return Err(not_a_url(text));
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(complaint("a redirect cannot hold a user name or password".into())
            .help("remove it; browsers ignore or refuse such redirects"));
    }
    Ok(Location {
        text: url.as_str().to_owned(),
        authority: Some(authority),
        path: url.path().to_owned(),
        has_tail: url.query().is_some() || url.fragment().is_some(),
    })
}

/// An absolute URL, or a path on the same host.
pub(crate) fn parse_location(text: &str) -> Result<Location, Complaint> {
    if !text.starts_with('/') {
        return parse_url(text);
    }
    // `//host` and `/\host` lead browsers to another host.
    let second = text.as_bytes().get(1);
    if matches!(second, Some(b'/' | b'\\')) || text.contains('\\') || text.trim() != text {
        return Err(not_a_url(text));
    }
    let here = Url::parse("http://here/").map_err(|_| not_a_url(text))?;
    let url = here.join(text).map_err(|_| not_a_url(text))?;
    Ok(Location {
        text: url[url::Position::BeforePath..].to_owned(),
        authority: None,
        path: url.path().to_owned(),
        has_tail: url.query().is_some() || url.fragment().is_some(),
    })
}

impl Location {
    /// The target of a redirect that appends the request's path.
    pub(crate) fn with_path_appended(mut self) -> Result<Self, Complaint> {
        if self.has_tail {
            return Err(complaint(format!(
                "`{}` ends in a query or fragment, and the request's path would be appended to it",
                self.text
            ))
            .help("remove the query and fragment; on a route, `keep_path = false` leaves the path out instead"));
        }
        self.text.truncate(self.text.trim_end_matches('/').len());
        Ok(self)
    }
}

fn not_a_url(text: &str) -> Complaint {
    let help = match text.split_once("://") {
        None if text.contains('.') && !text.starts_with('/') => {
            format!("write the scheme too: \"https://{text}\"")
        }
        _ => "write an absolute URL such as \"https://example.com/new\", or on a route a path such as \"/new\"".into(),
    };
    complaint(format!("{} is nothing to redirect to", quoted(text))).help(help)
}

fn complaint(message: String) -> Complaint {
    Complaint::new(Code::BadUrl, message)
}
