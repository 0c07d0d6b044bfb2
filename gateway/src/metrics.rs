//! Metrics for Prometheus. Every label's values come from the configuration or from a fixed set in
//! this code, never from what a client sends; how much is counted cannot be driven up from outside.

mod sharded;

use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use http::Method;
use prometheus::core::Collector;
use prometheus::{
    GaugeVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
};

use sharded::Family;
pub(crate) use sharded::{Counter, Gauge, Histogram};

const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "other"];
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// Every metric of the process.
pub(crate) struct Metrics {
    /// How many count in places of their own.
    pub(crate) workers: usize,
    registry: Registry,
    requests: Family<Counter>,
    durations: Family<Histogram>,
    bytes: Family<Counter>,
    upstream_durations: Family<Histogram>,
    /// `{upstream,outcome}`; outcome is `new`, `reused`, `failed` or `retried`.
    upstream_connections: Family<Counter>,
    /// `{upstream,outcome}`; outcome is `retried` or `over_budget`.
    upstream_retries: IntCounterVec,
    /// `{upstream,result}`; the result is `passed` or `failed`.
    upstream_checks: IntCounterVec,
    /// `{upstream,server,state}`; the state is `in` or `out`.
    upstream_servers: IntGaugeVec,
    /// `{blame,reason}`
    faults: IntCounterVec,
    /// `{limit,outcome}`; outcome is `refused` or `served`.
    pub(crate) limited: IntCounterVec,
    /// `{listener}`
    pub(crate) connections: IntCounterVec,
    /// `{listener}`
    pub(crate) connections_open: IntGaugeVec,
    /// `{reason}`
    pub(crate) connections_refused: IntCounterVec,
    /// `{version,group,resumed}`
    pub(crate) handshakes: IntCounterVec,
    /// `{reason}`
    pub(crate) handshake_failures: IntCounterVec,
    /// `{site}`
    pub(crate) certificate_not_after: GaugeVec,
    /// `{site}`
    acme_next_attempt: GaugeVec,
    /// `{site,result}`; the result is `issued`, or whose fault it was.
    acme_attempts: IntCounterVec,
    in_flight: Family<Gauge>,
    pub(crate) requests_in_flight: Arc<Gauge>,
    pub(crate) log_dropped: IntCounter,
    /// `{outcome}`: `reloaded` or `refused`.
    reloads: IntCounterVec,
    last_good_config: prometheus::Gauge,
    ready: IntGauge,
}

fn counters(name: &str, help: &str, labels: &[&str]) -> prometheus::Result<IntCounterVec> {
    IntCounterVec::new(Opts::new(name, help), labels)
}

