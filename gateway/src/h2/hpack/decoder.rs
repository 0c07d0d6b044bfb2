//! Header blocks of requests, decoded (RFC 7541 section 3.2).

use std::sync::LazyLock;

use super::table::Table;
use super::{Error, TABLE_SIZE, huffman, integer, static_table};
use crate::h2::field::{Malformed, Name};

/// A field of a header block.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decoded<'d> {
    /// What its name says, where name and value are as they may be.
    pub(crate) parsed: Result<Name, Malformed>,
    pub(crate) name: &'d [u8],
    pub(crate) value: &'d [u8],
}

/// What is known about an entry of a table, so that it need not be found out again.
#[derive(Debug, Clone, Copy)]
struct Note {
    name: Result<Name, Malformed>,
    field: Result<Name, Malformed>,
}

impl Note {
    fn of(name: Result<Name, Malformed>, value: &[u8]) -> Self {
        Self { name, field: name.and_then(|name| name.check(value)) }
    }
}

/// Decodes the header blocks of a connection, one after the other.
#[derive(Debug)]
pub(crate) struct Decoder {
    table: Table<Note>,
    /// Where names and values stand that have been Huffman-coded, or that the table gives away while
    /// it takes them anew.
    scratch: Vec<u8>,
}

impl Decoder {
    pub(crate) fn new() -> Self {
        Self { table: Table::new(TABLE_SIZE), scratch: Vec::new() }
    }

    /// Decodes a whole block, and hands out each of its fields.
    pub(crate) fn decode(
        &mut self,
        mut block: &[u8],
        mut each: impl FnMut(Decoded<'_>),
    ) -> Result<(), Error> {
        let mut begun = false;
        while let Some((&first, rest)) = block.split_first() {
            block = rest;
            match first {
                0x80.. => self.indexed(integer::decode(first, 0x7f, &mut block)?, &mut each)?,
                0x40.. => self.literal(first, 0x3f, &mut block, &mut each)?,
                0x20.. if begun => return Err(Error::LateResize),
                0x20.. => self.resize(integer::decode(first, 0x1f, &mut block)?)?,
                _ => self.literal(first, 0x0f, &mut block, &mut each)?,
            }
            begun = begun || first & 0xe0 != 0x20;
        }
        Ok(())
    }

    /// Section 6.1.
    fn indexed(&self, index: usize, each: &mut impl FnMut(Decoded<'_>)) -> Result<(), Error> {
        let (note, name, value) = self.entry(index)?;
        each(Decoded { parsed: note.field, name, value });
        Ok(())
    }

    /// Section 6.2: with indexing where the prefix has six bits.
    fn literal(
        &mut self,
        first: u8,
        mask: u8,
        block: &mut &[u8],
        each: &mut impl FnMut(Decoded<'_>),
    ) -> Result<(), Error> {
        let index = integer::decode(first, mask, block)?;
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        let read = self.read_literal(index, block, &mut scratch);
        if let Ok((note, name, value)) = read {
            let (name, value) = (name.of(&scratch), value.of(&scratch));
            each(Decoded { parsed: note.field, name, value });
            if mask == 0x3f {
                self.table.insert(name, value, note);
            }
        }
        self.scratch = scratch;
        read.map(|_| ())
    }

    fn read_literal<'b>(
        &self,
        index: usize,
        block: &mut &'b [u8],
        scratch: &mut Vec<u8>,
    ) -> Result<(Note, Text<'b>, Text<'b>), Error> {
        let (parsed, name) = if index == 0 {
            let name = string(block, scratch)?;
            (Name::parse(name.of(scratch)), name)
        } else {
            let (note, name, _) = self.entry(index)?;
            scratch.extend_from_slice(name);
            (note.name, Text::Scratch { start: 0, end: name.len() })
        };
        let value = string(block, scratch)?;
        Ok((Note::of(parsed, value.of(scratch)), name, value))
    }

    /// Section 6.3, and section 4.2: not beyond what our settings say.
    fn resize(&mut self, size: usize) -> Result<(), Error> {
        if size > TABLE_SIZE {
            return Err(Error::TableTooLarge);
        }
        self.table.resize(size);
        Ok(())
    }

    fn entry(&self, index: usize) -> Result<(Note, &[u8], &[u8]), Error> {
        let place = index.checked_sub(1).ok_or(Error::NoSuchEntry)?;
        if let Some((name, value)) = static_table::ENTRIES.get(place) {
            return Ok((STATIC_NOTES[place], name.as_bytes(), value.as_bytes()));
        }
        let entry = self.table.get(place - static_table::LENGTH).ok_or(Error::NoSuchEntry)?;
        let (note, name, value) = entry;
        Ok((*note, name, value))
    }
}

/// What is known about the static table's entries.
static STATIC_NOTES: LazyLock<[Note; static_table::LENGTH]> = LazyLock::new(|| {
    static_table::ENTRIES
        .map(|(name, value)| Note::of(Name::parse(name.as_bytes()), value.as_bytes()))
});

/// Where a string stands.
#[derive(Debug, Clone, Copy)]
enum Text<'b> {
    /// In the block itself.
    Block(&'b [u8]),
    /// In the decoder's scratch.
    Scratch { start: usize, end: usize },
}

impl<'b> Text<'b> {
    fn of<'t>(self, scratch: &'t [u8]) -> &'t [u8]
    where
        'b: 't,
    {
        match self {
            Self::Block(text) => text,
            Self::Scratch { start, end } => &scratch[start..end],
        }
    }
}

/// Section 5.2.
fn string<'b>(block: &mut &'b [u8], scratch: &mut Vec<u8>) -> Result<Text<'b>, Error> {
    let (&first, rest) = block.split_first().ok_or(Error::Truncated)?;
    *block = rest;
    let length = integer::decode(first, 0x7f, block)?;
    let (text, rest) = block.split_at_checked(length).ok_or(Error::Truncated)?;
    *block = rest;
    if first & 0x80 == 0 {
        return Ok(Text::Block(text));
    }
    let start = scratch.len();
    huffman::decode(text, scratch)?;
    Ok(Text::Scratch { start, end: scratch.len() })
}
