//! After an upgrade: bytes both ways between a client and an upstream, until both have said their
//! last, one of them is silent for too long, or the gateway stops.
//!
//! The gateway is not part of the conversation, with one exception: when it stops, it closes
//! WebSockets as RFC 6455 wants (1001, going away) so that clients come back at once instead of
//! waiting for a time-out. To do so between two frames it follows where frames end.

use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, sleep};

use crate::stop::{FAREWELL, Stage, Stop};
use crate::stream::GatheringStream;

/// Read at once from either side. On the stack, so that a silent WebSocket holds no buffer.
const PIECE: usize = 16 * 1024;

/// Close, 1001, as a server sends it and as a client sends it (masked, here with zeros).
const GOING_AWAY: [u8; 4] = [0x88, 2, 0x03, 0xE9];
const GOING_AWAY_MASKED: [u8; 8] = [0x88, 0x82, 0, 0, 0, 0, 0x03, 0xE9];

/// One side of a tunnel, with what had been read from it before the tunnel began.
pub(crate) struct Side {
    pub(crate) stream: Box<GatheringStream>,
    pub(crate) begun: Bytes,
}

/// Bytes of payload that went through.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Traffic {
    pub(crate) from_client: u64,
    pub(crate) to_client: u64,
}

/// Runs a tunnel to its end.
pub(crate) async fn run(client: Side, upstream: Side, idle: Duration, stop: &Stop) -> Traffic {
    let mut tunnel = Tunnel {
        up: Direction::new(client.begun),
        down: Direction::new(upstream.begun),
        client: client.stream,
        upstream: upstream.stream,
        last_sign: Instant::now(),
    };
    tokio::select! {
        () = tunnel.flow(idle) => {}
        () = stop.reached(Stage::Ending) => {
            // Whoever does not take the farewell in time loses the connection without it.
            drop(tokio::time::timeout(FAREWELL, tunnel.say_farewell()).await);
        }
    }
    Traffic { from_client: tunnel.up.passed, to_client: tunnel.down.passed }
}

struct Tunnel {
    client: Box<GatheringStream>,
    upstream: Box<GatheringStream>,
    /// Client to upstream, and back.
    up: Direction,
    down: Direction,
    last_sign: Instant,
}

impl Tunnel {
    /// Passes bytes until both directions have ended, one broke, or nothing came for `idle`.
    async fn flow(&mut self, idle: Duration) {
        let mut timer = pin!(sleep(idle));
        std::future::poll_fn(|cx| {
            if self.poll_both(cx).is_ready() {
                return Poll::Ready(());
            }
            while timer.as_mut().poll(cx).is_ready() {
                let until = self.last_sign + idle;
                if until <= Instant::now() {
                    return Poll::Ready(());
                }
                timer.as_mut().reset(until);
            }
            Poll::Pending
        })
        .await;
    }

    fn poll_both(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let before = self.up.passed + self.down.passed;
        let up = self.up.poll(cx, &mut self.client, &mut self.upstream);
        let down = self.down.poll(cx, &mut self.upstream, &mut self.client);
        if self.up.passed + self.down.passed != before {
            self.last_sign = Instant::now();
        }
        match (up, down) {
            (Poll::Ready(Err(_)), _) | (_, Poll::Ready(Err(_))) => Poll::Ready(()),
            (Poll::Ready(Ok(())), Poll::Ready(Ok(()))) => Poll::Ready(()),
            _ => Poll::Pending,
        }
    }

