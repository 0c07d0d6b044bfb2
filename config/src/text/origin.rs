//! Origins of `cors`: `"https://app.example.com"`, and what preflights may ask for.

use http::{HeaderName, Method};

use crate::complaint::{Complaint, quoted};
use crate::host::HostError;
use crate::model::{HostPattern, OriginPattern, default_port};
use crate::problem::Code;

/// An origin, or a pattern of them with a star for the first label of the host.
pub(crate) fn parse_origin(text: &str) -> Result<OriginPattern, Complaint> {
    if text.eq_ignore_ascii_case("null") {
        return Err(complaint(
            "`null` is the origin of every sandboxed frame and local file".into(),
        )
        .help("remove it; whoever wanted to could send it"));
    }
    let (scheme, authority) = text.split_once("://").ok_or_else(|| no_scheme(text))?;
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    if !is_scheme {
        return Err(no_scheme(text));
    }
    if let Some(end) = authority.find(['/', '?', '#']) {
        let origin = &text[..scheme.len() + 3 + end];
        return Err(complaint(format!("{} is a URL and not an origin", quoted(text)))
            .help(format!("write \"{origin}\"; an origin has no path")));
    }
    let scheme = scheme.to_ascii_lowercase();
    let (host, port) = host_and_port(authority).map_err(|error| no_host(text, error))?;
    let port = port.or(default_port(&scheme));
    Ok(OriginPattern { scheme, host, port })
}

fn host_and_port(authority: &str) -> Result<(HostPattern, Option<u16>), HostError> {
    let end = authority.rfind(']').map_or(0, |at| at + 1);
    let (host, port) = match authority[end..].find(':') {
        Some(colon) => (&authority[..end + colon], Some(&authority[end + colon + 1..])),
        None => (authority, None),
    };
    let port = match port {
        Some(port) => {
            let digits = port.bytes().all(|byte| byte.is_ascii_digit());
            let port = digits.then(|| port.parse::<u16>().ok()).flatten();
            Some(port.filter(|port| *port != 0).ok_or(HostError::Port)?)
        }
        None => None,
    };
    match HostPattern::parse(host)? {
        HostPattern::Any => Err(HostError::Wildcard),
        pattern => Ok((pattern, port)),
    }
}

fn no_scheme(text: &str) -> Complaint {
    let bare = text.trim_start_matches('/');
    let help = match bare.contains('.') && !bare.contains(':') {
        true => format!("write the scheme too: \"https://{bare}\""),
        false => "write scheme and host, for instance \"https://app.example.com\"".into(),
    };
    complaint(format!("{} is not an origin", quoted(text))).help(help)
}

fn no_host(text: &str, error: HostError) -> Complaint {
    let help = match error {
        HostError::Wildcard => {
            "a star is the first part of a host, as in \"https://*.example.com\"; \"*\" alone is every origin"
        }
        _ => "write scheme and host, for instance \"https://app.example.com\"",
    };
    complaint(format!("{} is not an origin: {error}", quoted(text))).help(help)
}

fn complaint(message: String) -> Complaint {
    Complaint::new(Code::BadOrigin, message)
}

/// A method that a script may ask for (Fetch, "forbidden method").
pub(crate) fn parse_method(text: &str) -> Result<Method, Complaint> {
    let bad = |message: String, help: String| Complaint::new(Code::BadMethod, message).help(help);
    let upper = text.to_ascii_uppercase();
    if matches!(upper.as_str(), "CONNECT" | "TRACE" | "TRACK") {
        let message = format!("{} is a method that no browser sends", quoted(text));
        return Err(bad(message, "remove it".into()));
    }
    let method = Method::from_bytes(text.as_bytes()).ok().filter(|_| text != "*");
    let Some(method) = method else {
        let message = format!("{} is not a method", quoted(text));
        return Err(bad(message, "name methods, for instance \"GET\"".into()));
    };
    let usual = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    if text != upper && usual.contains(&upper.as_str()) {
        let message = format!("{} is not a method that anybody sends", quoted(text));
        return Err(bad(message, format!("write \"{upper}\"; methods are in upper case")));
    }
    Ok(method)
}

/// The name of a header that `cors` lets through.
pub(crate) fn parse_cors_header(text: &str) -> Result<HeaderName, Complaint> {
    let bad = |help: &str| {
        Complaint::new(Code::BadHeader, format!("{} is not a header name", quoted(text))).help(help)
    };
    if text == "*" {
        return Err(bad("name the headers; without `headers` every request header may be sent"));
    }
    HeaderName::try_from(text)
        .map_err(|_| bad("use letters, digits and `-`, for instance `X-Request-Id`"))
}
