//! One request of a public listener, from its head to its record in the access log. Read it from the
//! top: each step stands in a file of its own, in the order in which it is taken.

use std::time::Duration;

use http::Method;
use pingora_core::protocols::http::{ReusableHttpStream, ServerSession};
use pingora_http::RequestHeader;
use tokio::time::Instant;

use crate::asked::{
    announced_length, authority, check_coding, normal_path, site_asked_for, target, unknown_host,
    websocket,
};
use crate::client::{self, Client};
use crate::connection::{self, Connection};
use crate::exchange::{Exchange, Passed, STREAM_IDLE};
use crate::fault::Fault;
use crate::headers::request::{Forwarding, Framing, for_upstream};
use crate::headers::trace::Trace;
use crate::path::Path;
use crate::policy::body::BodyGauge;
use crate::policy::limit::{Allowance, ClientKey};
use crate::policy::{Refused, access, deny_paths};
use crate::reply::{self, Answer};
use crate::rewrite::rewritten;
use crate::snapshot::{Route, Serve};
use crate::story::Story;
use crate::stream::GatheringStream;
use crate::tunnel;
use crate::upstream::{self, Upstream};

/// How a request was answered.
enum Served {
    Answered,
    /// The connection belongs to the request from now on.
    Upgraded(Box<upstream::Connection>, Duration),
}

/// Serves one request. Gives the connection back where another may follow on it.
pub(crate) async fn serve(
    mut session: ServerSession,
    connection: &Connection,
) -> Option<ReusableHttpStream> {
    let asked = session.req_header().clone();
    let trusted = &connection.snapshot.server.trusted_proxies;
    let client = client::identify(trusted, connection.peer.ip(), &asked.headers);
    let trace = Trace::of(&asked.headers, client.via_trusted);
    let mut story = Story::begin(connection, &asked, client, trace);
    let served = match answer(&mut session, &asked, connection, &mut story).await {
        Ok(served) => served,
        Err(fault) => {
            let told = tell(&mut session, &asked.method, &fault, &mut story).await;
            story.failed(fault);
            if !told {
                story.sent(&session);
                break_off(session).await;
                return None;
            }
            Served::Answered
        }
    };
    story.sent(&session);
    match served {
        Served::Upgraded(upstream, idle) => {
            run_tunnel(session, *upstream, idle, connection, &mut story).await;
            None
        }
        Served::Answered => {
            // What is left concerns the connection; the request's record need not wait for it.
            drop(story);
            connection::finish(session).await
        }
    }
}

/// The steps.
async fn answer<'c>(
    session: &mut ServerSession,
    asked: &RequestHeader,
    connection: &'c Connection,
    story: &mut Story<'c>,
) -> Result<Served, Fault> {
    check_coding(asked)?;
    let authority = authority(asked)?;
    let path = normal_path(asked)?;
    let route = find_route(connection, authority, &path, story)?;
    let allowances = admit(connection, route, story.client(), &path)?;
    match &route.action {
        Serve::Respond(respond) => {
            let fixed = Answer::fixed(respond);
            send(session, asked, fixed, route, &allowances, story).await
        }
        Serve::Redirect(redirect) => {
            let moved = Answer::redirect(redirect, target(asked))?;
            send(session, asked, moved, route, &allowances, story).await
        }
        Serve::Proxy { upstream, rewrite, prefix } => {
            story.upstream(&upstream.config.name);
            let target = rewritten(rewrite, *prefix, &path, asked);
            let call = Call { connection, route, upstream, authority, target: &target };
            call.pass(session, asked, &allowances, story).await
        }
    }
}

fn find_route<'c>(
    connection: &'c Connection,
    authority: &str,
    path: &Path<'_>,
    story: &mut Story<'c>,
) -> Result<&'c Route, Fault> {
    let snapshot = &connection.snapshot;
    let (shown, unknown) = (connection.tls.map(|tls| tls.site), snapshot.server.unknown_host);
    let site = site_asked_for(authority, |host| snapshot.site_of(host), shown, unknown)?;
    let site = snapshot.sites.get(site).ok_or_else(|| unknown_host(unknown))?;
    story.site(site);
    let route = site.route_of(&path.normal).ok_or(Fault::NoRoute)?;
    story.route(route);
    Ok(route)
}

/// Every policy that can say no before anything is read or sent.
fn admit(
    connection: &Connection,
    route: &Route,
    client: Client,
    path: &Path<'_>,
) -> Result<Vec<Allowance>, Fault> {
    access::check(&route.policy.access, client.ip)?;
    deny_paths::check(&route.policy.deny_paths, &path.normal)?;
    let mut allowances = Vec::with_capacity(route.limiters.len());
    for limiter in &route.limiters {
        match limiter.check(ClientKey::of(client.ip)) {
            Ok(allowance) => allowances.push(allowance),
            Err(over) => {
                let metrics = &connection.worker.shared.metrics;
                metrics.limited.with_label_values(&[&over.limit]).inc();
                return Err(Refused::Rate(over).into());
            }
        }
    }
    Ok(allowances)
}

