//! Heads of requests and answers, whatever protocol they came by.
//!
//! A head keeps its text in one buffer, and of each field where its name and value stand in it. Names
//! are lower case, as HTTP/2 has them, and those that the gateway has an opinion about are recognised
//! once, when they are added: after that a field is known by a number. A head that is used again keeps
//! its buffers, so that reading one allocates nothing.

mod known;
mod names;

use http::{Method, StatusCode, Version};

pub(crate) use known::Known;
pub(crate) use names::Names;

/// Where a piece of text stands in a head's buffer. A head is never near 4 GiB (see
/// [`crate::fault::HEAD_CAP`]).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Span {
    start: u32,
    end: u32,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    known: Known,
    name: Span,
    value: Span,
}

/// One field of a head.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field<'h> {
    pub(crate) known: Known,
    /// In lower case.
    pub(crate) name: &'h [u8],
    pub(crate) value: &'h [u8],
}

/// The fields of a head, in their order. One name may stand in several of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fields {
    text: Vec<u8>,
    entries: Vec<Entry>,
    present: known::Set,
}

impl Fields {
    /// Forgets everything but the room.
    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.entries.clear();
        self.present = known::Set::default();
    }

    /// How many fields there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Adds a field. The caller has checked that `name` is a token and that `value` has no control
    /// characters.
    pub(crate) fn add(&mut self, name: &[u8], value: &[u8]) {
        let name = self.keep(name);
        let Span { start, end } = name;
        let written = &mut self.text[start as usize..end as usize];
        written.make_ascii_lowercase();
        let known = Known::of(written);
        self.add_kept(known, name, value);
    }

    /// Adds a field whose name is known already.
    pub(crate) fn add_known(&mut self, known: Known, value: &[u8]) {
        let name = self.keep(known.name().as_bytes());
        self.add_kept(known, name, value);
    }

    /// Adds a field whose value `write` puts at the end of what it is given.
    pub(crate) fn add_written(&mut self, known: Known, write: impl FnOnce(&mut Vec<u8>)) {
        let name = self.keep(known.name().as_bytes());
        let start = self.end();
        write(&mut self.text);
        let value = Span { start, end: self.end() };
        self.entries.push(Entry { known, name, value });
        self.present.insert(known);
    }

    fn add_kept(&mut self, known: Known, name: Span, value: &[u8]) {
        let value = self.keep(value);
        self.entries.push(Entry { known, name, value });
        self.present.insert(known);
    }

    /// Drops fields.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(Field<'_>) -> bool) {
        let text = &self.text;
        self.entries.retain(|entry| keep(field_of(text, entry)));
        self.present = known::Set::of(self.entries.iter().map(|entry| entry.known));
    }

    /// Drops every field of this name, and adds it anew.
    pub(crate) fn set(&mut self, name: &[u8], value: &[u8]) {
        self.remove(name);
        self.add(name, value);
    }

    /// Drops every field of this name, which is in lower case.
    pub(crate) fn remove(&mut self, name: &[u8]) {
        if self.has_named(name) {
            self.retain(|field| field.name != name);
        }
    }

    /// Whether there is a field of this name, which is in lower case.
    pub(crate) fn has_named(&self, name: &[u8]) -> bool {
        self.named(name).next().is_some()
    }

    /// The values of the fields of this name, which is in lower case.
    pub(crate) fn named<'h>(&'h self, name: &'h [u8]) -> impl Iterator<Item = &'h [u8]> + 'h {
        let known = Known::of(name);
        let candidates = if self.present.contains(known) { &self.entries[..] } else { &[] };
        candidates
            .iter()
            .filter(move |entry| entry.known == known)
            .map(|entry| field_of(&self.text, entry))
            .filter(move |field| known != Known::Other || field.name == name)
            .map(|field| field.value)
    }

    /// Whether there is such a field.
    pub(crate) fn has(&self, known: Known) -> bool {
        self.present.contains(known)
    }

    /// The value of the first such field.
    pub(crate) fn get(&self, known: Known) -> Option<&[u8]> {
        self.all(known).next()
    }

    /// The values of all such fields.
    pub(crate) fn all(&self, known: Known) -> impl DoubleEndedIterator<Item = &[u8]> {
        let candidates = if self.present.contains(known) { &self.entries[..] } else { &[] };
        candidates
            .iter()
            .filter(move |entry| entry.known == known)
            .map(|entry| text_at(&self.text, entry.value))
    }

    /// Every field.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Field<'_>> {
        self.entries.iter().map(|entry| field_of(&self.text, entry))
    }

    fn keep(&mut self, text: &[u8]) -> Span {
        let start = self.end();
        self.text.extend_from_slice(text);
        Span { start, end: self.end() }
    }

    fn end(&self) -> u32 {
        u32::try_from(self.text.len()).unwrap_or(u32::MAX)
    }
}

fn text_at(text: &[u8], span: Span) -> &[u8] {
    &text[span.start as usize..span.end as usize]
}

fn field_of<'h>(text: &'h [u8], entry: &Entry) -> Field<'h> {
    let (name, value) = (text_at(text, entry.name), text_at(text, entry.value));
    Field { known: entry.known, name, value }
}

/// The head of a request.
#[derive(Debug, Clone)]
pub(crate) struct RequestHead {
    pub(crate) method: Method,
    pub(crate) version: Version,
    pub(crate) fields: Fields,
    authority: Option<Span>,
    target: Span,
}

impl Default for RequestHead {
    fn default() -> Self {
        Self {
            method: Method::GET,
            version: Version::HTTP_11,
            fields: Fields::default(),
            authority: None,
            target: Span::default(),
        }
    }
}

impl RequestHead {
    /// Begins a request anew.
    pub(crate) fn begin(&mut self, method: Method, version: Version) {
        (self.method, self.version) = (method, version);
        self.fields.clear();
        (self.authority, self.target) = (None, Span::default());
    }

    /// What is asked for: path and query, or `*`.
    pub(crate) fn set_target(&mut self, target: &str) {
        self.target = self.fields.keep(target.as_bytes());
    }

    /// The host and port of an absolute target, or of HTTP/2's `:authority`.
    pub(crate) fn set_authority(&mut self, authority: &str) {
        self.authority = Some(self.fields.keep(authority.as_bytes()));
    }

    /// Path and query as the client wrote them, without scheme and host; or `*`.
    pub(crate) fn target(&self) -> &str {
        str::from_utf8(text_at(&self.fields.text, self.target)).unwrap_or_default()
    }

    /// The path alone.
    pub(crate) fn path(&self) -> &str {
        self.target().split_once('?').map_or(self.target(), |(path, _)| path)
    }

    /// The query, without its question mark.
    pub(crate) fn query(&self) -> Option<&str> {
        self.target().split_once('?').map(|(_, query)| query)
    }

    /// Host and port as [`Self::set_authority`] was told; a `Host` field is not looked at.
    pub(crate) fn authority(&self) -> Option<&str> {
        str::from_utf8(text_at(&self.fields.text, self.authority?)).ok()
    }
}

/// The head of an answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct ResponseHead {
    pub(crate) status: StatusCode,
    pub(crate) fields: Fields,
}