    /// Lets the frame that is being sent to the client end, says that we are going away, and waits
    /// for the client to close.
    async fn say_farewell(&mut self) {
        use tokio::io::AsyncWriteExt;
        std::future::poll_fn(|cx| {
            if self.poll_both(cx).is_ready() || self.down.is_between_frames() {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
        if !self.down.is_between_frames() {
            return;
        }
        let told = self.client.write_all(&GOING_AWAY).await;
        if told.is_err() || self.client.flush().await.is_err() {
            return;
        }
        if self.up.is_between_frames() && self.upstream.write_all(&GOING_AWAY_MASKED).await.is_ok()
        {
            // The upstream sees the connection end right after this in any case.
            drop(self.upstream.shutdown().await);
        }
        let mut rest = [0; PIECE];
        while let Ok(1..) = tokio::io::AsyncReadExt::read(&mut self.client, &mut rest).await {}
    }
}

/// One direction: what has been read and not yet written, and where in a frame it stands.
struct Direction {
    left: BytesMut,
    frames: Frames,
    passed: u64,
    unflushed: bool,
    ending: bool,
    ended: bool,
}

impl Direction {
    fn new(begun: Bytes) -> Self {
        let mut direction = Self {
            left: BytesMut::new(),
            frames: Frames::default(),
            passed: 0,
            unflushed: false,
            ending: false,
            ended: false,
        };
        direction.keep(&begun);
        direction
    }

    fn keep(&mut self, bytes: &[u8]) {
        self.frames.follow(bytes);
        self.passed += bytes.len() as u64;
        self.left.extend_from_slice(bytes);
    }

    fn is_between_frames(&self) -> bool {
        self.left.is_empty() && self.frames.is_between()
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut GatheringStream,
        to: &mut GatheringStream,
    ) -> Poll<io::Result<()>> {
        let mut piece = [std::mem::MaybeUninit::uninit(); PIECE];
        loop {
            ready!(self.poll_write_left(cx, to))?;
            if self.ended {
                return Poll::Ready(Ok(()));
            }
            if self.ending {
                ready!(Pin::new(&mut *to).poll_shutdown(cx))?;
                self.ended = true;
                continue;
            }
            let mut read = ReadBuf::uninit(&mut piece);
            match Pin::new(&mut *from).poll_read(cx, &mut read) {
                Poll::Ready(Ok(())) if read.filled().is_empty() => self.ending = true,
                Poll::Ready(Ok(())) => self.keep(read.filled()),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    if self.unflushed {
                        ready!(Pin::new(&mut *to).poll_flush(cx))?;
                        self.unflushed = false;
                    }
                    return Poll::Pending;
                }
            }
        }
    }

    fn poll_write_left(
        &mut self,
        cx: &mut Context<'_>,
        to: &mut GatheringStream,
    ) -> Poll<io::Result<()>> {
        while !self.left.is_empty() {
            let written = ready!(Pin::new(&mut *to).poll_write(cx, &self.left))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.left.advance(written);
            self.unflushed = true;
        }
        if self.left.capacity() > 0 {
            self.left = BytesMut::new();
        }
        Poll::Ready(Ok(()))
    }
}

/// Follows WebSocket frames (RFC 6455 section 5.2) far enough to know where one ends.
#[derive(Debug, Default)]
struct Frames {
    head: [u8; 14],
    have: usize,
    payload: u64,
}

impl Frames {
    fn is_between(&self) -> bool {
        self.have == 0 && self.payload == 0
    }

    fn follow(&mut self, mut bytes: &[u8]) {
        while let Some((first, rest)) = bytes.split_first() {
            if self.payload > 0 {
                let skipped =
                    usize::try_from(self.payload).map_or(bytes.len(), |left| left.min(bytes.len()));
                self.payload -= skipped as u64;
                bytes = &bytes[skipped..];
                continue;
            }
            self.head[self.have] = *first;
            self.have += 1;
            bytes = rest;
            if self.have == self.head_length() {
                self.payload = self.payload_length();
                self.have = 0;
            }
        }
    }

    /// Known from the second byte on; until then more than there is.
    fn head_length(&self) -> usize {
        if self.have < 2 {
            return self.head.len();
        }
        let extended = match self.head[1] & 0x7F {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let mask = if self.head[1] & 0x80 == 0 { 0 } else { 4 };
        2 + extended + mask
    }

    fn payload_length(&self) -> u64 {
        let be = |bytes: &[u8]| bytes.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        match self.head[1] & 0x7F {
            126 => be(&self.head[2..4]),
            127 => be(&self.head[2..10]),
            short => u64::from(short),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(payload: usize, masked: bool) -> Vec<u8> {
        let mask = if masked { 0x80 } else { 0 };
        let mut bytes = vec![0x82];
        match payload {
            0..126 => bytes.push(mask | payload as u8),
            126..65536 => {
                bytes.push(mask | 126);
                bytes.extend((payload as u16).to_be_bytes());
            }
            _ => {
                bytes.push(mask | 127);
                bytes.extend((payload as u64).to_be_bytes());
            }
        }
        bytes.extend(vec![0; if masked { 4 } else { 0 } + payload]);
        bytes
    }

    #[test]
    fn frames_end_where_they_end_however_they_are_cut() {
        let sizes = [0, 1, 125, 126, 300, 65_535, 65_536, 70_000];
        let mut stream = Vec::new();
        let mut ends = vec![0];
        for (size, masked) in sizes.iter().flat_map(|size| [(*size, false), (*size, true)]) {
            stream.extend(frame(size, masked));
            ends.push(stream.len());
        }
        for cut in [1, 2, 3, 7, 1000, 16_384] {
            let (mut frames, mut seen) = (Frames::default(), 0);
            for piece in stream.chunks(cut) {
                frames.follow(piece);
                seen += piece.len();
                assert_eq!(frames.is_between(), ends.contains(&seen), "after {seen} by {cut}");
            }
        }
    }
}
