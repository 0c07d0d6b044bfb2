//! Bodies of requests, as fast as the server's windows let them go (RFC 9113, section 5.2).

use super::frame::{self, Frame};
use super::{Failure, Http2, Turn};

/// How much the server takes. Signed, because a setting may make a window smaller than what is on
/// its way.
pub(super) struct Windows {
    connection: i64,
    /// Of a stream that begins.
    pub(super) initial: i64,
}

impl Default for Windows {
    fn default() -> Self {
        Self { connection: 65_535, initial: 65_535 }
    }
}

impl Http2 {
    /// Sends of every body what may be sent.
    pub(super) fn send_bodies(&mut self, turn: &mut Turn<'_>) {
        for stream in self.streams.iter_mut().filter(|stream| stream.is_sending) {
            let body = &turn.book.plans[stream.flight.request].body;
            loop {
                let window = stream.window.min(self.windows.connection).max(0);
                let most = usize::try_from(window).unwrap_or(usize::MAX).min(frame::LONGEST);
                let piece = &body[stream.sent..];
                let piece = &piece[..piece.len().min(most)];
                if piece.is_empty() {
                    break;
                }
                stream.sent += piece.len();
                stream.is_sending = stream.sent < body.len();
                // A piece is at most 16 KiB.
                let length = i64::try_from(piece.len()).unwrap_or_default();
                stream.window -= length;
                self.windows.connection -= length;
                let end = if stream.is_sending { 0 } else { frame::END_STREAM };
                frame::write(frame::DATA, end, stream.id, piece, turn.out);
            }
        }
    }

    pub(super) fn change_initial_window(&mut self, size: u32) {
        let change = i64::from(size) - self.windows.initial;
        self.windows.initial = i64::from(size);
        self.streams.iter_mut().for_each(|stream| stream.window += change);
    }

    pub(super) fn take_window(
        &mut self,
        frame: &Frame<'_>,
        turn: &mut Turn<'_>,
    ) -> Result<(), Failure> {
        let more = i64::from(frame.number(0)? & 0x7fff_ffff);
        if frame.stream == 0 {
            self.windows.connection += more;
        } else if let Some(stream) =
            self.streams.iter_mut().find(|stream| stream.id == frame.stream)
        {
            stream.window += more;
        }
        self.send_bodies(turn);
        Ok(())
    }
}
