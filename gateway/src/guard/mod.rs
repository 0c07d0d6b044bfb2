//! The policies that may wait before they know: whoever asks somebody else, and whoever must see the
//! body. Routes without one of them never come here.

mod auth;
mod build;
mod entered;
mod held;
mod issuer;
mod subrequest;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{HeaderName, StatusCode, Version};
use parking_lot::Mutex;

use crate::client::Client;
use crate::connection::Connection;
use crate::downstream::Downstream;
use crate::exchange::BODY_IDLE;
use crate::fault::Fault;
use crate::head::{Fields, Known, RequestHead};
use crate::headers::request::expects_continue;
use crate::headers::trace::Trace;
use crate::policy::Refused;
use crate::policy::auth::key_set::KeyStore;
use crate::policy::auth::passwords::Passwords;
use crate::policy::auth::reserve;
use crate::policy::webhook::{Deliveries, Delivery, Rejected, Verifier};
use crate::reply::Answer;

use auth::Auth;
pub use build::GuardProblem;
pub(crate) use build::{Grounds, Guards, lacking};
pub(crate) use entered::Entered;
use held::{HeldBody, Room, Terms};

/// What the guards of all routes share. It outlives configurations.
pub(crate) struct Guarding {
    deliveries: Arc<Deliveries>,
    room: Room,
    passwords: Passwords,
    /// By URL. Only configurations name any.
    issuers: Mutex<HashMap<String, Arc<KeyStore>>>,
}

impl Guarding {
    /// # Errors
    /// Where the system gives no random numbers.
    pub(crate) fn new() -> Result<Self, aws_lc_rs::error::Unspecified> {
        Ok(Self {
            deliveries: Arc::default(),
            room: Room::default(),
            passwords: Passwords::new()?,
            issuers: Mutex::default(),
        })
    }
}

/// What one route asks before it lets a request in.
pub(crate) struct Guard {
    shared: Arc<Guarding>,
    /// The header that tells whom the client's certificate is made out to.
    subject_header: Option<HeaderName>,
    auth: Option<Auth>,
    webhook: Option<Verifier>,
    /// The largest body, in bytes.
    cap: u64,
    idle: Duration,
}

/// A request that wants to come in.
pub(crate) struct Asking<'r> {
    pub(crate) asked: &'r RequestHead,
    pub(crate) connection: &'r Connection,
    pub(crate) client: Client,
    pub(crate) authority: &'r str,
    pub(crate) trace: &'r Trace,
}

/// What becomes of a request.
pub(crate) enum Decision {
    /// It goes on.
    Enter(Box<Pass>),
    /// It has its answer already.
    Answer(Box<Answer>),
}

/// What a request takes along that goes on.
pub(crate) struct Pass {
    /// Its head as the route sees it.
    pub(crate) head: RequestHead,
    /// Fields that the upstream is told besides, and that nobody else can say.
    pub(crate) added: Fields,
    /// Its body, where it has been read.
    body: Option<HeldBody>,
    /// Cookies that the answer sets besides its own.
    cookies: Vec<Vec<u8>>,
    delivery: Option<Delivery>,
}

impl Guard {
    /// Asks, in the order of the policies.
    ///
    /// # Errors
    /// [`Refused`], and what goes wrong while the body is read.
    pub(crate) async fn ask(
        &self,
        request: &mut impl Downstream,
        asking: &Asking<'_>,
    ) -> Result<Decision, Fault> {
        let mut pass = Pass {
            head: asking.asked.clone(),
            added: Fields::default(),
            body: None,
            cookies: Vec::new(),
            delivery: None,
        };
        if let Some(name) = &self.subject_header {
            reserve(name, &mut pass.head.fields);
            if let Some(subject) = &asking.connection.client {
                pass.added.add(name.as_str().as_bytes(), subject.as_bytes());
            }
        }
        if let Some(auth) = &self.auth
            && let Some(answer) = auth.check(&self.shared, asking, &mut pass).await?
        {
            return Ok(Decision::Answer(Box::new(answer)));
        }
        if let Some(verifier) = &self.webhook
            && !self.take_delivery(verifier, request, &mut pass).await?
        {
            let nothing = Answer::empty(StatusCode::NO_CONTENT);
            return Ok(Decision::Answer(Box::new(nothing)));
        }
        Ok(Decision::Enter(Box::new(pass)))
    }

    /// Reads a delivery and verifies it. Whether it is one that goes on.
    async fn take_delivery(
        &self,
        verifier: &Verifier,
        request: &mut impl Downstream,
        pass: &mut Pass,
    ) -> Result<bool, Fault> {
        let refuse = |rejected: Rejected| Fault::from(Refused::Webhook(rejected));
        let mut verification = verifier.begin(&pass.head.fields).map_err(refuse)?;
        let waits = take_expectation(&mut pass.head);
        let (cap, idle, room) = (self.cap, self.idle, &self.shared.room);
        let terms = Terms { cap, idle, room, waits };
        let body = HeldBody::read(request, &terms, |piece| verification.update(piece)).await?;
        let key = verification.finish().map_err(refuse)?;
        if !verifier.wants(&pass.head.fields, &body.data) {
            return Ok(false);
        }
        if let Some(remember) = verifier.remember {
            let delivery = self.shared.deliveries.enter(key, remember, Instant::now());
            pass.delivery = Some(delivery.ok_or_else(|| refuse(Rejected::Replayed))?);
        }
        pass.body = Some(body);
        Ok(true)
    }
}

impl Pass {
    /// The request as it goes on, its head apart.
    pub(crate) fn through<'d, D: Downstream>(&mut self, request: &'d mut D) -> Entered<'d, D> {
        Entered::new(request, self.body.take(), std::mem::take(&mut self.cookies))
    }

    /// The request has been answered, with this status.
    pub(crate) fn answered(self, status: Option<StatusCode>) {
        if let Some(delivery) = self.delivery
            && status.is_some_and(|status| status.is_success())
        {
            delivery.keep();
        }
    }
}

/// Whether the client waits to be told before it sends its body (RFC 9110 section 10.1.1). As the
/// body is read here, the upstream is not asked about it.
fn take_expectation(head: &mut RequestHead) -> bool {
    let waits = expects_continue(&head.fields);
    head.fields.remove(Known::Expect.name().as_bytes());
    waits && head.version >= Version::HTTP_11
}
