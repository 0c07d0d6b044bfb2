//! Answers in the place of a gateway that does not run, where its ports are free: so it can be seen
//! before the first start whether the world would reach it.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::reach::ANSWER;
use super::token::Question;

/// No request of ours is longer, in bytes.
const LARGEST_REQUEST: usize = 8192;

/// How many connections are looked at at the same time; strangers may come too.
const MOST: usize = 64;

/// Listens until it is dropped.
pub(super) struct StandIn {
    serving: JoinSet<()>,
}

impl StandIn {
    /// Listens at these addresses.
    ///
    /// # Errors
    /// The first address that cannot be listened on, and why.
    pub(super) async fn start(
        listeners: impl Iterator<Item = SocketAddr>,
        question: &Question,
    ) -> Result<Self, (SocketAddr, std::io::Error)> {
        let mut serving = JoinSet::new();
        for address in listeners {
            let listener = listen(address).map_err(|error| (address, error))?;
            serving.spawn(serve(listener, question.clone()));
        }
        Ok(Self { serving })
    }

    /// Stops; the addresses are free when this is over.
    pub(super) async fn stop(mut self) {
        self.serving.shutdown().await;
    }
}

/// As the gateway listens: an IPv6 address takes IPv6 alone.
fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    if address.is_ipv6() {
        rustix::net::sockopt::set_ipv6_v6only(&socket, true)?;
    }
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(128)
}

async fn serve(listener: TcpListener, question: Question) {
    let mut open = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        while open.len() >= MOST {
            open.join_next().await;
        }
        let question = question.clone();
        open.spawn(async move {
            // Whoever comes and goes without a word is of no interest.
            let _ = timeout(ANSWER, answer(stream, &question)).await;
        });
    }
}

async fn answer(mut stream: TcpStream, question: &Question) -> std::io::Result<()> {
    let mut request = Vec::new();
    while !request.windows(4).any(|end| end == b"\r\n\r\n") && request.len() < LARGEST_REQUEST {
        if stream.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    }
    let is_ours =
        request.windows(question.token.len()).any(|part| part == question.token.as_bytes());
    let (status, body) =
        if is_ours { ("200 OK", question.answer.as_str()) } else { ("404 Not Found", "") };
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/octet-stream\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await
}
