//! TLS of one connection with a client, from bytes to bytes: rustls decides, and the bytes are kept
//! here only as long as they must be.

use std::io;
use std::sync::Arc;

use bytes::{Buf, BytesMut};
use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{ConnectionState, EncodeError, EncryptError, UnbufferedStatus};
use rustls::{OtherError, ServerConfig};
use tokio::io::ReadBuf;

use super::buffer::{Buffer, OVERHEAD, RECORD};

/// How long a handshake message may be with everything around it. rustls would keep parts of one for
/// ever, were they short enough.
const LONGEST_REST: usize = 64 * 1024;

/// How much is read at least, however much is held.
const LEAST: usize = 4096;

/// What an alert takes, the answer to a change of keys before it, and more.
const ALERT: usize = 128;

/// TLS of one connection. Whatever rustls has to say is in the `out` of the call that made it say so.
pub(super) struct Session {
    connection: UnbufferedServerConnection,
    /// The beginning of a record, or of a handshake message, whose end has not come. It goes before
    /// what is read next.
    rest: Vec<u8>,
    /// Decrypted, and more than the reader had room for.
    plain: BytesMut,
    /// The client has said that nothing more follows.
    pub(super) has_ended: bool,
    /// Why nothing more can be read or written.
    failure: Option<Box<rustls::Error>>,
}

impl Session {
    pub(super) fn new(config: Arc<ServerConfig>) -> Result<Self, rustls::Error> {
        let connection = UnbufferedServerConnection::new(config)?;
        let (rest, plain) = (Vec::new(), BytesMut::new());
        Ok(Self { connection, rest, plain, has_ended: false, failure: None })
    }

    pub(super) fn connection(&self) -> &UnbufferedServerConnection {
        &self.connection
    }

