//! The conditions and ranges of a request for a file (RFC 9110 sections 13 and 14).

use std::ops::Range;
use std::time::{SystemTime, UNIX_EPOCH};

use http::Method;

use crate::head::{Fields, RequestHead};
use crate::headers::etag;

/// What conditions are held against.
#[derive(Debug)]
pub(super) struct Facts {
    /// In bytes.
    pub(super) length: u64,
    /// `None` where the file has no date that means anything.
    pub(super) modified: Option<SystemTime>,
    /// A strong tag.
    pub(super) etag: String,
}

/// What a request gets.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Whole,
    /// 206, with these bytes: never none.
    Part(Range<u64>),
    /// 304
    NotModified,
    /// 412
    Failed,
    /// 416
    NoSuchPart,
}

/// Goes through a request's conditions, in the order of section 13.2.2.
pub(super) fn judge(asked: &RequestHead, facts: &Facts) -> Verdict {
    let fields = &asked.fields;
    if !may_be_this(fields, facts) {
        return Verdict::Failed;
    }
    if is_known(fields, facts) {
        return Verdict::NotModified;
    }
    let mut ranges = fields.named(b"range");
    match (ranges.next(), ranges.next()) {
        (Some(range), None) if asked.method == Method::GET && is_of_this(fields, facts) => {
            part(range, facts.length)
        }
        _ => Verdict::Whole,
    }
}

/// `If-Match`, or else `If-Unmodified-Since`.
fn may_be_this(fields: &Fields, facts: &Facts) -> bool {
    if fields.has_named(b"if-match") {
        return listed(fields, b"if-match", |tag| tag == facts.etag.as_bytes());
    }
    let limit = date(fields, b"if-unmodified-since");
    limit.is_none_or(|limit| seconds(facts.modified).is_none_or(|modified| modified <= limit))
}

/// `If-None-Match`, or else `If-Modified-Since`.
fn is_known(fields: &Fields, facts: &Facts) -> bool {
    if fields.has_named(b"if-none-match") {
        let same = |tag: &[u8]| etag::same_meaning(tag, facts.etag.as_bytes());
        return listed(fields, b"if-none-match", same);
    }
    let since = date(fields, b"if-modified-since");
    since.zip(seconds(facts.modified)).is_some_and(|(since, modified)| modified <= since)
}

/// `If-Range`: whether the part is of what the client has the rest of. A tag must be the same to the
/// byte.
fn is_of_this(fields: &Fields, facts: &Facts) -> bool {
    let Some(condition) = fields.named(b"if-range").next() else { return true };
    if condition.starts_with(b"\"") || condition.starts_with(b"W/") {
        return condition == facts.etag.as_bytes();
    }
    let date = date(fields, b"if-range");
    date.is_some() && date == seconds(facts.modified)
}

fn listed(fields: &Fields, name: &[u8], is_meant: impl Fn(&[u8]) -> bool) -> bool {
    fields.named(name).flat_map(etag::tags).any(|tag| tag == b"*" || is_meant(tag))
}

fn date(fields: &Fields, name: &[u8]) -> Option<u64> {
    let text = str::from_utf8(fields.named(name).next()?).ok()?;
    seconds(httpdate::parse_http_date(text).ok())
}

fn seconds(at: Option<SystemTime>) -> Option<u64> {
    Some(at?.duration_since(UNIX_EPOCH).ok()?.as_secs())
}

