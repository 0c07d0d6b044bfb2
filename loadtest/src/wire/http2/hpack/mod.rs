//! Header compression of HTTP/2 (RFC 7541): requests are written without a memory, so that each is
//! the same bytes; answers are read with the table that the server fills.

mod dynamic_table;
mod huffman;
mod integer;
mod static_table;

use dynamic_table::DynamicTable;
use static_table::STATIC;

pub(super) use integer::write_integer;

/// What this program lets the server remember (the default of RFC 9113, section 6.5.2).
const TABLE_SIZE: usize = 4096;

/// A block that cannot be read; the connection is lost with it (RFC 9113, section 4.3).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Broken;

/// Reads the blocks of one connection.
pub(super) struct Decoder {
    table: DynamicTable,
    /// The field that is being read; kept, so that no field needs memory of its own.
    name: Vec<u8>,
    value: Vec<u8>,
}

impl Decoder {
    pub(super) fn new() -> Self {
        Self { table: DynamicTable::new(TABLE_SIZE), name: Vec::new(), value: Vec::new() }
    }

    /// Reads a whole block and shows each of its fields.
    pub(super) fn decode(
        &mut self,
        mut block: &[u8],
        mut see: impl FnMut(&[u8], &[u8]),
    ) -> Result<(), Broken> {
        while let Some(&first) = block.first() {
            match first {
                0x80.. => {
                    let index = integer::read(&mut block, 7)?;
                    let (name, value) = self.entry(index)?;
                    see(name, value);
                }
                0x20..0x40 => {
                    let size = integer::read(&mut block, 5)?;
                    if size > TABLE_SIZE {
                        return Err(Broken);
                    }
                    self.table.resize(size);
                }
                _ => {
                    let is_kept = first >= 0x40;
                    self.read_literal(&mut block, if is_kept { 6 } else { 4 })?;
                    see(&self.name, &self.value);
                    if is_kept {
                        self.table.insert(&self.name, &self.value);
                    }
                }
            }
        }
        Ok(())
    }

    fn entry(&self, index: usize) -> Result<(&[u8], &[u8]), Broken> {
        let behind = index.checked_sub(1).ok_or(Broken)?;
        match STATIC.get(behind) {
            Some((name, value)) => Ok((name.as_bytes(), value.as_bytes())),
            None => self.table.get(behind - STATIC.len()).ok_or(Broken),
        }
    }

    fn read_literal(&mut self, block: &mut &[u8], prefix: u32) -> Result<(), Broken> {
        let index = integer::read(block, prefix)?;
        let mut name = std::mem::take(&mut self.name);
        name.clear();
        if index == 0 {
            read_string(block, &mut name)?;
        } else {
            name.extend_from_slice(self.entry(index)?.0);
        }
        self.name = name;
        self.value.clear();
        read_string(block, &mut self.value)
    }
}

fn read_string(block: &mut &[u8], out: &mut Vec<u8>) -> Result<(), Broken> {
    let is_huffman = block.first().ok_or(Broken)? & 0x80 != 0;
    let length = integer::read(block, 7)?;
    let (text, rest) = block.split_at_checked(length).ok_or(Broken)?;
    *block = rest;
    if is_huffman {
        return huffman::decode(text, out).map_err(|_| Broken);
    }
    out.extend_from_slice(text);
    Ok(())
}

/// Writes a field that nobody remembers, with its name spelt out.
pub(super) fn write_field(name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    out.push(0);
    write_string(name, out);
    write_string(value, out);
}

/// Writes a field that nobody remembers, with the name of an entry of the static table.
pub(super) fn write_named(index: usize, value: &[u8], out: &mut Vec<u8>) {
    write_integer(0, 4, index, out);
    write_string(value, out);
}

fn write_string(text: &[u8], out: &mut Vec<u8>) {
    write_integer(0, 7, text.len(), out);
    out.extend_from_slice(text);
}

#[cfg(test)]
mod tests;
