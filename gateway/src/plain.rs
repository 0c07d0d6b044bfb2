//! The plain listener: says that it is there, and sends everybody to https.

use gateway_config::model::Host;
use http::{HeaderMap, Method, StatusCode};
use pingora_core::protocols::http::{ReusableHttpStream, ServerSession};

use crate::connection::Connection;
use crate::fault::Fault;
use crate::headers::trace::Trace;
use crate::proxy::unknown_host;
use crate::reply::{self, Answer};
use crate::stream::Meter;

/// Serves one request.
pub(crate) async fn serve(
    mut session: ServerSession,
    connection: &Connection,
    meter: &Meter,
) -> Option<ReusableHttpStream> {
    let trace = Trace::of(&HeaderMap::new(), false);
    let method = session.req_header().method.clone();
    let answer = match answer(&session, connection) {
        Ok(answer) => answer,
        Err(fault) => {
            connection.worker.shared.metrics.fault(&fault);
            let Some(status) = fault.status() else {
                session.shutdown().await;
                return None;
            };
            Answer::to_fault(&fault, status, &trace)
        }
    };
    finish(session, meter, &method, answer, &trace).await
}

/// Sends an answer of the gateway's own and ends the request.
pub(crate) async fn finish(
    mut session: ServerSession,
    meter: &Meter,
    method: &Method,
    answer: Answer,
    trace: &Trace,
) -> Option<ReusableHttpStream> {
    if reply::send(&mut session, method, answer, None, trace).await.is_err() {
        session.shutdown().await;
        return None;
    }
    if !session.is_body_done() {
        meter.linger();
    }
    session.finish().await.ok().flatten()
}

fn answer(session: &ServerSession, connection: &Connection) -> Result<Answer, Fault> {
    let asked = session.req_header();
    if asked.uri.path() == "/healthz" {
        return Ok(Answer::text(StatusCode::OK, "ok\n"));
    }
    let named = asked.headers.get(http::header::HOST).and_then(|host| host.to_str().ok());
    let authority = asked.uri.authority().map(|authority| authority.as_str()).or(named);
    let parsed = authority.and_then(|authority| Host::parse_authority(authority).ok());
    let (host, named_port) = parsed.ok_or(Fault::Malformed("it names no host"))?;
    let snapshot = &connection.snapshot;
    if snapshot.site_of(&host).is_none() {
        return Err(unknown_host(snapshot.server.unknown_host));
    }
    let target = asked.uri.path_and_query().map_or("/", |target| target.as_str());
    let target = if target.starts_with('/') { target } else { "/" };
    // Who came without a port came to port 80, and finds https at 443, whatever ports lie behind
    // that. Who named a port is on a machine where ports are not the usual ones.
    let https_port = connection.worker.shared.https_port.filter(|_| named_port.is_some());
    let port = https_port.filter(|port| *port != 443).map_or_else(String::new, |port| format!(":{port}"));
    let host = match host.ip() {
        Some(std::net::IpAddr::V6(ip)) => format!("[{ip}]"),
        _ => host.to_string(),
    };
    Answer::moved(StatusCode::PERMANENT_REDIRECT, &format!("https://{host}{port}{target}"))
}