/// One range of bytes. Several at once are not served: whoever asks for them takes the whole as well.
fn part(range: &[u8], length: u64) -> Verdict {
    let range = str::from_utf8(range).unwrap_or_default();
    let bounds = range.strip_prefix("bytes=").and_then(|range| range.split_once('-'));
    let Some((first, last)) = bounds.map(|(first, last)| (first.trim(), last.trim())) else {
        return Verdict::Whole;
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // A number that is too large for anything is behind every end.
    let number = |text: &str| digits(text).then(|| text.parse().unwrap_or(u64::MAX));
    let (start, end) = match (number(first), number(last)) {
        (None, Some(count)) if first.is_empty() => (length - count.min(length), length),
        (Some(start), None) if last.is_empty() => (start, length),
        (Some(start), Some(last)) if start <= last => (start, last.saturating_add(1).min(length)),
        _ => return Verdict::Whole,
    };
    if start < end { Verdict::Part(start..end) } else { Verdict::NoSuchPart }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    const DAY: &str = "Mon, 23 Nov 2026 16:00:00 GMT";
    const BEFORE: &str = "Mon, 23 Nov 2026 15:59:59 GMT";

    fn facts() -> Facts {
        // Half a second behind what a date can say.
        let modified = UNIX_EPOCH + Duration::from_millis(1_795_449_600_500);
        Facts { length: 100, modified: Some(modified), etag: "\"a\"".into() }
    }

    fn verdict(method: &Method, fields: &[(&str, &str)]) -> Verdict {
        let mut head = RequestHead::default();
        head.begin(method.clone(), http::Version::HTTP_11);
        for (name, value) in fields {
            head.fields.add(name.as_bytes(), value.as_bytes());
        }
        judge(&head, &facts())
    }

    #[test]
    fn conditions_are_judged_in_their_order() {
        use Verdict::{Failed, NotModified, Part, Whole};
        for (fields, expected) in [
            (&[][..], Whole),
            (&[("if-none-match", "\"a\"")], NotModified),
            (&[("if-none-match", "W/\"a\"")], NotModified),
            (&[("if-none-match", "\"b\", W/\"a\"")], NotModified),
            (&[("if-none-match", "*")], NotModified),
            (&[("if-none-match", "\"b\"")], Whole),
            (&[("if-none-match", "\"b\""), ("if-modified-since", DAY)], Whole),
            (&[("if-modified-since", DAY)], NotModified),
            (&[("if-modified-since", BEFORE)], Whole),
            (&[("if-modified-since", "yesterday")], Whole),
            (&[("if-match", "\"a\"")], Whole),
            (&[("if-match", "*")], Whole),
            (&[("if-match", "W/\"a\"")], Failed),
            (&[("if-match", "\"b\"")], Failed),
            (&[("if-unmodified-since", DAY)], Whole),
            (&[("if-unmodified-since", BEFORE)], Failed),
            (&[("if-match", "\"a\""), ("if-unmodified-since", BEFORE)], Whole),
            (&[("range", "bytes=0-9"), ("if-range", "\"a\"")], Part(0..10)),
            (&[("range", "bytes=0-9"), ("if-range", "W/\"a\"")], Whole),
            (&[("range", "bytes=0-9"), ("if-range", "\"b\"")], Whole),
            (&[("range", "bytes=0-9"), ("if-range", DAY)], Part(0..10)),
            (&[("range", "bytes=0-9"), ("if-range", BEFORE)], Whole),
            (&[("range", "bytes=0-9"), ("if-none-match", "\"a\"")], NotModified),
            (&[("range", "bytes=0-9"), ("range", "bytes=0-9")], Whole),
        ] {
            assert_eq!(verdict(&Method::GET, fields), expected, "{fields:?}");
        }
        assert_eq!(verdict(&Method::HEAD, &[("range", "bytes=0-9")]), Verdict::Whole);
    }

    #[test]
    fn ranges_are_cut_to_the_file() {
        use Verdict::{NoSuchPart, Part, Whole};
        for (range, expected) in [
            ("bytes=0-0", Part(0..1)),
            ("bytes=90-", Part(90..100)),
            ("bytes=90-1000", Part(90..100)),
            ("bytes=-10", Part(90..100)),
            ("bytes=-1000", Part(0..100)),
            ("bytes=0-99999999999999999999999", Part(0..100)),
            ("bytes=100-", NoSuchPart),
            ("bytes=99999999999999999999999-", NoSuchPart),
            ("bytes=-0", NoSuchPart),
            ("bytes=9-0", Whole),
            ("bytes=a-b", Whole),
            ("bytes=-", Whole),
            ("bytes=--1", Whole),
            ("bytes=0-1,5-6", Whole),
            ("lines=0-1", Whole),
            ("bytes", Whole),
        ] {
            assert_eq!(verdict(&Method::GET, &[("range", range)]), expected, "{range}");
        }
    }

    proptest! {
        #[test]
        fn a_part_is_never_more_than_there_is(range in "bytes=[0-9]{0,22}-[0-9]{0,22}", length in 0_u64..300) {
            if let Verdict::Part(part) = part(range.as_bytes(), length) {
                prop_assert!(part.start < part.end && part.end <= length);
            }
        }
    }
}
