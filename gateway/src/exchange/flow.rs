//! Both directions of one attempt: the request's body goes out while the answer comes back.

use std::future::poll_fn;
use std::task::{Context, Poll, ready};
use std::time::{Duration, SystemTime};

use http::StatusCode;
use tokio::time::Instant;

use super::{Account, BODY_IDLE, Exchange, STREAM_IDLE};
use crate::answer_body::{AnswerBody, BodyError};
use crate::downstream::{Downstream, Framing, Piece};
use crate::fault::Fault;
use crate::head::{Known, ResponseHead};
use crate::headers::response::strip_hop_by_hop;
use crate::headers::trailers::end_to_end;
use crate::policy::compress::Encoding;
use crate::reply;
use crate::stop::Stage;
use crate::stream::HIGH_WATER;
use crate::upstream::{AnswerError, AnswerPiece, Connection};

/// How far the request's body has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Upload {
    /// There is none.
    Nothing,
    /// The client is sending it.
    Going,
    /// All of it has been passed on.
    Whole,
    /// The upstream takes no more of it; it may still answer.
    Refused,
}

impl Upload {
    pub(super) fn is_whole(self) -> bool {
        matches!(self, Self::Nothing | Self::Whole)
    }
}

/// Both directions of one attempt.
pub(super) struct Flow<'f, 'r, C> {
    pub(super) connection: &'f mut Connection,
    client: &'f mut C,
    pub(super) exchange: &'f mut Exchange<'r>,
    pub(super) upload: Upload,
    body: AnswerBody,
    asked_at: Instant,
}

impl<'f, 'r, C: Downstream> Flow<'f, 'r, C> {
    pub(super) fn begin(
        connection: &'f mut Connection,
        client: &'f mut C,
        exchange: &'f mut Exchange<'r>,
    ) -> Self {
        let upload = match exchange.forwarding.body {
            Framing::Empty => Upload::Nothing,
            Framing::Length(_) | Framing::Open => Upload::Going,
        };
        if let Some(body) = &mut exchange.kept_body {
            body.rewind();
        }
        let asked_at = Instant::now();
        let body = AnswerBody::default();
        let mut flow = Self { connection, client, exchange, upload, body, asked_at };
        flow.wait_for_head(asked_at);
        flow
    }

    /// Reads the answer's head, passing the request's body on meanwhile.
    pub(super) async fn until_head(
        &mut self,
        head: &mut ResponseHead,
        account: &mut Account,
    ) -> Result<(), Fault> {
        loop {
            poll_fn(|cx| self.poll_head(cx, head)).await?;
            if head.status.is_informational() && !self.is_upgrade(head)? {
                strip_hop_by_hop(head);
                self.client.send_informational(head);
                continue;
            }
            account.upstream_status = Some(head.status.as_u16());
            let took = self.asked_at.elapsed();
            account.first_byte = Some(took);
            self.exchange.upstream.metrics.first_byte.observe(took);
            return Ok(());
        }
    }

    fn poll_head(
        &mut self,
        cx: &mut Context<'_>,
        head: &mut ResponseHead,
    ) -> Poll<Result<(), Fault>> {
        let method = &self.exchange.asked.method;
        loop {
            let congested = self.is_congested();
            if let Poll::Ready(read) = self.connection.session.poll_head(cx, method, head) {
                return Poll::Ready(read.map_err(|error| self.no_head(error)));
            }
            if congested && !self.is_congested() {
                self.wait_for_head(Instant::now());
            }
            if !self.poll_upload(cx)? {
                break;
            }
            self.wait_for_head(Instant::now());
        }
        // An informational answer may wait to be sent.
        let _seen_by_next_send = self.client.poll_flush(cx);
        match self.client.patience().poll_over(cx) {
            Poll::Ready(limit) => Poll::Ready(Err(self.silence_before_head(limit))),
            Poll::Pending => Poll::Pending,
        }
    }

