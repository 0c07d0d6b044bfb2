//! What happened to one request, gathered while it happens and written down once: into the access
//! log and the metrics, when the story ends. A request that is cut off by the end of the process
//! ends its story too.

use std::borrow::Cow;
use std::time::SystemTime;

use http::{StatusCode, Version};
use tokio::time::Instant;

use crate::access_log::Record;
use crate::client::Client;
use crate::connection::Connection;
use crate::downstream::Downstream;
use crate::exchange::Account;
use crate::fault::Fault;
use crate::head::{Known, RequestHead};
use crate::headers::response::Dress;
use crate::headers::trace::Trace;
use crate::reply::{self, ErrorStyle};
use crate::snapshot::{Route, Site};
use crate::tunnel::Traffic;
use crate::upstream::Upstream;

/// What nginx's users know the two endings without a status by: the client was gone; the connection
/// was closed without an answer.
const CLIENT_GONE: u16 = 499;
const CLOSED: u16 = 444;

/// One request's story.
pub(crate) struct Story<'c> {
    connection: &'c Connection,
    /// None for bytes that were no request.
    asked: Option<&'c RequestHead>,
    began: Instant,
    at: SystemTime,
    client: Client,
    trace: Trace,
    site: Option<&'c Site>,
    route: Option<&'c Route>,
    upstream: Option<&'c Upstream>,
    account: Account,
    status: u16,
    bytes_in: u64,
    bytes_out: u64,
    over_limit: Option<&'c str>,
    fault: Option<Fault>,
}

impl<'c> Story<'c> {
    /// The story of a request whose head has been read, or could not be.
    pub(crate) fn begin(
        connection: &'c Connection,
        asked: Option<&'c RequestHead>,
        client: Client,
        trace: Trace,
    ) -> Self {
        connection.worker.shared.metrics.requests_in_flight.inc();
        Self {
            connection,
            asked,
            began: Instant::now(),
            at: SystemTime::now(),
            client,
            trace,
            site: None,
            route: None,
            upstream: None,
            account: Account::default(),
            status: CLIENT_GONE,
            bytes_in: 0,
            bytes_out: 0,
            over_limit: None,
            fault: None,
        }
    }

    pub(crate) fn client(&self) -> Client {
        self.client
    }

    pub(crate) fn trace(&self) -> &Trace {
        &self.trace
    }

