//! What the server sends, frame by frame.

use super::frame::{self, Frame};
use super::{Block, Failure, Http2, LAST_STREAM, Stream, Turn, hpack, settings};
use crate::scenario::Seen;
use crate::wire::{Ending, FailureKind, Outcome};

/// A larger block of fields is no answer to a load test.
const LONGEST_BLOCK: usize = 256 << 10;

impl Http2 {
    pub(in crate::wire) fn receive(
        &mut self,
        input: &[u8],
        turn: &mut Turn<'_>,
    ) -> Result<(), Failure> {
        let mut whole = std::mem::take(&mut self.buffer);
        let mut rest = match whole.is_empty() {
            true => input,
            false => {
                whole.extend_from_slice(input);
                &whole
            }
        };
        while let Some((frame, behind)) = Frame::parse(rest)? {
            self.take(&frame, turn)?;
            rest = behind;
        }
        if rest.is_empty() && !whole.is_empty() {
            // Its memory is kept for the next frame that is cut.
            whole.clear();
            self.buffer = whole;
        } else {
            self.buffer.extend_from_slice(rest);
        }
        Ok(())
    }

    fn take(&mut self, frame: &Frame<'_>, turn: &mut Turn<'_>) -> Result<(), Failure> {
        if self.block.is_some() && frame.kind != frame::CONTINUATION {
            return Err(frame::broken());
        }
        match frame.kind {
            frame::HEADERS => self.take_headers(frame, turn),
            frame::CONTINUATION => self.take_continuation(frame, turn),
            frame::DATA => self.take_data(frame, turn),
            frame::SETTINGS => self.take_settings(frame, turn),
            frame::WINDOW_UPDATE => self.take_window(frame, turn),
            frame::PING => {
                if !frame.has(frame::ACK) {
                    frame::write(frame::PING, frame::ACK, 0, frame.payload, turn.out);
                }
                Ok(())
            }
            frame::RST_STREAM => self.take_reset(frame, turn),
            frame::GOAWAY => self.take_goaway(frame, turn),
            frame::PUSH_PROMISE => {
                Err(Failure::protocol("the server pushes, though it was told not to"))
            }
            // Kinds that nobody knows are passed over (section 4.1).
            _ => Ok(()),
        }
    }

    fn take_headers(&mut self, frame: &Frame<'_>, turn: &mut Turn<'_>) -> Result<(), Failure> {
        let (stream, ends_stream) = (frame.stream, frame.has(frame::END_STREAM));
        if frame.has(frame::END_HEADERS) {
            return self.take_fields(stream, ends_stream, frame.content()?, turn);
        }
        self.block = Some(Block { stream, ends_stream, fields: frame.content()?.to_vec() });
        Ok(())
    }

    fn take_continuation(&mut self, frame: &Frame<'_>, turn: &mut Turn<'_>) -> Result<(), Failure> {
        let block = self.block.take().filter(|block| block.stream == frame.stream);
        let mut block = block.ok_or_else(frame::broken)?;
        block.fields.extend_from_slice(frame.payload);
        if block.fields.len() > LONGEST_BLOCK {
            return Err(Failure::protocol("the answer's head is longer than 256 KiB"));
        }
        if frame.has(frame::END_HEADERS) {
            return self.take_fields(block.stream, block.ends_stream, &block.fields, turn);
        }
        self.block = Some(block);
        Ok(())
    }

    /// Fields are decoded even of a stream that nobody waits for any more: the table must follow.
    fn take_fields(
        &mut self,
        id: u32,
        ends_stream: bool,
        fields: &[u8],
        turn: &mut Turn<'_>,
    ) -> Result<(), Failure> {
        let mut stream = self.streams.iter_mut().find(|stream| stream.id == id);
        let decoded = self.decoder.decode(fields, |name, value| {
            let Some(stream) = &mut stream else { return };
            let expect = &turn.book.scenario.requests[stream.flight.request].expect;
            if name == b":status" {
                let status = str::from_utf8(value).ok().and_then(|text| text.parse().ok());
                stream.seen = Seen::of_status(status.unwrap_or_default());
            } else if !expect.headers.is_empty() {
                expect.see_header(&mut stream.seen, name, value);
            }
        });
        decoded
            .map_err(|hpack::Broken| Failure::protocol("the answer's fields cannot be decoded"))?;
        if ends_stream {
            self.finish(id, turn);
        }
        Ok(())
    }

    fn take_data(&mut self, frame: &Frame<'_>, turn: &mut Turn<'_>) -> Result<(), Failure> {
        // A frame is at most 16 KiB; padding counts too.
        self.received += u32::try_from(frame.payload.len()).unwrap_or_default();
        if self.received >= settings::GIVE_BACK {
            let back = std::mem::take(&mut self.received).to_be_bytes();
            frame::write(frame::WINDOW_UPDATE, 0, 0, &back, turn.out);
        }
        let content = frame.content()?;
        if let Some(stream) = self.streams.iter_mut().find(|stream| stream.id == frame.stream) {
            let expect = &turn.book.scenario.requests[stream.flight.request].expect;
            expect.see_body(&mut stream.seen, content);
            if frame.has(frame::END_STREAM) {
                self.finish(frame.stream, turn);
            }
        }
        Ok(())
    }

    /// The answer of a stream is there as a whole.
    fn finish(&mut self, id: u32, turn: &mut Turn<'_>) {
        let Some(stream) = self.remove(id) else { return };
        if stream.is_sending {
            // The server has answered without the rest of the body.
            frame::write(frame::RST_STREAM, 0, id, &frame::CANCEL.to_be_bytes(), turn.out);
        }
        turn.answered(stream.flight, &stream.seen);
    }

    fn remove(&mut self, id: u32) -> Option<Stream> {
        let index = self.streams.iter().position(|stream| stream.id == id)?;
        Some(self.streams.swap_remove(index))
    }

    fn take_reset(&mut self, frame: &Frame<'_>, turn: &mut Turn<'_>) -> Result<(), Failure> {
        let code = frame.number(0)?;
        let Some(stream) = self.remove(frame.stream) else { return Ok(()) };
        let ending = match code {
            frame::REFUSED_STREAM => Ending::Unprocessed,
            code => {
                let what = format!("the server reset the stream: {}", frame::error_name(code));
                Ending::Failed(Failure::new(FailureKind::Reset, what))
            }
        };
        turn.outcomes.push(Outcome { flight: stream.flight, status: 0, ending });
        Ok(())
    }

    /// The server goes; what it has not looked at may be sent again (section 6.8).
    fn take_goaway(&mut self, frame: &Frame<'_>, turn: &mut Turn<'_>) -> Result<(), Failure> {
        let last = frame.number(0)? & LAST_STREAM;
        self.is_leaving = true;
        let outcomes = &mut turn.outcomes;
        self.streams.retain(|stream| {
            let is_processed = stream.id <= last;
            if !is_processed {
                let flight = stream.flight;
                outcomes.push(Outcome { flight, status: 0, ending: Ending::Unprocessed });
            }
            is_processed
        });
        Ok(())
    }
}
