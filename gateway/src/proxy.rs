//! One request of a public listener, from its head to its record in the access log. Read it from the
//! top: each step stands in a file of its own, in the order in which it is taken.

use std::time::Duration;

use http::Method;
use smallvec::SmallVec;
use tokio::time::Instant;

use crate::asked::{authority, normal_path, site_asked_for, unknown_host, websocket};
use crate::client::{self, Client};
use crate::connection::Connection;
use crate::downstream::{Downstream, Framing};
use crate::exchange::{Exchange, Passed, STREAM_IDLE};
use crate::fault::Fault;
use crate::head::RequestHead;
use crate::headers::request::Forwarding;
use crate::headers::trace::Trace;
use crate::path::Path;
use crate::policy::body::BodyGauge;
use crate::policy::limit::{Allowance, ClientKey};
use crate::policy::{Refused, access, deny_paths};
use crate::reply::{self, Answer};
use crate::rewrite::rewritten;
use crate::snapshot::{Route, Serve};
use crate::story::Story;
use crate::tunnel;
use crate::upstream::{self, Upstream};

/// The limits that a request was counted against. Few routes have more than two.
type Allowances<'c> = SmallVec<[Allowance<'c>; 2]>;

/// How a request was answered.
enum Served {
    Answered,
    /// The connection belongs to the request from now on.
    Upgraded(upstream::Connection, Duration),
}

/// Serves one request. Gives it back when its answer is whole; where it must be broken off, or has
/// become a tunnel, it is gone. `flaw`: why it cannot be served, where that is known already.
pub(crate) async fn serve<D: Downstream>(
    mut request: D,
    asked: &RequestHead,
    flaw: Option<Fault>,
    connection: &Connection,
) -> Option<D> {
    let trusted = &connection.snapshot.server.trusted_proxies;
    let client = client::identify(trusted, connection.peer.ip(), &asked.fields);
    let trace = Trace::of(&asked.fields, client.via_trusted);
    let mut story = Story::begin(connection, Some(asked), client, trace);
    let served = match flaw {
        Some(flaw) => Err(flaw),
        None => answer(&mut request, asked, connection, &mut story).await,
    };
    match served {
        Ok(Served::Answered) => {}
        Ok(Served::Upgraded(upstream, idle)) => {
            Box::pin(run_tunnel(request, upstream, idle, connection, &mut story)).await;
            return None;
        }
        Err(fault) => {
            let told = Box::pin(tell(&mut request, &asked.method, &fault, &mut story)).await;
            story.failed(fault);
            if !told {
                story.passed(&request);
                return None;
            }
        }
    }
    story.passed(&request);
    // What is left concerns the connection; the request's record need not wait for it.
    drop(story);
    Some(request)
}

