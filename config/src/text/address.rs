//! Addresses to listen on, and those of DNS servers.

use std::net::{IpAddr, SocketAddr};

use crate::complaint::{Complaint, quoted};
use crate::model::ListenAddr;
use crate::problem::Code;

/// The port to suggest where none was meant.
const ADMIN_PORT: u16 = 9180;

/// An address and a port; names are not resolved.
pub(crate) fn parse_listen(text: &str) -> Result<ListenAddr, Complaint> {
    text.parse().map(ListenAddr).map_err(|_| {
        complaint(format!("{} is not an address to listen on", quoted(text))).help(meant(text))
    })
}

/// The admin listener's address, or `None` for `off`.
pub(crate) fn parse_admin(text: &str) -> Result<Option<ListenAddr>, Complaint> {
    match text {
        "off" => Ok(None),
        text => text.parse().map(|addr| Some(ListenAddr(addr))).map_err(|_| {
            let port =
                text.rsplit(':').next().and_then(|port| port.parse().ok()).unwrap_or(ADMIN_PORT);
            complaint(format!("{} is not an address for the admin listener", quoted(text))).help(
                format!(
                    "write an address of this machine and a port, or \"off\": \"127.0.0.1:{port}\""
                ),
            )
        }),
    }
}

/// A DNS server: an address, and port 53 where none is given.
pub(crate) fn parse_dns(text: &str) -> Result<SocketAddr, Complaint> {
    let address = text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, 53));
    let address = address.or_else(|_| text.parse::<SocketAddr>());
    match address {
        Ok(address) if address.port() != 0 => Ok(address),
        _ => Err(complaint(format!("{} is not the address of a DNS server", quoted(text)))
            .help("write an address, with a port where it is not 53: \"1.1.1.1\", \"[2606:4700:4700::1111]:53\"")),
    }
}

fn meant(text: &str) -> String {
    let port = text.rsplit(':').next().unwrap_or(text);
    let rest = text[..text.len() - port.len()].trim_end_matches(':');
    match port.parse::<u16>() {
        Ok(port) if rest == "localhost" => {
            format!(
                "names are not resolved here; write \"127.0.0.1:{port}\", \"[::1]:{port}\" or both"
            )
        }
        Ok(port) if rest.is_empty() || rest == "*" => {
            format!(
                "write \"[::]:{port}\" for every address, or \"127.0.0.1:{port}\" for this machine alone"
            )
        }
        Ok(port) if rest.parse::<std::net::Ipv6Addr>().is_ok() => {
            format!("an IPv6 address needs brackets: \"[{rest}]:{port}\"")
        }
        _ => match text.parse::<IpAddr>() {
            Ok(ip) => format!("the port is missing: \"{}\"", SocketAddr::new(ip, 443)),
            Err(_) => "write an address and a port: \"[::]:443\", \"127.0.0.1:8443\"".into(),
        },
    }
}

fn complaint(message: String) -> Complaint {
    Complaint::new(Code::BadAddress, message)
}
