//! What one event loop counts.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

use super::timeline::Part;
use crate::wire::{Failure, FailureKind};

/// Microseconds and how often, ascending.
pub(crate) type Buckets = Vec<(u64, u64)>;

/// An hour, in microseconds. Whatever takes longer counts as this.
const LONGEST: u64 = 3_600_000_000;

const DIGITS: u8 = 3;

/// The counts of the part of the run that is now.
pub(super) struct Tally {
    by_request: Vec<(Histogram<u64>, RequestSlice)>,
    handshakes: Histogram<u64>,
    counts: Counts,
}

/// The counts of one part of a run, as one event loop has them.
#[derive(Debug, Clone)]
pub(crate) struct Slice {
    pub(crate) part: Part,
    /// The CPU time of the whole process when this part ended.
    pub(crate) cpu: Duration,
    pub(crate) by_request: Vec<RequestSlice>,
    pub(crate) handshakes: Buckets,
    pub(crate) counts: Counts,
}

/// What came of one of the scenario's requests.
#[derive(Debug, Clone, Default)]
pub(crate) struct RequestSlice {
    pub(crate) good: u64,
    pub(crate) failed: u64,
    /// Of good answers and of time-outs.
    pub(crate) latency: Buckets,
}

/// What is counted of all requests and connections.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counts {
    pub(crate) errors: [u64; FailureKind::ALL.len()],
    /// The first of each kind.
    pub(crate) examples: [Option<String>; FailureKind::ALL.len()],
    pub(crate) statuses: BTreeMap<u16, u64>,
    /// Application bytes, before encryption.
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
    pub(crate) opened: u64,
    pub(crate) handshakes_full: u64,
    pub(crate) handshakes_resumed: u64,
    /// Connections that could not be opened.
    pub(crate) failed: u64,
    /// Connections that were to be held, and that the server closed.
    pub(crate) lost: u64,
}

/// A histogram of microseconds.
pub(crate) fn histogram() -> Histogram<u64> {
    #[expect(
        clippy::expect_used,
        reason = "the bounds and digits are constants, which are possible"
    )]
    Histogram::new_with_bounds(1, LONGEST, DIGITS).expect("bounds in order and three digits")
}

/// A histogram's places that are not empty.
fn buckets(histogram: &Histogram<u64>) -> Buckets {
    let recorded = histogram.iter_recorded();
    recorded.map(|step| (step.value_iterated_to(), step.count_since_last_iteration())).collect()
}

impl Tally {
    pub(super) fn new(requests: usize) -> Self {
        let empty = || (histogram(), RequestSlice::default());
        Self {
            by_request: std::iter::repeat_with(empty).take(requests).collect(),
            handshakes: histogram(),
            counts: Counts::default(),
        }
    }

    pub(super) fn good(&mut self, request: usize, nanos: u64) {
        let (latency, slice) = &mut self.by_request[request];
        latency.saturating_record(nanos / 1_000);
        slice.good += 1;
    }

    /// A time-out's latency counts, because it would be longer still; other failures are quick, and
    /// would make the answers look better than they are.
    pub(super) fn failed(&mut self, request: usize, nanos: u64, failure: &Failure) {
        let (latency, slice) = &mut self.by_request[request];
        if failure.kind == FailureKind::Timeout {
            latency.saturating_record(nanos / 1_000);
        }
        slice.failed += 1;
        self.counts.errors[failure.kind as usize] += 1;
        self.counts.examples[failure.kind as usize].get_or_insert_with(|| failure.what.clone());
    }

    pub(super) fn status(&mut self, status: u16) {
        if status > 0 {
            *self.counts.statuses.entry(status).or_default() += 1;
        }
    }

    pub(super) fn handshake(&mut self, nanos: u64) {
        self.handshakes.saturating_record(nanos / 1_000);
    }

    pub(super) fn counts(&mut self) -> &mut Counts {
        &mut self.counts
    }

    /// Takes out what was counted, and begins again.
    pub(super) fn cut(&mut self, part: Part, cpu: Duration) -> Slice {
        let by_request = self.by_request.iter_mut().map(|(latency, slice)| {
            let mut cut = std::mem::take(slice);
            cut.latency = buckets(latency);
            latency.reset();
            cut
        });
        let slice = Slice {
            part,
            cpu,
            by_request: by_request.collect(),
            handshakes: buckets(&self.handshakes),
            counts: std::mem::take(&mut self.counts),
        };
        self.handshakes.reset();
        slice
    }
}
