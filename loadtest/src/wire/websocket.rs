//! WebSocket (RFC 6455): one message at a time, and its echo.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::scenario::{Request, Seen};

use super::plan::{Plan, write_path};
use super::{Failure, Flight, Turn};

/// What both sides know (section 1.3).
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// A longer frame is no echo of anything that a scenario may send.
const LONGEST_FRAME: u64 = 1 << 30;

const CONTINUATION: u8 = 0x0;
const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xa;
const FINAL: u8 = 0x80;
const MASKED: u8 = 0x80;

/// A connection.
pub(crate) struct WebSocket {
    /// What `Sec-WebSocket-Accept` must be; `None` when it was.
    upgrading: Option<String>,
    flight: Option<Flight>,
    seen: Seen,
    /// What is not there as a whole yet.
    buffer: Vec<u8>,
}

/// A frame's opcode with FIN, and its payload.
struct Frame<'i> {
    head: u8,
    payload: &'i [u8],
    /// Of the whole frame.
    length: usize,
}

/// The upgrade's request, up to the key; the message is the body.
pub(super) fn plan(request: &Request) -> Plan {
    let mut after = format!(
        " HTTP/1.1\r\nhost: {}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\n",
        request.authority
    )
    .into_bytes();
    for (name, value) in &request.headers {
        after.extend_from_slice(format!("{name}: ").as_bytes());
        after.extend_from_slice(value.as_bytes());
        after.extend_from_slice(b"\r\n");
    }
    after.extend_from_slice(b"sec-websocket-key: ");
    let path = request.path.pieces.clone();
    Plan { before: b"GET ".to_vec(), path, after, body: request.body.clone(), is_head: false }
}

impl WebSocket {
    pub(super) fn begin(turn: &mut Turn<'_>) -> Self {
        let plan = &turn.book.plans[0];
        let values = super::Values { counter: 0, random: turn.rng.u64(..) };
        let key = STANDARD.encode(turn.rng.u128(..).to_be_bytes());
        turn.out.extend_from_slice(&plan.before);
        write_path(&plan.path, values, turn.out);
        turn.out.extend_from_slice(&plan.after);
        turn.out.extend_from_slice(key.as_bytes());
        turn.out.extend_from_slice(b"\r\n\r\n");
        let accepted = digest(&SHA1_FOR_LEGACY_USE_ONLY, format!("{key}{GUID}").as_bytes());
        let upgrading = Some(STANDARD.encode(accepted));
        Self { upgrading, flight: None, seen: Seen::default(), buffer: Vec::new() }
    }

    pub(super) fn room(&self) -> usize {
        usize::from(self.upgrading.is_none() && self.flight.is_none())
    }

    pub(super) fn flight(&self) -> Option<&Flight> {
        self.flight.as_ref()
    }

    /// A message is text where it can be: some servers echo nothing else.
    pub(super) fn start(&mut self, flight: Flight, turn: &mut Turn<'_>) {
        let message = &turn.book.plans[flight.request].body;
        let kind = if str::from_utf8(message).is_ok() { TEXT } else { BINARY };
        write_frame(kind, message, turn.rng.u32(..), turn.out);
        self.flight = Some(flight);
        self.seen = Seen::of_status(200);
    }

    pub(super) fn receive(&mut self, input: &[u8], turn: &mut Turn<'_>) -> Result<(), Failure> {
        let mut whole = std::mem::take(&mut self.buffer);
        let mut rest = match whole.is_empty() {
            true => input,
            false => {
                whole.extend_from_slice(input);
                &whole
            }
        };
        if let Some(accept) = &self.upgrading {
            let Some(length) = upgraded(rest, accept)? else {
                self.buffer.extend_from_slice(rest);
                return Ok(());
            };
            self.upgrading = None;
            rest = &rest[length..];
        }
        while let Some(frame) = Frame::parse(rest)? {
            self.take(&frame, turn)?;
            rest = &rest[frame.length..];
        }
        self.buffer.extend_from_slice(rest);
        Ok(())
    }

