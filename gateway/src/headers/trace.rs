//! Request ids and W3C trace context.

use std::fmt;

use crate::head::{Fields, Known};

/// A random number of 128 bits in hexadecimal, or a text of the same kind that somebody brought.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct HexId([u8; 32]);

impl HexId {
    fn of(number: u128) -> Self {
        let mut digits = [0; 32];
        hexadecimal(number, &mut digits);
        Self(digits)
    }

    pub(crate) fn as_str(&self) -> &str {
        // Digits are ASCII, whoever wrote them.
        str::from_utf8(&self.0).unwrap_or_default()
    }

    fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for HexId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn hexadecimal(mut number: u128, digits: &mut [u8]) {
    for digit in digits.iter_mut().rev() {
        *digit = b"0123456789abcdef"[(number & 15) as usize];
        number >>= 4;
    }
}

/// `X-Request-Id`.
#[derive(Debug, Clone)]
pub(crate) enum RequestId {
    Ours(HexId),
    /// A trusted proxy's.
    Brought(String),
}

impl RequestId {
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Ours(id) => id.as_str(),
            Self::Brought(id) => id,
        }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Ours(id) => id.as_bytes(),
            Self::Brought(id) => id.as_bytes(),
        }
    }
}

/// How one request is recognised in every log that it passes.
#[derive(Debug, Clone)]
pub(crate) struct Trace {
    pub(crate) request_id: RequestId,
    /// The trace id of `traceparent`.
    pub(crate) trace_id: HexId,
    span_id: u64,
    flags: u8,
}

impl Trace {
    /// Continues what the request brings, or begins anew. A trace is continued for anybody: the id
    /// decides nothing, and browsers begin traces too. A request id only for a trusted proxy: people
    /// search for it.
    pub(crate) fn of(fields: &Fields, via_trusted: bool) -> Self {
        let brought = fields.get(Known::Traceparent).and_then(parse);
        let (trace_id, flags) = brought.unwrap_or_else(|| (HexId::of(fastrand::u128(1..)), 0));
        let request_id = fields.get(Known::XRequestId).filter(|_| via_trusted).and_then(sane);
        Self {
            request_id: request_id
                .unwrap_or_else(|| RequestId::Ours(HexId::of(fastrand::u128(..)))),
            trace_id,
            span_id: fastrand::u64(1..),
            flags,
        }
    }

    /// The trace of a request that brings nothing.
    pub(crate) fn begin() -> Self {
        Self::of(&Fields::default(), false)
    }

    /// The `traceparent` for the upstream: the same trace, our span as its parent.
    pub(crate) fn traceparent(&self) -> [u8; 55] {
        let mut text = *b"00-________________________________-________________-__";
        text[3..35].copy_from_slice(self.trace_id.as_bytes());
        hexadecimal(self.span_id.into(), &mut text[36..52]);
        hexadecimal(self.flags.into(), &mut text[53..]);
        text
    }
}

fn sane(id: &[u8]) -> Option<RequestId> {
    let sane = (1..=128).contains(&id.len())
        && id.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'"');
    sane.then(|| RequestId::Brought(String::from_utf8_lossy(id).into_owned()))
}

/// Version 00 of `traceparent`, and what later versions promise to keep of it
/// (W3C Trace Context, section 3.2).
fn parse(text: &[u8]) -> Option<(HexId, u8)> {
    let mut fields = text.split(|byte| *byte == b'-');
    let [version, trace, parent, flags] = [(); 4].map(|()| fields.next());
    let (version, trace, parent, flags) = (version?, trace?, parent?, flags?);
    let is_digit = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte);
    let is_hex = |field: &[u8], length| field.len() == length && field.iter().all(is_digit);
    let is_zero = |field: &[u8]| field.iter().all(|byte| *byte == b'0');
    let valid = is_hex(version, 2)
        && version != b"ff"
        && (version != b"00" || fields.next().is_none())
        && !is_zero(trace)
        && is_hex(parent, 16)
        && !is_zero(parent)
        && is_hex(flags, 2);
    // Sampled or not is the one flag that version 00 knows, and the last bit of the last digit.
    let sampled = flags.last().is_some_and(|digit| {
        matches!(digit, b'1' | b'3' | b'5' | b'7' | b'9' | b'b' | b'd' | b'f')
    });
    let id = HexId(trace.try_into().ok()?);
    (valid && is_hex(trace, 32)).then(|| (id, u8::from(sampled)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIVEN: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn trace_of(name: &'static str, value: &str, via_trusted: bool) -> Trace {
        let mut fields = Fields::default();
        fields.add(name.as_bytes(), value.as_bytes());
        Trace::of(&fields, via_trusted)
    }

    #[test]
    fn a_trace_is_continued_with_a_span_of_ours() {
        let sent = trace_of("traceparent", GIVEN, false).traceparent();
        let sent = str::from_utf8(&sent).unwrap();
        assert!(sent.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"));
        assert!(sent.ends_with("-01"));
        assert_eq!(sent.len(), GIVEN.len());
        assert_ne!(sent, GIVEN);
        assert!(parse(sent.as_bytes()).is_some());
    }

    #[test]
    fn a_malformed_trace_begins_anew() {
        for bad in [
            "",
            "00",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
        ] {
            let trace = trace_of("traceparent", bad, true);
            assert_ne!(trace.trace_id.as_str(), "4bf92f3577b34da6a3ce929d0e0e4736", "{bad}");
            assert_eq!(trace.trace_id.as_str().len(), 32);
        }
    }

    #[test]
    fn request_ids_come_from_trusted_proxies_only() {
        let id = |value, via_trusted| trace_of("x-request-id", value, via_trusted).request_id;
        assert_eq!(id("abc", true).as_str(), "abc");
        assert_ne!(id("abc", false).as_str(), "abc");
        assert_ne!(id("a\"b", true).as_str(), "a\"b");
    }
}
