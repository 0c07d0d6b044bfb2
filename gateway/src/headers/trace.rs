//! Request ids and W3C trace context.

use std::fmt::Write as _;

use http::{HeaderMap, HeaderValue};

/// How one request is recognised in every log that it passes.
#[derive(Debug, Clone)]
pub(crate) struct Trace {
    /// `X-Request-Id`: a trusted proxy's, or ours.
    pub(crate) request_id: String,
    /// The trace id of `traceparent`, 32 hexadecimal digits.
    pub(crate) trace_id: String,
    span_id: u64,
    flags: u8,
}

impl Trace {
    /// Continues what the request brings, or begins anew. A trace is continued for anybody: the id
    /// decides nothing, and browsers begin traces too. A request id only for a trusted proxy: people
    /// search for it.
    pub(crate) fn of(headers: &HeaderMap, via_trusted: bool) -> Self {
        let brought = headers.get("traceparent").and_then(|value| parse(value.to_str().ok()?));
        let (trace_id, flags) =
            brought.unwrap_or_else(|| (format!("{:032x}", fastrand::u128(1..)), 0));
        let request_id = Some(headers)
            .filter(|_| via_trusted)
            .and_then(|headers| headers.get("x-request-id")?.to_str().ok())
            .filter(|id| is_sane(id))
            .map_or_else(|| format!("{:032x}", fastrand::u128(..)), str::to_owned);
        Self { request_id, trace_id, span_id: fastrand::u64(1..), flags }
    }

    /// The `traceparent` for the upstream: the same trace, our span as its parent.
    pub(crate) fn traceparent(&self) -> Option<HeaderValue> {
        let mut text = String::with_capacity(55);
        write!(text, "00-{}-{:016x}-{:02x}", self.trace_id, self.span_id, self.flags).ok()?;
        HeaderValue::try_from(text).ok()
    }

    /// The `X-Request-Id` for the upstream and the answer.
    pub(crate) fn request_id_value(&self) -> Option<HeaderValue> {
        HeaderValue::from_str(&self.request_id).ok()
    }
}

fn is_sane(id: &str) -> bool {
    (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"')
}

/// Version 00 of `traceparent`, and what later versions promise to keep of it
/// (W3C Trace Context, section 3.2).
fn parse(text: &str) -> Option<(String, u8)> {
    let mut fields = text.split('-');
    let [version, trace, parent, flags] = [(); 4].map(|()| fields.next());
    let (version, trace, parent, flags) = (version?, trace?, parent?, flags?);
    let is_hex = |field: &str, length| {
        field.len() == length
            && field.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    let is_zero = |field: &str| field.bytes().all(|b| b == b'0');
    let valid = is_hex(version, 2)
        && version != "ff"
        && (version != "00" || fields.next().is_none())
        && is_hex(trace, 32)
        && !is_zero(trace)
        && is_hex(parent, 16)
        && !is_zero(parent)
        && is_hex(flags, 2);
    let flags = u8::from_str_radix(flags, 16).ok()?;
    valid.then(|| (trace.to_owned(), flags & 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIVEN: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn trace_of(name: &'static str, value: &str, via_trusted: bool) -> Trace {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        Trace::of(&headers, via_trusted)
    }

    #[test]
    fn a_trace_is_continued_with_a_span_of_ours() {
        let sent = trace_of("traceparent", GIVEN, false).traceparent().unwrap();
        let sent = sent.to_str().unwrap();
        assert!(sent.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"));
        assert!(sent.ends_with("-01"));
        assert_eq!(sent.len(), GIVEN.len());
        assert_ne!(sent, GIVEN);
    }

    #[test]
    fn a_malformed_trace_begins_anew() {
        for bad in [
            "",
            "00",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
        ] {
            let trace = trace_of("traceparent", bad, true);
            assert_ne!(trace.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736", "{bad}");
            assert_eq!(trace.trace_id.len(), 32);
        }
    }

    #[test]
    fn request_ids_come_from_trusted_proxies_only() {
        assert_eq!(trace_of("x-request-id", "abc", true).request_id, "abc");
        assert_ne!(trace_of("x-request-id", "abc", false).request_id, "abc");
        assert_ne!(trace_of("x-request-id", "a\"b", true).request_id, "a\"b");
    }
}
