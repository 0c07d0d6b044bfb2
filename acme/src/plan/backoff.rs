//! How long to wait after something failed.

use std::time::Duration;

use super::renewal::spread;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// The waits after the first failure, the second and so on; the last is repeated. In brackets how
/// long after the first attempt the next one then comes.
const STEPS: [u64; 10] = [
    MINUTE,      // [1 min]
    5 * MINUTE,  // [6 min]
    15 * MINUTE, // [21 min]
    30 * MINUTE, // [51 min]
    HOUR,        // [1 h 51 min]
    2 * HOUR,    // [3 h 51 min]
    4 * HOUR,    // [7 h 51 min]
    8 * HOUR,    // [15 h 51 min]
    16 * HOUR,   // [1 d 8 h]
    24 * HOUR,   // [2 d 8 h], and so on every day
];

/// However little time is left: no CA wants to be asked more often than this by one that fails. It
/// keeps within four an hour, and Let's Encrypt allows five failures an hour for a name.
const LEAST_WHEN_URGENT: Duration = Duration::from_secs(15 * MINUTE);

/// How long to wait after `failures` failures in a row, where the certificate that is served ends in
/// `left` (`None`: there is none).
///
/// It grows to a day, but never beyond a tenth of what is left, so that one of six days is tried
/// more often than one of ninety, and each more often towards its end.
#[must_use]
pub fn wait(failures: u32, left: Option<Duration>, seed: u64) -> Duration {
    let Some(last) = failures.checked_sub(1) else { return Duration::ZERO };
    let step = usize::try_from(last).unwrap_or(usize::MAX).min(STEPS.len() - 1);
    let full = STEPS[step];
    // A tenth more or less, so that many that failed together do not come back together.
    let seed = seed ^ u64::from(failures).rotate_left(48);
    let jittered = Duration::from_secs(full - full / 10 + spread(seed, full / 5 + 1));
    match left {
        Some(left) if jittered > LEAST_WHEN_URGENT => {
            jittered.min((left / 10).max(LEAST_WHEN_URGENT))
        }
        _ => jittered,
    }
}

/// How long nobody asks a CA that could not be reached, or had an error of its own, `failures` times
/// in a row: what one certificate has found out, the others need not find out again. It stops
/// growing at half an hour, since one question is no load.
pub(super) fn hold(failures: u32) -> Duration {
    let Some(doublings) = failures.checked_sub(1) else { return Duration::ZERO };
    Duration::from_secs((MINUTE << doublings.min(5)).min(30 * MINUTE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_grows_to_a_day_and_no_further() {
        let mut last = Duration::ZERO;
        for failures in 1..=10 {
            let now = wait(failures, None, 3);
            assert!(now > last, "{failures}: {now:?}");
            last = now;
        }
        for failures in [11, 100, u32::MAX] {
            let now = wait(failures, None, 3).as_secs_f64() / 3600.0;
            assert!((21.0..=27.0).contains(&now), "{now} h");
        }
    }

    #[test]
    fn little_time_left_means_shorter_waits_but_never_a_storm() {
        let hour = Duration::from_secs(HOUR);
        assert_eq!(wait(10, Some(30 * hour), 1), 3 * hour);
        assert_eq!(wait(10, Some(hour), 1), LEAST_WHEN_URGENT);
        assert_eq!(wait(10, Some(Duration::ZERO), 1), LEAST_WHEN_URGENT);
        assert!(wait(1, Some(Duration::ZERO), 1) < Duration::from_secs(70));
        assert_eq!(wait(0, None, 1), Duration::ZERO);
    }

    #[test]
    fn a_ca_in_trouble_is_asked_every_half_hour_at_most() {
        let minutes: Vec<_> = (0..9).map(|failures| hold(failures).as_secs() / 60).collect();
        assert_eq!(minutes, [0, 1, 2, 4, 8, 16, 30, 30, 30]);
    }
}
