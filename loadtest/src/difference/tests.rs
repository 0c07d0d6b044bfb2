//! Intervals of runs that are known.

use super::*;
use crate::result::Second;

/// Seconds of so many requests around a latency, which vary as `rng` has it.
fn series(rng: &mut fastrand::Rng, seconds: u32, requests: u64, micros: u64) -> Vec<Second> {
    let second = |at_s| {
        let requests = requests * rng.u64(90..=110) / 100;
        let latency = micros * rng.u64(90..=110) / 100;
        Second {
            at_s,
            seconds: 1.0,
            requests,
            errors: 0,
            p50_ms: None,
            p99_ms: None,
            max_ms: None,
            histogram_us: vec![(latency, requests - 5), (latency * 4, 5)],
        }
    };
    (0..seconds).map(second).collect()
}

type Verdict = (Figure, Judgement, Option<(f64, f64)>);

fn verdicts(old: &[Second], new: &[Second]) -> Vec<Verdict> {
    let (old, new) = (Seconds::new(old), Seconds::new(new));
    let drawn = intervals(&old, &new, false);
    let (before, after) = (old.figures(), new.figures());
    let judge = |figure: Figure| {
        let interval = drawn[figure as usize];
        let (old, new) = (before[figure as usize].unwrap(), after[figure as usize].unwrap());
        (figure, compared(figure, old, new, interval, true).verdict, interval)
    };
    Figure::ALL.into_iter().map(judge).collect()
}

#[test]
fn a_run_of_the_same_kind_is_no_different() {
    let rng = &mut fastrand::Rng::with_seed(1);
    let (old, new) = (series(rng, 30, 1_000, 500), series(rng, 30, 1_000, 500));
    for (figure, verdict, interval) in verdicts(&old, &new) {
        assert_eq!(verdict, Judgement::NoDifferenceSeen, "{figure:?} {interval:?}");
    }
}

#[test]
fn half_the_latency_and_twice_the_rate_are_better_and_the_other_way_round_worse() {
    let rng = &mut fastrand::Rng::with_seed(2);
    let (slow, fast) = (series(rng, 30, 1_000, 500), series(rng, 20, 2_000, 250));
    for (old, new, expected) in
        [(&slow, &fast, Judgement::Better), (&fast, &slow, Judgement::Worse)]
    {
        for (figure, verdict, interval) in verdicts(old, new) {
            let expected =
                if figure == Figure::Errors { Judgement::NoDifferenceSeen } else { expected };
            assert_eq!(verdict, expected, "{figure:?} {interval:?}");
        }
    }
}

/// An interval that is right in 95 of 100 cases is not right in all of them, and not in few.
#[test]
fn intervals_hold_the_truth_about_as_often_as_they_say() {
    let mut held = 0;
    for seed in 0..100 {
        let rng = &mut fastrand::Rng::with_seed(seed);
        let (old, new) = (series(rng, 30, 1_000, 500), series(rng, 30, 1_100, 500));
        let drawn = intervals(&Seconds::new(&old), &Seconds::new(&new), false);
        let (low, high) = drawn[Figure::Rate as usize].unwrap();
        held += u32::from(low <= 1.1 && 1.1 <= high);
    }
    assert!((80..100).contains(&held), "{held} of 100");
}

/// What a ramp does to both runs is in the interval of runs that are drawn apart, and is no difference
/// where they are drawn in pairs.
#[test]
fn pairs_take_the_ramp_out_of_the_interval() {
    let rng = &mut fastrand::Rng::with_seed(3);
    let ramp = |rng: &mut fastrand::Rng| -> Vec<Second> {
        (1..=20).flat_map(|step| series(rng, 1, step * 100, 500)).collect()
    };
    let (old, new) = (ramp(rng), ramp(rng));
    let (old, new) = (Seconds::new(&old), Seconds::new(&new));
    let width = |are_paired| {
        let (low, high) = intervals(&old, &new, are_paired)[Figure::Rate as usize].unwrap();
        high - low
    };
    assert!(width(true) < width(false) / 3.0, "{} {}", width(true), width(false));
}
