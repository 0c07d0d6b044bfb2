//! A client's first message, which says what the rest of the handshake is made with.
//!
//! rustls has a reader for it that goes on with a connection of the buffered kind only. So it reads
//! the message here and forgets it, and the bytes are given to the connection once more.

use std::io;

use rustls::server::{Accepted, Acceptor};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// How much is read at a time. A browser's message is half as long.
const PIECE: usize = 4096;

/// Reads the first message. What has been read, and more if it came with it, is in `received`.
///
/// # Errors
/// Where it is none. The client has been told.
pub(super) async fn read<S>(stream: &mut S, received: &mut Vec<u8>) -> io::Result<Accepted>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut acceptor = Acceptor::default();
    let (error, alert) = loop {
        let before = received.len();
        received.reserve(PIECE);
        if stream.read_buf(received).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match feed(&mut acceptor, &received[before..])? {
            Ok(Some(accepted)) => return Ok(accepted),
            Ok(None) => {}
            Err(refused) => break refused,
        }
    };
    // A client that is gone already needs no alert.
    drop(stream.write_all(&alert).await);
    Err(io::Error::new(io::ErrorKind::InvalidData, error))
}

type Refused = (rustls::Error, Vec<u8>);

/// The message, once it is whole; or why it is none, and the alert that says so.
fn feed(
    acceptor: &mut Acceptor,
    mut bytes: &[u8],
) -> io::Result<Result<Option<Accepted>, Refused>> {
    while !bytes.is_empty() {
        acceptor.read_tls(&mut bytes)?;
        match acceptor.accept() {
            Ok(Some(accepted)) => return Ok(Ok(Some(accepted))),
            Ok(None) => {}
            Err((error, mut alert)) => {
                let mut record = Vec::new();
                alert.write_all(&mut record)?;
                return Ok(Err((error, record)));
            }
        }
    }
    Ok(Ok(None))
}
