//! One request over HTTP/1.1, to a gateway that runs: as much of it as that needs.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use gateway_acme::dns::Resolver;
use gateway_config::format_duration;
use gateway_config::model::Host;
use http::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::url::{HttpUrl, Server};

/// More of an answer is not read: that of a reload may list every problem of many files.
const LONGEST: usize = 16 * 1024 * 1024;

/// Why there was no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GetError {
    #[error("cannot be asked: the system gives no event queue ({0})")]
    System(io::Error),
    #[error("cannot be asked: the name `{name}` does not resolve ({reason})")]
    Unresolved { name: Host, reason: String },
    #[error("cannot be reached: {0}")]
    Connect(io::Error),
    #[error("does not answer within {}", format_duration(*.0))]
    Timeout(Duration),
    #[error("breaks the connection off before it has answered: {0}")]
    Broken(io::Error),
    #[error("does not answer in HTTP")]
    Garbage,
}

/// An answer, or as much of it as came in time.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    status: StatusCode,
    body: String,
    complete: bool,
}

impl Reply {
    /// Whether the status is 2xx.
    pub(crate) fn is_good(&self) -> bool {
        self.status.is_success()
    }

    /// The status with its usual phrase.
    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn body(&self) -> &str {
        &self.body
    }

    /// Reads what has come so far; `None` until the head is complete.
    fn parse(received: &[u8]) -> Result<Option<Self>, GetError> {
        let text = String::from_utf8_lossy(received);
        if !text.starts_with(&"HTTP/1."[..text.len().min(7)]) {
            return Err(GetError::Garbage);
        }
        let Some((head, body)) = text.split_once("\r\n\r\n") else { return Ok(None) };
        let status = head.split(' ').nth(1).and_then(|code| code.get(..3)?.parse().ok());
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            let value = value.trim().parse::<usize>().ok();
            value.filter(|_| name.eq_ignore_ascii_case("content-length"))
        });
        Ok(Some(Self {
            status: status.ok_or(GetError::Garbage)?,
            complete: length.is_some_and(|length| body.len() >= length),
            body: body.to_owned(),
        }))
    }
}

/// How to ask.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    pub(crate) method: &'static str,
    pub(crate) accept: &'static str,
    /// Whether the body of a good answer matters.
    pub(crate) to_the_end: bool,
}

/// Asks with GET for a status, and waits for at most `limit` in all.
///
/// # Errors
/// [`GetError`], where there was no status.
pub(crate) fn get(url: &HttpUrl, limit: Duration) -> Result<Reply, GetError> {
    ask(url, Manner { method: "GET", accept: "*/*", to_the_end: false }, limit)
}

/// Asks, and waits for at most `limit` in all.
///
/// # Errors
/// [`GetError`], where there was no status.
pub(crate) fn ask(url: &HttpUrl, manner: Manner, limit: Duration) -> Result<Reply, GetError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(GetError::System)?.block_on(async {
        let deadline = Instant::now() + limit;
        let connected = timeout_at(deadline, connect(url)).await;
        let tcp = connected.map_err(|_elapsed| GetError::Timeout(limit))??;
        exchange(tcp, url, manner, deadline, limit).await
    })
}

async fn connect(url: &HttpUrl) -> Result<TcpStream, GetError> {
    let addresses = addresses(&url.server).await?;
    let mut last = io::ErrorKind::NotFound.into();
    for address in addresses {
        match TcpStream::connect(SocketAddr::new(address, url.port)).await {
            Ok(tcp) => return Ok(tcp),
            Err(error) => last = error,
        }
    }
    Err(GetError::Connect(last))
}

async fn addresses(server: &Server) -> Result<Vec<IpAddr>, GetError> {
    let host = match server {
        Server::Address(address) => return Ok(vec![*address]),
        Server::Name(host) => host,
    };
    // RFC 6761 section 6.3: no name server is asked for this one.
    if host.as_str() == "localhost" {
        return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
    }
    let looked_up = Resolver::new(&[]).addresses(host.as_str()).await;
    let found = looked_up.map_err(|reason| GetError::Unresolved { name: host.clone(), reason })?;
    Ok(found.to_vec())
}

async fn exchange(
    mut tcp: TcpStream,
    url: &HttpUrl,
    manner: Manner,
    deadline: Instant,
    limit: Duration,
) -> Result<Reply, GetError> {
    let HttpUrl { target, authority, .. } = url;
    let Manner { method, accept, to_the_end } = manner;
    let length = if method == "GET" { "" } else { "Content-Length: 0\r\n" };
    let request = format!(
        "{method} {target} HTTP/1.1\r\nHost: {authority}\r\nUser-Agent: gateway-healthcheck\r\nAccept: {accept}\r\n{length}Connection: close\r\n\r\n"
    );
    let mut received = Vec::new();
    let written = timeout_at(deadline, tcp.write_all(request.as_bytes())).await;
    written.map_err(|_elapsed| GetError::Timeout(limit))?.map_err(GetError::Broken)?;
    loop {
        let reply = Reply::parse(&received)?;
        if let Some(reply) = reply.filter(|reply| reply.complete || !to_the_end && reply.is_good())
        {
            return Ok(reply);
        }
        let ended = match timeout_at(deadline, tcp.read_buf(&mut received)).await {
            Ok(Ok(read)) if read > 0 && received.len() < LONGEST => continue,
            Ok(Ok(_)) => GetError::Broken(io::ErrorKind::UnexpectedEof.into()),
            Ok(Err(error)) => GetError::Broken(error),
            Err(_elapsed) => GetError::Timeout(limit),
        };
        // A status that came is an answer, however it ended.
        return Reply::parse(&received)?.ok_or(ended);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_as_they_come() {
        let parse = |text: &str| Reply::parse(text.as_bytes()).unwrap();
        assert_eq!(parse(""), None);
        assert_eq!(parse("HTTP/1.1 200 OK\r\nContent-Le"), None);
        let head = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 4\r\n\r\n";
        let begun = parse(&format!("{head}no")).unwrap();
        assert!(!begun.complete && !begun.is_good());
        let whole = parse(&format!("{head}no!\n")).unwrap();
        assert_eq!((whole.body(), whole.complete), ("no!\n", true));
        assert!(parse("HTTP/1.0 204\r\n\r\n").unwrap().is_good());
    }

    #[test]
    fn other_protocols_are_told_from_http() {
        for garbage in ["SSH-2.0-OpenSSH", "H\u{0}", "HTTP/1.1 abc\r\n\r\n", "HTTP/2 200\r\n\r\n"] {
            let read = Reply::parse(garbage.as_bytes());
            assert!(matches!(read, Err(GetError::Garbage)), "{garbage}");
        }
    }
}
