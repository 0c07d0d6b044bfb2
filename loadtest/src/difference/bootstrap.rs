//! The circular block bootstrap over the seconds of two runs.

use super::figures::{COUNT, Figure};
use crate::result::Second;

/// Enough for the ends of a 95 % interval to have two digits.
pub(super) const DRAWINGS: usize = 2_000;

/// The same runs have the same intervals.
const SEED: u64 = 7541;

/// The figures of a run or of a drawing; `None` where there is nothing to compute one from.
pub(super) type Figures = [Option<f64>; COUNT];

/// The seconds of a run, ready to be joined in any order.
pub(super) struct Seconds {
    /// Every latency that occurs, in microseconds, ascending.
    values: Vec<u64>,
    seconds: Vec<Row>,
}

struct Row {
    seconds: f64,
    requests: u64,
    errors: u64,
    /// Indices into `values`, and how often.
    latency: Vec<(usize, u64)>,
}

impl Seconds {
    pub(super) fn new(series: &[Second]) -> Self {
        let recorded = series.iter().flat_map(|second| &second.histogram_us);
        let mut values: Vec<u64> = recorded.map(|(value, _)| *value).collect();
        values.sort_unstable();
        values.dedup();
        let place = |value: &u64| values.binary_search(value).unwrap_or_default();
        let seconds = series.iter().map(|second| {
            let latency = second.histogram_us.iter().map(|(value, count)| (place(value), *count));
            let Second { seconds, requests, errors, .. } = *second;
            Row { seconds, requests, errors, latency: latency.collect() }
        });
        Self { seconds: seconds.collect(), values }
    }

    pub(super) fn len(&self) -> usize {
        self.seconds.len()
    }

    /// The run's own figures.
    pub(super) fn figures(&self) -> Figures {
        self.join(0..self.len(), &mut vec![0; self.values.len()])
    }

    #[expect(clippy::cast_precision_loss, reason = "counts and microseconds are below 2^53")]
    fn join(&self, drawn: impl Iterator<Item = usize>, counts: &mut [u64]) -> Figures {
        counts.fill(0);
        let (mut seconds, mut requests, mut errors) = (0.0, 0, 0);
        for row in drawn.filter_map(|index| self.seconds.get(index)) {
            seconds += row.seconds;
            requests += row.requests;
            errors += row.errors;
            row.latency.iter().for_each(|(index, count)| counts[*index] += count);
        }
        let mut figures = [None; COUNT];
        let share = |part: u64, whole: u64| (whole > 0).then(|| part as f64 / whole as f64);
        figures[Figure::Rate as usize] =
            (seconds > 0.0).then(|| (requests - errors) as f64 / seconds);
        figures[Figure::Errors as usize] = share(errors, requests).map(|share| share * 100.0);
        let recorded: u64 = counts.iter().sum();
        let sum: f64 = counts
            .iter()
            .zip(&self.values)
            .map(|(count, value)| *count as f64 * *value as f64)
            .sum();
        figures[Figure::Mean as usize] = (recorded > 0).then(|| sum / recorded as f64 / 1_000.0);
        self.read_quantiles(recorded as f64, counts, &mut figures);
        figures
    }

    #[expect(clippy::cast_precision_loss, reason = "counts and microseconds are below 2^53")]
    fn read_quantiles(&self, recorded: f64, counts: &[u64], figures: &mut Figures) {
        let mut wanted = Figure::QUANTILES.iter().peekable();
        let mut below = 0;
        for (count, value) in counts.iter().zip(&self.values) {
            below += count;
            while let Some((figure, _)) =
                wanted.next_if(|(_, quantile)| below as f64 >= quantile * recorded && below > 0)
            {
                figures[*figure as usize] = Some(*value as f64 / 1_000.0);
            }
        }
    }
}

/// As many seconds as there are, in blocks of neighbours, anew.
fn draw(length: usize, rng: &mut fastrand::Rng) -> Vec<usize> {
    let block = block_length(length);
    let starts: Vec<usize> = (0..length.div_ceil(block)).map(|_| rng.usize(..length)).collect();
    let drawn = starts.into_iter().flat_map(|start| (start..start + block).map(|at| at % length));
    drawn.take(length).collect()
}

/// Blocks that grow with the cube root of the length, as Hall, Horowitz and Jing (1995) have it.
fn block_length(length: usize) -> usize {
    (2_usize..).take_while(|block| block.pow(3) <= length).last().unwrap_or(1)
}

/// The 95 % intervals of the changes from old to new. Where `are_paired`, each second of one was asked
/// to do what the same second of the other was, and both are drawn together: what a ramp does to both
/// is then no difference.
pub(super) fn intervals(
    old: &Seconds,
    new: &Seconds,
    are_paired: bool,
) -> [Option<(f64, f64)>; COUNT] {
    let mut rng = fastrand::Rng::with_seed(SEED);
    let (mut old_counts, mut new_counts) = (vec![0; old.values.len()], vec![0; new.values.len()]);
    let mut changes: [Vec<f64>; COUNT] = std::array::from_fn(|_| Vec::with_capacity(DRAWINGS));
    for _ in 0..DRAWINGS {
        let old_drawn = draw(old.len(), &mut rng);
        let new_drawn = if are_paired { old_drawn.clone() } else { draw(new.len(), &mut rng) };
        let before = old.join(old_drawn.into_iter(), &mut old_counts);
        let after = new.join(new_drawn.into_iter(), &mut new_counts);
        for figure in Figure::ALL {
            if let (Some(before), Some(after)) = (before[figure as usize], after[figure as usize]) {
                changes[figure as usize].extend(figure.change(before, after));
            }
        }
    }
    changes.map(middle)
}

/// Where the middle 95 % begin and end. `None` where most drawings had no figure.
fn middle(mut changes: Vec<f64>) -> Option<(f64, f64)> {
    if changes.len() < DRAWINGS / 2 {
        return None;
    }
    changes.sort_by(f64::total_cmp);
    let cut = changes.len() / 40;
    Some((*changes.get(cut)?, *changes.get(changes.len() - 1 - cut)?))
}
