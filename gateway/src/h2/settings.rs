//! Settings (RFC 9113 section 6.5).

use super::error::ConnectionError;
use super::flow::{MAX_WINDOW, STREAM_WINDOW};
use crate::fault::HEAD_CAP;

/// Streams that a client may have at a time.
pub(crate) const MAX_STREAMS: usize = 100;

/// Their numbers (section 6.5.2; RFC 9218 section 2.1).
const HEADER_TABLE_SIZE: u16 = 0x1;
const ENABLE_PUSH: u16 = 0x2;
const MAX_CONCURRENT_STREAMS: u16 = 0x3;
const INITIAL_WINDOW_SIZE: u16 = 0x4;
const MAX_FRAME_SIZE: u16 = 0x5;
const MAX_HEADER_LIST_SIZE: u16 = 0x6;
const NO_RFC7540_PRIORITIES: u16 = 0x9;

/// How long one of them is.
const LENGTH: usize = 6;

/// Our settings, as a payload.
pub(crate) fn ours() -> [u8; 4 * LENGTH] {
    let settings = [
        (MAX_CONCURRENT_STREAMS, MAX_STREAMS as u32),
        (INITIAL_WINDOW_SIZE, STREAM_WINDOW),
        (MAX_HEADER_LIST_SIZE, HEAD_CAP as u32),
        (NO_RFC7540_PRIORITIES, 1),
    ];
    let mut payload = [0; 4 * LENGTH];
    for (place, (number, value)) in payload.chunks_exact_mut(LENGTH).zip(settings) {
        let (first, second) = place.split_at_mut(2);
        first.copy_from_slice(&number.to_be_bytes());
        second.copy_from_slice(&value.to_be_bytes());
    }
    payload
}

/// A setting of the client that changes what we do. How long its frames may be is none: ours are
/// never longer than every client must take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Setting {
    HeaderTableSize(u32),
    InitialWindowSize(u32),
}

/// The settings in a payload, in their order.
pub(crate) fn parse(
    payload: &[u8],
) -> Result<impl Iterator<Item = Result<Setting, ConnectionError>>, ConnectionError> {
    let (settings, []) = payload.as_chunks::<LENGTH>() else {
        return Err(ConnectionError::frame_size("SETTINGS has a length of no settings"));
    };
    Ok(settings.iter().filter_map(|&setting| parse_one(setting).transpose()))
}

fn parse_one([n0, n1, v0, v1, v2, v3]: [u8; LENGTH]) -> Result<Option<Setting>, ConnectionError> {
    let value = u32::from_be_bytes([v0, v1, v2, v3]);
    match u16::from_be_bytes([n0, n1]) {
        HEADER_TABLE_SIZE => Ok(Some(Setting::HeaderTableSize(value))),
        INITIAL_WINDOW_SIZE if value > MAX_WINDOW => {
            Err(ConnectionError::flow_control("SETTINGS_INITIAL_WINDOW_SIZE is too large"))
        }
        INITIAL_WINDOW_SIZE => Ok(Some(Setting::InitialWindowSize(value))),
        ENABLE_PUSH if value > 1 => {
            Err(ConnectionError::protocol("SETTINGS_ENABLE_PUSH is neither 0 nor 1"))
        }
        MAX_FRAME_SIZE if !(1 << 14..1 << 24).contains(&value) => {
            Err(ConnectionError::protocol("SETTINGS_MAX_FRAME_SIZE is out of bounds"))
        }
        _ => Ok(None),
    }
}