    /// Passes the answer on, and what is left of the request's body.
    pub(super) async fn pass_answer(
        &mut self,
        mut head: ResponseHead,
        account: &mut Account,
    ) -> Result<(), Fault> {
        let idle = self.idle(&head);
        let encoding = self.dress(&mut head);
        if self.exchange.stop.stage() > Stage::Running {
            self.client.close_after();
        }
        let ended = !self.connection.session.has_body();
        let encoding = encoding.filter(|_| !ended);
        self.body = AnswerBody::new(encoding).map_err(Fault::NotCompressed)?;
        self.client.send_head(&head, ended);
        account.status = Some(head.status);
        if ended {
            return Ok(());
        }
        self.client.patience().allow(Instant::now(), idle);
        poll_fn(|cx| self.poll_answer(cx, idle)).await
    }

    fn poll_answer(&mut self, cx: &mut Context<'_>, idle: Duration) -> Poll<Result<(), Fault>> {
        loop {
            let moved = match self.body.poll(&mut self.connection.session, cx) {
                Poll::Ready(Ok(AnswerPiece::End(trailers))) => {
                    self.client.end(end_to_end(trailers).as_deref());
                    return Poll::Ready(Ok(()));
                }
                Poll::Ready(Ok(AnswerPiece::Data)) => self.poll_pass_piece(cx, idle)?,
                Poll::Ready(Err(BodyError::Answer(source))) => {
                    let server = self.connection.server();
                    return Poll::Ready(Err(Fault::AnswerBroken { server, source }));
                }
                Poll::Ready(Err(BodyError::Encoder(source))) => {
                    return Poll::Ready(Err(Fault::NotCompressed(source)));
                }
                Poll::Pending => {
                    if let Poll::Ready(Err(error)) = self.client.poll_flush(cx) {
                        return Poll::Ready(Err(Fault::ClientGone(error)));
                    }
                    false
                }
            };
            if !(moved || self.poll_upload(cx)?) {
                break;
            }
            self.client.patience().allow(Instant::now(), idle);
        }
        self.client.patience().poll_over(cx).map(|after| {
            let server = self.connection.server();
            Err(Fault::AnswerTimeout { server, after })
        })
    }

    /// Gives the client a piece of the answer's body; whether it has taken any of it.
    fn poll_pass_piece(&mut self, cx: &mut Context<'_>, idle: Duration) -> Result<bool, Fault> {
        let Some(room) = self.poll_room(cx, idle)? else { return Ok(false) };
        let session = &mut self.connection.session;
        let piece = self.body.piece(session);
        match self.client.poll_send(cx, &piece[..piece.len().min(room)]) {
            Poll::Ready(Ok(taken)) => {
                self.body.consume(session, taken);
                if let Some(pace) = &mut self.exchange.pace {
                    pace.spend(taken, Instant::now());
                }
                Ok(true)
            }
            Poll::Ready(Err(error)) => Err(Fault::ClientGone(error)),
            Poll::Pending => Ok(false),
        }
    }

    /// How much of the answer may be sent now; `None` where `bandwidth` says to wait. That is nobody's
    /// silence, and what has been sent so far must not wait with it.
    fn poll_room(&mut self, cx: &mut Context<'_>, idle: Duration) -> Result<Option<usize>, Fault> {
        let Some(pace) = &mut self.exchange.pace else { return Ok(Some(usize::MAX)) };
        if let Poll::Ready(room) = pace.poll_room(cx) {
            return Ok(Some(room));
        }
        self.client.patience().allow(Instant::now(), idle);
        match self.client.poll_flush(cx) {
            Poll::Ready(Err(error)) => Err(Fault::ClientGone(error)),
            _ => Ok(None),
        }
    }