impl Metrics {
    /// Makes and registers every metric. What each request counts, each of `workers` has a place of
    /// its own for.
    ///
    /// # Errors
    /// prometheus', for a name that is malformed or taken: a mistake in this file.
    pub(crate) fn new(workers: usize) -> prometheus::Result<Arc<Self>> {
        let registry = Registry::new();
        registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
        let build = IntGaugeVec::new(
            Opts::new("gateway_build_info", "The version that is running; always 1."),
            &["version"],
        )?;
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        register(&registry, &build)?;
        let in_flight =
            Family::new("gateway_requests_in_flight", "Requests being served now.", &[], workers)?;
        let metrics = Self {
            requests: Family::new(
                "gateway_requests_total",
                "Requests answered, by site, route, method and status class.",
                &["site", "route", "method", "status"],
                workers,
            )?,
            durations: Family::new(
                "gateway_request_duration_seconds",
                "From a request's head to the last byte of its answer.",
                &["site"],
                workers,
            )?,
            bytes: Family::new(
                "gateway_body_bytes_total",
                "Bytes of bodies, received from and sent to clients.",
                &["site", "direction"],
                workers,
            )?,
            upstream_durations: Family::new(
                "gateway_upstream_first_byte_seconds",
                "From asking an upstream to its answer's head.",
                &["upstream"],
                workers,
            )?,
            upstream_connections: Family::new(
                "gateway_upstream_connections_total",
                "Connections to upstreams: new, reused, failed, or retried after a reused one had died.",
                &["upstream", "outcome"],
                workers,
            )?,
            upstream_retries: counters(
                "gateway_upstream_retries_total",
                "Requests tried once more, and those that were not because too many had been.",
                &["upstream", "outcome"],
            )?,
            upstream_checks: counters(
                "gateway_upstream_health_checks_total",
                "Health checks of upstreams' servers, by result.",
                &["upstream", "result"],
            )?,
            upstream_servers: IntGaugeVec::new(
                Opts::new(
                    "gateway_upstream_servers",
                    "Addresses of an upstream's server, by whether they are asked or left out.",
                ),
                &["upstream", "server", "state"],
            )?,
            faults: counters(
                "gateway_faults_total",
                "Requests that were not answered as meant, by whose fault it was and why.",
                &["blame", "reason"],
            )?,
            limited: counters(
                "gateway_rate_limited_total",
                "Requests over a limit, by what became of them: refused, or served in a dry run.",
                &["limit", "outcome"],
            )?,
            connections: counters(
                "gateway_connections_total",
                "Connections accepted.",
                &["listener"],
            )?,
            connections_open: IntGaugeVec::new(
                Opts::new("gateway_connections_open", "Connections open now."),
                &["listener"],
            )?,
            connections_refused: counters(
                "gateway_connections_refused_total",
                "Connections closed right after accept: a cap was reached, or nobody said whose they are.",
                &["reason"],
            )?,
            handshakes: counters(
                "gateway_tls_handshakes_total",
                "TLS handshakes completed.",
                &["version", "group", "resumed"],
            )?,
            handshake_failures: counters(
                "gateway_tls_handshake_failures_total",
                "TLS handshakes that failed.",
                &["reason"],
            )?,
            certificate_not_after: GaugeVec::new(
                Opts::new(
                    "gateway_certificate_not_after_seconds",
                    "When the certificate that a site serves ends, as Unix time; the earliest of several.",
                ),
                &["site"],
            )?,
            acme_next_attempt: GaugeVec::new(
                Opts::new(
                    "gateway_acme_next_attempt_seconds",
                    "When a site's certificate is asked for the next time, as Unix time; the earliest of several.",
                ),
                &["site"],
            )?,
            acme_attempts: counters(
                "gateway_acme_attempts_total",
                "Attempts to have a certificate issued, by site and result: issued, rehearsed, or whose fault the failure was.",
                &["site", "result"],
            )?,
            requests_in_flight: in_flight.of(&[]),
            in_flight,
            log_dropped: IntCounter::new(
                "gateway_access_log_dropped_total",
                "Access log records dropped because stdout was too slow.",
            )?,
            reloads: counters(
                "gateway_config_reloads_total",
                "Reloads of the configuration, by outcome: reloaded, or refused and the old one kept.",
                &["outcome"],
            )?,
            last_good_config: prometheus::Gauge::new(
                "gateway_config_last_good_timestamp_seconds",
                "When the configuration that is served was published, as Unix time.",
            )?,
            ready: IntGauge::new(
                "gateway_ready",
                "Whether all workers accept connections and the gateway is not stopping: 1 or 0, as /readyz says.",
            )?,
            registry,
            workers,
        };
        metrics.register_all()?;
        Ok(Arc::new(metrics))
    }

    fn register_all(&self) -> prometheus::Result<()> {
        let registry = &self.registry;
        for family in [
            &self.upstream_retries,
            &self.upstream_checks,
            &self.faults,
            &self.limited,
            &self.connections,
            &self.connections_refused,
            &self.handshakes,
            &self.handshake_failures,
            &self.acme_attempts,
            &self.reloads,
        ] {
            register(registry, family)?;
        }
        for family in [&self.requests, &self.bytes, &self.upstream_connections] {
            register(registry, family)?;
        }
        register(registry, &self.durations)?;
        register(registry, &self.upstream_durations)?;
        register(registry, &self.upstream_servers)?;
        register(registry, &self.connections_open)?;
        register(registry, &self.certificate_not_after)?;
        register(registry, &self.acme_next_attempt)?;
        register(registry, &self.in_flight)?;
        register(registry, &self.log_dropped)?;
        register(registry, &self.last_good_config)?;
        register(registry, &self.ready)
    }