    /// How many bytes there is memory for.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.rest.capacity() + self.plain.capacity()
    }

    /// Whether reading yields something, be it the end, without the socket's help.
    pub(super) fn is_readable(&self) -> bool {
        !self.plain.is_empty() || self.has_ended || self.failure.is_some()
    }

    /// What has been decrypted, as much as there is room for; what ended or broke the session, when
    /// nothing is left of that. `false`: the socket has to be read.
    pub(super) fn take(&mut self, buf: &mut ReadBuf<'_>) -> io::Result<bool> {
        if self.plain.is_empty() {
            self.check()?;
            return Ok(self.has_ended);
        }
        let length = self.plain.len().min(buf.remaining());
        buf.put_slice(&self.plain[..length]);
        self.plain.advance(length);
        if self.plain.is_empty() {
            // A silent connection holds no buffer.
            self.plain = BytesMut::new();
        }
        Ok(true)
    }

    /// Where to read ciphertext to, for a reader with so much room: records that are whole, if the
    /// client makes them as long as they may be, so that none has to wait for its end.
    pub(super) fn space<'b>(&mut self, input: &'b mut Buffer, room: usize) -> &'b mut [u8] {
        let held = self.rest.len();
        let records = room.div_ceil(RECORD).max(1);
        let wanted = (records * (RECORD + OVERHEAD)).max(held + LEAST);
        input.space(held)[..held].copy_from_slice(&self.rest);
        input.added(held);
        let space = input.space(LEAST);
        let length = (wanted - held).min(space.len());
        &mut space[..length]
    }

    /// Takes what has been read to [`Self::space`]. What is decrypted goes to `buf`; what does not fit
    /// is kept.
    pub(super) fn receive(&mut self, input: &mut [u8], buf: &mut ReadBuf<'_>, out: &mut Buffer) {
        let mut taken = 0;
        loop {
            let UnbufferedStatus { mut discard, state } =
                self.connection.process_tls_records(&mut input[taken..]);
            let goes_on = match state {
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    while let Some(Ok(record)) = traffic.next_record() {
                        discard += record.discard;
                        let (fits, more) =
                            record.payload.split_at(record.payload.len().min(buf.remaining()));
                        buf.put_slice(fits);
                        self.plain.extend_from_slice(more);
                    }
                    Ok(true)
                }
                Ok(ConnectionState::EncodeTlsData(mut data)) => {
                    encode(out, |space| data.encode(space)).map(|()| true)
                }
                Ok(ConnectionState::TransmitTlsData(data)) => {
                    data.done();
                    Ok(true)
                }
                Ok(ConnectionState::PeerClosed) => {
                    self.has_ended = true;
                    Ok(true)
                }
                Ok(_) => Ok(false),
                Err(error) => Err(error),
            };
            taken += discard;
            match goes_on {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => return self.fail(error, &mut input[taken..], out),
            }
        }
        self.keep(&input[taken..]);
    }

    fn keep(&mut self, rest: &[u8]) {
        if self.has_ended || rest.is_empty() {
            self.rest = Vec::new();
        } else if rest.len() > LONGEST_REST {
            let error = rustls::Error::General("a handshake message is too long".into());
            self.failure = Some(Box::new(error));
            self.rest = Vec::new();
        } else {
            self.rest.clear();
            self.rest.reserve_exact(rest.len());
            self.rest.extend_from_slice(rest);
        }
    }

    /// The alert that says what is wrong is in `out` afterwards.
    fn fail(&mut self, error: rustls::Error, input: &mut [u8], out: &mut Buffer) {
        self.failure = Some(Box::new(error));
        self.rest = Vec::new();
        self.take_messages(input, out);
    }

    /// Takes the messages that rustls has ready, and nothing of the input.
    fn take_messages(&mut self, input: &mut [u8], out: &mut Buffer) {
        while self.connection.wants_write() {
            let status = self.connection.process_tls_records(input);
            let Ok(ConnectionState::EncodeTlsData(mut data)) = status.state else { return };
            if encode(out, |space| data.encode(space)).is_err() {
                return;
            }
        }
    }

    /// Encrypts.
    ///
    /// # Errors
    /// What broke the session before, and the end of what its keys may be used for.
    pub(super) fn encrypt(&mut self, plain: &[u8], out: &mut Buffer) -> io::Result<()> {
        let (first, others) = plain.split_at(short_record(plain));
        if !first.is_empty() {
            self.encrypt_records(first, out)?;
        }
        self.encrypt_records(others, out)
    }

    fn encrypt_records(&mut self, plain: &[u8], out: &mut Buffer) -> io::Result<()> {
        let mut needed = plain.len() + plain.len().div_ceil(RECORD) * OVERHEAD;
        loop {
            self.check()?;
            let status = self.connection.process_tls_records(&mut self.rest);
            let Ok(ConnectionState::WriteTraffic(mut traffic)) = status.state else {
                return Err(io::ErrorKind::BrokenPipe.into());
            };
            match traffic.encrypt(plain, out.space(needed)) {
                Ok(written) => {
                    out.added(written);
                    return Ok(());
                }
                Err(EncryptError::InsufficientSize(size)) => needed = size.required_size,
                Err(EncryptError::EncryptExhausted) => {
                    // TLS 1.2 cannot change its keys; rustls has said goodbye.
                    let mut rest = std::mem::take(&mut self.rest);
                    self.fail(rustls::Error::EncryptError, &mut rest, out);
                }
            }
        }
    }

    /// Says that nothing more follows, unless an alert has said more than that.
    pub(super) fn close(&mut self, out: &mut Buffer) {
        if self.failure.is_some() {
            return;
        }
        let status = self.connection.process_tls_records(&mut self.rest);
        if let Ok(ConnectionState::WriteTraffic(mut traffic)) = status.state {
            // It fails for want of space alone.
            let written = traffic.queue_close_notify(out.space(ALERT));
            out.added(written.unwrap_or_default());
        }
    }

    /// # Errors
    /// What broke the session.
    pub(super) fn check(&self) -> io::Result<()> {
        match &self.failure {
            Some(error) => Err(io::Error::new(io::ErrorKind::InvalidData, (**error).clone())),
            None => Ok(()),
        }
    }
}

/// How much goes into a first record that is not quite full, where one is wanted.
///
/// What fills buffers begins where a page does. rustls copies it to 5 or 13 bytes behind the beginning
/// of another, which is what processors are slow at (see `buffer`); from 64 bytes before a page on
/// they are not.
fn short_record(plain: &[u8]) -> usize {
    let into_page = plain.as_ptr() as usize % 4096;
    if plain.len() > RECORD && into_page < 16 { RECORD - 64 } else { 0 }
}

/// Appends one of rustls' own messages, however long it is.
fn encode(
    out: &mut Buffer,
    mut encode: impl FnMut(&mut [u8]) -> Result<usize, EncodeError>,
) -> Result<(), rustls::Error> {
    let mut needed = 0;
    loop {
        match encode(out.space(needed)) {
            Ok(written) => {
                out.added(written);
                return Ok(());
            }
            Err(EncodeError::InsufficientSize(size)) => needed = size.required_size,
            Err(error) => return Err(rustls::Error::Other(OtherError(Arc::new(error)))),
        }
    }
}