/// The steps.
async fn answer<'c>(
    request: &mut impl Downstream,
    asked: &RequestHead,
    connection: &'c Connection,
    story: &mut Story<'c>,
) -> Result<Served, Fault> {
    let authority = authority(asked)?;
    let path = normal_path(asked)?;
    let route = find_route(connection, authority, &path, story)?;
    let allowances = admit(connection, route, story.client(), &path)?;
    match &route.action {
        Serve::Respond(fixed) => {
            let fixed = fixed.clone().limited(&allowances);
            send(request, asked, fixed, route, story).await
        }
        Serve::Redirect(redirect) => {
            let moved = Answer::redirect(redirect, asked.target())?.limited(&allowances);
            send(request, asked, moved, route, story).await
        }
        Serve::Proxy { upstream, rewrite, prefix } => {
            story.upstream(upstream);
            let target = rewritten(rewrite, *prefix, &path, asked);
            let call = Call { connection, route, upstream, authority, target: &target };
            call.pass(request, asked, &allowances, story).await
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
    let site = site_asked_for(snapshot.site_asked_for(authority), shown, unknown)?;
    let site = snapshot.sites.get(site).ok_or_else(|| unknown_host(unknown))?;
    story.site(site);
    let route = site.route_of(&path.normal).ok_or(Fault::NoRoute)?;
    story.route(route);
    Ok(route)
}

/// Every policy that can say no before anything is read or sent.
fn admit<'c>(
    connection: &Connection,
    route: &'c Route,
    client: Client,
    path: &Path<'_>,
) -> Result<Allowances<'c>, Fault> {
    access::check(&route.policy.access, client.ip)?;
    deny_paths::check(&route.policy.deny_paths, &path.normal)?;
    let mut allowances = Allowances::new();
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
    request: &mut impl Downstream,
    asked: &RequestHead,
    answer: Answer,
    route: &Route,
    story: &mut Story<'_>,
) -> Result<Served, Fault> {
    story.status(answer.status());
    reply::send(request, &asked.method, answer, Some(&route.rules), story.trace()).await?;
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
        request: &mut impl Downstream,
        asked: &RequestHead,
        allowances: &[Allowance<'_>],
        story: &mut Story<'_>,
    ) -> Result<Served, Fault> {
        let framing = request.framing();
        let announced = match framing {
            Framing::Length(length) => Some(length),
            Framing::Empty | Framing::Open => None,
        };
        let gauge = BodyGauge::start(self.route.policy.body, announced, Instant::now())?;
        let idle = self.route.policy.idle;
        let (client, peer) = (story.client(), self.connection.peer_text.as_str());
        let (trace, account) = story.trace_and_account();
        let mut exchange = Exchange {
            upstream: self.upstream,
            pool: &self.connection.worker.pool,
            asked,
            forwarding: Forwarding {
                client,
                peer,
                authority: self.authority,
                trace,
                target: self.target,
                body: framing,
                upgrade: websocket(asked).filter(|_| framing == Framing::Empty),
            },
            gauge,
            idle,
            rules: &self.route.rules,
            stop: &self.connection.worker.shared.stop,
            allowances,
            kept_body: None,
        };
        match exchange.run(request, account).await? {
            Passed::Answered => Ok(Served::Answered),
            Passed::Upgraded(upstream) => {
                Ok(Served::Upgraded(upstream, idle.unwrap_or(STREAM_IDLE)))
            }
        }
    }
}

async fn run_tunnel(
    request: impl Downstream,
    upstream: upstream::Connection,
    idle: Duration,
    connection: &Connection,
    story: &mut Story<'_>,
) {
    let Some(client) = request.into_tunnel() else { return };
    let Some((stream, begun)) = upstream.session.into_parts() else { return };
    let upstream = tunnel::Side { stream, begun };
    let stop = &connection.worker.shared.stop;
    story.tunnelled(tunnel::run(client, upstream, idle, stop).await);
}

/// Tells the client about a fault, if anything can still be told. Whether it was.
async fn tell(
    request: &mut impl Downstream,
    method: &Method,
    fault: &Fault,
    story: &mut Story<'_>,
) -> bool {
    let Some(status) = fault.status().filter(|_| !request.has_begun()) else { return false };
    story.status(status);
    if fault.loses_framing() {
        request.close_after();
    }
    let answer = Answer::to_fault(fault, status, story.trace());
    reply::send(request, method, answer, story.rules(), story.trace()).await.is_ok()
}

/// Answers a head that could not be read, where there is something to say. Gives the request back if
/// it was told.
pub(crate) async fn refuse_head<D: Downstream>(
    mut request: D,
    connection: &Connection,
    fault: Fault,
) -> Option<D> {
    let client = Client { ip: connection.peer.ip().to_canonical(), via_trusted: false };
    let mut story = Story::begin(connection, None, client, Trace::begin());
    request.close_after();
    let told = tell(&mut request, &Method::GET, &fault, &mut story).await;
    story.failed(fault);
    story.passed(&request);
    told.then_some(request)
}
