//! From what the event loops count to a result.

use std::collections::BTreeMap;
use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::json::{
    Connections, Errors, Idle, Messages, Percentiles, RequestResult, RunResult, Second, VERSION,
};
use crate::engine::{Buckets, Part, RequestSlice, Slice};
use crate::scenario::{Load, Protocol, Scenario};
use crate::wire::FailureKind;

/// What is known so far.
pub(crate) struct Gathering {
    about: About,
    started: OffsetDateTime,
    /// By request, everything that counts.
    by_request: Vec<Merged>,
    seconds: BTreeMap<u32, Merged>,
    handshakes: BTreeMap<u64, u64>,
    connections: Connections,
    lost: u64,
    bytes_in: u64,
    bytes_out: u64,
    errors: [u64; FailureKind::ALL.len()],
    examples: BTreeMap<String, String>,
    statuses: BTreeMap<u16, u64>,
    all_open_after: Duration,
    cpu_from: Duration,
    cpu_to: Duration,
}

/// What the result says about the scenario.
struct About {
    name: String,
    target: String,
    protocol: Protocol,
    mode: &'static str,
    is_idle: bool,
    connections: u32,
    rate: Option<f64>,
    duration: Duration,
    requests: Vec<String>,
}

/// Requests of several event loops, or of several kinds, together.
#[derive(Debug, Clone, Default)]
struct Merged {
    good: u64,
    failed: u64,
    latency: BTreeMap<u64, u64>,
}

impl Merged {
    fn add(&mut self, slice: &RequestSlice) {
        self.good += slice.good;
        self.failed += slice.failed;
        add(&mut self.latency, &slice.latency);
    }

    fn buckets(&self) -> Buckets {
        self.latency.iter().map(|(value, count)| (*value, *count)).collect()
    }
}

fn add(to: &mut BTreeMap<u64, u64>, buckets: &Buckets) {
    for (value, count) in buckets {
        *to.entry(*value).or_default() += count;
    }
}

impl Gathering {
    pub(crate) fn new(scenario: &Scenario) -> Self {
        let about = About {
            name: scenario.name.clone(),
            target: scenario.target.to_string(),
            protocol: scenario.protocol,
            mode: scenario.load.as_str(),
            is_idle: matches!(scenario.load, Load::Idle),
            connections: scenario.connections,
            rate: match &scenario.load {
                Load::Open(schedule) => Some(schedule.mean_after(scenario.warmup)),
                Load::Closed { .. } | Load::Idle => None,
            },
            duration: scenario.duration,
            requests: scenario.requests.iter().map(|request| request.name.clone()).collect(),
        };
        Self {
            by_request: vec![Merged::default(); about.requests.len()],
            about,
            started: OffsetDateTime::now_utc().truncate_to_second(),
            seconds: BTreeMap::new(),
            handshakes: BTreeMap::new(),
            connections: Connections::default(),
            lost: 0,
            bytes_in: 0,
            bytes_out: 0,
            errors: [0; FailureKind::ALL.len()],
            examples: BTreeMap::new(),
            statuses: BTreeMap::new(),
            all_open_after: Duration::ZERO,
            cpu_from: Duration::ZERO,
            cpu_to: Duration::ZERO,
        }
    }

    pub(crate) fn all_open(&mut self, after: Duration) {
        self.all_open_after = after;
    }

    /// What is said when idle connections are open.
    pub(crate) fn announcement(&self) -> Option<String> {
        let (count, after) = (self.about.connections, self.all_open_after.as_secs_f64());
        let line = || format!("all open: {count} connections after {after:.3} s\n");
        self.about.is_idle.then(line)
    }

    pub(crate) fn add(&mut self, slice: &Slice) {
        let counts = &slice.counts;
        self.connections.opened += counts.opened;
        self.connections.handshakes_full += counts.handshakes_full;
        self.connections.handshakes_resumed += counts.handshakes_resumed;
        self.connections.failed += counts.failed;
        self.lost += counts.lost;
        self.bytes_in += counts.bytes_in;
        self.bytes_out += counts.bytes_out;
        add(&mut self.handshakes, &slice.handshakes);
        match slice.part {
            Part::WarmUp => self.cpu_from = slice.cpu,
            Part::Second(_) => self.cpu_to = slice.cpu,
            Part::Late => {}
        }
        // Idle connections have their request before anything is held.
        if slice.part != Part::WarmUp || self.about.is_idle {
            self.add_requests(slice);
        }
    }

