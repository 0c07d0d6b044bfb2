//! Counters and histograms that every request counts in, in the [shard](crate::shard) of its worker.
//! What Prometheus is told is their sum.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use parking_lot::RwLock;
use prometheus::core::{Collector, Desc};
use prometheus::proto::{self, LabelPair, Metric, MetricFamily, MetricType};

use crate::shard::Shards;

/// Upper bounds of the histograms' buckets, in seconds.
pub(super) const SECONDS: [f64; 12] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

/// Counts up.
#[derive(Debug)]
pub(crate) struct Counter(Shards<AtomicU64>);

impl Counter {
    pub(crate) fn inc(&self) {
        self.inc_by(1);
    }

    pub(crate) fn inc_by(&self, count: u64) {
        self.0.mine().fetch_add(count, Relaxed);
    }

    fn sum(&self) -> u64 {
        self.0.iter().map(|shard| shard.load(Relaxed)).sum()
    }
}

/// Counts up and down. What one worker counts up another may count down: only the sum means anything.
#[derive(Debug)]
pub(crate) struct Gauge(Shards<AtomicI64>);

impl Gauge {
    pub(crate) fn inc(&self) {
        self.0.mine().fetch_add(1, Relaxed);
    }

    pub(crate) fn dec(&self) {
        self.0.mine().fetch_sub(1, Relaxed);
    }

    fn sum(&self) -> i64 {
        self.0.iter().map(|shard| shard.load(Relaxed)).sum()
    }
}

/// How many took how long.
#[derive(Debug)]
pub(crate) struct Histogram(Shards<Buckets>);

/// One worker's: how many up to each of [`SECONDS`] and above the one before, then those above all, and
/// the sum of all in nanoseconds, which lasts for centuries.
#[derive(Debug, Default)]
struct Buckets {
    counts: [AtomicU64; SECONDS.len() + 1],
    nanoseconds: AtomicU64,
}

impl Histogram {
    pub(crate) fn observe(&self, took: Duration) {
        let seconds = took.as_secs_f64();
        let bucket = SECONDS.iter().take_while(|bound| seconds > **bound).count();
        let mine = self.0.mine();
        mine.counts[bucket].fetch_add(1, Relaxed);
        mine.nanoseconds.fetch_add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX), Relaxed);
    }

    fn sum(&self) -> ([u64; SECONDS.len() + 1], Duration) {
        let mut counts = [0; SECONDS.len() + 1];
        let mut nanoseconds = 0_u64;
        for shard in self.0.iter() {
            counts.iter_mut().zip(&shard.counts).for_each(|(sum, one)| *sum += one.load(Relaxed));
            nanoseconds = nanoseconds.wrapping_add(shard.nanoseconds.load(Relaxed));
        }
        (counts, Duration::from_nanos(nanoseconds))
    }
}

/// What a family has one of for each combination of its labels' values.
pub(crate) trait Child: Send + Sync + 'static {
    const TYPE: MetricType;

    /// Zero, with a shard for each worker.
    fn new(workers: usize) -> Self;

    /// What Prometheus is told.
    fn tell(&self, metric: &mut Metric);
}

#[expect(clippy::cast_precision_loss, reason = "Prometheus' numbers are floating point")]
impl Child for Counter {
    const TYPE: MetricType = MetricType::COUNTER;

    fn new(workers: usize) -> Self {
        Self(Shards::new(workers))
    }

    fn tell(&self, metric: &mut Metric) {
        let mut counter = proto::Counter::default();
        counter.set_value(self.sum() as f64);
        metric.set_counter(counter);
    }
}

#[expect(clippy::cast_precision_loss, reason = "Prometheus' numbers are floating point")]
impl Child for Gauge {
    const TYPE: MetricType = MetricType::GAUGE;

    fn new(workers: usize) -> Self {
        Self(Shards::new(workers))
    }

    fn tell(&self, metric: &mut Metric) {
        let mut gauge = proto::Gauge::default();
        gauge.set_value(self.sum() as f64);
        metric.set_gauge(gauge);
    }
}

impl Child for Histogram {
    const TYPE: MetricType = MetricType::HISTOGRAM;

    fn new(workers: usize) -> Self {
        Self(Shards::new(workers))
    }

    fn tell(&self, metric: &mut Metric) {
        let (counts, sum) = self.sum();
        let mut so_far = 0;
        let buckets = SECONDS.iter().zip(counts).map(|(bound, count)| {
            so_far += count;
            let mut bucket = proto::Bucket::default();
            bucket.set_upper_bound(*bound);
            bucket.set_cumulative_count(so_far);
            bucket
        });
        let mut histogram = proto::Histogram::default();
        histogram.set_bucket(buckets.collect());
        histogram.set_sample_count(counts.iter().sum());
        histogram.set_sample_sum(sum.as_secs_f64());
        metric.set_histogram(histogram);
    }
}

