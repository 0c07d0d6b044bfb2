//! A request's body that is held in memory until it is known whether it may go on.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::StatusCode;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::downstream::{Downstream, Framing, Piece};
use crate::fault::Fault;
use crate::head::{Fields, ResponseHead};
use crate::policy::Refused;
use crate::policy::body::BodyGauge;
use crate::policy::webhook::Rejected;

/// Bytes of bodies that are held at once, of all requests together.
const ROOM: usize = 128 << 20;

/// Room for bodies.
pub(crate) struct Room(Arc<Semaphore>);

impl Default for Room {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(ROOM)))
    }
}

/// A whole body, with the room that it takes.
pub(crate) struct HeldBody {
    pub(crate) data: Bytes,
    pub(crate) trailers: Option<Box<Fields>>,
    _taken: Option<OwnedSemaphorePermit>,
}

/// How a body may come in.
pub(crate) struct Terms<'t> {
    /// The largest, in bytes.
    pub(crate) cap: u64,
    /// The longest silence in the middle of it.
    pub(crate) idle: Duration,
    pub(crate) room: &'t Room,
    /// The client sends nothing before it is told to.
    pub(crate) waits: bool,
}

impl HeldBody {
    /// Reads a body to its end; `seen` is shown each piece.
    ///
    /// # Errors
    /// The client's, and [`Rejected::Crowded`] where there is no more room.
    pub(crate) async fn read(
        request: &mut impl Downstream,
        terms: &Terms<'_>,
        mut seen: impl FnMut(&[u8]),
    ) -> Result<Self, Fault> {
        let announced = match request.framing() {
            Framing::Empty => {
                return Ok(Self { data: Bytes::new(), trailers: None, _taken: None });
            }
            Framing::Length(length) => Some(length),
            Framing::Open => None,
        };
        let mut gauge = BodyGauge::start(terms.cap, announced, Instant::now())?;
        if terms.waits {
            let status = StatusCode::CONTINUE;
            request.send_informational(&ResponseHead { status, ..ResponseHead::default() });
        }
        let (mut data, mut taken) = (BytesMut::new(), None);
        loop {
            request.patience().allow(Instant::now(), terms.idle);
            let piece = match poll_fn(|cx| poll_piece(request, cx)).await? {
                Piece::Data(piece) => piece,
                Piece::End(trailers) => {
                    return Ok(Self { data: data.freeze(), trailers, _taken: taken });
                }
            };
            gauge.add(piece.len(), Instant::now())?;
            terms.room.take(piece.len(), &mut taken)?;
            seen(&piece);
            data.extend_from_slice(&piece);
        }
    }
}

impl Room {
    fn take(&self, bytes: usize, taken: &mut Option<OwnedSemaphorePermit>) -> Result<(), Refused> {
        let crowded = || Refused::Webhook(Rejected::Crowded);
        let bytes = u32::try_from(bytes).map_err(|_| crowded())?;
        let more = self.0.clone().try_acquire_many_owned(bytes).map_err(|_| crowded())?;
        match taken {
            Some(taken) => taken.merge(more),
            None => *taken = Some(more),
        }
        Ok(())
    }
}

fn poll_piece(request: &mut impl Downstream, cx: &mut Context<'_>) -> Poll<Result<Piece, Fault>> {
    if let Poll::Ready(piece) = request.poll_body(cx) {
        return Poll::Ready(piece.map_err(Fault::from));
    }
    // An informational answer may wait to be sent.
    let _seen_by_next_send = request.poll_flush(cx);
    request.patience().poll_over(cx).map(|after| Err(Fault::BodyTimeout(after)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_until_there_is_none_and_then_again() {
        let room = Room::default();
        let (mut first, mut second) = (None, None);
        for _ in 0..ROOM / (1 << 20) {
            assert!(room.take(1 << 20, &mut first).is_ok());
        }
        let crowded = room.take(1, &mut second);
        assert!(matches!(crowded, Err(Refused::Webhook(Rejected::Crowded))));
        drop(first);
        assert!(room.take(1, &mut second).is_ok());
    }
}