    fn add_requests(&mut self, slice: &Slice) {
        for (merged, request) in self.by_request.iter_mut().zip(&slice.by_request) {
            merged.add(request);
        }
        if let Part::Second(second) = slice.part {
            let merged = self.seconds.entry(second).or_default();
            slice.by_request.iter().for_each(|request| merged.add(request));
        }
        for kind in FailureKind::ALL {
            self.errors[kind as usize] += slice.counts.errors[kind as usize];
            if let Some(example) = &slice.counts.examples[kind as usize] {
                self.examples.entry(kind.as_str().into()).or_insert_with(|| example.clone());
            }
        }
        for (status, count) in &slice.counts.statuses {
            *self.statuses.entry(*status).or_default() += count;
        }
    }

    /// The second of this number, as far as it is known.
    pub(crate) fn second(&self, second: u32) -> Option<Second> {
        let merged = self.seconds.get(&second)?;
        let seconds = (self.about.duration.as_secs_f64() - f64::from(second)).min(1.0);
        let buckets = merged.buckets();
        let percentiles = Percentiles::of(&buckets);
        Some(Second {
            at_s: second,
            seconds,
            requests: merged.good + merged.failed,
            errors: merged.failed,
            p50_ms: percentiles.as_ref().map(|latency| latency.p50),
            p99_ms: percentiles.as_ref().map(|latency| latency.p99),
            max_ms: percentiles.as_ref().map(|latency| latency.max),
            histogram_us: buckets,
        })
    }

    /// How many requests have failed so far.
    pub(crate) fn failed(&self) -> u64 {
        self.errors.iter().sum()
    }

    /// Everything, when the run is over.
    #[expect(clippy::cast_precision_loss, reason = "counts are shown, and are below 2^53")]
    pub(crate) fn finish(self) -> RunResult {
        let mut all = Merged::default();
        for merged in &self.by_request {
            all.good += merged.good;
            all.failed += merged.failed;
            add(&mut all.latency, &merged.buckets());
        }
        let good_in_time: u64 = self.seconds.values().map(|merged| merged.good).sum();
        let series: Vec<Second> = self.seconds.keys().filter_map(|at| self.second(*at)).collect();
        let cpu_s = self.cpu_to.saturating_sub(self.cpu_from).as_secs_f64();
        let duration_s = self.about.duration.as_secs_f64();
        let per_cpu = (cpu_s > 0.0 && good_in_time > 0).then(|| good_in_time as f64 / cpu_s);
        let is_websocket = self.about.protocol == Protocol::WebSocket;
        let by_request = self.by_request.iter().zip(&self.about.requests);
        let histogram_us = all.buckets();
        RunResult {
            version: VERSION,
            name: self.about.name.clone(),
            started: self.started.format(&Rfc3339).unwrap_or_default(),
            duration_s,
            target: self.about.target.clone(),
            protocol: self.about.protocol.as_str().into(),
            mode: self.about.mode.into(),
            connections_asked: self.about.connections,
            streams: self.about.protocol.streams(),
            rate_asked_per_s: self.about.rate,
            requests: all.good + all.failed,
            rate_per_s: good_in_time as f64 / duration_s,
            bytes_in: self.bytes_in,
            bytes_out: self.bytes_out,
            latency_ms: Percentiles::of(&histogram_us),
            handshake_ms: Percentiles::of(&self.handshakes.clone().into_iter().collect()),
            messages: is_websocket
                .then_some(Messages { sent: all.good + all.failed, received: all.good }),
            idle: self.about.is_idle.then(|| Idle {
                connections: u64::from(self.about.connections),
                all_open_after_s: self.all_open_after.as_secs_f64(),
                lost: self.lost,
            }),
            cpu_s,
            requests_per_cpu_s: per_cpu,
            by_request: by_request.map(|(merged, name)| result_of(name, merged)).collect(),
            series,
            histogram_us,
            slo: Vec::new(),
            comparison: None,
            errors: self.errors_in_words(),
            connections: self.connections,
            statuses: self.statuses,
        }
    }

    fn errors_in_words(&self) -> Errors {
        let count = |kind: &FailureKind| self.errors[*kind as usize];
        let found = FailureKind::ALL.into_iter().filter(|kind| count(kind) > 0);
        Errors {
            total: self.failed(),
            by_kind: found.map(|kind| (kind.as_str().to_owned(), count(&kind))).collect(),
            examples: self.examples.clone(),
        }
    }
}

fn result_of(name: &str, merged: &Merged) -> RequestResult {
    RequestResult {
        name: name.to_owned(),
        requests: merged.good + merged.failed,
        errors: merged.failed,
        latency_ms: Percentiles::of(&merged.buckets()),
    }
}