    /// Passes on what there is of the request's body; whether there was any. Where there is no more
    /// of it, this is where the client's going away is noticed.
    fn poll_upload(&mut self, cx: &mut Context<'_>) -> Result<bool, Fault> {
        let listening = match self.upload {
            Upload::Going => !self.is_congested(),
            Upload::Nothing | Upload::Whole => true,
            Upload::Refused => false,
        };
        if !listening {
            return Ok(false);
        }
        let piece = match self.next_piece(cx) {
            Poll::Pending => return Ok(false),
            Poll::Ready(piece) => piece?,
        };
        let session = &mut self.connection.session;
        let taken = match piece {
            Piece::Data(bytes) => session.send(cx, &bytes),
            Piece::End(trailers) => {
                self.upload = Upload::Whole;
                session.finish(end_to_end(trailers).as_deref())
            }
        };
        if taken.is_err() {
            self.upload = Upload::Refused;
        }
        Ok(true)
    }

    /// The next piece of the request's body: one that an earlier attempt has sent in vain, or the
    /// client's next.
    fn next_piece(&mut self, cx: &mut Context<'_>) -> Poll<Result<Piece, Fault>> {
        let kept = &mut self.exchange.kept_body;
        if let Some(again) = kept.as_mut().and_then(|body| body.next()) {
            return Poll::Ready(Ok(again));
        }
        let piece = ready!(self.client.poll_body(cx))?;
        if let Piece::Data(bytes) = &piece {
            self.exchange.gauge.add(bytes.len(), Instant::now())?;
        }
        if let Some(body) = kept {
            body.keep(&piece);
        }
        Poll::Ready(Ok(piece))
    }

    fn dress(&self, head: &mut ResponseHead) -> Option<Encoding> {
        let exchange = &self.exchange;
        let limited = !exchange.allowances.is_empty();
        let upgrade = (head.status == StatusCode::SWITCHING_PROTOCOLS)
            .then(|| head.fields.get(Known::Upgrade).map(<[u8]>::to_vec))
            .flatten();
        let dress = exchange.rules.to(exchange.asked);
        let encoding = dress.apply_to_upstreams(exchange.forwarding.trace, limited, head);
        reply::add_rate_limits(exchange.allowances, &mut head.fields);
        reply::add_date(&mut head.fields, SystemTime::now());
        if let Some(protocol) = upgrade {
            head.fields.add_known(Known::Upgrade, &protocol);
        }
        exchange.upstream.stick(self.connection, &exchange.asked.fields, &mut head.fields);
        encoding
    }

    /// A switch of protocols is an answer only to a request for one.
    fn is_upgrade(&self, head: &ResponseHead) -> Result<bool, Fault> {
        if head.status != StatusCode::SWITCHING_PROTOCOLS {
            return Ok(false);
        }
        if self.exchange.forwarding.upgrade.is_some() {
            return Ok(true);
        }
        let source = AnswerError::NotHttp("it switches protocols without being asked for it");
        Err(Fault::Garbage { server: self.connection.server(), source })
    }

    fn idle(&self, head: &ResponseHead) -> Duration {
        let kind = head.fields.get(Known::ContentType);
        let streams = |kind: &[u8]| {
            kind.starts_with(b"text/event-stream") || kind.starts_with(b"application/grpc")
        };
        let streams = kind.is_some_and(streams);
        self.exchange.idle.unwrap_or(if streams { STREAM_IDLE } else { BODY_IDLE })
    }

    /// Whether the upstream is to be sent no more for now.
    fn is_congested(&self) -> bool {
        self.connection.session.backlog() >= HIGH_WATER
    }

    fn wait_for_head(&mut self, now: Instant) {
        let limit = match self.upload {
            Upload::Going => self.exchange.idle.unwrap_or(BODY_IDLE),
            _ => self.exchange.upstream.config.first_byte,
        };
        self.client.patience().allow(now, limit);
    }

    fn silence_before_head(&self, after: Duration) -> Fault {
        if self.upload == Upload::Going && !self.is_congested() {
            Fault::BodyTimeout(after)
        } else {
            Fault::FirstByteTimeout { server: self.connection.server(), after }
        }
    }

    fn no_head(&self, source: AnswerError) -> Fault {
        let server = self.connection.server();
        match source {
            AnswerError::Closed(_) => Fault::NoAnswer { server, source },
            AnswerError::NotHttp(_) => Fault::Garbage { server, source },
        }
    }
}
