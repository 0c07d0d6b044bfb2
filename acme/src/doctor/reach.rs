//! A connection to the public address, and why there is none.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long a connection may take.
pub(super) const CONNECT: Duration = Duration::from_secs(5);

/// How long an answer may take.
pub(super) const ANSWER: Duration = Duration::from_secs(6);

/// What is said where no firewall was passed.
pub(super) const OWN: &str = "That is this machine's own address: whether a firewall outside lets a CA through is seen from outside only.";

/// Why there is no connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unreached {
    Refused,
    TimedOut,
    Other(String),
}

pub(super) async fn connect(at: SocketAddr) -> Result<TcpStream, Unreached> {
    match timeout(CONNECT, TcpStream::connect(at)).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(match error.kind() {
            io::ErrorKind::ConnectionRefused => Unreached::Refused,
            io::ErrorKind::TimedOut => Unreached::TimedOut,
            _ => Unreached::Other(error.to_string()),
        }),
        Err(_) => Err(Unreached::TimedOut),
    }
}

impl Unreached {
    /// What was seen and what to do about it.
    pub(super) fn sentences(&self, at: SocketAddr) -> (String, String) {
        let port = at.port();
        let (what, mut advice) = match self {
            Self::Refused => (
                format!("{at} refuses the connection."),
                format!(
                    "Nothing listens there: check that {} is this machine's address, that a container publishes port {port}, and that a router passes it on.",
                    at.ip()
                ),
            ),
            Self::TimedOut => (
                format!("{at} does not answer: the connection timed out."),
                format!(
                    "A firewall drops it, or {} is not this machine: open port {port} in the firewall and the provider's security group, and check the record. Some routers let nobody inside come by the public address; then try from outside.",
                    at.ip()
                ),
            ),
            Self::Other(reason) => (
                format!("{at} cannot be reached from here ({reason})."),
                "Check the record; from another network it may be otherwise.".to_owned(),
            ),
        };
        if at.is_ipv6() {
            advice.push_str(
                " CAs try IPv6 first: an AAAA record that leads nowhere is worse than none.",
            );
        }
        (what, advice)
    }
}

/// Whether the address is one of this machine's own, so that no firewall was passed.
pub(super) fn is_own(ip: IpAddr) -> bool {
    UdpSocket::bind((ip, 0)).is_ok()
}
