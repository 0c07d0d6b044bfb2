//! The echo (RFC 6455): messages come back as they came, frame by frame.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use httparse::Header;

use super::answer::{Answer, refusal};

/// RFC 6455, section 1.3.
const ACCEPT: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

const MASKED: u8 = 0x80;
const OPCODE: u8 = 0x0f;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xa;

/// The largest frame that is echoed, in bytes.
const LARGEST: u64 = 16 * 1024 * 1024;

/// The answer to a request for `/ws`.
pub(super) fn answer(headers: &[Header<'_>]) -> Answer {
    let key = headers.iter().find(|header| header.name.eq_ignore_ascii_case("sec-websocket-key"));
    let Some(key) = key else {
        return Answer::Now(refusal("426 Upgrade Required", "this path speaks WebSocket alone"));
    };
    let mut hash = digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY);
    hash.update(key.value);
    hash.update(ACCEPT);
    let accept = BASE64_STANDARD.encode(hash.finish());
    Answer::Echo(
        format!(
            "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
             sec-websocket-accept: {accept}\r\n\r\n"
        )
        .into_bytes(),
    )
}

/// Where a frame ended, and whether it was the last.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Echoed {
    pub(super) taken: usize,
    pub(super) closes: bool,
}

/// A frame that is not one of a client, or is too large.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotAFrame;

/// Appends to `out` the echo of the frame at the front of `bytes`; `None` until all of it is there.
pub(super) fn echo(bytes: &[u8], out: &mut Vec<u8>) -> Result<Option<Echoed>, NotAFrame> {
    let [first, second, rest @ ..] = bytes else { return Ok(None) };
    if second & MASKED == 0 {
        return Err(NotAFrame);
    }
    let Some((length, rest)) = length(second & !MASKED, rest) else { return Ok(None) };
    if length > LARGEST {
        return Err(NotAFrame);
    }
    let length = usize::try_from(length).map_err(|_| NotAFrame)?;
    let Some((mask, rest)) = rest.split_first_chunk::<4>() else { return Ok(None) };
    let Some(payload) = rest.get(..length) else { return Ok(None) };
    let opcode = first & OPCODE;
    let taken = bytes.len() - rest.len() + length;
    if opcode != PONG {
        let answered = if opcode == PING { first & !OPCODE | PONG } else { *first };
        frame(answered, payload, *mask, out);
    }
    Ok(Some(Echoed { taken, closes: opcode == CLOSE }))
}

fn length(announced: u8, rest: &[u8]) -> Option<(u64, &[u8])> {
    match announced {
        126 => {
            rest.split_first_chunk().map(|(bytes, rest)| (u16::from_be_bytes(*bytes).into(), rest))
        }
        127 => rest.split_first_chunk().map(|(bytes, rest)| (u64::from_be_bytes(*bytes), rest)),
        short => Some((short.into(), rest)),
    }
}

fn frame(first: u8, payload: &[u8], mask: [u8; 4], out: &mut Vec<u8>) {
    out.push(first);
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(short @ ..126), _) => out.push(short),
        (_, Ok(length)) => {
            out.push(126);
            out.extend_from_slice(&length.to_be_bytes());
        }
        _ => {
            out.push(127);
            out.extend_from_slice(&(payload.len() as u64).to_be_bytes());
        }
    }
    out.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6455, section 5.7: a masked text frame with "Hello".
    const HELLO: [u8; 11] = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];

    #[test]
    fn the_example_of_the_rfc_comes_back_unmasked_and_not_before_it_is_whole() {
        for short in 0..HELLO.len() {
            assert_eq!(echo(&HELLO[..short], &mut Vec::new()), Ok(None));
        }
        let mut out = Vec::new();
        assert_eq!(echo(&HELLO, &mut out), Ok(Some(Echoed { taken: 11, closes: false })));
        assert_eq!(out, b"\x81\x05Hello");
    }

    #[test]
    fn lengths_have_three_forms() {
        for length in [0_usize, 125, 126, 65_535, 65_536] {
            let mut sent = Vec::new();
            frame(0x82, &vec![7; length], [0; 4], &mut sent);
            let header = sent.len() - length;
            let masked = [&[sent[0], sent[1] | MASKED], &sent[2..header], &[0; 4], &sent[header..]];
            let mut out = Vec::new();
            let echoed = echo(&masked.concat(), &mut out).unwrap().unwrap();
            assert_eq!((echoed.taken, out), (sent.len() + 4, sent));
        }
    }

    #[test]
    fn a_ping_gets_a_pong_and_a_close_ends() {
        let mut out = Vec::new();
        assert!(!echo(&[0x89, 0x80, 0, 0, 0, 0], &mut out).unwrap().unwrap().closes);
        assert!(echo(&[0x88, 0x80, 0, 0, 0, 0], &mut out).unwrap().unwrap().closes);
        assert_eq!(out, [0x8a, 0, 0x88, 0]);
    }

    #[test]
    fn clients_must_mask() {
        assert_eq!(echo(&[0x81, 0x00], &mut Vec::new()), Err(NotAFrame));
    }
}
