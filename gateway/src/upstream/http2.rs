//! One request to a server, and its answer, as a stream of an HTTP/2 connection that other requests
//! use at the same time.

use std::collections::VecDeque;
use std::io;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use h2::client::{ResponseFuture, SendRequest};
use h2::{RecvStream, SendStream};
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, Uri};

use super::session::{AnswerError, AnswerPiece};
use crate::downstream::Framing;
use crate::fault::{Fault, HEAD_CAP};
use crate::head::{Fields, RequestHead, ResponseHead};
use crate::headers::request::{Forwarding, expects_continue};
use crate::headers::request_http2::request_for_upstream;
use crate::stream::GatheringStream;

/// Bytes of one answer that may come in before somebody takes them.
const STREAM_WINDOW: u32 = 128 * 1024;

/// The same for a connection: no limit of its own. A client that does not read its answer must not hold
/// up the others whose answers come over the same connection; what all of them may hold is bounded by
/// their number and [`STREAM_WINDOW`].
const CONNECTION_WINDOW: u32 = (1 << 31) - 1;

/// Bytes of a request's body that wait inside the connection; what is behind them waits with us, where
/// [`Stream::backlog`] counts it.
const SEND_BUFFER: usize = 64 * 1024;

/// A connection to a server, to begin streams on. Cloned for each of them; the connection ends with the
/// last.
pub(crate) type Sender = SendRequest<Bytes>;

/// Begins HTTP/2 on a new connection, which a task of the worker's drives from then on.
///
/// # Errors
/// What the connection's first bytes met with.
pub(super) async fn begin(mut stream: GatheringStream) -> io::Result<Sender> {
    // HTTP/2 counts what waits to be written itself.
    stream.wait_to_write();
    let (sender, connection) = h2::client::Builder::new()
        .enable_push(false)
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_header_list_size(u32::try_from(HEAD_CAP).unwrap_or(u32::MAX))
        .max_send_buffer_size(SEND_BUFFER)
        .handshake(stream)
        .await
        .map_err(io_error)?;
    tokio::spawn(async move {
        // Each stream is told about the connection's end.
        drop(connection.await);
    });
    Ok(sender)
}

/// Asks for one path over a connection of its own: what its status is.
///
/// # Errors
/// [`AnswerError`].
pub(super) async fn ask(
    stream: GatheringStream,
    path: &str,
    host: &str,
) -> Result<StatusCode, AnswerError> {
    let mut sender = begin(stream).await.map_err(AnswerError::Closed)?;
    let uri = Uri::builder().scheme("http").authority(host).path_and_query(path).build();
    let uri = uri.map_err(|_| AnswerError::NotHttp("its name cannot stand in HTTP/2"))?;
    let mut request = Request::new(());
    *request.uri_mut() = uri;
    let (answer, _) = sender.send_request(request, true).map_err(closed)?;
    Ok(answer.await.map_err(closed)?.status())
}

/// Whether streams can still be begun on a connection.
pub(super) fn is_alive(sender: &mut Sender) -> bool {
    let mut context = Context::from_waker(std::task::Waker::noop());
    !matches!(sender.poll_ready(&mut context), Poll::Ready(Err(_)))
}

/// One request.
pub(crate) struct Stream {
    sender: Sender,
    upload: Option<Upload>,
    answer: Answer,
    /// The client waits for leave to send its body, which HTTP/2 has no use for: it has windows.
    leave_due: bool,
    body: Option<RecvStream>,
    piece: Bytes,
}

enum Answer {
    Awaited(ResponseFuture),
    /// It cannot come any more, for this reason where it has not been told yet.
    Failed(Option<h2::Error>),
}

impl Stream {
    pub(super) fn new(sender: Sender) -> Self {
        Self {
            sender,
            upload: None,
            answer: Answer::Failed(None),
            leave_due: false,
            body: None,
            piece: Bytes::new(),
        }
    }

    /// Sends the request's head.
    ///
    /// # Errors
    /// [`Fault::Malformed`], where what HTTP/1.1 could carry cannot stand in HTTP/2.
    pub(super) fn begin(
        &mut self,
        asked: &RequestHead,
        forwarding: &Forwarding<'_>,
    ) -> Result<(), Fault> {
        let ended = forwarding.body == Framing::Empty;
        let request = request_for_upstream(asked, forwarding)?;
        self.leave_due = !ended && expects_continue(&asked.fields);
        match self.sender.send_request(request, ended) {
            Ok((answer, upload)) => {
                self.answer = Answer::Awaited(answer);
                self.upload = (!ended).then(|| Upload::new(upload));
            }
            Err(error) => self.answer = Answer::Failed(Some(error)),
        }
        Ok(())
    }

    /// Sends a piece of the request's body, or keeps it to be sent.
    pub(super) fn send(&mut self, cx: &mut Context<'_>, data: &[u8]) -> io::Result<()> {
        let upload = self.upload.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        upload.queue.push_back(Bytes::copy_from_slice(data));
        upload.queued += data.len();
        upload.advance(cx).map_err(io_error)
    }

    /// Says that the request's body is whole.
    pub(super) fn finish(&mut self, trailers: Option<&Fields>) -> io::Result<()> {
        let upload = self.upload.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        upload.end = Some(trailers.map(header_map));
        // Whatever room there is has a waker; without room the end leaves behind what waits.
        let mut context = Context::from_waker(std::task::Waker::noop());
        if upload.queue.is_empty() {
            upload.advance(&mut context).map_err(io_error)
        } else {
            Ok(())
        }
    }

    /// Bytes of the request that the server has not taken.
    pub(super) fn backlog(&self) -> usize {
        self.upload.as_ref().map_or(0, |upload| upload.queued)
    }

