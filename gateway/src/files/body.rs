//! The bytes of a file on their way to a client, read on threads that may wait for a disk.

use std::fs::File;
use std::future::poll_fn;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::Instant;

use super::open::Found;
use crate::downstream::{ClientError, Downstream, Framing};
use crate::encoder::Encoder;
use crate::fault::Fault;
use crate::policy::bandwidth::Pace;

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
        mut outlet: Outlet<'_, impl Downstream>,
        mut encoder: Option<Encoder>,
    ) -> Result<(), Fault> {
        let mut buffer = Vec::new();
        while !self.left.is_empty() {
            buffer = self.read(buffer).await.map_err(Fault::Unreadable)?;
            let Some(encoder) = &mut encoder else {
                outlet.pass(&buffer).await?;
                continue;
            };
            for piece in buffer.chunks(COMPRESSED) {
                encoder.write(piece).map_err(Fault::NotCompressed)?;
                outlet.drain(encoder).await?;
            }
        }
        if let Some(encoder) = &mut encoder {
            encoder.finish().map_err(Fault::NotCompressed)?;
            outlet.drain(encoder).await?;
        }
        outlet.request.end(None);
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

/// Where the bytes go, and how fast.
pub(super) struct Outlet<'r, D> {
    request: &'r mut D,
    idle: Duration,
    pace: Option<Pace>,
    /// Whether the request has no body, so that nothing but its client's going away can be heard.
    listens: bool,
}

impl<'r, D: Downstream> Outlet<'r, D> {
    pub(super) fn new(request: &'r mut D, idle: Duration, pace: Option<Pace>) -> Self {
        let listens = request.framing() == Framing::Empty;
        Self { request, idle, pace, listens }
    }

    async fn drain(&mut self, encoder: &mut Encoder) -> Result<(), Fault> {
        let length = encoder.output().len();
        self.pass(encoder.output()).await?;
        encoder.consume(length);
        Ok(())
    }

    /// Gives the client a piece, as fast as it takes it and `bandwidth` allows.
    async fn pass(&mut self, mut piece: &[u8]) -> Result<(), Fault> {
        if piece.is_empty() {
            return Ok(());
        }
        self.request.patience().allow(Instant::now(), self.idle);
        poll_fn(|cx| self.poll_pass(cx, &mut piece)).await
    }

    fn poll_pass(&mut self, cx: &mut Context<'_>, piece: &mut &[u8]) -> Poll<Result<(), Fault>> {
        while let Some(room) = self.poll_room(cx)? {
            let part = piece.get(..room).unwrap_or(piece);
            let Poll::Ready(taken) = self.request.poll_send(cx, part) else { break };
            let taken = taken.map_err(Fault::ClientGone)?;
            if let Some(pace) = &mut self.pace {
                pace.spend(taken, Instant::now());
            }
            *piece = piece.get(taken..).unwrap_or_default();
            if piece.is_empty() {
                return Poll::Ready(Ok(()));
            }
            self.request.patience().allow(Instant::now(), self.idle);
        }
        if self.listens
            && let Poll::Ready(Err(error)) = self.request.poll_body(cx)
        {
            return Poll::Ready(Err(error.into()));
        }
        self.request.patience().poll_over(cx).map(|after| Err(took_nothing(after)))
    }

    /// How much may be sent now; `None` where `bandwidth` says to wait, which is nobody's silence.
    fn poll_room(&mut self, cx: &mut Context<'_>) -> Result<Option<usize>, Fault> {
        let Some(pace) = &mut self.pace else { return Ok(Some(usize::MAX)) };
        if let Poll::Ready(room) = pace.poll_room(cx) {
            return Ok(Some(room));
        }
        self.request.patience().allow(Instant::now(), self.idle);
        match self.request.poll_flush(cx) {
            Poll::Ready(Err(error)) => Err(Fault::ClientGone(error)),
            _ => Ok(None),
        }
    }
}

fn took_nothing(after: Duration) -> Fault {
    let error = format!("it took nothing of the answer for {after:?}");
    Fault::ClientGone(ClientError::Gone(io::Error::new(io::ErrorKind::TimedOut, error)))
}
