//! One connection: what has come, what is to go, and what is waited for.

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::TcpStream;

use httparse::{Request, Status};

use super::answer::{self, Answer, FILLING, Reply};
use super::body::{Framing, Incoming};
use super::websocket;

/// The longest head that is read.
const HEAD: usize = 64 * 1024;

/// What a connection waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waits {
    AsBefore,
    ToRead,
    ToWrite,
}

enum Stage {
    Head,
    Body(Incoming),
    Echo,
}

pub(super) struct Connection {
    stream: TcpStream,
    /// What was read and does not make a whole yet.
    input: Vec<u8>,
    stage: Stage,
    output: Vec<u8>,
    /// How much of `output` has gone.
    sent: usize,
    filling: u64,
    closes: bool,
    waits_to_write: bool,
}

impl Connection {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            input: Vec::new(),
            stage: Stage::Head,
            output: Vec::new(),
            sent: 0,
            filling: 0,
            closes: false,
            waits_to_write: false,
        }
    }

    pub(super) fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Reads once and answers what is whole. One read an event: epoll says again what is left, and
    /// nobody else waits for a client that sends a lot.
    ///
    /// # Errors
    /// Where the connection is over.
    pub(super) fn advance(&mut self, scratch: &mut [u8]) -> io::Result<Waits> {
        if self.waits_to_write {
            if !self.send()? {
                return Ok(Waits::AsBefore);
            }
        } else {
            match self.stream.read(scratch) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(read) => self.arrived(scratch.get(..read).unwrap_or_default()),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Waits::AsBefore),
                Err(error) => return Err(error),
            }
        }
        let everything_sent = self.answer_all()?;
        let was = std::mem::replace(&mut self.waits_to_write, !everything_sent);
        Ok(match (was, everything_sent) {
            (false, true) | (true, false) => Waits::AsBefore,
            (true, true) => Waits::ToRead,
            (false, false) => Waits::ToWrite,
        })
    }

    /// A body that is only counted is not kept, unless it ends amid a line.
    fn arrived(&mut self, bytes: &[u8]) {
        match &mut self.stage {
            Stage::Body(body) if self.input.is_empty() => match body.take(bytes) {
                Ok(taken) => self.input.extend_from_slice(bytes.get(taken..).unwrap_or_default()),
                Err(_) => self.refuse("the body is not chunked"),
            },
            _ => self.input.extend_from_slice(bytes),
        }
    }

    /// Answers what has come, one after the other; `false`: the socket takes no more for now.
    fn answer_all(&mut self) -> io::Result<bool> {
        loop {
            let more = match &self.stage {
                Stage::Head => self.head(),
                Stage::Body(_) => self.body(),
                Stage::Echo => self.echo(),
            };
            if !self.send()? {
                return Ok(false);
            }
            if self.closes {
                return Err(ErrorKind::ConnectionAborted.into());
            }
            if !more {
                return Ok(true);
            }
        }
    }

    /// `true`: there may be more to answer.
    fn head(&mut self) -> bool {
        if self.input.is_empty() {
            return false;
        }
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut request = Request::new(&mut headers);
        let (length, answer, expects) = match request.parse(&self.input) {
            Ok(Status::Complete(length)) => {
                let expects = request.headers.iter().any(|h| h.name.eq_ignore_ascii_case("expect"));
                (length, answer::to(&request), expects)
            }
            Ok(Status::Partial) if self.input.len() < HEAD => return false,
            Ok(Status::Partial) => return self.refused("the head is too long"),
            Err(_) => return self.refused("this is not HTTP/1.1"),
        };
        self.input.drain(..length);
        match answer {
            Answer::Now(reply) => self.reply(reply),
            Answer::Count(framing) => {
                if expects && framing != Framing::Empty {
                    self.output.extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
                }
                self.stage = Stage::Body(Incoming::new(framing));
            }
            Answer::Echo(head) => {
                self.output.extend_from_slice(&head);
                self.stage = Stage::Echo;
            }
        }
        true
    }

    fn body(&mut self) -> bool {
        let Stage::Body(body) = &mut self.stage else { return false };
        match body.take(&self.input) {
            Ok(taken) => drop(self.input.drain(..taken)),
            Err(_) => return self.refused("the body is not chunked"),
        }
        if !body.is_over() {
            return false;
        }
        let reply = answer::counted(body.received);
        self.reply(reply);
        self.stage = Stage::Head;
        true
    }

    fn echo(&mut self) -> bool {
        let mut taken = 0;
        loop {
            let rest = self.input.get(taken..).unwrap_or_default();
            match websocket::echo(rest, &mut self.output) {
                Ok(Some(echoed)) => {
                    taken += echoed.taken;
                    self.closes |= echoed.closes;
                }
                Ok(None) => break,
                Err(_) => {
                    self.closes = true;
                    break;
                }
            }
        }
        self.input.drain(..taken);
        false
    }

    fn reply(&mut self, reply: Reply) {
        self.output.extend_from_slice(&reply.bytes);
        self.filling = reply.filling;
        self.closes |= reply.closes;
    }

    fn refuse(&mut self, sentence: &str) {
        self.reply(answer::refusal("400 Bad Request", sentence));
        self.input.clear();
    }

    fn refused(&mut self, sentence: &str) -> bool {
        self.refuse(sentence);
        false
    }

    /// `false`: the socket takes no more for now.
    fn send(&mut self) -> io::Result<bool> {
        loop {
            let first = self.output.get(self.sent..).unwrap_or_default();
            let filling = usize::try_from(self.filling).unwrap_or(usize::MAX).min(FILLING.len());
            if first.is_empty() && filling == 0 {
                self.output.clear();
                self.sent = 0;
                return Ok(true);
            }
            let then = FILLING.get(..filling).unwrap_or_default();
            let written =
                match self.stream.write_vectored(&[IoSlice::new(first), IoSlice::new(then)]) {
                    Ok(written) => written,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                    Err(error) => return Err(error),
                };
            let of_first = written.min(first.len());
            self.sent += of_first;
            self.filling -= (written - of_first) as u64;
        }
    }
}