async fn send(
    session: &mut ServerSession,
    asked: &RequestHeader,
    answer: Answer,
    route: &Route,
    allowances: &[Allowance],
    story: &mut Story<'_>,
) -> Result<Served, Fault> {
    let answer = answer.with(reply::rate_limit_headers(allowances));
    story.status(answer.status());
    let rules = Some(&route.policy.headers);
    let sent = reply::send(session, &asked.method, answer, rules, story.trace()).await;
    sent.map_err(Fault::ClientGone)?;
    Ok(Served::Answered)
}

/// A request that goes to an upstream.
struct Call<'c> {
    connection: &'c Connection,
    route: &'c Route,
    upstream: &'c Upstream,
    authority: &'c str,
    target: &'c str,
}

impl Call<'_> {
    async fn pass(
        &self,
        session: &mut ServerSession,
        asked: &RequestHeader,
        allowances: &[Allowance],
        story: &mut Story<'_>,
    ) -> Result<Served, Fault> {
        let announced = announced_length(asked);
        let gauge = BodyGauge::start(self.route.policy.body, announced, Instant::now())?;
        let upgrade = websocket(asked).filter(|_| session.is_body_empty());
        let body = match announced {
            _ if session.is_body_empty() => Framing::Empty,
            Some(length) => Framing::Length(length),
            None => Framing::Chunked,
        };
        let trace = story.trace().clone();
        let head = for_upstream(
            asked,
            &Forwarding {
                client: story.client(),
                peer: self.connection.peer.ip(),
                authority: self.authority,
                trace: &trace,
                target: self.target,
                body,
                upgrade,
            },
        )?;
        let idle = self.route.policy.idle;
        let exchange = Exchange {
            upstream: self.upstream,
            pool: &self.connection.worker.pool,
            head,
            client_speaks: asked.version,
            gauge,
            idle,
            rules: &self.route.policy.headers,
            trace: &trace,
            stop: &self.connection.worker.shared.stop,
            extra: reply::rate_limit_headers(allowances).collect(),
        };
        match exchange.run(session, story.account()).await? {
            Passed::Answered => Ok(Served::Answered),
            Passed::Upgraded(upstream) => {
                Ok(Served::Upgraded(upstream, idle.unwrap_or(STREAM_IDLE)))
            }
        }
    }
}

async fn run_tunnel(
    mut session: ServerSession,
    mut upstream: upstream::Connection,
    idle: Duration,
    connection: &Connection,
    story: &mut Story<'_>,
) {
    let begun_by_client = tunnel::already_read(session.read_request_body()).await;
    let begun_by_upstream = tunnel::already_read(upstream.session.read_body_bytes()).await;
    let ServerSession::H1(session) = session else { return };
    let client = GatheringStream::reclaim(session.into_inner());
    let upstream = GatheringStream::reclaim(upstream.session.into_inner());
    if let (Some(client), Some(upstream)) = (client, upstream) {
        let client = tunnel::Side { stream: client, begun: begun_by_client };
        let upstream = tunnel::Side { stream: upstream, begun: begun_by_upstream };
        let stop = &connection.worker.shared.stop;
        story.tunnelled(tunnel::run(client, upstream, idle, stop).await);
    }
}

/// Tells the client about a fault, if anything can still be told. Whether it was.
async fn tell(
    session: &mut ServerSession,
    method: &Method,
    fault: &Fault,
    story: &mut Story<'_>,
) -> bool {
    let begun = session.response_written().is_some_and(|head| !head.status.is_informational());
    let Some(status) = fault.status().filter(|_| !begun) else { return false };
    story.status(status);
    if fault.loses_framing() {
        session.set_keepalive(None);
    }
    let answer = Answer::to_fault(fault, status, story.trace());
    let rules = story.rules();
    reply::send(session, method, answer, rules, story.trace()).await.is_ok()
}

/// Ends a request in a way that no client can take for the end of an answer: HTTP/1.1 loses the
/// connection without TLS's close_notify, HTTP/2 resets the stream.
pub(crate) async fn break_off(mut session: ServerSession) {
    if session.is_http2() {
        session.shutdown().await;
    }
}

/// Answers a head that could not be read, where there is something to say, and closes.
pub(crate) async fn refuse_head(mut session: ServerSession, connection: &Connection, fault: Fault) {
    let mut story = Story::without_head(connection);
    session.set_keepalive(None);
    let told = tell(&mut session, &Method::GET, &fault, &mut story).await;
    story.failed(fault);
    story.sent(&session);
    drop(story);
    if told {
        connection::finish(session).await;
    }
}
