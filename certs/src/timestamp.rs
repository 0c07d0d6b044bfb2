//! How a point in time is written in a message.

use std::fmt;
use std::time::SystemTime;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Shown as RFC 3339 in UTC, to the second.
pub(crate) struct Timestamp(pub(crate) SystemTime);

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = OffsetDateTime::from(self.0).truncate_to_second();
        match moment.format(&Rfc3339) {
            Ok(text) => f.write_str(&text),
            // RFC 3339 has no year beyond 9999; the number of seconds always has a spelling.
            Err(_) => write!(f, "{} s after 1970", moment.unix_timestamp()),
        }
    }
}
