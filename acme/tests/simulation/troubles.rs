//! What goes wrong outside, and when.

use crate::dice::Dice;
use crate::{DAY, HOUR};

/// From when to when, in seconds of true time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    pub(crate) from: u64,
    pub(crate) to: u64,
}

/// Spans in order, none touching the next.
#[derive(Debug, Clone, Default)]
pub(crate) struct Spans(Vec<Span>);

impl Spans {
    /// Spans of up to `longest`, with at least `apart` between them. Every third is the longest.
    pub(crate) fn draw(dice: &mut Dice, (from, to): (u64, u64), longest: u64, apart: u64) -> Self {
        let (mut spans, mut at) = (Vec::new(), from);
        loop {
            at += dice.between(apart, apart * 2);
            let length = if dice.once_in(3) { longest } else { dice.between(60, longest) };
            if at + length > to {
                return Self(spans);
            }
            spans.push(Span { from: at, to: at + length });
            at += length;
        }
    }

    pub(crate) fn holds(&self, now: u64) -> bool {
        let next = self.0.partition_point(|span| span.from <= now);
        next > 0 && now < self.0[next - 1].to
    }

    /// The next moment after `now` at which something begins or ends.
    pub(crate) fn next_change(&self, now: u64) -> u64 {
        let next = self.0.partition_point(|span| span.to <= now);
        match self.0.get(next) {
            Some(span) if now < span.from => span.from,
            Some(span) => span.to,
            None => u64::MAX,
        }
    }

    pub(crate) fn longest(&self) -> u64 {
        self.0.iter().map(|span| span.to - span.from).max().unwrap_or(0)
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }
}

/// How wrong this machine's clock is.
#[derive(Debug)]
pub(crate) struct WrongClock {
    wrong: Spans,
    by: Vec<Wrong>,
}

#[derive(Debug, Clone, Copy)]
enum Wrong {
    /// Seconds too late.
    Ahead(u64),
    Behind(u64),
    /// A machine whose battery is empty.
    Year1970,
}

impl WrongClock {
    pub(crate) fn draw(dice: &mut Dice, span: (u64, u64)) -> Self {
        let wrong = Spans::draw(dice, span, 6 * HOUR, 20 * DAY);
        let by = (0..wrong.count())
            .map(|number| match number % 4 {
                0 => Wrong::Ahead(dice.between(HOUR, 3 * DAY)),
                1 => Wrong::Behind(dice.between(HOUR, 3 * DAY)),
                2 => Wrong::Ahead(12 * 365 * DAY),
                _ => Wrong::Year1970,
            })
            .collect();
        Self { wrong, by }
    }

    /// What the machine believes the time to be.
    pub(crate) fn shows(&self, now: u64) -> u64 {
        let next = self.wrong.0.partition_point(|span| span.from <= now);
        let Some(span) = next.checked_sub(1).map(|last| self.wrong.0[last]) else { return now };
        if now >= span.to {
            return now;
        }
        match self.by[next - 1] {
            Wrong::Ahead(seconds) => now + seconds,
            Wrong::Behind(seconds) => now - seconds,
            Wrong::Year1970 => now - span.from,
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.wrong.count()
    }
}
