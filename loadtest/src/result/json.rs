//! The result of a run, as `--json` writes it and `--compare` reads it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::difference::Comparison;
use crate::engine::{Buckets, histogram};

/// Of the format. What does not know it must not guess.
pub(crate) const VERSION: u32 = 1;

/// Everything that is known about a run.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RunResult {
    pub(crate) version: u32,
    pub(crate) name: String,
    /// RFC 3339.
    pub(crate) started: String,
    /// The time that counted.
    pub(crate) duration_s: f64,
    pub(crate) target: String,
    pub(crate) protocol: String,
    pub(crate) mode: String,
    pub(crate) connections_asked: u32,
    pub(crate) streams: u32,
    /// The mean, in an open loop.
    pub(crate) rate_asked_per_s: Option<f64>,
    /// Good and bad.
    pub(crate) requests: u64,
    pub(crate) errors: Errors,
    /// Good answers within the duration, divided by it.
    pub(crate) rate_per_s: f64,
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
    pub(crate) connections: Connections,
    pub(crate) latency_ms: Option<Percentiles>,
    /// From the first packet to the end of the TLS handshake.
    pub(crate) handshake_ms: Option<Percentiles>,
    pub(crate) messages: Option<Messages>,
    pub(crate) idle: Option<Idle>,
    /// User and system time of this program, while it counted.
    pub(crate) cpu_s: f64,
    pub(crate) requests_per_cpu_s: Option<f64>,
    pub(crate) statuses: BTreeMap<u16, u64>,
    pub(crate) by_request: Vec<RequestResult>,
    pub(crate) series: Vec<Second>,
    pub(crate) histogram_us: Buckets,
    #[serde(default)]
    pub(crate) slo: Vec<Verdict>,
    #[serde(default)]
    pub(crate) comparison: Option<Comparison>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Errors {
    pub(crate) total: u64,
    pub(crate) by_kind: BTreeMap<String, u64>,
    /// The first of each kind, for people.
    pub(crate) examples: BTreeMap<String, String>,
}

/// Of the whole run.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Connections {
    pub(crate) opened: u64,
    pub(crate) handshakes_full: u64,
    pub(crate) handshakes_resumed: u64,
    pub(crate) failed: u64,
}

/// In milliseconds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Percentiles {
    pub(crate) min: f64,
    pub(crate) mean: f64,
    pub(crate) p50: f64,
    pub(crate) p90: f64,
    pub(crate) p99: f64,
    pub(crate) p99_9: f64,
    pub(crate) max: f64,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Messages {
    pub(crate) sent: u64,
    pub(crate) received: u64,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Idle {
    pub(crate) connections: u64,
    pub(crate) all_open_after_s: f64,
    /// Closed by the server while they were held.
    pub(crate) lost: u64,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RequestResult {
    pub(crate) name: String,
    pub(crate) requests: u64,
    pub(crate) errors: u64,
    pub(crate) latency_ms: Option<Percentiles>,
}

/// A second of the run; the last one may be shorter.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Second {
    pub(crate) at_s: u32,
    pub(crate) seconds: f64,
    pub(crate) requests: u64,
    pub(crate) errors: u64,
    pub(crate) p50_ms: Option<f64>,
    pub(crate) p99_ms: Option<f64>,
    pub(crate) max_ms: Option<f64>,
    pub(crate) histogram_us: Buckets,
}

/// Whether an objective was met.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Verdict {
    pub(crate) expression: String,
    pub(crate) actual: String,
    pub(crate) met: bool,
}

impl RunResult {
    /// The result as JSON.
    pub(crate) fn to_json(&self) -> Result<String, String> {
        let json = serde_json::to_string(self).map_err(|error| error.to_string())?;
        Ok(json + "\n")
    }
}

impl Percentiles {
    /// `None` where nothing was recorded.
    pub(crate) fn of(buckets: &Buckets) -> Option<Self> {
        let mut all = histogram();
        for (value, count) in buckets {
            all.saturating_record_n(*value, *count);
        }
        if all.is_empty() {
            return None;
        }
        let ms = |quantile: f64| milliseconds(all.value_at_quantile(quantile));
        Some(Self {
            min: milliseconds(all.min()),
            mean: all.mean() / 1_000.0,
            p50: ms(0.5),
            p90: ms(0.9),
            p99: ms(0.99),
            p99_9: ms(0.999),
            max: milliseconds(all.max()),
        })
    }
}

/// Microseconds as milliseconds.
#[expect(clippy::cast_precision_loss, reason = "no latency has 2^53 microseconds")]
pub(crate) fn milliseconds(microseconds: u64) -> f64 {
    microseconds as f64 / 1_000.0
}
