//! Frames (RFC 9113 sections 4 and 6).

use super::error::{Code, ConnectionError};

/// What a client sends first (section 3.4).
pub(crate) const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The length of a frame's head.
pub(crate) const HEAD_LENGTH: usize = 9;

/// The longest payload, in both directions: the least that the protocol allows to set
/// (section 6.5.2). Longer ones would only make others wait longer.
pub(crate) const MAX_PAYLOAD: usize = 16_384;

/// Flags. What a bit says depends on the kind.
pub(crate) const END_STREAM: u8 = 0x1;
pub(crate) const ACK: u8 = 0x1;
pub(crate) const END_HEADERS: u8 = 0x4;
pub(crate) const PADDED: u8 = 0x8;
pub(crate) const PRIORITY: u8 = 0x20;

/// A stream's number; zero is the connection itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct StreamId(pub(crate) u32);

impl StreamId {
    /// The connection.
    pub(crate) const CONNECTION: Self = Self(0);
    /// The largest number, for a GOAWAY that does not refuse anything yet (section 6.8).
    pub(crate) const MAX: Self = Self(0x7fff_ffff);

    fn parse(octets: [u8; 4]) -> Self {
        Self(u32::from_be_bytes(octets) & Self::MAX.0)
    }

    /// Whether clients open streams with such numbers (section 5.1.1).
    pub(crate) fn is_clients(self) -> bool {
        self.0 % 2 == 1
    }
}

/// The kinds of frames (section 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    Data = 0,
    Headers = 1,
    Priority = 2,
    ResetStream = 3,
    Settings = 4,
    PushPromise = 5,
    Ping = 6,
    GoAway = 7,
    WindowUpdate = 8,
    Continuation = 9,
}

impl Kind {
    fn parse(octet: u8) -> Option<Self> {
        Some(match octet {
            0 => Self::Data,
            1 => Self::Headers,
            2 => Self::Priority,
            3 => Self::ResetStream,
            4 => Self::Settings,
            5 => Self::PushPromise,
            6 => Self::Ping,
            7 => Self::GoAway,
            8 => Self::WindowUpdate,
            9 => Self::Continuation,
            _ => return None,
        })
    }
}

/// A frame's head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FrameHead {
    pub(crate) length: usize,
    /// `None`: a kind of an extension, to be ignored (section 5.5).
    pub(crate) kind: Option<Kind>,
    pub(crate) flags: u8,
    pub(crate) stream: StreamId,
}

impl FrameHead {
    /// Takes a head from the beginning of `bytes`; `None` where it is not yet whole.
    pub(crate) fn take(bytes: &mut &[u8]) -> Result<Option<Self>, ConnectionError> {
        let Some((head, rest)) = bytes.split_first_chunk::<HEAD_LENGTH>() else { return Ok(None) };
        let [l0, l1, l2, kind, flags, s0, s1, s2, s3] = *head;
        let length = u32::from_be_bytes([0, l0, l1, l2]) as usize;
        if length > MAX_PAYLOAD {
            return Err(ConnectionError::frame_size("a frame is longer than our settings allow"));
        }
        *bytes = rest;
        let stream = StreamId::parse([s0, s1, s2, s3]);
        Ok(Some(Self { length, kind: Kind::parse(kind), flags, stream }))
    }

    pub(crate) fn has(self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

/// Writes a frame's head.
pub(crate) fn head(kind: Kind, flags: u8, stream: StreamId, length: usize) -> [u8; HEAD_LENGTH] {
    debug_assert!(length <= MAX_PAYLOAD, "who writes a frame has cut it to size");
    let [_, l0, l1, l2] = (length as u32).to_be_bytes();
    let [s0, s1, s2, s3] = stream.0.to_be_bytes();
    [l0, l1, l2, kind as u8, flags, s0, s1, s2, s3]
}

/// The fragment of a header block in the payload of HEADERS (section 6.2). Priorities are obsolete
/// (section 5.3.2), and ignored.
pub(crate) fn fragment(head: FrameHead, payload: &[u8]) -> Result<&[u8], ConnectionError> {
    let short = ConnectionError::frame_size("HEADERS is shorter than its flags say");
    let (mut payload, mut padding) = (payload, 0);
    if head.has(PADDED) {
        let (&length, rest) = payload.split_first().ok_or(short)?;
        (payload, padding) = (rest, usize::from(length));
    }
    if head.has(PRIORITY) {
        payload = payload.get(5..).ok_or(short)?;
    }
    let end = payload
        .len()
        .checked_sub(padding)
        .ok_or(ConnectionError::protocol("HEADERS is padded with more than it has"))?;
    Ok(&payload[..end])
}

/// The error code in the payload of RST_STREAM (section 6.4).
pub(crate) fn reset_code(payload: &[u8]) -> Result<u32, ConnectionError> {
    word(payload).ok_or(ConnectionError::frame_size("RST_STREAM has not four octets"))
}

/// The increment in the payload of WINDOW_UPDATE (section 6.9).
pub(crate) fn increment(payload: &[u8]) -> Result<u32, ConnectionError> {
    word(payload)
        .map(|word| word & StreamId::MAX.0)
        .ok_or(ConnectionError::frame_size("WINDOW_UPDATE has not four octets"))
}

/// The payload of PING (section 6.7).
pub(crate) fn ping(payload: &[u8]) -> Result<[u8; 8], ConnectionError> {
    payload.try_into().map_err(|_| ConnectionError::frame_size("PING has not eight octets"))
}

/// The payload of GOAWAY (section 6.8).
pub(crate) fn go_away(last: StreamId, code: Code) -> [u8; 8] {
    let [l0, l1, l2, l3] = last.0.to_be_bytes();
    let [c0, c1, c2, c3] = (code as u32).to_be_bytes();
    [l0, l1, l2, l3, c0, c1, c2, c3]
}

fn word(payload: &[u8]) -> Option<u32> {
    payload.try_into().ok().map(u32::from_be_bytes)
}
