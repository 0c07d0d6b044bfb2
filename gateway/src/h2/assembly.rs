//! Heads and trailers of requests, put together field by field (RFC 9113 section 8.3).

use http::{Method, Version};

use super::field::{Malformed, Name, content_length};
use super::hpack::{Decoded, FIELD_OVERHEAD};
use crate::downstream::Framing;
use crate::fault::HEAD_CAP;
use crate::head::{Fields, Known, RequestHead};

/// What a header block turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict<T> {
    Fine(T),
    Malformed(Malformed),
    /// It is longer than [`HEAD_CAP`]; what came before that is there.
    TooLarge,
}

/// How large a list of fields has become.
#[derive(Debug, Default)]
struct Size(usize);

impl Size {
    /// Counts a field. `false`: it is one too many.
    fn add(&mut self, field: &Decoded<'_>) -> bool {
        self.0 = self.0.saturating_add(field.name.len() + field.value.len() + FIELD_OVERHEAD);
        self.0 as u64 <= HEAD_CAP
    }
}

/// Puts the head of a request together.
#[derive(Debug)]
pub(crate) struct HeadAssembly<'h> {
    head: &'h mut RequestHead,
    size: Size,
    outcome: Verdict<()>,
    method: bool,
    scheme: bool,
    authority: bool,
    path: bool,
    fields: bool,
    length: Option<u64>,
}

impl<'h> HeadAssembly<'h> {
    pub(crate) fn new(head: &'h mut RequestHead) -> Self {
        head.begin(Method::GET, Version::HTTP_2);
        Self {
            head,
            size: Size::default(),
            outcome: Verdict::Fine(()),
            method: false,
            scheme: false,
            authority: false,
            path: false,
            fields: false,
            length: None,
        }
    }

    /// Adds a field. After the first that is wrong nothing more is kept.
    pub(crate) fn add(&mut self, field: Decoded<'_>) {
        if self.outcome != Verdict::Fine(()) {
            return;
        }
        if !self.size.add(&field) {
            self.outcome = Verdict::TooLarge;
        } else if let Err(malformed) = self.keep(field) {
            self.outcome = Verdict::Malformed(malformed);
        }
    }

    fn keep(&mut self, field: Decoded<'_>) -> Result<(), Malformed> {
        match field.parsed? {
            Name::Field(known) => return self.keep_field(known, field),
            Name::Method => {
                once(&mut self.method)?;
                self.head.method = Method::from_bytes(field.value)
                    .map_err(|_| Malformed("its method is not a token"))?;
            }
            Name::Scheme => once(&mut self.scheme)?,
            Name::Authority => {
                once(&mut self.authority)?;
                self.head.set_authority(text(field.value)?);
            }
            Name::Path => {
                once(&mut self.path)?;
                self.head.set_target(text(field.value)?);
            }
        }
        if self.fields { Err(Malformed("a pseudo-field stands behind a field")) } else { Ok(()) }
    }

    fn keep_field(&mut self, known: Known, field: Decoded<'_>) -> Result<(), Malformed> {
        self.fields = true;
        match known {
            Known::Other => self.head.fields.add(field.name, field.value),
            Known::ContentLength => {
                let length = content_length(field.value)?;
                if self.length.replace(length).is_some() {
                    return Err(Malformed("it has two Content-Length fields"));
                }
                self.head.fields.add_known(known, field.value);
            }
            known => self.head.fields.add_known(known, field.value),
        }
        Ok(())
    }

    /// The whole block has been added. `ended`: no body follows.
    pub(crate) fn finish(self, ended: bool) -> Verdict<Framing> {
        match self.outcome {
            Verdict::Fine(()) => match self.check(ended) {
                Ok(framing) => Verdict::Fine(framing),
                Err(malformed) => Verdict::Malformed(malformed),
            },
            Verdict::Malformed(malformed) => Verdict::Malformed(malformed),
            Verdict::TooLarge => Verdict::TooLarge,
        }
    }

    fn check(&self, ended: bool) -> Result<Framing, Malformed> {
        if !(self.method && self.scheme && self.path) {
            return Err(Malformed("it lacks a pseudo-field"));
        }
        if self.head.target() == "*" && self.head.method != Method::OPTIONS {
            return Err(Malformed("its path is that of OPTIONS alone"));
        }
        // RFC 9113 section 8.1.1.
        match (ended, self.length) {
            (true, None | Some(0)) => Ok(Framing::Empty),
            (true, Some(_)) => Err(Malformed("its body is shorter than its Content-Length")),
            (false, Some(length)) => Ok(Framing::Length(length)),
            (false, None) => Ok(Framing::Open),
        }
    }
}

fn once(seen: &mut bool) -> Result<(), Malformed> {
    if std::mem::replace(seen, true) {
        Err(Malformed("it has a pseudo-field twice"))
    } else {
        Ok(())
    }
}

fn text(value: &[u8]) -> Result<&str, Malformed> {
    str::from_utf8(value).map_err(|_| Malformed("a pseudo-field is not UTF-8"))
}

/// Puts the fields behind a body together.
#[derive(Debug, Default)]
pub(crate) struct TrailerAssembly {
    fields: Box<Fields>,
    size: Size,
    malformed: Option<Malformed>,
}

impl TrailerAssembly {
    pub(crate) fn add(&mut self, field: Decoded<'_>) {
        if self.malformed.is_some() {
            return;
        }
        if !self.size.add(&field) {
            self.malformed = Some(Malformed("its trailers are too large"));
            return;
        }
        match field.parsed {
            Ok(Name::Field(_)) => self.fields.add(field.name, field.value),
            Ok(_) => self.malformed = Some(Malformed("its trailers have a pseudo-field")),
            Err(malformed) => self.malformed = Some(malformed),
        }
    }

    pub(crate) fn finish(self) -> Result<Box<Fields>, Malformed> {
        self.malformed.map_or(Ok(self.fields), Err)
    }
}
