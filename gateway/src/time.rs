//! Points in time as text.

use std::cell::RefCell;
use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

/// The last second that a thread has written down, in one form. Every request writes the time, and a
/// thousand of them the same second.
#[derive(Default)]
struct LastSecond {
    second: u64,
    text: String,
}

impl LastSecond {
    fn of(&mut self, second: u64, text: impl FnOnce() -> String) -> &str {
        if self.second != second || self.text.is_empty() {
            (self.second, self.text) = (second, text());
        }
        &self.text
    }
}

thread_local! {
    static RFC3339: RefCell<LastSecond> = RefCell::default();
    static HTTP_DATE: RefCell<LastSecond> = RefCell::default();
}

/// Seconds since 1970, and milliseconds. Clocks before that are wrong clocks; the epoch says so.
fn since_epoch(at: SystemTime) -> (u64, u32) {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    (since.as_secs(), since.subsec_millis())
}

/// Writes [`Rfc3339`].
pub(crate) fn write_rfc3339(at: SystemTime, out: &mut Vec<u8>) {
    let (second, millis) = since_epoch(at);
    RFC3339.with_borrow_mut(|last| {
        let text = last.of(second, || Second(second).to_string());
        out.extend_from_slice(text.as_bytes());
    });
    let digit = |place: u32| b"0123456789"[(millis / place % 10) as usize];
    out.extend_from_slice(&[b'.', digit(100), digit(10), digit(1), b'Z']);
}

/// Writes the date of HTTP's fields (RFC 9110 section 5.6.7): `Mon, 23 Nov 2026 16:04:25 GMT`.
pub(crate) fn write_http_date(at: SystemTime, out: &mut Vec<u8>) {
    HTTP_DATE.with_borrow_mut(|last| {
        let (second, _) = since_epoch(at);
        let text = last.of(second, || httpdate::fmt_http_date(at));
        out.extend_from_slice(text.as_bytes());
    });
}

/// RFC 3339 without fraction and zone.
struct Second(u64);

impl fmt::Display for Second {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil(self.0 / 86_400);
        let (hour, minute, second) = (self.0 / 3600 % 24, self.0 / 60 % 60, self.0 % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
    }
}

/// RFC 3339 in UTC with milliseconds: `2026-11-23T16:04:25.123Z`.
pub(crate) struct Rfc3339(pub(crate) SystemTime);

impl fmt::Display for Rfc3339 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (second, millis) = since_epoch(self.0);
        write!(f, "{}.{millis:03}Z", Second(second))
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
            let moment = UNIX_EPOCH + Duration::from_secs(secs);
            assert_eq!(Rfc3339(moment).to_string(), expected);
            let mut written = Vec::new();
            write_rfc3339(moment, &mut written);
            assert_eq!(String::from_utf8(written).unwrap(), expected);
        }
        let moment = UNIX_EPOCH + Duration::from_secs(1_795_449_600);
        assert_eq!(Clf(moment).to_string(), "23/Nov/2026:16:00:00 +0000");
        for _ in 0..2 {
            let mut written = Vec::new();
            write_http_date(moment, &mut written);
            assert_eq!(written, b"Mon, 23 Nov 2026 16:00:00 GMT");
        }
    }
}
