//! The request that is asked about.

use std::net::IpAddr;

use gateway_config::HostError;
use gateway_config::model::Host;
use http::header::{InvalidHeaderName, InvalidHeaderValue};
use http::{HeaderName, HeaderValue, Method, Version};

use crate::head::{Known, RequestHead};

/// A request as a client would send it over HTTP/1.1.
#[derive(Debug)]
pub(crate) struct Question {
    /// Whether it comes in over TLS.
    pub(crate) secure: bool,
    /// The host of the URL; what a client asks for in its handshake.
    pub(crate) host: Host,
    /// The URL's host and port, as a client sends them.
    pub(crate) authority: String,
    pub(crate) head: RequestHead,
    /// The address that the connection comes from.
    pub(crate) peer: IpAddr,
}

/// Why nobody could send this request.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotAQuestion {
    #[error(
        "`{0}` is not a URL of a gateway: write https://HOST/PATH, or http://HOST/PATH for the plain listener"
    )]
    Scheme(String),
    #[error("`{0}` names no host: write https://HOST/PATH")]
    NoHost(String),
    #[error("the host `{host}` is not one: {source}")]
    Host { host: String, source: HostError },
    #[error("the path `{0}` cannot be sent: write what is not ASCII, and spaces, percent-encoded")]
    Target(String),
    #[error("`{0}` is not a header: write 'NAME: VALUE'")]
    Header(String),
    #[error("`{name}` is not a header's name: {source}")]
    HeaderName { name: String, source: InvalidHeaderName },
    #[error("the value of `{name}` cannot be sent: {source}")]
    HeaderValue { name: HeaderName, source: InvalidHeaderValue },
}

impl Question {
    /// Reads a URL and headers as they are typed. Without a scheme, https is meant.
    ///
    /// # Errors
    /// [`NotAQuestion`]; a request that can be sent and will be refused is none.
    pub(crate) fn read(
        url: &str,
        method: Method,
        headers: &[String],
        peer: IpAddr,
    ) -> Result<Self, NotAQuestion> {
        let (secure, rest) = scheme(url)?;
        // A client keeps the fragment to itself.
        let rest = rest.split('#').next().unwrap_or(rest);
        let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if authority.is_empty() {
            return Err(NotAQuestion::NoHost(url.to_owned()));
        }
        let (host, authority) = as_sent(authority, secure)?;
        let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
        if !target.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(NotAQuestion::Target(target));
        }
        let mut head = RequestHead::default();
        head.begin(method, Version::HTTP_11);
        head.set_target(&target);
        for header in headers {
            add(&mut head, header)?;
        }
        if !head.fields.has(Known::Host) {
            add(&mut head, &format!("Host: {authority}"))?;
        }
        Ok(Self { secure, host, authority, head, peer })
    }
}

fn scheme(url: &str) -> Result<(bool, &str), NotAQuestion> {
    match url.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => Ok((true, rest)),
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => Ok((false, rest)),
        Some(_) => Err(NotAQuestion::Scheme(url.to_owned())),
        None => Ok((true, url)),
    }
}

/// International names are sent as A-labels, and a scheme's own port is left out
/// (RFC 9110 section 4.2.3).
fn as_sent(authority: &str, secure: bool) -> Result<(Host, String), NotAQuestion> {
    let (host, port) = Host::parse_authority(authority)
        .map_err(|source| NotAQuestion::Host { host: authority.to_owned(), source })?;
    let usual = if secure { 443 } else { 80 };
    let bare = match host.ip() {
        Some(IpAddr::V6(ip)) => format!("[{ip}]"),
        _ => host.to_string(),
    };
    let sent = match port.filter(|port| *port != usual) {
        Some(port) => format!("{bare}:{port}"),
        None => bare,
    };
    Ok((host, sent))
}

fn add(head: &mut RequestHead, header: &str) -> Result<(), NotAQuestion> {
    let no_header = || NotAQuestion::Header(header.to_owned());
    let (name, value) = header.split_once(':').ok_or_else(no_header)?;
    let name = HeaderName::from_bytes(name.trim().as_bytes())
        .map_err(|source| NotAQuestion::HeaderName { name: name.to_owned(), source })?;
    let value = HeaderValue::from_str(value.trim())
        .map_err(|source| NotAQuestion::HeaderValue { name: name.clone(), source })?;
    head.fields.add(name.as_str().as_bytes(), value.as_bytes());
    Ok(())
}