    /// Reads the next head, informational ones too.
    pub(super) fn poll_head(
        &mut self,
        cx: &mut Context<'_>,
        head: &mut ResponseHead,
    ) -> Poll<Result<(), AnswerError>> {
        if std::mem::take(&mut self.leave_due) {
            *head = ResponseHead { status: StatusCode::CONTINUE, ..ResponseHead::default() };
            return Poll::Ready(Ok(()));
        }
        self.advance_upload(cx);
        let answer = match &mut self.answer {
            Answer::Awaited(answer) => answer,
            Answer::Failed(error) => return Poll::Ready(Err(closed(error.take()))),
        };
        while let Poll::Ready(Some(informational)) = answer.poll_informational(cx) {
            let informational = informational.map_err(closed)?;
            // Leave has been given already.
            if informational.status() != StatusCode::CONTINUE {
                take_head(informational.status(), informational.headers(), head);
                return Poll::Ready(Ok(()));
            }
        }
        let (parts, body) =
            ready!(std::pin::Pin::new(answer).poll(cx)).map_err(closed)?.into_parts();
        take_head(parts.status, &parts.headers, head);
        self.body = Some(body);
        Poll::Ready(Ok(()))
    }

    /// Reads the next piece of the answer's body, once the last has been consumed.
    pub(super) fn poll_body(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<AnswerPiece, AnswerError>> {
        if !self.piece.is_empty() {
            return Poll::Ready(Ok(AnswerPiece::Data));
        }
        self.advance_upload(cx);
        let Some(body) = &mut self.body else { return Poll::Ready(Ok(AnswerPiece::End(None))) };
        while let Some(data) = ready!(body.poll_data(cx)) {
            self.piece = data.map_err(closed)?;
            if !self.piece.is_empty() {
                return Poll::Ready(Ok(AnswerPiece::Data));
            }
        }
        let trailers = ready!(body.poll_trailers(cx)).map_err(closed)?;
        Poll::Ready(Ok(AnswerPiece::End(trailers.map(|map| Box::new(fields(&map))))))
    }

    /// The piece of the body that [`Self::poll_body`] has read.
    pub(super) fn piece(&self) -> &[u8] {
        &self.piece
    }

    /// So many bytes of the piece have been passed on; the server may send as many more.
    pub(super) fn consume(&mut self, bytes: usize) {
        let bytes = bytes.min(self.piece.len());
        self.piece.advance(bytes);
        if let Some(body) = &mut self.body {
            // Only what was received is given back, so that this cannot fail.
            drop(body.flow_control().release_capacity(bytes));
        }
    }

    /// Whether the answer has a body that is still to be read.
    pub(super) fn has_body(&self) -> bool {
        self.body.as_ref().is_some_and(|body| !body.is_end_stream())
    }

    /// The connection, for other requests.
    pub(super) fn sender(&self) -> Sender {
        self.sender.clone()
    }

    /// What fails here fails the next [`Self::send`] too, which tells of it: a server that takes no more
    /// of a body may still answer.
    fn advance_upload(&mut self, cx: &mut Context<'_>) {
        if let Some(upload) = &mut self.upload
            && upload.advance(cx).is_err()
        {
            self.upload = None;
        }
    }
}

/// A request's body on its way.
struct Upload {
    stream: SendStream<Bytes>,
    queue: VecDeque<Bytes>,
    queued: usize,
    /// Once the body is whole: the fields behind it.
    end: Option<Option<HeaderMap>>,
}

impl Upload {
    fn new(stream: SendStream<Bytes>) -> Self {
        Self { stream, queue: VecDeque::new(), queued: 0, end: None }
    }

    /// Sends as much as the server takes now.
    fn advance(&mut self, cx: &mut Context<'_>) -> Result<(), h2::Error> {
        while let Some(first) = self.queue.front_mut() {
            self.stream.reserve_capacity(first.len());
            let room = match self.stream.capacity() {
                0 => match self.stream.poll_capacity(cx) {
                    Poll::Pending => return Ok(()),
                    Poll::Ready(None) => return Err(h2::Reason::CANCEL.into()),
                    Poll::Ready(Some(room)) => room?,
                },
                room => room,
            };
            let piece = first.split_to(room.min(first.len()));
            if first.is_empty() {
                self.queue.pop_front();
            }
            self.queued -= piece.len();
            self.stream.send_data(piece, false)?;
        }
        match self.end.take() {
            None => Ok(()),
            Some(None) => self.stream.send_data(Bytes::new(), true),
            Some(Some(trailers)) => self.stream.send_trailers(trailers),
        }
    }
}

fn take_head(status: StatusCode, map: &HeaderMap, head: &mut ResponseHead) {
    *head = ResponseHead { status, fields: fields(map) };
}

fn fields(map: &HeaderMap) -> Fields {
    let mut fields = Fields::default();
    map.iter().for_each(|(name, value)| fields.add(name.as_str().as_bytes(), value.as_bytes()));
    fields
}

fn header_map(fields: &Fields) -> HeaderMap {
    let named = |name, value| {
        Some((HeaderName::from_bytes(name).ok()?, HeaderValue::from_bytes(value).ok()?))
    };
    fields.iter().filter_map(|field| named(field.name, field.value)).collect()
}

fn closed(error: impl Into<Option<h2::Error>>) -> AnswerError {
    let error = error.into().map_or_else(|| io::ErrorKind::NotConnected.into(), io_error);
    AnswerError::Closed(error)
}

fn io_error(error: h2::Error) -> io::Error {
    if error.is_io() {
        error.into_io().unwrap_or_else(|| io::ErrorKind::ConnectionReset.into())
    } else {
        io::Error::other(error)
    }
}
