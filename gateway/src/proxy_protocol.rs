//! The PROXY protocol: a balancer in front of us says in the first bytes of a connection whose it is,
//! in text (version 1) or binary (version 2); and we say the same to an upstream that wants it.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use gateway_config::model::ProxyProtocol;
use ppp::{HeaderResult, PartialResult, v1, v2};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

/// The longest introduction that is read: version 1 has at most 107 bytes, version 2 may have some
/// hundreds of further values that nobody here reads.
const CAP: usize = 1024;

/// The longest of version 1, its line end included.
const TEXT_CAP: usize = 107;

/// Why a connection that should have been introduced was not.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IntroductionError {
    #[error("the balancer does not begin with the PROXY protocol")]
    None,
    #[error("the balancer took longer than {0:?} to say whose connection it is")]
    Timeout(Duration),
    #[error("the connection ended before it was said whose it is")]
    Ended(#[source] io::Error),
}

/// Whose connection a balancer passes on. `None`: its own, which it opens to see whether we live.
///
/// # Errors
/// [`IntroductionError`].
pub(crate) async fn read(
    tcp: &mut TcpStream,
    limit: Duration,
) -> Result<Option<SocketAddr>, IntroductionError> {
    tokio::time::timeout(limit, read_whole(tcp))
        .await
        .map_err(|_elapsed| IntroductionError::Timeout(limit))?
}

/// Reads no byte behind the introduction, for those are TLS's: looks at what has come, and takes of it
/// what belongs here.
async fn read_whole(tcp: &mut TcpStream) -> Result<Option<SocketAddr>, IntroductionError> {
    let mut taken = Vec::new();
    loop {
        let mut space = [0; CAP];
        let seen = tcp.peek(&mut space).await.map_err(IntroductionError::Ended)?;
        if seen == 0 {
            return Err(IntroductionError::Ended(io::ErrorKind::UnexpectedEof.into()));
        }
        let before = taken.len();
        taken.extend_from_slice(&space[..seen]);
        let parsed = parse(&taken)?;
        let here = parsed.map_or(seen, |(length, _)| length - before);
        tcp.read_exact(&mut space[..here]).await.map_err(IntroductionError::Ended)?;
        if let Some((_, source)) = parsed {
            return Ok(source);
        }
    }
}

/// The introduction's length and what it says; `None` while it is not whole.
fn parse(bytes: &[u8]) -> Result<Option<(usize, Option<SocketAddr>)>, IntroductionError> {
    // Too little to say which version it is.
    if [b"PROXY ", v2::PROTOCOL_PREFIX].iter().any(|prefix| prefix.starts_with(bytes)) {
        return Ok(None);
    }
    // Half an address looks like a wrong one.
    if bytes.starts_with(b"PROXY ") && bytes.len() < TEXT_CAP && !bytes.contains(&b'\n') {
        return Ok(None);
    }
    let parsed = HeaderResult::parse(bytes);
    if parsed.is_incomplete() && bytes.len() < CAP {
        return Ok(None);
    }
    match parsed {
        HeaderResult::V1(Ok(header)) => {
            Ok(Some((header.header.len(), source_of_text(&header.addresses))))
        }
        HeaderResult::V2(Ok(header)) => Ok(Some((header.len(), source_of_binary(&header)))),
        HeaderResult::V1(Err(_)) | HeaderResult::V2(Err(_)) => Err(IntroductionError::None),
    }
}

fn source_of_text(addresses: &v1::Addresses) -> Option<SocketAddr> {
    match addresses {
        v1::Addresses::Tcp4(tcp) => Some((tcp.source_address, tcp.source_port).into()),
        v1::Addresses::Tcp6(tcp) => Some((tcp.source_address, tcp.source_port).into()),
        v1::Addresses::Unknown => None,
    }
}

fn source_of_binary(header: &v2::Header<'_>) -> Option<SocketAddr> {
    if header.command == v2::Command::Local {
        return None;
    }
    match header.addresses {
        v2::Addresses::IPv4(ip) => Some((ip.source_address, ip.source_port).into()),
        v2::Addresses::IPv6(ip) => Some((ip.source_address, ip.source_port).into()),
        v2::Addresses::Unix(_) | v2::Addresses::Unspecified => None,
    }
}

/// What introduces a client to an upstream, in its `version`. Both addresses are of one family in the
/// protocol: where they are not, an IPv4 address is written as IPv6 has it.
pub(crate) fn introduction(
    version: ProxyProtocol,
    client: SocketAddr,
    upstream: SocketAddr,
) -> io::Result<Vec<u8>> {
    let (client, upstream) = of_one_family(client, upstream);
    match version {
        ProxyProtocol::V1 => Ok(v1::Addresses::from((client, upstream)).to_string().into_bytes()),
        ProxyProtocol::V2 => v2::Builder::with_addresses(
            v2::Version::Two | v2::Command::Proxy,
            v2::Protocol::Stream,
            (client, upstream),
        )
        .build(),
    }
}

fn of_one_family(one: SocketAddr, other: SocketAddr) -> (SocketAddr, SocketAddr) {
    let canonical = |addr: SocketAddr| SocketAddr::new(addr.ip().to_canonical(), addr.port());
    let (one, other) = (canonical(one), canonical(other));
    if one.is_ipv4() == other.is_ipv4() {
        return (one, other);
    }
    let mapped = |addr: SocketAddr| match addr {
        SocketAddr::V4(v4) => SocketAddr::new(v4.ip().to_ipv6_mapped().into(), v4.port()),
        v6 @ SocketAddr::V6(_) => v6,
    };
    (mapped(one), mapped(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addr(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn both_versions_say_what_they_were_told() {
        for version in [ProxyProtocol::V1, ProxyProtocol::V2] {
            for (client, upstream) in [
                ("192.0.2.1:4000", "10.0.0.1:80"),
                ("[2001:db8::1]:4000", "[2001:db8::2]:80"),
                ("192.0.2.1:4000", "[2001:db8::2]:80"),
            ] {
                let mut bytes = introduction(version, addr(client), addr(upstream)).unwrap();
                let length = bytes.len();
                bytes.extend_from_slice(b"what follows");
                let (read, source) = parse(&bytes).unwrap().expect("it is whole");
                let source = source.expect("it names somebody");
                assert_eq!(read, length, "{version:?} {client}");
                assert_eq!(source.ip().to_canonical(), addr(client).ip(), "{version:?}");
                assert_eq!(source.port(), 4000);
                for short in 0..length {
                    assert!(parse(&bytes[..short]).unwrap().is_none(), "{version:?} {short}");
                }
            }
        }
    }

    #[test]
    fn what_is_no_introduction_is_said_at_once() {
        for bytes in [
            &b"GET / HTTP/1.1\r\n\r\n"[..],
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
            b"PROXY TCP4 999.0.2.1 10.0.0.1 1 2\r\n",
            b"PROXY TCP5 192.0.2.1 10.0.0.1 1 2\r\n",
            &[b'P'; CAP],
        ] {
            assert!(parse(bytes).is_err(), "{:?}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn a_balancer_that_only_looks_is_nobody() {
        assert!(matches!(parse(b"PROXY UNKNOWN\r\n"), Ok(Some((15, None)))));
        let local = v2::Builder::with_addresses(
            v2::Version::Two | v2::Command::Local,
            v2::Protocol::Stream,
            (addr("192.0.2.1:1"), addr("192.0.2.2:2")),
        );
        assert!(matches!(parse(&local.build().unwrap()), Ok(Some((_, None)))));
    }
}
