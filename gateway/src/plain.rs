//! The plain listener: says that it is there, answers a CA's challenges, and sends everybody to
//! https.

use gateway_config::model::Host;
use http::{Method, StatusCode};

use crate::asked::{authority, unknown_host};
use crate::client;
use crate::connection::Connection;
use crate::downstream::Downstream;
use crate::fault::Fault;
use crate::head::{Known, RequestHead};
use crate::headers::trace::Trace;
use crate::reply::{self, Answer};
use crate::story::Story;

/// Asked every few seconds by whatever watches the container, and of no interest to the access log.
pub(crate) const HEALTH: &str = "/healthz";

/// Serves one request. Gives it back when it was answered.
pub(crate) async fn serve<D: Downstream>(
    mut request: D,
    asked: &RequestHead,
    flaw: Option<Fault>,
    connection: &Connection,
) -> Option<D> {
    if asked.path() == HEALTH && flaw.is_none() {
        return answer_unlogged(request, &asked.method, healthy()).await;
    }
    if let (None, Some(answer)) = (&flaw, connection.worker.shared.responder.http_01(asked.path()))
    {
        // Whatever the host is called: a CA may come by any of the site's names.
        return answer_unlogged(request, &asked.method, challenge(&answer)).await;
    }
    let trusted = &connection.snapshot.server.trusted_proxies;
    let client = client::identify(trusted, connection.peer.ip(), &asked.fields);
    let trace = Trace::of(&asked.fields, client.via_trusted);
    let mut story = Story::begin(connection, Some(asked), client, trace);
    let answer = match flaw.map_or_else(|| redirect(asked, connection, &mut story), Err) {
        Ok(answer) => answer,
        Err(fault) => {
            let told = fault.status().map(|status| {
                Answer::to_fault(&fault, status, Some(asked), story.error_style(), story.trace())
            });
            if fault.loses_framing() {
                request.close_after();
            }
            story.failed(fault);
            told?
        }
    };
    story.status(answer.status());
    let sent = reply::send(&mut request, &asked.method, answer, None, story.trace()).await;
    story.passed(&request);
    drop(story);
    sent.ok().map(|()| request)
}

/// Sends an answer that nobody wants to read about.
pub(crate) async fn answer_unlogged<D: Downstream>(
    mut request: D,
    method: &Method,
    answer: Answer,
) -> Option<D> {
    reply::send(&mut request, method, answer, None, &Trace::begin()).await.ok()?;
    Some(request)
}

/// The answer to an open `http-01` challenge (RFC 8555 section 8.3).
fn challenge(authorization: &str) -> Answer {
    Answer::text(StatusCode::OK, authorization.to_owned())
        .replacing(Known::ContentType, b"application/octet-stream")
}

/// The answer at [`HEALTH`].
pub(crate) fn healthy() -> Answer {
    Answer::text(StatusCode::OK, "ok\n")
}

/// The same host and path by https, where a site answers to the host.
fn redirect<'c>(
    asked: &RequestHead,
    connection: &'c Connection,
    story: &mut Story<'c>,
) -> Result<Answer, Fault> {
    let (host, named_port) = host_of(asked)?;
    let snapshot = &connection.snapshot;
    let site = snapshot.site_of(&host).and_then(|site| snapshot.sites.get(site));
    story.site(site.ok_or_else(|| unknown_host(snapshot.server.unknown_host))?);
    to_https(asked, &host, named_port, snapshot.https_port)
}

/// The host that is asked for, and the port where it names one.
pub(crate) fn host_of(asked: &RequestHead) -> Result<(Host, Option<u16>), Fault> {
    let parsed = Host::parse_authority(authority(asked)?);
    parsed.map_err(|_| Fault::Malformed("its host is not a host"))
}

/// The answer that sends a client to https.
pub(crate) fn to_https(
    asked: &RequestHead,
    host: &Host,
    named_port: Option<u16>,
    https_port: Option<u16>,
) -> Result<Answer, Fault> {
    let target = if asked.target().starts_with('/') { asked.target() } else { "/" };
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
