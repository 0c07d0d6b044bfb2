//! The dynamic table (RFC 7541 section 2.3.2).

use std::collections::VecDeque;

use super::{FIELD_OVERHEAD, TABLE_SIZE};

/// The entries that both sides of a connection know, the newest first. Their bytes stand one behind
/// the other in a buffer that is twice as long as the table may be, so that making room moves bytes
/// only once for each time that the table is filled, and every entry is one slice. `Note` is what the
/// owner knows about an entry besides.
#[derive(Debug)]
pub(super) struct Table<Note> {
    bytes: Vec<u8>,
    entries: VecDeque<Entry<Note>>,
    size: usize,
    max_size: usize,
    /// How many entries there have ever been.
    inserted: u32,
}

#[derive(Debug)]
struct Entry<Note> {
    start: usize,
    name_length: usize,
    value_length: usize,
    note: Note,
}

impl<Note> Entry<Note> {
    fn end(&self) -> usize {
        self.start + self.name_length + self.value_length
    }

    fn size(&self) -> usize {
        self.name_length + self.value_length + FIELD_OVERHEAD
    }
}

impl<Note> Table<Note> {
    pub(super) fn new(max_size: usize) -> Self {
        Self { bytes: Vec::new(), entries: VecDeque::new(), size: 0, max_size, inserted: 0 }
    }

    pub(super) fn max_size(&self) -> usize {
        self.max_size
    }

    /// Changes the room that there is, and evicts what has none any more (section 4.3).
    pub(super) fn resize(&mut self, max_size: usize) {
        self.max_size = max_size;
        self.evict_to(max_size);
    }

    /// The entry with this index, counted from zero at the newest.
    pub(super) fn get(&self, index: usize) -> Option<(&Note, &[u8], &[u8])> {
        let entry = self.entries.get(index)?;
        let (name, value) = self.bytes[entry.start..entry.end()].split_at(entry.name_length);
        Some((&entry.note, name, value))
    }

    /// The index of the entry that was inserted as this one, if it is still there.
    pub(super) fn index_of(&self, number: u32) -> Option<usize> {
        let index = self.inserted.wrapping_sub(number) as usize;
        (index < self.entries.len()).then_some(index)
    }

    /// Inserts an entry, and says as which one. One that is larger than the table empties it and is
    /// not kept, which is no error (section 4.4).
    pub(super) fn insert(&mut self, name: &[u8], value: &[u8], note: Note) -> Option<u32> {
        let (name_length, value_length) = (name.len(), value.len());
        let size = name_length + value_length + FIELD_OVERHEAD;
        self.evict_to(self.max_size.saturating_sub(size));
        if size > self.max_size {
            return None;
        }
        if self.bytes.len() + name_length + value_length > 2 * TABLE_SIZE {
            self.compact();
        }
        let start = self.bytes.len();
        self.bytes.extend_from_slice(name);
        self.bytes.extend_from_slice(value);
        self.entries.push_front(Entry { start, name_length, value_length, note });
        self.size += size;
        self.inserted = self.inserted.wrapping_add(1);
        Some(self.inserted)
    }

    fn evict_to(&mut self, size: usize) {
        while self.size > size
            && let Some(oldest) = self.entries.pop_back()
        {
            self.size -= oldest.size();
        }
        if self.entries.is_empty() {
            self.bytes.clear();
        }
    }

    /// Moves what is in use to the beginning.
    fn compact(&mut self) {
        let start = self.entries.back().map_or(self.bytes.len(), |oldest| oldest.start);
        self.bytes.drain(..start);
        for entry in &mut self.entries {
            entry.start -= start;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names<Note>(table: &Table<Note>) -> Vec<String> {
        let entries = (0..).map_while(|index| table.get(index));
        entries.map(|(_, name, _)| String::from_utf8_lossy(name).into_owned()).collect()
    }

    #[test]
    fn the_oldest_goes_first() {
        let mut table = Table::new(3 * (FIELD_OVERHEAD + 2));
        let numbers: Vec<_> = ["a", "b", "c", "d"]
            .iter()
            .map(|name| table.insert(name.as_bytes(), b"1", ()).unwrap())
            .collect();
        assert_eq!(names(&table), ["d", "c", "b"]);
        assert_eq!(table.index_of(numbers[0]), None);
        assert_eq!(table.index_of(numbers[1]), Some(2));
        assert_eq!(table.index_of(numbers[3]), Some(0));
        table.resize(FIELD_OVERHEAD + 2);
        assert_eq!(names(&table), ["d"]);
        table.resize(0);
        assert_eq!(names(&table), [""; 0]);
    }

    #[test]
    fn what_is_too_large_empties_the_table() {
        let mut table = Table::new(100);
        table.insert(b"a", b"1", ());
        assert_eq!(table.insert(b"b", &[b'x'; 100], ()), None);
        assert_eq!(names(&table), [""; 0]);
    }

    #[test]
    fn entries_keep_their_bytes_when_room_is_made() {
        let mut table = Table::new(TABLE_SIZE);
        for number in 0..1_000_u32 {
            let value = vec![number as u8; number as usize % 300];
            table.insert(b"name", &value, number).unwrap();
            assert!(table.bytes.len() <= 2 * TABLE_SIZE);
            for (note, name, value) in (0..).map_while(|index| table.get(index)) {
                assert_eq!(name, b"name");
                assert_eq!(value, vec![*note as u8; *note as usize % 300]);
            }
        }
    }
}
