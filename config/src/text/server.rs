//! Servers behind the gateway: `backend:8000`, `unix:/run/app.sock`, `https://origin.example`,
//! `h2c://grpc:50051`.

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
        Some(("h2c", rest)) => clear(text, rest, "h2c://", Protocol::H2c),
        Some(("http", rest)) => Err(not_a_server(text).help(format!(
            "write \"{}\": without a scheme, HTTP is spoken in the clear",
            with_port(rest.trim_end_matches('/'), 80)
        ))),
        Some(_) => Err(not_a_server(text).help(FORMS)),
        None => clear(text, text, "", Protocol::Http),
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

/// A server that is spoken to in the clear; `rest` is what follows the scheme.
fn clear(text: &str, rest: &str, scheme: &str, protocol: Protocol) -> Result<Server, Complaint> {
    if let Some((authority, _)) = rest.split_once(['/', '?', '#']) {
        return Err(not_a_server(text).help(format!(
            "write \"{scheme}{authority}\", and change the path by `rewrite` or `strip_prefix`"
        )));
    }
    let (host, port) = Host::parse_authority(rest).map_err(|error| bad_host(text, error))?;
    let Some(port) = port else {
        let help = format!("the port is missing: \"{scheme}{}\"", with_port(rest, 8000));
        return Err(not_a_server(text).help(help));
    };
    Ok(Server { endpoint: endpoint(host, port), protocol })
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
    "write \"host:port\", \"unix:/path/to/socket\", \"https://host\" or \"h2c://host:port\"";

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
