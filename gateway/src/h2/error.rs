//! Errors of streams and of connections (RFC 9113 sections 5.4 and 7).

use super::hpack;

/// An error code. Those that we neither send nor tell apart are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Code {
    No = 0x0,
    Protocol = 0x1,
    Internal = 0x2,
    FlowControl = 0x3,
    StreamClosed = 0x5,
    FrameSize = 0x6,
    RefusedStream = 0x7,
    Compression = 0x9,
    EnhanceYourCalm = 0xb,
}

/// Why a connection cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub(crate) struct ConnectionError {
    pub(crate) code: Code,
    pub(crate) what: &'static str,
}

impl ConnectionError {
    pub(crate) const fn protocol(what: &'static str) -> Self {
        Self { code: Code::Protocol, what }
    }

    pub(crate) const fn frame_size(what: &'static str) -> Self {
        Self { code: Code::FrameSize, what }
    }

    pub(crate) const fn flow_control(what: &'static str) -> Self {
        Self { code: Code::FlowControl, what }
    }

    pub(crate) const fn calm(what: &'static str) -> Self {
        Self { code: Code::EnhanceYourCalm, what }
    }
}

impl From<hpack::Error> for ConnectionError {
    fn from(_: hpack::Error) -> Self {
        Self { code: Code::Compression, what: "a header block cannot be decoded" }
    }
}
