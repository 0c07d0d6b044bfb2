//! The head of an answer, read where it lies.

use std::mem::MaybeUninit;

use httparse::{Header, ParserConfig, Response, Status};

use super::{Chunked, Failure};
use crate::scenario::{Expect, Seen};

const MOST_FIELDS: usize = 128;

/// What a head says about the bytes behind it.
pub(super) struct Head {
    pub(super) length: usize,
    pub(super) framing: Framing,
    /// Whether the connection may be used for another request.
    pub(super) keeps: bool,
}

/// How the end of a body is known.
pub(super) enum Framing {
    Length(u64),
    Chunked(Chunked),
    UntilEnd,
}

impl Head {
    /// `None` where it is not there as a whole. What the scenario expects of it is seen.
    pub(super) fn parse(
        input: &[u8],
        is_head: bool,
        expect: &Expect,
        seen: &mut Seen,
    ) -> Result<Option<Self>, Failure> {
        let mut fields = [const { MaybeUninit::<Header<'_>>::uninit() }; MOST_FIELDS];
        let mut response = Response::new(&mut []);
        let parsed = ParserConfig::default().parse_response_with_uninit_headers(
            &mut response,
            input,
            &mut fields,
        );
        let length = match parsed {
            Ok(Status::Complete(length)) => length,
            Ok(Status::Partial) => return Ok(None),
            Err(error) => {
                return Err(Failure::protocol(format!("the answer is not HTTP/1.1: {error}")));
            }
        };
        seen.status = response.code.unwrap_or_default();
        let mut keeps = response.version == Some(1);
        let mut framing = Framing::UntilEnd;
        for Header { name, value } in &*response.headers {
            if !expect.headers.is_empty() {
                expect.see_header(seen, name.as_bytes(), value);
            }
            if let Some(said) = said_framing(name, value)? {
                // Transfer-Encoding is what counts where there are both (RFC 9112, section 6.3).
                if !matches!(framing, Framing::Chunked(_)) {
                    framing = said;
                }
            } else if name.eq_ignore_ascii_case("connection") {
                keeps = match value {
                    value if value.eq_ignore_ascii_case(b"close") => false,
                    value if value.eq_ignore_ascii_case(b"keep-alive") => true,
                    _ => keeps,
                };
            }
        }
        if is_head || matches!(seen.status, 204 | 304) {
            framing = Framing::Length(0);
        }
        keeps &= !matches!(framing, Framing::UntilEnd);
        Ok(Some(Self { length, framing, keeps }))
    }
}

/// What a field says about the body, if it is one that does.
fn said_framing(name: &str, value: &[u8]) -> Result<Option<Framing>, Failure> {
    match name.len() {
        14 if name.eq_ignore_ascii_case("content-length") => {
            let length = str::from_utf8(value).ok().and_then(|text| text.trim().parse().ok());
            let broken = || Failure::protocol("the answer's Content-Length is not a number");
            length.map(|length| Some(Framing::Length(length))).ok_or_else(broken)
        }
        17 if name.eq_ignore_ascii_case("transfer-encoding") => {
            let is_chunked = value.eq_ignore_ascii_case(b"chunked");
            let other = || Failure::protocol("the answer's Transfer-Encoding is not `chunked`");
            is_chunked.then(|| Some(Framing::Chunked(Chunked::new()))).ok_or_else(other)
        }
        _ => Ok(None),
    }
}
