//! Points in time as text.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

/// RFC 3339 in UTC with milliseconds: `2026-11-23T16:04:25.123Z`.
pub(crate) struct Rfc3339(pub(crate) SystemTime);

impl fmt::Display for Rfc3339 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Clocks before 1970 are wrong clocks; showing the epoch says so.
        let since = self.0.duration_since(UNIX_EPOCH).unwrap_or_default();
        let (year, month, day) = civil(since.as_secs() / 86_400);
        let second = since.as_secs() % 86_400;
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        let millis = since.subsec_millis();
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
    }
}

/// The combined log format's time: `23/Nov/2026:16:04:25 +0000`.
pub(crate) struct Clf(pub(crate) SystemTime);

impl fmt::Display for Clf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MONTHS: [&str; 12] =
            ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let secs = self.0.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let (year, month, day) = civil(secs / 86_400);
        let name = MONTHS.get(month - 1).copied().unwrap_or("Jan");
        let (hour, minute, second) = (secs / 3600 % 24, secs / 60 % 60, secs % 60);
        write!(f, "{day:02}/{name}/{year:04}:{hour:02}:{minute:02}:{second:02} +0000")
    }
}

/// Year, month (1 to 12) and day of the Gregorian calendar, from days since 1970-01-01.
fn civil(mut days: u64) -> (u64, usize, u64) {
    let is_leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let mut year = 1970 + 400 * (days / 146_097);
    days %= 146_097;
    loop {
        let length = if is_leap(year) { 366 } else { 365 };
        if days < length {
            break;
        }
        days -= length;
        year += 1;
    }
    let february = if is_leap(year) { 29 } else { 28 };
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    (year, month, days + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn known_moments() {
        for (secs, expected) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400, "2000-02-29T00:00:00.000Z"),
            (1_709_251_199, "2024-02-29T23:59:59.000Z"),
            (4_102_444_800, "2100-01-01T00:00:00.000Z"),
            (1_795_449_600, "2026-11-23T16:00:00.000Z"),
        ] {
            assert_eq!(Rfc3339(UNIX_EPOCH + Duration::from_secs(secs)).to_string(), expected);
        }
        let moment = UNIX_EPOCH + Duration::from_secs(1_795_449_600);
        assert_eq!(Clf(moment).to_string(), "23/Nov/2026:16:00:00 +0000");
    }
}
