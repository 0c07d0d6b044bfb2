//! The bytes of a file on their way to a client, read on threads that may wait for a disk.

use std::fs::File;
use std::future::poll_fn;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::time::Instant;

use super::open::Found;
use crate::downstream::{ClientError, Downstream};
use crate::encoder::Encoder;
use crate::fault::Fault;

/// Read at once.
const PIECE: usize = 128 * 1024;

/// Compressed at once, so that others have their turn.
const COMPRESSED: usize = 16 * 1024;

/// What is left of a file to be sent.
pub(super) struct FileBody {
    file: Arc<File>,
    left: Range<u64>,
    /// All of the file, where it was small.
    whole: Option<Vec<u8>>,
}

impl FileBody {
    pub(super) fn new(found: Found, range: Range<u64>) -> Self {
        Self { file: Arc::new(found.file), left: range, whole: found.whole }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.left.is_empty()
    }

    /// Sends it to its end, compressed where there is an encoder. The next piece is read when the
    /// client has taken the last.
    pub(super) async fn send(
        mut self,
        request: &mut impl Downstream,
        mut encoder: Option<Encoder>,
        idle: Duration,
    ) -> Result<(), Fault> {
        let mut buffer = Vec::new();
        while !self.left.is_empty() {
            buffer = self.read(buffer).await.map_err(Fault::Unreadable)?;
            let Some(encoder) = &mut encoder else {
                pass(request, &buffer, idle).await?;
                continue;
            };
            for piece in buffer.chunks(COMPRESSED) {
                encoder.write(piece).map_err(Fault::NotCompressed)?;
                drain(request, encoder, idle).await?;
            }
        }
        if let Some(encoder) = &mut encoder {
            encoder.finish().map_err(Fault::NotCompressed)?;
            drain(request, encoder, idle).await?;
        }
        request.end(None);
        Ok(())
    }

    /// The next piece, in the buffer of the last.
    async fn read(&mut self, mut buffer: Vec<u8>) -> io::Result<Vec<u8>> {
        let length = usize::try_from(self.left.end - self.left.start).unwrap_or(usize::MAX);
        let start = self.left.start;
        if let Some(whole) = &self.whole {
            let end = usize::try_from(self.left.end).unwrap_or(usize::MAX);
            let start = usize::try_from(start).unwrap_or(usize::MAX);
            self.left.start = self.left.end;
            return Ok(whole.get(start..end).unwrap_or_default().to_vec());
        }
        let file = self.file.clone();
        let reading = tokio::task::spawn_blocking(move || {
            buffer.resize(length.min(PIECE), 0);
            let read = file.read_at(&mut buffer, start)?;
            buffer.truncate(read);
            Ok::<_, io::Error>(buffer)
        });
        let buffer = reading.await.map_err(io::Error::other)??;
        if buffer.is_empty() {
            // It has become shorter than the answer's head says.
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left.start += buffer.len() as u64;
        Ok(buffer)
    }
}

async fn drain(
    request: &mut impl Downstream,
    encoder: &mut Encoder,
    idle: Duration,
) -> Result<(), Fault> {
    let length = encoder.output().len();
    pass(request, encoder.output(), idle).await?;
    encoder.consume(length);
    Ok(())
}

/// Gives the client a piece, as fast as it takes it.
async fn pass(
    request: &mut impl Downstream,
    mut piece: &[u8],
    idle: Duration,
) -> Result<(), Fault> {
    if piece.is_empty() {
        return Ok(());
    }
    request.patience().allow(Instant::now(), idle);
    poll_fn(|cx| {
        while let Poll::Ready(taken) = request.poll_send(cx, piece) {
            let taken = taken.map_err(Fault::ClientGone)?;
            piece = piece.get(taken..).unwrap_or_default();
            if piece.is_empty() {
                return Poll::Ready(Ok(()));
            }
            request.patience().allow(Instant::now(), idle);
        }
        request.patience().poll_over(cx).map(|after| Err(took_nothing(after)))
    })
    .await
}

fn took_nothing(after: Duration) -> Fault {
    let error = format!("it took nothing of the answer for {after:?}");
    Fault::ClientGone(ClientError::Gone(io::Error::new(io::ErrorKind::TimedOut, error)))
}
