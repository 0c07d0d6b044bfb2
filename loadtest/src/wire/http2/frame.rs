//! Frames of HTTP/2 (RFC 9113, section 4 and 6).

use super::Failure;

pub(super) const DATA: u8 = 0x0;
pub(super) const HEADERS: u8 = 0x1;
pub(super) const RST_STREAM: u8 = 0x3;
pub(super) const SETTINGS: u8 = 0x4;
pub(super) const PUSH_PROMISE: u8 = 0x5;
pub(super) const PING: u8 = 0x6;
pub(super) const GOAWAY: u8 = 0x7;
pub(super) const WINDOW_UPDATE: u8 = 0x8;
pub(super) const CONTINUATION: u8 = 0x9;

pub(super) const END_STREAM: u8 = 0x1;
pub(super) const ACK: u8 = 0x1;
pub(super) const END_HEADERS: u8 = 0x4;
const PADDED: u8 = 0x8;
const PRIORITY: u8 = 0x20;

/// The error codes by their numbers (section 7).
const ERRORS: [&str; 14] = [
    "NO_ERROR",
    "PROTOCOL_ERROR",
    "INTERNAL_ERROR",
    "FLOW_CONTROL_ERROR",
    "SETTINGS_TIMEOUT",
    "STREAM_CLOSED",
    "FRAME_SIZE_ERROR",
    "REFUSED_STREAM",
    "CANCEL",
    "COMPRESSION_ERROR",
    "CONNECT_ERROR",
    "ENHANCE_YOUR_CALM",
    "INADEQUATE_SECURITY",
    "HTTP_1_1_REQUIRED",
];

pub(super) const REFUSED_STREAM: u32 = 7;
pub(super) const CANCEL: u32 = 8;

/// The length of a frame's head.
pub(super) const HEAD: usize = 9;

/// The longest payload that the server may send, which is the default (section 6.5.2).
pub(super) const LONGEST: usize = 16_384;

/// A frame that the server sent.
pub(super) struct Frame<'i> {
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) stream: u32,
    pub(super) payload: &'i [u8],
}

impl<'i> Frame<'i> {
    /// The first frame, and what is behind it; `None` where it is not there as a whole.
    pub(super) fn parse(input: &'i [u8]) -> Result<Option<(Self, &'i [u8])>, Failure> {
        let Some((head, behind)) = input.split_first_chunk::<HEAD>() else { return Ok(None) };
        let [a, b, c, kind, flags, id @ ..] = *head;
        let length = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
        if length > LONGEST {
            return Err(Failure::protocol("the server sent an HTTP/2 frame longer than 16 KiB"));
        }
        let Some((payload, rest)) = behind.split_at_checked(length) else { return Ok(None) };
        let stream = u32::from_be_bytes(id) & 0x7fff_ffff;
        Ok(Some((Self { kind, flags, stream, payload }, rest)))
    }

    pub(super) fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// The payload of DATA and HEADERS, without what is around it.
    pub(super) fn content(&self) -> Result<&'i [u8], Failure> {
        let mut content = self.payload;
        let mut padding = 0;
        if self.has(PADDED) {
            let (length, rest) = content.split_first().ok_or_else(broken)?;
            (content, padding) = (rest, usize::from(*length));
        }
        if self.kind == HEADERS && self.has(PRIORITY) {
            content = content.get(5..).ok_or_else(broken)?;
        }
        let length = content.len().checked_sub(padding).ok_or_else(broken)?;
        Ok(&content[..length])
    }

    /// The payload's number of 32 bits that begins at a byte.
    pub(super) fn number(&self, at: usize) -> Result<u32, Failure> {
        let bytes = self.payload.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
        bytes.map(u32::from_be_bytes).ok_or_else(broken)
    }
}

pub(super) fn broken() -> Failure {
    Failure::protocol("the server sent an HTTP/2 frame that is broken")
}

/// The name of an error code.
pub(super) fn error_name(code: u32) -> String {
    let known = usize::try_from(code).ok().and_then(|code| ERRORS.get(code));
    known.map_or_else(|| format!("error {code}"), |name| (*name).to_owned())
}

/// Writes a frame.
pub(super) fn write(kind: u8, flags: u8, stream: u32, payload: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&[0; HEAD]);
    out.extend_from_slice(payload);
    close(start, kind, flags, stream, out);
}

/// Writes the head of the frame that begins at `start`, over the place that was left for it.
pub(super) fn close(start: usize, kind: u8, flags: u8, stream: u32, out: &mut [u8]) {
    // No frame is longer than LONGEST.
    let length = u32::try_from(out.len() - start - HEAD).unwrap_or_default();
    let [_, a, b, c] = length.to_be_bytes();
    let [d, e, f, g] = stream.to_be_bytes();
    out[start..start + HEAD].copy_from_slice(&[a, b, c, kind, flags, d, e, f, g]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut out = Vec::new();
        write(PING, ACK, 0, b"12345678", &mut out);
        write(DATA, END_STREAM, 0x0123_4567, b"", &mut out);
        let (ping, rest) = Frame::parse(&out).unwrap().unwrap();
        assert_eq!(
            (ping.kind, ping.flags, ping.stream, ping.payload),
            (PING, ACK, 0, &b"12345678"[..])
        );
        let (data, rest) = Frame::parse(rest).unwrap().unwrap();
        assert_eq!((data.stream, data.has(END_STREAM), rest.len()), (0x0123_4567, true, 0));
        assert!(Frame::parse(&out[..16]).unwrap().is_none());
        assert!(Frame::parse(&[0xff; 9]).is_err());
    }

    #[test]
    fn padding_and_priority_are_left_out() {
        let payload = [2, 0, 0, 0, 0, 9, b'h', b'i', 0, 0];
        let flags = PADDED | PRIORITY;
        let headers = Frame { kind: HEADERS, flags, stream: 1, payload: &payload };
        assert_eq!(headers.content().unwrap(), b"hi");
        let data = Frame { kind: DATA, flags: PADDED, stream: 1, payload: &[3, b'h', b'i'] };
        assert!(data.content().is_err());
    }
}
