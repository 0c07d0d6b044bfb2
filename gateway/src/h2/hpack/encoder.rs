//! Heads of answers, encoded (RFC 7541).
//!
//! A field that comes a second time is put into the dynamic table, so that what every answer says
//! costs one octet, and what only one says never takes the others' place. No string is Huffman-coded:
//! what is short already gains little, and the rest is where the time would go.

use super::table::Table;
use super::{FIELD_OVERHEAD, TABLE_SIZE, integer, static_table};
use crate::head::{Field, Fields, Known};

/// The pattern of a literal that goes into the table, of one that does not, and of one that no proxy
/// may put into a table either (section 6.2).
const INDEXED: (u8, u8) = (0x40, 0x3f);
const PASSING: (u8, u8) = (0x00, 0x0f);
const SECRET: (u8, u8) = (0x10, 0x0f);

/// How many fields are remembered, and how many places are tried for one of them.
const PLACES: usize = 128;
const WAYS: usize = 4;

/// A field that has been sent.
#[derive(Debug, Clone, Copy, Default)]
struct Met {
    hash: u32,
    /// The number under which the table has taken it; zero where it has not.
    number: u32,
}

/// Encodes the header blocks of a connection, one after the other.
#[derive(Debug)]
pub(crate) struct Encoder {
    table: Table<()>,
    met: [Met; PLACES],
    /// The table's sizes that the peer has to be told: the smallest since the last block, and the one
    /// that holds (section 4.2).
    resize: Option<(usize, usize)>,
}

impl Encoder {
    pub(crate) fn new() -> Self {
        Self { table: Table::new(TABLE_SIZE), met: [Met::default(); PLACES], resize: None }
    }

    /// The peer keeps a table of at most this size.
    pub(crate) fn limit_table(&mut self, size: u32) {
        let size = usize::try_from(size).unwrap_or(TABLE_SIZE).min(TABLE_SIZE);
        if size == self.table.max_size() && self.resize.is_none() {
            return;
        }
        let smallest = self.resize.map_or(size, |(smallest, _)| smallest.min(size));
        self.resize = Some((smallest, size));
        self.table.resize(size);
    }

    /// Encodes the head of an answer.
    pub(crate) fn encode(&mut self, status: u16, fields: &Fields, out: &mut Vec<u8>) {
        self.write_resize(out);
        match static_table::status(status) {
            Some(index) => out.push(0x80 | index),
            None => {
                integer::encode(PASSING.0, PASSING.1, static_table::STATUS, out);
                let digit = |power| b'0' + (status / power % 10) as u8;
                out.extend_from_slice(&[3, digit(100), digit(10), digit(1)]);
            }
        }
        self.encode_fields(fields, out);
    }

    /// Encodes the fields behind a body.
    pub(crate) fn encode_trailers(&mut self, fields: &Fields, out: &mut Vec<u8>) {
        self.write_resize(out);
        self.encode_fields(fields, out);
    }

    fn write_resize(&mut self, out: &mut Vec<u8>) {
        let Some((smallest, size)) = self.resize.take() else { return };
        if smallest < size {
            integer::encode(0x20, 0x1f, smallest, out);
        }
        integer::encode(0x20, 0x1f, size, out);
    }

    fn encode_fields(&mut self, fields: &Fields, out: &mut Vec<u8>) {
        for field in fields.iter() {
            match Rule::of(field) {
                Rule::Drop => {}
                Rule::Secret => literal(SECRET, field, out),
                Rule::Passing => literal(PASSING, field, out),
                Rule::Lasting => self.lasting(field, out),
            }
        }
    }

    /// A field that may well come again.
    fn lasting(&mut self, field: Field<'_>, out: &mut Vec<u8>) {
        let hash = hash_of(field);
        let place = hash as usize % PLACES;
        let mut free = None;
        for way in 0..WAYS {
            let place = (place + way) % PLACES;
            let met = self.met[place];
            if met.hash == hash {
                return self.again(field, place, out);
            }
            if free.is_none() && self.table.index_of(met.number).is_none() {
                free = Some(place);
            }
        }
        self.met[free.unwrap_or(place)] = Met { hash, number: 0 };
        literal(PASSING, field, out);
    }

    /// A field that has been sent before, unless it is another with the same hash.
    fn again(&mut self, field: Field<'_>, place: usize, out: &mut Vec<u8>) {
        let index = self.table.index_of(self.met[place].number);
        let entry = index.and_then(|index| Some((index, self.table.get(index)?)));
        match entry {
            Some((index, ((), name, value))) if name == field.name && value == field.value => {
                integer::encode(0x80, 0x7f, index + 1 + static_table::LENGTH, out);
            }
            // What takes a quarter of the table would drive out too much else.
            _ if field.name.len() + field.value.len() + FIELD_OVERHEAD
                > self.table.max_size() / 4 =>
            {
                literal(PASSING, field, out);
            }
            _ => {
                literal(INDEXED, field, out);
                self.met[place].number =
                    self.table.insert(field.name, field.value, ()).unwrap_or_default();
            }
        }
    }
}

/// What is done with a field.
enum Rule {
    /// It is not sent: HTTP/2 has no such fields (RFC 9113 section 8.2.2).
    Drop,
    /// Its value must not be guessed by sending it beside another (RFC 7541 section 7.1.3).
    Secret,
    /// Its value is that of one answer only.
    Passing,
    /// Other answers may have the same.
    Lasting,
}

impl Rule {
    fn of(field: Field<'_>) -> Self {
        match field.known {
            Known::Connection
            | Known::KeepAlive
            | Known::ProxyConnection
            | Known::TransferEncoding
            | Known::Upgrade => Self::Drop,
            Known::SetCookie | Known::Authorization | Known::Cookie => Self::Secret,
            Known::ContentLength
            | Known::Date
            | Known::Etag
            | Known::LastModified
            | Known::Location
            | Known::RateLimit
            | Known::RetryAfter
            | Known::Traceparent
            | Known::XRequestId => Self::Passing,
            _ => Self::Lasting,
        }
    }
}

fn literal((pattern, mask): (u8, u8), field: Field<'_>, out: &mut Vec<u8>) {
    match static_table::index_of(field) {
        Some(index) => integer::encode(pattern, mask, index, out),
        None => {
            out.push(pattern);
            string(field.name, out);
        }
    }
    string(field.value, out);
}

fn string(text: &[u8], out: &mut Vec<u8>) {
    integer::encode(0, 0x7f, text.len(), out);
    out.extend_from_slice(text);
}

/// A hash that need not withstand anybody: whoever makes two fields collide makes their own answers
/// longer. Never zero, which is an empty place's.
fn hash_of(field: Field<'_>) -> u32 {
    let mut hash = mix(field.known as u64, field.value.len() as u64);
    if field.known == Known::Other {
        hash = absorb(hash, field.name);
    }
    hash = absorb(hash, field.value);
    (hash >> 32) as u32 | 1
}

fn absorb(mut hash: u64, text: &[u8]) -> u64 {
    let (words, rest) = text.as_chunks::<8>();
    for word in words {
        hash = mix(hash, u64::from_le_bytes(*word));
    }
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    mix(hash, u64::from_le_bytes(last))
}

fn mix(hash: u64, word: u64) -> u64 {
    (hash.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95)
}
