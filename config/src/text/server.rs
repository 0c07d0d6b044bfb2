//! Servers behind the gateway: `backend:8000`, `unix:/run/app.sock`, `https://origin.example`.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::complaint::{Complaint, quoted};
use crate::host::HostError;
use crate::model::{Endpoint, Host, Protocol};
use crate::problem::Code;

/// The port of `https://` where none is given.
const HTTPS_PORT: u16 = 443;

/// One server, and what is spoken to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) endpoint: Endpoint,
    pub(crate) protocol: Protocol,
}

/// Whether a route's `to` names a server itself rather than an upstream.
pub(crate) fn looks_like_server(text: &str) -> bool {
    text.contains(':')
}

/// A server with its port, or a unix socket.
pub(crate) fn parse_server(text: &str) -> Result<Server, Complaint> {
    if let Some(path) = text.strip_prefix("unix:") {
        return unix(text, path);
    }
    match text.split_once("://") {
        Some(("https", rest)) => https(text, rest),
        Some(("h2c", _)) => Err(Complaint::new(
            Code::NotYet,
            format!("`{text}`: HTTP/2 to a server is not in this version of the gateway yet"),
        )
        .help("write the server without `h2c://`; it is then spoken to in HTTP/1.1")),
        Some(("http", rest)) => Err(not_a_server(text).help(format!(
            "write \"{}\": without a scheme, HTTP is spoken in the clear",
            with_port(rest.trim_end_matches('/'), 80)
        ))),
        Some(_) => Err(not_a_server(text).help(FORMS)),
        None => plain(text),
    }
}

fn unix(text: &str, path: &str) -> Result<Server, Complaint> {
    if !path.starts_with('/') || path.ends_with('/') || path.contains('\0') {
        return Err(
            not_a_server(text).help("write the socket's absolute path: \"unix:/run/app.sock\"")
        );
    }
    Ok(Server { endpoint: Endpoint::Unix(PathBuf::from(path)), protocol: Protocol::Http })
}

fn https(text: &str, rest: &str) -> Result<Server, Complaint> {
    if let Some((authority, _)) = rest.split_once(['/', '?', '#']) {
        return Err(not_a_server(text).help(format!(
            "write \"https://{authority}\", and change the path by `rewrite` or `strip_prefix`"
        )));
    }
    let (host, port) = Host::parse_authority(rest).map_err(|error| bad_host(text, error))?;
    Ok(Server { endpoint: endpoint(host, port.unwrap_or(HTTPS_PORT)), protocol: Protocol::Https })
}

fn plain(text: &str) -> Result<Server, Complaint> {
    if let Some((authority, _)) = text.split_once(['/', '?', '#']) {
        return Err(not_a_server(text).help(format!(
            "write \"{authority}\", and change the path by `rewrite` or `strip_prefix`"
        )));
    }
    let (host, port) = Host::parse_authority(text).map_err(|error| bad_host(text, error))?;
    let Some(port) = port else {
        return Err(
            not_a_server(text).help(format!("the port is missing: \"{}\"", with_port(text, 8000)))
        );
    };
    Ok(Server { endpoint: endpoint(host, port), protocol: Protocol::Http })
}

fn endpoint(host: Host, port: u16) -> Endpoint {
    match host.ip() {
        Some(ip) => Endpoint::Addr(SocketAddr::new(ip, port)),
        None => Endpoint::Name { host, port },
    }
}

fn with_port(authority: &str, port: u16) -> String {
    match Host::parse_authority(authority) {
        Ok((_, None)) => format!("{}:{port}", authority.trim_end_matches(':')),
        _ => authority.to_owned(),
    }
}

const FORMS: &str =
    "write \"host:port\", \"unix:/path/to/socket\", \"https://host\" or \"https://host:port\"";

fn bad_host(text: &str, error: HostError) -> Complaint {
    let unbracketed = text.parse::<std::net::Ipv6Addr>().is_ok();
    let help = if unbracketed {
        format!("an IPv6 address needs brackets and a port: \"[{text}]:8000\"")
    } else {
        FORMS.to_owned()
    };
    Complaint::new(Code::BadServer, format!("{} is not a server: {error}", quoted(text))).help(help)
}

fn not_a_server(text: &str) -> Complaint {
    Complaint::new(Code::BadServer, format!("{} is not a server", quoted(text)))
}
