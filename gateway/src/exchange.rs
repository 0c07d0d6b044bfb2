//! Passing one request to an upstream, and its answer back: both directions at once, in one task,
//! a piece at a time.

use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use gateway_config::model::ResponseHeaders;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Method, StatusCode, Version};
use pingora_core::protocols::http::ServerSession;
use pingora_error::{Error, ErrorType};
use pingora_http::{RequestHeader, ResponseHeader};
use tokio::time::{Instant, Sleep};

use crate::fault::Fault;
use crate::headers::response;
use crate::headers::trace::Trace;
use crate::policy::body::BodyGauge;
use crate::stop::{Stage, Stop};
use crate::stream::HIGH_WATER;
use crate::upstream::{Connection, Pool, Upstream};

/// Silence that is allowed in the middle of a body where the route does not say.
pub(crate) const BODY_IDLE: Duration = Duration::from_secs(60);

/// The same for streams of events and WebSockets, which are silent by nature.
pub(crate) const STREAM_IDLE: Duration = Duration::from_secs(3600);

/// One request on its way.
pub(crate) struct Exchange<'r> {
    pub(crate) upstream: &'r Upstream,
    pub(crate) pool: &'r Pool,
    pub(crate) head: Box<RequestHeader>,
    pub(crate) client_speaks: Version,
    pub(crate) gauge: BodyGauge,
    pub(crate) idle: Option<Duration>,
    pub(crate) rules: &'r ResponseHeaders,
    pub(crate) trace: &'r Trace,
    pub(crate) stop: &'r Stop,
    /// Added to the answer whatever the upstream says.
    pub(crate) extra: Vec<(HeaderName, HeaderValue)>,
}

/// What the access log wants to know; filled in as it happens, so that a failure leaves what was
/// known by then.
#[derive(Debug, Default)]
pub(crate) struct Account {
    pub(crate) upstream_status: Option<u16>,
    pub(crate) first_byte: Option<Duration>,
}

/// How an exchange ended well.
pub(crate) enum Passed {
    /// The whole answer has been passed on.
    Answered,
    /// Both sides now speak another protocol.
    Upgraded(Box<Connection>),
}

/// A failed attempt; whether nothing has happened yet that a second attempt would repeat.
struct Attempt {
    fault: Fault,
    untouched: bool,
}

impl Exchange<'_> {
    /// Passes the request on. A kept connection that turns out to have died is replaced once, where
    /// asking again is safe (RFC 9110 section 9.2.2).
    ///
    /// # Errors
    /// [`Fault`]. `session.response_written()` tells whether the client has seen an answer begin.
    pub(crate) async fn run(
        mut self,
        session: &mut ServerSession,
        account: &mut Account,
    ) -> Result<Passed, Fault> {
        let connection = self.upstream.connect(self.pool, true).await?;
        let may_repeat = connection.reused && is_idempotent(&self.head.method);
        let failed = match self.attempt(connection, session, account).await {
            Ok(passed) => return Ok(passed),
            Err(failed) => failed,
        };
        if !(may_repeat && failed.untouched) {
            return Err(failed.fault);
        }
        self.upstream.metrics.retried.inc();
        let connection = self.upstream.connect(self.pool, false).await?;
        self.attempt(connection, session, account).await.map_err(|failed| failed.fault)
    }

    async fn attempt(
        &mut self,
        mut connection: Connection,
        session: &mut ServerSession,
        account: &mut Account,
    ) -> Result<Passed, Attempt> {
        let asked = Instant::now();
        let sent = connection.session.write_request_header(self.head.clone()).await;
        if let Err(source) = sent {
            let fault = Fault::NoAnswer { server: connection.server, source };
            return Err(Attempt { fault, untouched: true });
        }
        let mut flow = Flow::begin(&mut connection, session, self);
        let (head, ended) = match flow.until_head(account, asked).await {
            Ok(head) => head,
            Err(fault) => {
                let untouched =
                    flow.upload == Upload::Nothing && matches!(fault, Fault::NoAnswer { .. });
                return Err(Attempt { fault, untouched });
            }
        };
        let upgraded = head.status == StatusCode::SWITCHING_PROTOCOLS;
        let answered = flow.pass_answer(head, ended).await;
        let whole = flow.upload.is_whole();
        answered.map_err(|fault| Attempt { fault, untouched: false })?;
        if upgraded {
            return Ok(Passed::Upgraded(Box::new(connection)));
        }
        // An upstream that answered without taking the whole body would read the rest of it as the
        // next request.
        if whole {
            connection.release(self.pool).await;
        }
        Ok(Passed::Answered)
    }
}

fn is_idempotent(method: &Method) -> bool {
    method.is_idempotent() || *method == Method::TRACE
}

/// How far the request's body has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Upload {
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
    fn is_whole(self) -> bool {
        matches!(self, Self::Nothing | Self::Whole)
    }
}

/// What came next.
enum Event {
    /// A piece of the request's body, or its end.
    FromClient(Result<Option<Bytes>, Box<Error>>),
    /// The answer's head has been read, or a piece of its body, or its end.
    FromUpstream(Result<Option<Bytes>, Box<Error>>),
    /// The upstream has taken enough to be sent more.
    Room,
    /// Nothing came for too long.
    Silence(Duration),
}

