//! One request of a public listener, from its head to its record in the access log. Read it from the
//! top: each step stands in a file of its own, in the order in which it is taken.

use std::time::Duration;

use http::{Method, StatusCode};
use smallvec::SmallVec;
use tokio::time::Instant;

use crate::asked::{authority, normal_path, site_asked_for, unknown_host, websocket};
use crate::client::{self, Client};
use crate::connection::Connection;
use crate::downstream::{Downstream, Framing};
use crate::exchange::{Exchange, Passed, STREAM_IDLE};
use crate::fault::Fault;
use crate::files::{self, Folder, Terms};
use crate::guard::{Asking, Decision, Guard};
use crate::head::Fields;
use crate::head::RequestHead;
use crate::headers::request::Forwarding;
use crate::headers::trace::Trace;
use crate::path::Path;
use crate::policy::bandwidth::Pace;
use crate::policy::body::BodyGauge;
use crate::policy::limit::{Allowance, Place, Within};
use crate::policy::{access, deny_paths, maintenance};
use crate::reply::{self, Answer};
use crate::rewrite::rewritten;
use crate::snapshot::{Route, Serve};
use crate::story::Story;
use crate::tunnel;
use crate::upstream::{self, Upstream};

/// The limits that a request was counted against. Few routes have more than two.
type Allowances<'c> = SmallVec<[Allowance<'c>; 2]>;

/// Its places among those that are being served, which it has until it ends.
type Places<'c> = SmallVec<[Place<'c>; 1]>;

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
    let mut places = Places::new();
    let served = match flaw {
        Some(flaw) => Err(flaw),
        // In a box, which a tunnel does not hold.
        None => Box::pin(answer(&mut request, asked, connection, &mut story, &mut places)).await,
    };
    match served {
        Ok(Served::Answered) => {}
        Ok(Served::Upgraded(upstream, idle)) => {
            places.retain(|place| place.outlives_opening);
            Box::pin(run_tunnel(request, upstream, idle, connection, &mut story)).await;
            return None;
        }
        Err(fault) => {
            let told = Box::pin(tell(&mut request, Some(asked), &fault, &mut story)).await;
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
    places: &mut Places<'c>,
) -> Result<Served, Fault> {
    let authority = authority(asked)?;
    let path = normal_path(asked)?;
    let route = find_route(connection, authority, &path, story)?;
    admit(route, story.client(), &path)?;
    let allowances = count(route, asked, &path, story, places)?;
    if route.rules.is_preflight(asked)? {
        let allowed = Answer::empty(StatusCode::NO_CONTENT).limited(&allowances);
        return send(request, asked, allowed, route, story).await;
    }
    let admitted = Admitted {
        connection,
        route,
        authority,
        path: &path,
        allowances: &allowances,
        added: None,
    };
    match &route.guard {
        None => act(&admitted, request, asked, story).await,
        // In a box: most requests need no room for it.
        Some(guard) => Box::pin(ask(guard, &admitted, request, asked, story)).await,
    }
}

/// A request that the policies have let in so far.
struct Admitted<'p, 'c> {
    connection: &'c Connection,
    route: &'c Route,
    authority: &'p str,
    path: &'p Path<'p>,
    allowances: &'p [Allowance<'c>],
    /// What the upstream is told besides.
    added: Option<&'p Fields>,
}

/// The policies that may wait, and read the body; then what the route does.
async fn ask<'c>(
    guard: &Guard,
    admitted: &Admitted<'_, 'c>,
    request: &mut impl Downstream,
    asked: &RequestHead,
    story: &mut Story<'c>,
) -> Result<Served, Fault> {
    let Admitted { connection, authority, .. } = *admitted;
    let (client, trace) = (story.client(), story.trace());
    let asking = Asking { asked, connection, client, authority, trace };
    let mut pass = match guard.ask(request, &asking).await? {
        Decision::Enter(pass) => pass,
        Decision::Answer(answer) => {
            let answer = answer.limited(admitted.allowances);
            return send(request, asked, answer, admitted.route, story).await;
        }
    };
    let mut entered = pass.through(request);
    let admitted = Admitted { added: Some(&pass.added), ..*admitted };
    let served = act(&admitted, &mut entered, &pass.head, story).await?;
    let status = entered.status();
    pass.answered(status);
    Ok(served)
}

