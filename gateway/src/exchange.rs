//! Passing one request to an upstream, and its answer back: both directions at once, in one task,
//! a piece at a time.

mod flow;

use std::time::Duration;

use http::{Method, StatusCode};

use crate::downstream::{Downstream, Framing};
use crate::fault::Fault;
use crate::head::{RequestHead, ResponseHead};
use crate::headers::request::Forwarding;
use crate::headers::response::Rules;
use crate::kept_body::KeptBody;
use crate::policy::bandwidth::Pace;
use crate::policy::body::BodyGauge;
use crate::policy::limit::Allowance;
use crate::reply::ErrorStyle;
use crate::stop::Stop;
use crate::upstream::{Connection, Pool, Upstream, Wanted};
use flow::Flow;

/// Silence that is allowed in the middle of a body where the route does not say.
pub(crate) const BODY_IDLE: Duration = Duration::from_secs(60);

/// The same for streams of events and WebSockets, which are silent by nature.
pub(crate) const STREAM_IDLE: Duration = Duration::from_secs(3600);

/// One request on its way.
pub(crate) struct Exchange<'r> {
    pub(crate) upstream: &'r Upstream,
    pub(crate) pool: &'r Pool,
    pub(crate) asked: &'r RequestHead,
    pub(crate) forwarding: Forwarding<'r>,
    pub(crate) gauge: BodyGauge,
    pub(crate) idle: Option<Duration>,
    /// How fast the answer is sent, where that is limited.
    pub(crate) pace: Option<Box<Pace>>,
    pub(crate) rules: &'r Rules,
    pub(crate) errors: &'r ErrorStyle,
    pub(crate) stop: &'r Stop,
    /// What the answer says about limits, whatever the upstream says.
    pub(crate) allowances: &'r [Allowance<'r>],
    /// The request's body, where it may have to be sent once more.
    pub(crate) kept_body: Option<Box<KeptBody>>,
}

/// What the access log wants to know; filled in as it happens, so that a failure leaves what was
/// known by then.
#[derive(Debug, Default)]
pub(crate) struct Account {
    pub(crate) status: Option<StatusCode>,
    pub(crate) upstream_status: Option<u16>,
    pub(crate) first_byte: Option<Duration>,
    /// How many connections to servers were tried.
    pub(crate) tries: u32,
}

/// How an exchange ended well.
pub(crate) enum Passed {
    /// The whole answer has been passed on.
    Answered,
    /// The answer is an error that the route has a page for; nothing has been sent.
    Replaced(Box<ResponseHead>),
    /// Both sides now speak another protocol.
    Upgraded(Connection),
}

/// A failed attempt; whether another may follow.
struct Attempt {
    fault: Fault,
    repeatable: bool,
}

impl Exchange<'_> {
    /// Passes the request on, to another server where one cannot be reached, and once more where asking
    /// again is safe (RFC 9110 section 9.2.2). What is seldom needed is put aside in a box, so that it
    /// makes no request larger that does not need it.
    ///
    /// # Errors
    /// [`Fault`]. [`Downstream::has_begun`] tells whether the client has seen an answer begin.
    pub(crate) async fn run(
        &mut self,
        client: &mut impl Downstream,
        account: &mut Account,
    ) -> Result<Passed, Fault> {
        let (upstream, pool) = (self.upstream, self.pool);
        let wanted = Wanted { asked: self.asked, client: self.forwarding.client.ip };
        self.kept_body = self.may_repeat().then(|| KeptBody::of(self.forwarding.body)).flatten();
        let mut tries = upstream.begin();
        loop {
            let reached = match upstream.kept(&mut tries, wanted, pool) {
                Some(kept) => Ok(kept),
                None => Box::pin(upstream.open(&mut tries, wanted, pool)).await,
            };
            account.tries = tries.count();
            let connection = reached?;
            let unanswered = connection.unanswered();
            match self.attempt(connection, client, account).await {
                Ok(passed) => return Ok(passed),
                Err(Attempt { fault, repeatable: true }) => {
                    upstream.try_again(&mut tries, &unanswered, fault);
                }
                Err(Attempt { fault, repeatable: false }) => return Err(fault),
            }
        }
    }

    /// Whether the request may reach two servers.
    fn may_repeat(&self) -> bool {
        let method = &self.asked.method;
        method.is_idempotent() || *method == Method::TRACE
    }

    /// Whether nothing of the request's body is lost.
    fn has_body_yet(&self) -> bool {
        self.forwarding.body == Framing::Empty
            || self.kept_body.as_ref().is_some_and(|body| !body.is_lost())
    }

    async fn attempt(
        &mut self,
        mut connection: Connection,
        client: &mut impl Downstream,
        account: &mut Account,
    ) -> Result<Passed, Attempt> {
        connection.share(self.pool);
        let begun = connection.session.begin(self.asked, &self.forwarding);
        begun.map_err(|fault| Attempt { fault, repeatable: false })?;
        let mut head = ResponseHead::default();
        let mut flow = Flow::begin(&mut connection, client, self);
        if let Err(fault) = flow.until_head(&mut head, account).await {
            let unanswered = matches!(fault, Fault::NoAnswer { .. });
            self.upstream.failed(&connection, &fault);
            let repeatable = unanswered && self.may_repeat() && self.has_body_yet();
            return Err(Attempt { fault, repeatable });
        }
        flow.exchange.upstream.succeeded(flow.connection);
        if flow.exchange.errors.page_instead(head.status, flow.exchange.asked).is_some() {
            let ended = flow.upload.is_whole() && !connection.session.has_body();
            // What the upstream would still say is of no use, and its connection only without it.
            if ended {
                connection.release(self.pool);
            }
            return Ok(Passed::Replaced(Box::new(head)));
        }
        let upgraded = head.status == StatusCode::SWITCHING_PROTOCOLS;
        let answered = flow.pass_answer(head, account).await;
        let whole = flow.upload.is_whole();
        answered.map_err(|fault| Attempt { fault, repeatable: false })?;
        if upgraded {
            return Ok(Passed::Upgraded(connection));
        }
        // An upstream that answered without taking the whole body would read the rest of it as the
        // next request.
        if whole {
            connection.release(self.pool);
        }
        Ok(Passed::Answered)
    }
}
