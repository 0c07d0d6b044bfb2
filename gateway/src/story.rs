//! What happened to one request, gathered while it happens and written down once: into the access
//! log and the metrics, when the story ends. A request that is cut off by the end of the process
//! ends its story too.

use std::time::SystemTime;

use gateway_config::model::ResponseHeaders;
use http::header::{HOST, REFERER, USER_AGENT};
use http::{Method, StatusCode, Version};
use pingora_core::protocols::http::ServerSession;
use pingora_http::RequestHeader;
use tokio::time::Instant;

use crate::access_log::{Record, timestamp};
use crate::client::Client;
use crate::connection::Connection;
use crate::exchange::Account;
use crate::fault::Fault;
use crate::headers::trace::Trace;
use crate::snapshot::{Route, Site};
use crate::tunnel::Traffic;

/// What nginx's users know the two endings without a status by: the client was gone; the connection
/// was closed without an answer.
const CLIENT_GONE: u16 = 499;
const CLOSED: u16 = 444;

/// One request's story.
pub(crate) struct Story<'c> {
    connection: &'c Connection,
    began: Instant,
    at: SystemTime,
    client: Client,
    trace: Trace,
    asked: Asked,
    site: Option<&'c Site>,
    route: Option<&'c Route>,
    upstream: Option<String>,
    account: Account,
    status: u16,
    bytes_in: u64,
    bytes_out: u64,
    fault: Option<Fault>,
}

/// What was asked for, as far as logs tell it: no query, no cookie, no authorisation.
#[derive(Default)]
struct Asked {
    method: Option<Method>,
    host: String,
    path: String,
    proto: &'static str,
    referer: String,
    user_agent: String,
}

impl Asked {
    fn of(asked: &RequestHeader) -> Self {
        let text = |name| {
            let value = asked.headers.get(name).map(|value| value.as_bytes());
            String::from_utf8_lossy(value.unwrap_or_default()).into_owned()
        };
        Self {
            method: Some(asked.method.clone()),
            host: asked.uri.authority().map_or_else(|| text(HOST), ToString::to_string),
            path: asked.uri.path().to_owned(),
            proto: match asked.version {
                Version::HTTP_2 => "HTTP/2",
                Version::HTTP_10 => "HTTP/1.0",
                _ => "HTTP/1.1",
            },
            // Other sites' queries hold tokens as ours do.
            referer: text(REFERER).split('?').next().unwrap_or_default().to_owned(),
            user_agent: text(USER_AGENT),
        }
    }
}

impl<'c> Story<'c> {
    /// The story of a request whose head has been read.
    pub(crate) fn begin(
        connection: &'c Connection,
        asked: &RequestHeader,
        client: Client,
        trace: Trace,
    ) -> Self {
        Self::of(connection, Asked::of(asked), client, trace)
    }

    /// The story of bytes that were no request.
    pub(crate) fn without_head(connection: &'c Connection) -> Self {
        let client = Client { ip: connection.peer.ip().to_canonical(), via_trusted: false };
        let trace = Trace::of(&http::HeaderMap::new(), false);
        Self::of(connection, Asked { proto: "HTTP/1.1", ..Asked::default() }, client, trace)
    }

    fn of(connection: &'c Connection, asked: Asked, client: Client, trace: Trace) -> Self {
        connection.worker.shared.metrics.requests_in_flight.inc();
        Self {
            connection,
            began: Instant::now(),
            at: SystemTime::now(),
            client,
            trace,
            asked,
            site: None,
            route: None,
            upstream: None,
            account: Account::default(),
            status: CLIENT_GONE,
            bytes_in: 0,
            bytes_out: 0,
            fault: None,
        }
    }

    pub(crate) fn client(&self) -> Client {
        self.client
    }

    pub(crate) fn trace(&self) -> &Trace {
        &self.trace
    }

    /// The headers of the route, once it is known: what the gateway answers itself wears them too.
    pub(crate) fn rules(&self) -> Option<&'c ResponseHeaders> {
        self.route.map(|route| &route.policy.headers)
    }

    pub(crate) fn site(&mut self, site: &'c Site) {
        self.site = Some(site);
    }

    pub(crate) fn route(&mut self, route: &'c Route) {
        self.route = Some(route);
    }

    pub(crate) fn upstream(&mut self, name: &str) {
        self.upstream = Some(name.to_owned());
    }

    pub(crate) fn account(&mut self) -> &mut Account {
        &mut self.account
    }

    pub(crate) fn status(&mut self, status: StatusCode) {
        self.status = status.as_u16();
    }

    pub(crate) fn failed(&mut self, fault: Fault) {
        if matches!(fault, Fault::UnknownHost(None)) {
            self.status = CLOSED;
        }
        self.connection.worker.shared.metrics.fault(&fault);
        self.fault = Some(fault);
    }

    /// Takes over what the session counted.
    pub(crate) fn sent(&mut self, session: &ServerSession) {
        if let Some(head) = session.response_written() {
            self.status = head.status.as_u16();
        }
        self.bytes_in = session.body_bytes_read() as u64;
        self.bytes_out = session.body_bytes_sent() as u64;
    }

    /// Takes over what went through a tunnel.
    pub(crate) fn tunnelled(&mut self, traffic: Traffic) {
        self.bytes_in = traffic.from_client;
        self.bytes_out = traffic.to_client;
    }

    fn count(&self) {
        let metrics = &self.connection.worker.shared.metrics;
        metrics.requests_in_flight.dec();
        let Some(site) = self.site else { return };
        site.metrics(metrics).count(self.began.elapsed(), self.bytes_in, self.bytes_out);
        if let (Some(route), Some(method)) = (self.route, &self.asked.method) {
            let names = (site.name.as_str(), route.name.as_str());
            route.metrics.count(metrics, names, method, self.status);
        }
    }

    fn write(&self) {
        let tls = self.connection.tls;
        let error = self.fault.as_ref().map(Fault::chain);
        self.connection.worker.shared.access_log.write(&Record {
            time: timestamp(self.at),
            client: self.client.ip,
            site: self.site.map_or("", |site| site.name.as_str()),
            route: self.route.map_or("", |route| route.name.as_str()),
            method: self.asked.method.as_ref().map_or("", Method::as_str),
            host: &self.asked.host,
            path: &self.asked.path,
            proto: self.asked.proto,
            status: self.status,
            bytes_in: self.bytes_in,
            bytes_out: self.bytes_out,
            duration_ms: millis(self.began.elapsed()),
            upstream: self.upstream.as_deref(),
            upstream_ms: self.account.first_byte.map(millis),
            upstream_status: self.account.upstream_status,
            tls: tls.map(|tls| tls.version),
            kx: tls.and_then(|tls| tls.group),
            resumed: tls.map(|tls| tls.resumed),
            request_id: &self.trace.request_id,
            trace_id: &self.trace.trace_id,
            error: error.as_deref(),
            referer: &self.asked.referer,
            user_agent: &self.asked.user_agent,
            at: self.at,
        });
    }
}

impl Drop for Story<'_> {
    fn drop(&mut self) {
        self.count();
        if self.route.is_none_or(|route| route.policy.log) {
            self.write();
        }
    }
}

/// Milliseconds with microseconds as their fraction.
fn millis(duration: std::time::Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}