    /// Counts a reload.
    pub(crate) fn count_reload(&self, outcome: &str) {
        self.reloads.with_label_values(&[outcome]).inc();
    }

    /// A configuration has been published.
    pub(crate) fn configured(&self, now: SystemTime) {
        // Both are there before the first reload, so that a rate can be taken of it.
        for outcome in ["reloaded", "refused"] {
            self.reloads.with_label_values(&[outcome]);
        }
        let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        self.last_good_config.set(since.as_secs_f64());
    }

    /// Takes back what was said of a site that is no longer served. What was counted stays.
    pub(crate) fn forget_site(&self, site: &str) {
        for gauge in [&self.certificate_not_after, &self.acme_next_attempt] {
            // An error means that there is nothing to take back.
            drop(gauge.remove_label_values(&[site]));
        }
    }

    /// Counts a request that failed.
    pub(crate) fn fault(&self, fault: &crate::fault::Fault) {
        let blame = match fault.blame() {
            crate::fault::Blame::Client => "client",
            crate::fault::Blame::Upstream => "upstream",
            crate::fault::Blame::Gateway => "gateway",
        };
        self.faults.with_label_values(&[blame, fault.reason()]).inc();
    }

    /// Everything in the text format. `is_ready`: whether the gateway is.
    ///
    /// # Errors
    /// prometheus', where a family is inconsistent: a mistake in this file.
    pub(crate) fn text(&self, is_ready: bool) -> prometheus::Result<String> {
        self.ready.set(is_ready.into());
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }
}