    /// What the route does to its answers, or the site where no route takes the request: to those that
    /// the gateway makes too.
    pub(crate) fn dress(&self) -> Option<Dress<'c>> {
        let of_route = self.route.map(|route| &route.rules);
        let rules = of_route.or_else(|| self.site.map(|site| &site.rules));
        Some(rules?.to(self.asked?))
    }

    /// How the route, or the site, tells about errors.
    pub(crate) fn error_style(&self) -> &'c ErrorStyle {
        let of_route = self.route.map(|route| &route.errors);
        of_route.or_else(|| self.site.map(|site| &site.errors)).unwrap_or(&reply::PLAIN)
    }

    pub(crate) fn site(&mut self, site: &'c Site) {
        self.site = Some(site);
    }

    pub(crate) fn route(&mut self, route: &'c Route) {
        self.route = Some(route);
    }

    pub(crate) fn upstream(&mut self, upstream: &'c Upstream) {
        self.upstream = Some(upstream);
    }

    pub(crate) fn trace_and_account(&mut self) -> (&Trace, &mut Account) {
        (&self.trace, &mut self.account)
    }

    pub(crate) fn status(&mut self, status: StatusCode) {
        self.status = status.as_u16();
    }

    /// The request is over a limit; it is refused, or served all the same.
    pub(crate) fn over_limit(&mut self, limit: &'c str, served: bool) {
        let outcome = if served { "served" } else { "refused" };
        let metrics = &self.connection.worker.shared.metrics;
        metrics.limited.with_label_values(&[limit, outcome]).inc();
        if !served {
            self.over_limit = Some(limit);
        }
        self.over_limit.get_or_insert(limit);
    }

    pub(crate) fn failed(&mut self, fault: Fault) {
        if matches!(fault, Fault::UnknownHost(None)) {
            self.status = CLOSED;
        }
        self.connection.worker.shared.metrics.fault(&fault);
        self.fault = Some(fault);
    }

    /// Takes over what was counted on the client's side.
    pub(crate) fn passed(&mut self, request: &impl Downstream) {
        if let Some(status) = self.account.status {
            self.status = status.as_u16();
        }
        self.bytes_in = request.received();
        self.bytes_out = request.sent();
    }

    /// Takes over what went through a tunnel.
    pub(crate) fn tunnelled(&mut self, traffic: Traffic) {
        self.status = StatusCode::SWITCHING_PROTOCOLS.as_u16();
        self.bytes_in = traffic.from_client;
        self.bytes_out = traffic.to_client;
    }

    fn count(&self, took: std::time::Duration) {
        let metrics = &self.connection.worker.shared.metrics;
        metrics.requests_in_flight.dec();
        let Some(site) = self.site else { return };
        site.metrics(metrics).count(took, self.bytes_in, self.bytes_out);
        if let (Some(route), Some(asked)) = (self.route, self.asked) {
            let names = (site.name.as_str(), route.name.as_str());
            route.metrics.count(metrics, names, &asked.method, self.status);
        }
    }

    fn write(&self, took: std::time::Duration) {
        let tls = self.connection.tls;
        let error = self.fault.as_ref().map(Fault::chain);
        self.connection.worker.shared.access_log.write(&Record {
            at: self.at,
            client: &self.client_text(),
            site: self.site.map_or("", |site| site.name.as_str()),
            route: self.route.map_or("", |route| route.name.as_str()),
            method: self.asked.map_or("", |asked| asked.method.as_str()),
            host: &self.host(),
            path: self.asked.map_or("", RequestHead::path),
            proto: self.proto(),
            status: self.status,
            bytes_in: self.bytes_in,
            bytes_out: self.bytes_out,
            duration: took,
            upstream: self.upstream.map(|upstream| upstream.config.name.as_str()),
            upstream_duration: self.account.first_byte,
            upstream_status: self.account.upstream_status,
            tls: tls.map(|tls| tls.version),
            kx: tls.and_then(|tls| tls.group),
            resumed: tls.map(|tls| tls.resumed),
            request_id: self.trace.request_id.as_str(),
            trace_id: self.trace.trace_id.as_str(),
            over_limit: self.over_limit,
            error: error.as_deref(),
            // Other sites' queries hold tokens as ours do.
            referer: self.field(Known::Referer).split('?').next().unwrap_or_default(),
            user_agent: &self.field(Known::UserAgent),
        });
    }

    fn client_text(&self) -> Cow<'_, str> {
        if self.client.via_trusted {
            self.client.ip.to_string().into()
        } else {
            self.connection.peer_text.as_str().into()
        }
    }

    /// Without the user's name and password that some write before a host.
    fn host(&self) -> Cow<'_, str> {
        let bare = |host: &str| host.rsplit('@').next().unwrap_or_default().to_owned();
        let host = match self.asked.and_then(RequestHead::authority) {
            Some(authority) => authority.into(),
            None => self.field(Known::Host),
        };
        if host.contains('@') { bare(&host).into() } else { host }
    }

    fn field(&self, known: Known) -> Cow<'_, str> {
        let value = self.asked.and_then(|asked| asked.fields.get(known));
        String::from_utf8_lossy(value.unwrap_or_default())
    }

    fn proto(&self) -> &'static str {
        match self.asked.map(|asked| asked.version) {
            Some(Version::HTTP_2) => "HTTP/2",
            Some(Version::HTTP_10) => "HTTP/1.0",
            _ => "HTTP/1.1",
        }
    }
}

impl Drop for Story<'_> {
    fn drop(&mut self) {
        let took = self.began.elapsed();
        self.count(took);
        if self.route.is_none_or(|route| route.policy.log) {
            self.write(took);
        }
    }
}
