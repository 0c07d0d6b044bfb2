//! Requests: taken, recorded, verified, and brought to what answers them.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, LINK};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::Shared;
use super::answer::{Answer, Problem};
use super::jws::{self, Key, Message};
use super::kind::Kind;
use super::trouble::Trouble;

/// A request whose signature is right.
pub(super) struct Signed {
    pub(super) kind: Kind,
    /// What follows the kind in the path.
    pub(super) rest: String,
    pub(super) url: String,
    pub(super) key: Key,
    /// The account's number; `None` where the key itself is in the request.
    pub(super) account: Option<usize>,
    /// The `jwk`, where it is.
    pub(super) jwk: Value,
    pub(super) payload: Value,
    pub(super) trouble: Option<Trouble>,
}

/// The connection is to be closed without an answer.
#[derive(Debug)]
struct Cut;

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the test wants this connection closed")
    }
}

impl std::error::Error for Cut {}

/// Serves until it is aborted.
pub(super) async fn run(listener: TcpListener, shared: Arc<Shared>) {
    let mut open = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let shared = Arc::clone(&shared);
        let service = service_fn(move |request| {
            let shared = Arc::clone(&shared);
            async move { take(&shared, request).await }
        });
        open.spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn take(
    shared: &Arc<Shared>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Cut> {
    let path = request.uri().path().to_owned();
    let (kind, rest) = Kind::of(&path);
    let number = shared.saw(kind, &path);
    if shared.is_out.load(Ordering::SeqCst) {
        return Err(Cut);
    }
    let trouble = shared.troubles.lock().unwrap().take(kind);
    let answer = match trouble {
        Some(Trouble::Reset) => return Err(Cut),
        Some(Trouble::Stall) => std::future::pending().await,
        Some(Trouble::Answer(answer)) => answer,
        trouble => {
            let answer = match kind {
                Kind::Directory => Ok(shared.directory()),
                Kind::NewNonce => Ok(new_nonce(request.method())),
                Kind::RenewalInfo => shared.renewal_info(rest),
                _ => signed(shared, request, kind, rest, number, trouble).await,
            };
            answer.unwrap_or_else(Answer::from)
        }
    };
    shared.saw_more(number, |seen| seen.status = Some(answer.status.as_u16()));
    Ok(shared.complete(kind, answer).response())
}

fn new_nonce(method: &Method) -> Answer {
    let status = if method == Method::HEAD { 200 } else { 204 };
    Answer::empty(status).with_header(CACHE_CONTROL, "no-store")
}

async fn signed(
    shared: &Arc<Shared>,
    request: Request<Incoming>,
    kind: Kind,
    rest: &str,
    number: usize,
    trouble: Option<Trouble>,
) -> Result<Answer, Problem> {
    if request.method() != Method::POST {
        return Err(Problem::new(405, "malformed", "this wants a POST"));
    }
    if request.headers().get(CONTENT_TYPE).is_none_or(|it| it != "application/jose+json") {
        return Err(Problem::new(415, "malformed", "this wants application/jose+json"));
    }
    let url = shared.url(request.uri().path());
    let body = request.into_body().collect().await;
    let body = body.map_err(|_| Problem::malformed("the body broke off"))?.to_bytes();
    let message = serde_json::from_slice(&body);
    let message = Message::from_json(&message.map_err(|_| Problem::malformed("no JSON"))?)?;
    let (account, key, jwk) = shared.verify(&message, &url)?;
    let payload = message.payload()?;
    shared.saw_more(number, |seen| {
        seen.account = account.map(|number| shared.url(&format!("/account/{number}")));
        seen.payload = payload.clone();
    });
    let rest = rest.to_owned();
    shared.answer(Signed { kind, rest, url, key, account, jwk, payload, trouble })
}

impl Shared {
    fn answer(self: &Arc<Self>, request: Signed) -> Result<Answer, Problem> {
        match request.kind {
            Kind::NewAccount => self.new_account(&request),
            Kind::Account => self.update_account(&request),
            Kind::KeyChange => self.change_key(&request),
            Kind::NewOrder => self.new_order(&request),
            Kind::Order => self.look_at_order(&request),
            Kind::Finalize => self.finalize(&request),
            Kind::Authorization => self.authorization(&request),
            Kind::Challenge => self.challenge(&request),
            Kind::Certificate => self.certificate(&request),
            Kind::RevokeCert => self.revoke(&request),
            _ => Err(Problem::not_found()),
        }
    }

    /// Checks nonce, URL, key and signature.
    fn verify(&self, message: &Message, url: &str) -> Result<(Option<usize>, Key, Value), Problem> {
        let header = &message.header;
        self.use_nonce(header["nonce"].as_str())?;
        if header["url"] != url {
            let detail = format!("signed for {}, sent to {url}", header["url"]);
            return Err(Problem::new(401, "unauthorized", detail));
        }
        let (account, key) = match (header["kid"].as_str(), header.get("jwk")) {
            (Some(kid), None) => self.account_of(kid).map(|(number, key)| (Some(number), key))?,
            (None, Some(jwk)) => (None, Key::from_jwk(jwk)?),
            _ => return Err(Problem::malformed("this wants either kid or jwk")),
        };
        message.verify(&key)?;
        Ok((account, key, header["jwk"].clone()))
    }

    fn account_of(&self, kid: &str) -> Result<(usize, Key), Problem> {
        let number = kid.strip_prefix(&self.url("/account/")).and_then(|it| it.parse().ok());
        let state = self.state.lock().unwrap();
        let account = number.and_then(|number: usize| Some((number, state.accounts.get(number)?)));
        let Some((number, account)) = account else {
            let detail = format!("there is no account {kid}");
            return Err(Problem::new(400, "accountDoesNotExist", detail));
        };
        if account.is_deactivated {
            return Err(Problem::new(401, "unauthorized", "the account is deactivated"));
        }
        Ok((number, account.key.clone()))
    }

    fn use_nonce(&self, nonce: Option<&str>) -> Result<(), Problem> {
        let is_known = nonce.is_some_and(|it| self.state.lock().unwrap().nonces.remove(it));
        let refused = &mut self.settings.lock().unwrap().refused_nonces;
        if is_known && *refused == 0 {
            return Ok(());
        }
        *refused = refused.saturating_sub(u32::from(is_known));
        Err(Problem::new(400, "badNonce", "the nonce is not of here, or was used"))
    }

    /// Adds what every answer has.
    fn complete(&self, kind: Kind, answer: Answer) -> Answer {
        let answer =
            answer.with_header(LINK, format!("<{}>;rel=\"index\"", self.url("/directory")));
        if matches!(kind, Kind::Directory | Kind::RenewalInfo) {
            return answer;
        }
        let nonce = jws::random::<16>();
        self.state.lock().unwrap().nonces.insert(nonce.clone());
        answer.with_header(HeaderName::from_static("replay-nonce"), nonce)
    }
}