    fn take(&mut self, frame: &Frame<'_>, turn: &mut Turn<'_>) -> Result<(), Failure> {
        match frame.head & 0x0f {
            PING => write_frame(PONG, frame.payload, turn.rng.u32(..), turn.out),
            PONG => {}
            CLOSE => {
                write_frame(CLOSE, frame.payload, turn.rng.u32(..), turn.out);
                let kind = super::FailureKind::Closed;
                return Err(Failure::new(kind, "the server closed the WebSocket"));
            }
            CONTINUATION | TEXT | BINARY => {
                let Some(flight) = self.flight else {
                    // A server may have something to say of its own.
                    return Ok(());
                };
                let expect = &turn.book.scenario.requests[flight.request].expect;
                expect.see_body(&mut self.seen, frame.payload);
                if frame.head & FINAL != 0 {
                    self.flight = None;
                    turn.answered(flight, &self.seen);
                }
            }
            opcode => {
                let what = format!("the server sent a WebSocket frame of unknown kind {opcode}");
                return Err(Failure::protocol(what));
            }
        }
        Ok(())
    }

    pub(super) fn give_up(&mut self, failure: &Failure, turn: &mut Turn<'_>) {
        if let Some(flight) = self.flight.take() {
            turn.failed(flight, failure.clone());
        }
    }
}

/// The length of the answer's head, where it is there as a whole and says yes.
fn upgraded(input: &[u8], accept: &str) -> Result<Option<usize>, Failure> {
    let mut fields = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut fields);
    let length = match response.parse(input) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(error) => {
            return Err(Failure::protocol(format!("the answer is not HTTP/1.1: {error}")));
        }
    };
    let said = |name: &str| {
        let field = response.headers.iter().find(|field| field.name.eq_ignore_ascii_case(name));
        field.map(|field| field.value)
    };
    match response.code {
        Some(101) if said("sec-websocket-accept") == Some(accept.as_bytes()) => Ok(Some(length)),
        Some(101) => Err(Failure::protocol("the server's Sec-WebSocket-Accept is wrong")),
        code => {
            let code = code.unwrap_or_default();
            let what = format!("the server answered the upgrade with status {code}, not 101");
            Err(Failure::new(super::FailureKind::Status, what))
        }
    }
}

impl<'i> Frame<'i> {
    /// `None` where it is not there as a whole.
    fn parse(input: &'i [u8]) -> Result<Option<Self>, Failure> {
        let [head, second, behind @ ..] = input else { return Ok(None) };
        if second & MASKED != 0 {
            return Err(Failure::protocol("the server masked a WebSocket frame"));
        }
        let (length, behind) = match second & 0x7f {
            126 => match behind.split_first_chunk() {
                Some((length, behind)) => (u64::from(u16::from_be_bytes(*length)), behind),
                None => return Ok(None),
            },
            127 => match behind.split_first_chunk() {
                Some((length, behind)) => (u64::from_be_bytes(*length), behind),
                None => return Ok(None),
            },
            short => (u64::from(short), behind),
        };
        let too_long = || Failure::protocol("the server sent a WebSocket frame longer than 1 GiB");
        let length = usize::try_from(length).ok().filter(|_| length <= LONGEST_FRAME);
        let Some(payload) = behind.get(..length.ok_or_else(too_long)?) else { return Ok(None) };
        let length = input.len() - behind.len() + payload.len();
        Ok(Some(Self { head: *head, payload, length }))
    }
}

/// Writes one final frame; a client's are masked (section 5.3).
fn write_frame(opcode: u8, payload: &[u8], mask: u32, out: &mut Vec<u8>) {
    out.push(FINAL | opcode);
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(length @ 0..=125), _) => out.push(MASKED | length),
        (_, Ok(length)) => {
            out.push(MASKED | 126);
            out.extend_from_slice(&length.to_be_bytes());
        }
        _ => {
            out.push(MASKED | 127);
            out.extend_from_slice(&(payload.len() as u64).to_be_bytes());
        }
    }
    let mask = mask.to_be_bytes();
    out.extend_from_slice(&mask);
    out.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_section_5_7_are_read_and_written() {
        let hello = Frame::parse(&[0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f]).unwrap().unwrap();
        assert_eq!((hello.head, hello.payload, hello.length), (0x81, &b"Hello"[..], 7));
        let mut out = Vec::new();
        write_frame(TEXT, b"Hello", 0x37fa_213d, &mut out);
        assert_eq!(out, [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]);
    }

    #[test]
    fn lengths_have_three_forms() {
        for length in [0, 125, 126, 65_535, 65_536] {
            let mut out = Vec::new();
            write_frame(BINARY, &vec![7; length], 0, &mut out);
            // A server's frame is the same without the mask.
            let head = out.len() - length - 4;
            out[1] &= 0x7f;
            out.drain(head..head + 4);
            let frame = Frame::parse(&out).unwrap().unwrap();
            assert_eq!((frame.payload.len(), frame.length), (length, out.len()));
            assert!(Frame::parse(&out[..out.len() - 1]).unwrap().is_none());
        }
    }
}
