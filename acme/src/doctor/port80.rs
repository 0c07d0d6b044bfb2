//! A token, fetched through the public name, by each address: does this gateway answer, who else
//! does, or nobody?

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use http::header::{HOST, LOCATION, SERVER, USER_AGENT};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::finding::{Check, Finding, HTTP_01, quoted};
use super::reach::{ANSWER, OWN, Unreached, connect, is_own};
use super::token::Question;
use crate::responder::HTTP_01_PATH;

/// No answer of ours is longer, in bytes.
const LARGEST_BODY: usize = 4096;

/// What was found at one address.
pub(super) struct Look {
    pub(super) at: SocketAddr,
    pub(super) seen: Seen,
    /// Whether it answered as Cloudflare does.
    pub(super) cloudflare: bool,
}

pub(super) enum Seen {
    /// Also by the doctor in the gateway's place.
    Right {
        own: bool,
        stands_in: bool,
    },
    Unreached(Unreached),
    Silent,
    NotHttp {
        reason: String,
    },
    Redirected {
        status: u16,
        to: String,
    },
    Other {
        status: u16,
        server: Option<String>,
    },
}

impl From<&Look> for Finding {
    fn from(Look { at, seen, .. }: &Look) -> Self {
        let check = Check::Http01;
        let problem = |what: String, advice: &str| Self::problem(check, what, advice).of(HTTP_01);
        match seen {
            Seen::Right { own, stands_in } => Self::ok(check, right(*at, *own, *stands_in)),
            Seen::Unreached(unreached) => {
                let (what, advice) = unreached.sentences(*at);
                problem(what, &advice)
            }
            Seen::Silent => problem(
                format!("{at} takes the connection and does not answer."),
                "Something in front of the gateway takes connections and passes nothing on: a load balancer without a healthy target, for instance.",
            ),
            Seen::NotHttp { reason } => problem(
                format!("What answers at {at} does not speak HTTP ({reason})."),
                "Let port 80 lead to a listener in `http` of [server], not to one in `https`.",
            ),
            Seen::Redirected { status, to } => problem(
                format!("{at} redirects to {to} (status {status}) instead of answering."),
                "Something in front of this gateway, or another one, redirects. Let it pass /.well-known/acme-challenge/ on first.",
            ),
            Seen::Other { status, server } => {
                let server = server.as_ref().map_or_else(
                    || "without a `server` header".to_owned(),
                    |server| format!("`server: {server}`"),
                );
                problem(
                    format!("Somebody else answers at {at}: status {status}, {server}."),
                    "Check that the record leads to this machine and port 80 to this gateway; what stands in front must pass /.well-known/acme-challenge/ on.",
                )
            }
        }
    }
}

fn right(at: SocketAddr, own: bool, stands_in: bool) -> String {
    let who = match stands_in {
        true => format!("{at} leads to this machine: the gateway would be reached, if it ran."),
        false => format!("This gateway answers at {at}."),
    };
    if own { format!("{who} {OWN}") } else { who }
}

/// Looks at every address, at the same time; what was found, in the order of the addresses.
pub(super) async fn look(
    host: &str,
    addresses: &[IpAddr],
    port: u16,
    stands_in: bool,
    question: &Question,
) -> Vec<Look> {
    let mut looking = JoinSet::new();
    for (index, ip) in addresses.iter().enumerate() {
        let (at, host, question) = (SocketAddr::new(*ip, port), host.to_owned(), question.clone());
        looking.spawn(async move {
            let (seen, cloudflare) = look_at(at, &host, stands_in, &question).await;
            (index, Look { at, seen, cloudflare })
        });
    }
    let mut looks = looking.join_all().await;
    looks.sort_by_key(|(index, _)| *index);
    looks.into_iter().map(|(_, look)| look).collect()
}

async fn look_at(at: SocketAddr, host: &str, stands_in: bool, question: &Question) -> (Seen, bool) {
    let stream = match connect(at).await {
        Ok(stream) => stream,
        Err(unreached) => return (Seen::Unreached(unreached), false),
    };
    match timeout(ANSWER, fetch(stream, host, &question.token)).await {
        Ok(Ok(answer)) => {
            (judge(&answer, at, stands_in, question), is_cloudflare(answer.headers()))
        }
        Ok(Err(reason)) => (Seen::NotHttp { reason: quoted(&reason) }, false),
        Err(_) => (Seen::Silent, false),
    }
}

async fn fetch(
    stream: tokio::net::TcpStream,
    host: &str,
    token: &str,
) -> Result<Response<Bytes>, String> {
    let said = |error: hyper::Error| error.to_string();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(said)?;
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let request = Request::get(format!("{HTTP_01_PATH}{token}"))
        .header(HOST, host)
        .header(USER_AGENT, concat!("gateway-doctor/", env!("CARGO_PKG_VERSION")))
        .body(Empty::<Bytes>::new())
        .map_err(|error| error.to_string())?;
    let exchange = async {
        let (head, body) = sender.send_request(request).await.map_err(said)?.into_parts();
        // A body that is too long, or breaks off, is not ours.
        let body = Limited::new(body, LARGEST_BODY).collect().await;
        let body = body.map(|body| body.to_bytes()).unwrap_or_default();
        Ok(Response::from_parts(head, body))
    };
    tokio::pin!(exchange);
    tokio::select! {
        answer = &mut exchange => answer,
        // What the connection says last is the exchange's to tell.
        _ = connection => exchange.await,
    }
}

fn judge(answer: &Response<Bytes>, at: SocketAddr, stands_in: bool, question: &Question) -> Seen {
    let text = |name| {
        answer
            .headers()
            .get(name)
            .map(|value: &http::HeaderValue| quoted(&String::from_utf8_lossy(value.as_bytes())))
    };
    let status = answer.status();
    let is_right = answer.body().trim_ascii() == question.answer.as_bytes();
    match (status, text(LOCATION)) {
        (StatusCode::OK, _) if is_right => Seen::Right { own: is_own(at.ip()), stands_in },
        (status, Some(to)) if status.is_redirection() => {
            Seen::Redirected { status: status.as_u16(), to: to.replace(&question.token, "…") }
        }
        (status, _) => Seen::Other { status: status.as_u16(), server: text(SERVER) },
    }
}

fn is_cloudflare(headers: &HeaderMap) -> bool {
    let server = headers.get(SERVER).and_then(|server| server.to_str().ok());
    headers.contains_key("cf-ray")
        || server.is_some_and(|server| server.eq_ignore_ascii_case("cloudflare"))
}