/// What is awaited of the upstream.
#[derive(Clone, Copy)]
enum Awaited {
    Head,
    Body,
}

/// Both directions of one attempt.
struct Flow<'f, 'r> {
    connection: &'f mut Connection,
    session: &'f mut ServerSession,
    exchange: &'f mut Exchange<'r>,
    upload: Upload,
    patience: Patience,
}

impl<'f, 'r> Flow<'f, 'r> {
    fn begin(
        connection: &'f mut Connection,
        session: &'f mut ServerSession,
        exchange: &'f mut Exchange<'r>,
    ) -> Self {
        let upload = if session.is_body_empty() { Upload::Nothing } else { Upload::Going };
        let mut flow =
            Self { connection, session, exchange, upload, patience: Patience::new(BODY_IDLE) };
        flow.patience.allow(flow.limit_before_head());
        flow
    }

    /// Reads the answer's head, passing the request's body on meanwhile. Whether the answer ends
    /// with its head.
    async fn until_head(
        &mut self,
        account: &mut Account,
        asked: Instant,
    ) -> Result<(Box<ResponseHeader>, bool), Fault> {
        loop {
            match self.next(Awaited::Head).await {
                Event::FromClient(piece) => self.pass_upload(piece).await?,
                Event::Room => self.patience.allow(self.limit_before_head()),
                Event::Silence(limit) => return Err(self.silence_before_head(limit)),
                Event::FromUpstream(Err(error)) => return Err(self.no_head(error)),
                Event::FromUpstream(Ok(_)) => {
                    let Some(head) = self.connection.session.resp_header().cloned() else {
                        continue;
                    };
                    if head.status.is_informational() && !self.is_upgrade(&head)? {
                        self.pass_informational(head).await?;
                        continue;
                    }
                    account.upstream_status = Some(head.status.as_u16());
                    let took = asked.elapsed();
                    account.first_byte = Some(took);
                    self.exchange.upstream.metrics.first_byte.observe(took.as_secs_f64());
                    return Ok((Box::new(head), self.connection.session.is_body_done()));
                }
            }
        }
    }

    /// Passes the answer on, and what is left of the request's body.
    async fn pass_answer(
        &mut self,
        mut head: Box<ResponseHeader>,
        ended: bool,
    ) -> Result<(), Fault> {
        let idle = self.idle(&head);
        let upgraded = head.status == StatusCode::SWITCHING_PROTOCOLS;
        self.dress(&mut head).map_err(Fault::Unbuildable)?;
        self.session.set_write_timeout(Some(idle));
        if self.exchange.stop.stage() > Stage::Running {
            self.session.set_keepalive(None);
        }
        self.session.write_response_header(head).await.map_err(Fault::ClientGone)?;
        if ended || upgraded {
            return Ok(());
        }
        self.patience.allow(idle);
        loop {
            match self.next(Awaited::Body).await {
                Event::FromClient(piece) => self.pass_upload(piece).await?,
                Event::Room => {}
                Event::FromUpstream(Ok(None)) => return Ok(()),
                Event::FromUpstream(Ok(Some(piece))) => {
                    let passed = self.session.write_response_body(piece, false).await;
                    passed.map_err(Fault::ClientGone)?;
                    self.patience.allow(idle);
                }
                Event::FromUpstream(Err(source)) => {
                    return Err(Fault::AnswerBroken { server: self.server(), source });
                }
                Event::Silence(after) => {
                    return Err(Fault::AnswerTimeout { server: self.server(), after });
                }
            }
        }
    }

    async fn next(&mut self, awaited: Awaited) -> Event {
        let Connection { session: upstream, meter, .. } = &mut *self.connection;
        let congested = meter.backlog() >= HIGH_WATER;
        let listening = match self.upload {
            Upload::Going => !congested,
            // What comes now can only be the client's going away.
            Upload::Nothing | Upload::Whole => true,
            Upload::Refused => false,
        };
        let mut reading = std::pin::pin!(async {
            match awaited {
                Awaited::Head => upstream.read_response().await.map(|_bytes| None),
                Awaited::Body => upstream.read_body_bytes().await,
            }
        });
        let from_upstream = std::future::poll_fn(|cx| match reading.as_mut().poll(cx) {
            Poll::Ready(read) => Poll::Ready(Event::FromUpstream(read)),
            Poll::Pending if congested && meter.backlog() < HIGH_WATER => Poll::Ready(Event::Room),
            Poll::Pending => Poll::Pending,
        });
        tokio::select! {
            biased;
            event = from_upstream => event,
            piece = self.session.read_body_or_idle(self.upload.is_whole()), if listening => {
                Event::FromClient(piece)
            }
            limit = self.patience.ends() => Event::Silence(limit),
        }
    }

