//! What both sides say about themselves (RFC 9113, section 6.5).

use super::frame::{self, Frame};
use super::{Failure, Http2, Turn};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const ENABLE_PUSH: u16 = 0x2;
const MAX_CONCURRENT_STREAMS: u16 = 0x3;
const INITIAL_WINDOW_SIZE: u16 = 0x4;

/// The largest window: what the server sends is taken as it comes.
const WINDOW: u32 = 0x7fff_ffff;

/// The connection's window before anybody changes it.
const DEFAULT_WINDOW: u32 = 65_535;

/// After so many bytes the server's window is made as large again as it was.
pub(super) const GIVE_BACK: u32 = 1 << 30;

/// Writes what a client begins with.
pub(super) fn write_preface(out: &mut Vec<u8>) {
    out.extend_from_slice(PREFACE);
    let mut settings = Vec::new();
    for (setting, value) in [(ENABLE_PUSH, 0), (INITIAL_WINDOW_SIZE, WINDOW)] {
        settings.extend_from_slice(&setting.to_be_bytes());
        settings.extend_from_slice(&value.to_be_bytes());
    }
    frame::write(frame::SETTINGS, 0, 0, &settings, out);
    frame::write(frame::WINDOW_UPDATE, 0, 0, &(WINDOW - DEFAULT_WINDOW).to_be_bytes(), out);
}

impl Http2 {
    pub(super) fn take_settings(
        &mut self,
        frame: &Frame<'_>,
        turn: &mut Turn<'_>,
    ) -> Result<(), Failure> {
        if frame.has(frame::ACK) {
            return Ok(());
        }
        for setting in frame.payload.chunks_exact(6) {
            let id = u16::from_be_bytes([setting[0], setting[1]]);
            let value = u32::from_be_bytes([setting[2], setting[3], setting[4], setting[5]]);
            match id {
                MAX_CONCURRENT_STREAMS => self.allowed = value as usize,
                INITIAL_WINDOW_SIZE => self.change_initial_window(value),
                // Larger frames are allowed and not needed; the table for our fields is not used.
                _ => {}
            }
        }
        frame::write(frame::SETTINGS, frame::ACK, 0, &[], turn.out);
        self.send_bodies(turn);
        Ok(())
    }
}