/// A metric with its labels.
#[derive(Debug)]
pub(crate) struct Family<C> {
    desc: Arc<Desc>,
    workers: usize,
    children: Children<C>,
}

/// By the values of the labels.
type Children<C> = Arc<RwLock<HashMap<Vec<String>, Arc<C>>>>;

// Derived, it would want `C: Clone`.
impl<C> Clone for Family<C> {
    fn clone(&self) -> Self {
        let Self { desc, workers, children } = self;
        Self { desc: desc.clone(), workers: *workers, children: children.clone() }
    }
}

impl<C: Child> Family<C> {
    /// # Errors
    /// prometheus', for a name that is malformed: a mistake of the caller's.
    pub(super) fn new(
        name: &str,
        help: &str,
        labels: &[&str],
        workers: usize,
    ) -> prometheus::Result<Self> {
        let labels = labels.iter().copied().map(str::to_owned).collect();
        let desc = Desc::new(name.into(), help.into(), labels, HashMap::new())?;
        Ok(Self { desc: Arc::new(desc), workers, children: Arc::default() })
    }

    /// The one with these values, which takes a lock: to be kept by whoever counts often.
    pub(crate) fn of(&self, values: &[&str]) -> Arc<C> {
        debug_assert_eq!(values.len(), self.desc.variable_labels.len(), "{}", self.desc.fq_name);
        let values: Vec<String> = values.iter().copied().map(str::to_owned).collect();
        let mut children = self.children.write();
        children.entry(values).or_insert_with(|| Arc::new(C::new(self.workers))).clone()
    }
}

impl<C: Child> Collector for Family<C> {
    fn desc(&self) -> Vec<&Desc> {
        vec![&self.desc]
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let children = self.children.read();
        let metrics = children.iter().map(|(values, child)| {
            let labels = self.desc.variable_labels.iter().zip(values).map(|(name, value)| {
                let mut label = LabelPair::default();
                label.set_name(name.clone());
                label.set_value(value.clone());
                label
            });
            let mut labels: Vec<_> = labels.collect();
            labels.sort();
            let mut metric = Metric::from_label(labels);
            child.tell(&mut metric);
            metric
        });
        let mut family = MetricFamily::default();
        family.set_name(self.desc.fq_name.clone());
        family.set_help(self.desc.help.clone());
        family.set_field_type(C::TYPE);
        family.set_metric(metrics.collect());
        vec![family]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shard;

    fn text(collector: impl Collector + 'static) -> String {
        let registry = prometheus::Registry::new();
        registry.register(Box::new(collector)).unwrap();
        prometheus::TextEncoder::new().encode_to_string(&registry.gather()).unwrap()
    }

    fn in_each_of<T: Send + Sync>(workers: usize, shared: &T, count: impl Fn(&T) + Sync) {
        std::thread::scope(|scope| {
            for worker in 0..workers {
                let count = &count;
                scope.spawn(move || {
                    shard::assign(worker);
                    count(shared);
                });
            }
        });
    }

    #[test]
    fn what_every_worker_counted_is_added_up() {
        let family = Family::<Counter>::new("served_total", "Served.", &["site"], 3).unwrap();
        let counter = family.of(&["a"]);
        // One more than there are shards: whoever has none shares the first.
        in_each_of(4, &counter, |counter| (0..10).for_each(|_| counter.inc()));
        family.of(&["b"]).inc_by(5);
        assert_eq!(
            text(family),
            "# HELP served_total Served.\n# TYPE served_total counter\n\
             served_total{site=\"a\"} 40\nserved_total{site=\"b\"} 5\n"
        );
    }

    #[test]
    fn what_one_worker_counts_up_another_may_count_down() {
        let family = Family::<Gauge>::new("open", "Open.", &[], 2).unwrap();
        let gauge = family.of(&[]);
        in_each_of(1, &gauge, |gauge| (0..3).for_each(|_| gauge.inc()));
        shard::assign(1);
        gauge.dec();
        shard::assign(0);
        assert!(text(family).ends_with("\nopen 2\n"));
    }

    #[test]
    fn a_histogram_s_buckets_hold_all_up_to_their_bound() {
        let family = Family::<Histogram>::new("took_seconds", "Took.", &[], 2).unwrap();
        let histogram = family.of(&[]);
        in_each_of(2, &histogram, |histogram| {
            for millis in [0, 1, 2, 31_000] {
                histogram.observe(Duration::from_millis(millis));
            }
        });
        let text = text(family);
        for line in [
            "took_seconds_bucket{le=\"0.001\"} 4",
            "took_seconds_bucket{le=\"0.0025\"} 6",
            "took_seconds_bucket{le=\"30\"} 6",
            "took_seconds_bucket{le=\"+Inf\"} 8",
            "took_seconds_sum 62.006",
            "took_seconds_count 8",
        ] {
            assert!(text.lines().any(|other| other == line), "{line}: {text}");
        }
    }
}