fn register(
    registry: &Registry,
    collector: &(impl Collector + Clone + 'static),
) -> prometheus::Result<()> {
    registry.register(Box::new(collector.clone()))
}

/// What is told about certificates by ACME.
pub(crate) struct AcmeMetrics(Arc<Metrics>);

impl AcmeMetrics {
    pub(crate) fn new(metrics: &Arc<Metrics>) -> Self {
        Self(metrics.clone())
    }

    /// Counts an attempt that has come to its end.
    pub(crate) fn count(&self, event: &gateway_acme::Event<'_>) {
        use gateway_acme::Event;
        let result = match event {
            Event::Issued { .. } => "issued",
            Event::Rehearsed { .. } => "rehearsed",
            Event::Failed { failure, .. } => failure.blame.label(),
            _ => return,
        };
        let site = event.about().map_or("", |about| about.site);
        self.0.acme_attempts.with_label_values(&[site, result]).inc();
    }

    /// When a site's certificate is asked for the next time.
    #[expect(clippy::cast_precision_loss, reason = "whole seconds are exact for millions of years")]
    pub(crate) fn set_next_attempt(&self, site: &str, unix: u64) {
        self.0.acme_next_attempt.with_label_values(&[site]).set(unix as f64);
    }

    /// When the certificate that a site serves ends.
    #[expect(clippy::cast_precision_loss, reason = "whole seconds are exact for millions of years")]
    pub(crate) fn set_not_after(&self, site: &str, unix: u64) {
        self.0.certificate_not_after.with_label_values(&[site]).set(unix as f64);
    }
}

/// A site's metrics, looked up once.
#[derive(Debug)]
pub(crate) struct SiteMetrics {
    durations: Arc<Histogram>,
    bytes_in: Arc<Counter>,
    bytes_out: Arc<Counter>,
}

impl SiteMetrics {
    pub(crate) fn new(metrics: &Metrics, site: &str) -> Self {
        Self {
            durations: metrics.durations.of(&[site]),
            bytes_in: metrics.bytes.of(&[site, "in"]),
            bytes_out: metrics.bytes.of(&[site, "out"]),
        }
    }

    /// Counts a request that ended.
    pub(crate) fn count(&self, took: Duration, bytes_in: u64, bytes_out: u64) {
        self.durations.observe(took);
        self.bytes_in.inc_by(bytes_in);
        self.bytes_out.inc_by(bytes_out);
    }
}

type ByMethodAndClass = [[OnceLock<Arc<Counter>>; CLASSES.len()]; METHODS.len()];

/// A route's metrics. Each counter is looked up the first time that it is needed, so that a hundred
/// thousand routes cost nothing until they are asked for.
#[derive(Debug)]
pub(crate) struct RouteMetrics {
    requests: OnceLock<Box<ByMethodAndClass>>,
}

impl RouteMetrics {
    pub(crate) fn new() -> Self {
        Self { requests: OnceLock::new() }
    }

    /// Counts a request that was answered with `status`.
    pub(crate) fn count(
        &self,
        metrics: &Metrics,
        (site, route): (&str, &str),
        method: &Method,
        status: u16,
    ) {
        let row =
            METHODS.iter().position(|name| *name == method.as_str()).unwrap_or(METHODS.len() - 1);
        let column = usize::from(status / 100).clamp(1, CLASSES.len()) - 1;
        self.requests.get_or_init(Box::default)[row][column]
            .get_or_init(|| {
                let labels = [site, route, METHODS[row], CLASSES[column]];
                metrics.requests.of(&labels)
            })
            .inc();
    }
}

/// An upstream's metrics, looked up once.
#[derive(Debug)]
pub(crate) struct UpstreamMetrics {
    pub(crate) first_byte: Arc<Histogram>,
    pub(crate) new: Arc<Counter>,
    pub(crate) reused: Arc<Counter>,
    pub(crate) failed: Arc<Counter>,
    pub(crate) retried: Arc<Counter>,
    again: IntCounter,
    over_budget: IntCounter,
    passed: IntCounter,
    unhealthy: IntCounter,
    name: String,
    servers: IntGaugeVec,
}

impl UpstreamMetrics {
    pub(crate) fn new(metrics: &Metrics, upstream: &str) -> Self {
        let connections = |outcome| metrics.upstream_connections.of(&[upstream, outcome]);
        Self {
            first_byte: metrics.upstream_durations.of(&[upstream]),
            new: connections("new"),
            reused: connections("reused"),
            failed: connections("failed"),
            retried: connections("retried"),
            again: metrics.upstream_retries.with_label_values(&[upstream, "retried"]),
            over_budget: metrics.upstream_retries.with_label_values(&[upstream, "over_budget"]),
            passed: metrics.upstream_checks.with_label_values(&[upstream, "passed"]),
            unhealthy: metrics.upstream_checks.with_label_values(&[upstream, "failed"]),
            name: upstream.to_owned(),
            servers: metrics.upstream_servers.clone(),
        }
    }

    /// Counts a request that is tried once more, or would be if there were not too many.
    pub(crate) fn retry(&self, allowed: bool) {
        if allowed { self.again.inc() } else { self.over_budget.inc() }
    }

    /// Counts a health check.
    pub(crate) fn checked(&self, passed: bool) {
        if passed { self.passed.inc() } else { self.unhealthy.inc() }
    }

    /// A server is none any more.
    pub(crate) fn forget_server(&self, server: &str) {
        for state in ["in", "out"] {
            // An error means that there is nothing to take back.
            drop(self.servers.remove_label_values(&[self.name.as_str(), server, state]));
        }
    }

    /// How many addresses of a server are asked, and how many are left out.
    pub(crate) fn servers(&self, server: &str, asked: i64, left_out: i64) {
        for (state, count) in [("in", asked), ("out", left_out)] {
            self.servers.with_label_values(&[self.name.as_str(), server, state]).set(count);
        }
    }
}
