//! The plain listener: says that it is there, and sends everybody to https.

use gateway_config::model::Host;
use http::{HeaderMap, Method, StatusCode};
use pingora_core::protocols::http::{ReusableHttpStream, ServerSession};
use pingora_http::RequestHeader;

use crate::asked::{authority, target, unknown_host};
use crate::client;
use crate::connection::{self, Connection};
use crate::fault::Fault;
use crate::headers::trace::Trace;

use crate::reply::{self, Answer};
use crate::story::Story;

/// Asked every few seconds by whatever watches the container, and of no interest to the access log.
pub(crate) const HEALTH: &str = "/healthz";

/// Serves one request.
pub(crate) async fn serve(
    mut session: ServerSession,
    connection: &Connection,
) -> Option<ReusableHttpStream> {
    let asked = session.req_header().clone();
    if asked.uri.path() == HEALTH {
        return answer_unlogged(session, &asked.method, healthy()).await;
    }
    let trusted = &connection.snapshot.server.trusted_proxies;
    let client = client::identify(trusted, connection.peer.ip(), &asked.headers);
    let trace = Trace::of(&asked.headers, client.via_trusted);
    let mut story = Story::begin(connection, &asked, client, trace);
    let answer = match redirect(&asked, connection, &mut story) {
        Ok(answer) => answer,
        Err(fault) => {
            let told = fault.status().map(|status| Answer::to_fault(&fault, status, story.trace()));
            story.failed(fault);
            told?
        }
    };
    let sent = reply::send(&mut session, &asked.method, answer, None, story.trace()).await;
    story.sent(&session);
    drop(story);
    sent.ok()?;
    connection::finish(session).await
}

/// Sends an answer that nobody wants to read about.
pub(crate) async fn answer_unlogged(
    mut session: ServerSession,
    method: &Method,
    answer: Answer,
) -> Option<ReusableHttpStream> {
    let trace = Trace::of(&HeaderMap::new(), false);
    reply::send(&mut session, method, answer, None, &trace).await.ok()?;
    connection::finish(session).await
}

/// The answer at [`HEALTH`].
pub(crate) fn healthy() -> Answer {
    Answer::text(StatusCode::OK, "ok\n")
}

/// The same host and path by https, where a site answers to the host.
fn redirect<'c>(
    asked: &RequestHeader,
    connection: &'c Connection,
    story: &mut Story<'c>,
) -> Result<Answer, Fault> {
    let (host, named_port) = host_of(asked)?;
    let snapshot = &connection.snapshot;
    let site = snapshot.site_of(&host).and_then(|site| snapshot.sites.get(site));
    story.site(site.ok_or_else(|| unknown_host(snapshot.server.unknown_host))?);
    to_https(asked, &host, named_port, connection.worker.shared.https_port)
}

/// The host that is asked for, and the port where it names one.
pub(crate) fn host_of(asked: &RequestHeader) -> Result<(Host, Option<u16>), Fault> {
    let parsed = Host::parse_authority(authority(asked)?);
    parsed.map_err(|_| Fault::Malformed("its host is not a host"))
}

/// The answer that sends a client to https.
pub(crate) fn to_https(
    asked: &RequestHeader,
    host: &Host,
    named_port: Option<u16>,
    https_port: Option<u16>,
) -> Result<Answer, Fault> {
    let target = if target(asked).starts_with('/') { target(asked) } else { "/" };
    // Who came without a port came to port 80, and finds https at 443, whatever ports lie behind
    // that. Who named a port is on a machine where ports are not the usual ones.
    let https_port = https_port.filter(|_| named_port.is_some());
    let port =
        https_port.filter(|port| *port != 443).map_or_else(String::new, |port| format!(":{port}"));
    let host = match host.ip() {
        Some(std::net::IpAddr::V6(ip)) => format!("[{ip}]"),
        _ => host.to_string(),
    };
    Answer::moved(StatusCode::PERMANENT_REDIRECT, &format!("https://{host}{port}{target}"))
}