    async fn pass_upload(&mut self, piece: Result<Option<Bytes>, Box<Error>>) -> Result<(), Fault> {
        let piece = match piece {
            Ok(piece) => piece,
            Err(error) if self.upload == Upload::Going && is_malformed(&error) => {
                return Err(Fault::BodyBroken(error));
            }
            Err(error) => return Err(Fault::ClientGone(error)),
        };
        let mut taken = Ok(());
        // An empty chunk would end a chunked body (RFC 9112 section 7.1), and pingora hands out empty
        // pieces where a read ended between two chunks.
        if let Some(bytes) = piece.as_ref().filter(|bytes| !bytes.is_empty()) {
            self.exchange.gauge.add(bytes.len(), Instant::now())?;
            taken = self.connection.session.write_body(bytes).await.map(drop);
        }
        if taken.is_ok() && (piece.is_none() || self.session.is_body_done()) {
            taken = self.connection.session.finish_body().await.map(drop);
            self.upload = Upload::Whole;
        }
        if taken.is_err() {
            self.upload = Upload::Refused;
        }
        self.patience.allow(self.limit_before_head());
        Ok(())
    }

    async fn pass_informational(&mut self, mut head: ResponseHeader) -> Result<(), Fault> {
        response::from_upstream(&mut head, &self.exchange.head.method, self.exchange.client_speaks)
            .map_err(Fault::Unbuildable)?;
        // HTTP/1.0 knows no informational answers (RFC 9110 section 15.2), and pingora's HTTP/2 side
        // leaves them out.
        if self.exchange.client_speaks == Version::HTTP_11 {
            // An answer before the body's end closes the connection; this is not yet the answer.
            self.session.set_close_on_response_before_downstream_finish(false);
            let passed = self.session.write_response_header(Box::new(head)).await;
            self.session.set_close_on_response_before_downstream_finish(true);
            passed.map_err(Fault::ClientGone)?;
        }
        Ok(())
    }

    fn dress(&self, head: &mut ResponseHeader) -> Result<(), Box<Error>> {
        let exchange = &self.exchange;
        response::from_upstream(head, &exchange.head.method, exchange.client_speaks)?;
        response::apply(exchange.rules, exchange.trace, head)?;
        for (name, value) in &exchange.extra {
            head.insert_header(name.clone(), value.clone())?;
        }
        Ok(())
    }

    /// A switch of protocols is an answer only to a request for one.
    fn is_upgrade(&self, head: &ResponseHeader) -> Result<bool, Fault> {
        if head.status != StatusCode::SWITCHING_PROTOCOLS {
            return Ok(false);
        }
        if self.connection.session.was_upgraded() {
            return Ok(true);
        }
        let source = Error::explain(ErrorType::InvalidHTTPHeader, "101 without being asked for it");
        Err(Fault::Garbage { server: self.server(), source })
    }

    fn idle(&self, head: &ResponseHeader) -> Duration {
        let streams = head
            .headers
            .get(CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
        self.exchange.idle.unwrap_or(if streams { STREAM_IDLE } else { BODY_IDLE })
    }

    fn limit_before_head(&self) -> Duration {
        match self.upload {
            Upload::Going => self.exchange.idle.unwrap_or(BODY_IDLE),
            _ => self.exchange.upstream.config.first_byte,
        }
    }

    fn silence_before_head(&self, after: Duration) -> Fault {
        let waits_for_client =
            self.upload == Upload::Going && self.connection.meter.backlog() < HIGH_WATER;
        if waits_for_client {
            Fault::BodyTimeout(after)
        } else {
            Fault::FirstByteTimeout { server: self.server(), after }
        }
    }

    fn no_head(&self, source: Box<Error>) -> Fault {
        let server = self.server();
        match source.etype() {
            ErrorType::ConnectionClosed | ErrorType::ReadError => {
                Fault::NoAnswer { server, source }
            }
            _ => Fault::Garbage { server, source },
        }
    }

    fn server(&self) -> String {
        self.connection.server.clone()
    }
}

/// A body that breaks the protocol, as opposed to one whose sender went away.
fn is_malformed(error: &Error) -> bool {
    !matches!(
        error.etype(),
        ErrorType::ConnectionClosed | ErrorType::ReadError | ErrorType::H2Error
    )
}

/// A deadline that moves on with every sign of life. The timer behind it is set anew only when it
/// fires, not for every piece of a body.
struct Patience {
    timer: Pin<Box<Sleep>>,
    limit: Duration,
    until: Instant,
}

impl Patience {
    fn new(limit: Duration) -> Self {
        let until = Instant::now() + limit;
        Self { timer: Box::pin(tokio::time::sleep_until(until)), limit, until }
    }

    /// From now on, `limit` without [`Self::allow`] is too long.
    fn allow(&mut self, limit: Duration) {
        self.limit = limit;
        self.until = Instant::now() + limit;
        if self.until < self.timer.deadline() {
            self.timer.as_mut().reset(self.until);
        }
    }

    /// Returns when it was too long, and how long was allowed.
    async fn ends(&mut self) -> Duration {
        loop {
            self.timer.as_mut().await;
            if Instant::now() >= self.until {
                return self.limit;
            }
            self.timer.as_mut().reset(self.until);
        }
    }
}