/// What the route does.
async fn act<'c>(
    admitted: &Admitted<'_, 'c>,
    request: &mut impl Downstream,
    asked: &RequestHead,
    story: &mut Story<'c>,
) -> Result<Served, Fault> {
    let Admitted { connection, route, authority, path, allowances, added } = *admitted;
    match &route.action {
        Serve::Respond(fixed) => {
            let fixed = fixed.clone().limited(allowances);
            send(request, asked, fixed, route, story).await
        }
        Serve::Redirect(redirect) => {
            let moved = Answer::redirect(redirect, asked.target())?.limited(allowances);
            send(request, asked, moved, route, story).await
        }
        Serve::Files(folder) => {
            let visit = Visit { folder, route, path, allowances };
            Box::pin(visit.answer(request, asked, story)).await
        }
        Serve::Proxy { upstream, rewrite, prefix } => {
            story.upstream(upstream);
            let target = rewritten(rewrite, *prefix, path, asked);
            let call = Call { connection, route, upstream, authority, target: &target, added };
            call.pass(request, asked, allowances, story).await
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

/// Every policy that can say no before anything is counted, read or sent.
fn admit(route: &Route, client: Client, path: &Path<'_>) -> Result<(), Fault> {
    maintenance::check(route.policy.maintenance.as_ref(), client.ip)?;
    access::check(&route.policy.access, client.ip)?;
    deny_paths::check(&route.policy.deny_paths, &path.normal)?;
    Ok(())
}

/// Counts the request against the route's limits.
fn count<'c>(
    route: &'c Route,
    asked: &RequestHead,
    path: &Path<'_>,
    story: &mut Story<'c>,
    places: &mut Places<'c>,
) -> Result<Allowances<'c>, Fault> {
    let mut allowances = Allowances::new();
    for limiter in &route.limiters {
        match limiter.check(asked, story.client().ip, &path.normal) {
            Ok(Within::Silent) => {}
            Ok(Within::Rate(allowance)) => allowances.push(allowance),
            Ok(Within::Place(place)) => places.push(place),
            Err(over) => {
                story.over_limit(&limiter.name, limiter.dry_run);
                if !limiter.dry_run {
                    return Err(over.into());
                }
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
    let dress = Some(route.rules.to(asked));
    reply::send(request, &asked.method, answer, dress, story.trace()).await?;
    Ok(Served::Answered)
}

/// A request for a file of a folder.
struct Visit<'c> {
    folder: &'c Folder,
    route: &'c Route,
    path: &'c Path<'c>,
    allowances: &'c [Allowance<'c>],
}

impl Visit<'_> {
    async fn answer(
        &self,
        request: &mut impl Downstream,
        asked: &RequestHead,
        story: &mut Story<'_>,
    ) -> Result<Served, Fault> {
        let Self { folder, route, path, allowances } = self;
        let file = match folder.find(asked, path).await? {
            files::Reply::File(file) => file,
            files::Reply::Answer(answer) => {
                return send(request, asked, answer.limited(allowances), route, story).await;
            }
        };
        story.status(file.status());
        let (idle, bandwidth) = (route.policy.idle, route.policy.bandwidth);
        let (dress, terms) = (route.rules.to(asked), Terms { allowances, idle, bandwidth });
        file.send(request, &asked.method, dress, story.trace(), terms).await?;
        Ok(Served::Answered)
    }
}

/// A request that goes to an upstream.
struct Call<'c> {
    connection: &'c Connection,
    route: &'c Route,
    upstream: &'c Upstream,
    authority: &'c str,
    target: &'c str,
    added: Option<&'c Fields>,
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
                forwarded: self.route.policy.forwarded,
                added: self.added,
            },
            gauge,
            idle,
            pace: self
                .route
                .policy
                .bandwidth
                .map(|pace| Box::new(Pace::begin(pace, Instant::now()))),
            rules: &self.route.rules,
            errors: &self.route.errors,
            stop: &self.connection.worker.shared.stop,
            allowances,
            kept_body: None,
        };
        match exchange.run(request, account).await? {
            Passed::Answered => Ok(Served::Answered),
            Passed::Replaced(head) => {
                let answer = Answer::instead_of(*head, &self.route.errors, asked, story.trace());
                send(request, asked, answer.limited(allowances), self.route, story).await
            }
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
    asked: Option<&RequestHead>,
    fault: &Fault,
    story: &mut Story<'_>,
) -> bool {
    let Some(status) = fault.status().filter(|_| !request.has_begun()) else { return false };
    story.status(status);
    if fault.loses_framing() {
        request.close_after();
    }
    let method = asked.map_or(&Method::GET, |asked| &asked.method);
    let answer = Answer::to_fault(fault, status, asked, story.error_style(), story.trace());
    reply::send(request, method, answer, story.dress(), story.trace()).await.is_ok()
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
    let told = tell(&mut request, None, &fault, &mut story).await;
    story.failed(fault);
    story.passed(&request);
    told.then_some(request)
}
