//! TLS of one connection, between the bytes of its socket and those of its exchange.

use rustls::HandshakeKind;
use rustls::client::UnbufferedClientConnection;
use rustls::unbuffered::{ConnectionState, EncodeError, EncryptError, UnbufferedStatus};

use crate::wire::{Failure, FailureKind};

/// How much longer a record is than what is in it, and more.
const RECORD_OVERHEAD: usize = 64;

/// The most that is in one record.
const RECORD: usize = 16_384;

/// TLS of one connection.
pub(super) struct Session {
    connection: UnbufferedClientConnection,
    /// A record that is not there as a whole yet.
    pub(super) rest: Vec<u8>,
    /// The server has said that nothing more comes.
    pub(super) has_ended: bool,
}

impl Session {
    pub(super) fn new(connection: UnbufferedClientConnection) -> Self {
        Self { connection, rest: Vec::new(), has_ended: false }
    }

    pub(super) fn is_handshaking(&self) -> bool {
        self.connection.is_handshaking()
    }

    /// Whether the handshake, which is over, was one from before.
    pub(super) fn was_resumed(&self) -> bool {
        self.connection.handshake_kind() == Some(HandshakeKind::Resumed)
    }

    /// The protocol that the server chose.
    pub(super) fn protocol(&self) -> Option<&[u8]> {
        self.connection.alpn_protocol()
    }

    /// Takes records, of which those that are whole are read. What they hold is shown to `see`; what
    /// TLS itself has to say is appended to `out`.
    pub(super) fn receive(
        &mut self,
        mut input: &mut [u8],
        out: &mut Vec<u8>,
        plain: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        loop {
            let UnbufferedStatus { mut discard, state } =
                self.connection.process_tls_records(input);
            let mut goes_on = true;
            match state.map_err(|error| broken(&error))? {
                ConnectionState::ReadTraffic(mut traffic) => {
                    while let Some(record) = traffic.next_record() {
                        let record = record.map_err(|error| broken(&error))?;
                        discard += record.discard;
                        plain.extend_from_slice(record.payload);
                    }
                }
                ConnectionState::EncodeTlsData(mut data) => {
                    encode(out, |room| data.encode(room))?;
                }
                ConnectionState::TransmitTlsData(data) => data.done(),
                ConnectionState::PeerClosed | ConnectionState::Closed => {
                    self.has_ended = true;
                    goes_on = false;
                }
                _ => goes_on = false,
            }
            input = &mut input[discard..];
            if !goes_on {
                self.rest.extend_from_slice(input);
                return Ok(());
            }
        }
    }

    /// Encrypts what the exchange has written. The handshake is over.
    pub(super) fn encrypt(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<(), Failure> {
        // rustls remembers where in the rest a message has begun, so that is what it gets.
        let status = self.connection.process_tls_records(&mut self.rest);
        let ConnectionState::WriteTraffic(mut traffic) =
            status.state.map_err(|error| broken(&error))?
        else {
            return Err(Failure::new(FailureKind::Tls, "the server has closed the TLS session"));
        };
        let start = out.len();
        let records = plain.len() / RECORD + 1;
        out.resize(start + plain.len() + records * RECORD_OVERHEAD, 0);
        let written = traffic.encrypt(plain, &mut out[start..]);
        let written = written.map_err(|error: EncryptError| broken(&error))?;
        out.truncate(start + written);
        Ok(())
    }

    /// Says that nothing more comes, so that the server need not take it for an attack.
    pub(super) fn close(&mut self, out: &mut Vec<u8>) {
        let status = self.connection.process_tls_records(&mut self.rest);
        if let Ok(ConnectionState::WriteTraffic(mut traffic)) = status.state {
            let start = out.len();
            out.resize(start + RECORD_OVERHEAD, 0);
            let written = traffic.queue_close_notify(&mut out[start..]).unwrap_or_default();
            out.truncate(start + written);
        }
    }
}

/// Appends a handshake's message, however long it is.
fn encode(
    out: &mut Vec<u8>,
    mut encode: impl FnMut(&mut [u8]) -> Result<usize, EncodeError>,
) -> Result<(), Failure> {
    let start = out.len();
    let mut room = 2048;
    loop {
        out.resize(start + room, 0);
        match encode(&mut out[start..]) {
            Ok(written) => {
                out.truncate(start + written);
                return Ok(());
            }
            Err(EncodeError::InsufficientSize(needed)) => room = needed.required_size,
            Err(error) => return Err(broken(&error)),
        }
    }
}

fn broken(error: &dyn std::fmt::Display) -> Failure {
    Failure::new(FailureKind::Tls, format!("TLS: {error}"))
}
