//! When the requests of an open load are due.

use std::time::Duration;

use super::text::Rate;

/// Rates over time: pieces in which the rate is constant or changes linearly.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Schedule {
    stretches: Vec<Stretch>,
}

/// A part of a schedule, in seconds from the beginning and requests a second.
#[derive(Debug, Clone, PartialEq)]
struct Stretch {
    begins: f64,
    lasts: f64,
    from: f64,
    to: f64,
    /// How many are due before it.
    before: f64,
}

impl Schedule {
    /// A schedule that begins with `rate`, without a length yet.
    pub(crate) fn new() -> Self {
        Self { stretches: Vec::new() }
    }

    /// Appends a stretch in which the rate goes from one to another.
    pub(crate) fn then(&mut self, from: Rate, to: Rate, lasts: Duration) {
        let (begins, before) = match self.stretches.last() {
            Some(last) => (last.begins + last.lasts, last.before + last.count(last.lasts)),
            None => (0.0, 0.0),
        };
        let (from, to) = (from.per_second(), to.per_second());
        self.stretches.push(Stretch { begins, lasts: lasts.as_secs_f64(), from, to, before });
    }

    /// The mean rate behind its beginning, a second.
    pub(crate) fn mean_after(&self, beginning: Duration) -> f64 {
        let from = beginning.as_secs_f64();
        let counted = self.stretches.iter().filter(|stretch| stretch.begins >= from);
        let (count, seconds) = counted.fold((0.0, 0.0), |(count, seconds), stretch| {
            (count + stretch.count(stretch.lasts), seconds + stretch.lasts)
        });
        if seconds > 0.0 { count / seconds } else { 0.0 }
    }

    /// When the request of this number, from 0, is due; `None` where there are not so many.
    pub(crate) fn due(&self, number: u64) -> Option<Duration> {
        #[expect(clippy::cast_precision_loss, reason = "exact for 2^53 requests")]
        let number = number as f64;
        let of = |stretch: &&Stretch| number < stretch.before + stretch.count(stretch.lasts);
        let stretch = self.stretches.iter().find(of)?;
        let seconds = stretch.begins + stretch.reaches(number - stretch.before);
        Duration::try_from_secs_f64(seconds).ok()
    }
}

impl Stretch {
    /// How many are due in its first so many seconds.
    fn count(&self, seconds: f64) -> f64 {
        let slope = if self.lasts > 0.0 { (self.to - self.from) / self.lasts } else { 0.0 };
        self.from * seconds + slope * seconds * seconds / 2.0
    }

    /// After how many seconds so many are due: `count`, the other way round. The form of the root
    /// that divides stays exact where the slope is nearly, or just, nothing.
    fn reaches(&self, count: f64) -> f64 {
        let slope = (self.to - self.from) / self.lasts;
        let root = (self.from * self.from + 2.0 * slope * count).max(0.0).sqrt();
        if count <= 0.0 { 0.0 } else { 2.0 * count / (self.from + root) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::text::read_rate;
    use super::*;

    fn rate(text: &str) -> Rate {
        read_rate(text).unwrap()
    }

    #[test]
    fn a_constant_rate_is_evenly_spaced_and_ends() {
        let mut schedule = Schedule::new();
        schedule.then(rate("100/s"), rate("100/s"), Duration::from_secs(2));
        assert_eq!(schedule.due(0), Some(Duration::ZERO));
        assert_eq!(schedule.due(1), Some(Duration::from_millis(10)));
        assert_eq!(schedule.due(199), Some(Duration::from_millis(1990)));
        assert_eq!(schedule.due(200), None);
    }

    #[test]
    fn a_ramp_has_the_mean_of_its_rates() {
        let mut schedule = Schedule::new();
        schedule.then(Rate::ZERO, rate("100/s"), Duration::from_secs(10));
        schedule.then(rate("100/s"), rate("100/s"), Duration::from_secs(1));
        // Half the time, a quarter of the requests.
        assert_eq!(schedule.due(125), Some(Duration::from_secs(5)));
        assert_eq!(schedule.due(500), Some(Duration::from_secs(10)));
        assert_eq!(schedule.due(550), Some(Duration::from_millis(10_500)));
        assert_eq!(schedule.due(600), None);
    }

    #[test]
    fn requests_never_go_back_in_time() {
        let mut schedule = Schedule::new();
        schedule.then(rate("50/s"), rate("200/s"), Duration::from_secs(3));
        schedule.then(rate("200/s"), Rate::ZERO, Duration::from_secs(3));
        let mut last = Duration::ZERO;
        let mut count = 0;
        while let Some(due) = schedule.due(count) {
            assert!(due >= last && due <= Duration::from_secs(6), "{count}: {due:?}");
            last = due;
            count += 1;
        }
        assert_eq!(count, 375 + 300);
    }
}
