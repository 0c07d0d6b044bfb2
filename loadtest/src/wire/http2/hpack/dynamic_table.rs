//! The dynamic table of HPACK (RFC 7541, section 2.3.2).

use std::collections::VecDeque;

/// What an entry costs besides its texts (section 4.1).
const OVERHEAD: usize = 32;

/// Fields that the server may refer to, the newest first.
pub(super) struct DynamicTable {
    entries: VecDeque<Entry>,
    /// Memory of entries that are gone: servers insert with every answer, and nothing is allocated.
    spare: Vec<Vec<u8>>,
    size: usize,
    most: usize,
}

struct Entry {
    /// Name and value, one behind the other.
    text: Vec<u8>,
    name: usize,
}

impl DynamicTable {
    pub(super) fn new(most: usize) -> Self {
        Self { entries: VecDeque::new(), spare: Vec::new(), size: 0, most }
    }

    /// An entry, from 0.
    pub(super) fn get(&self, index: usize) -> Option<(&[u8], &[u8])> {
        let entry = self.entries.get(index)?;
        Some(entry.text.split_at(entry.name))
    }

    pub(super) fn insert(&mut self, name: &[u8], value: &[u8]) {
        let size = name.len() + value.len() + OVERHEAD;
        self.shrink(self.most.saturating_sub(size));
        if size > self.most {
            return;
        }
        let mut text = self.spare.pop().unwrap_or_default();
        text.clear();
        text.extend_from_slice(name);
        text.extend_from_slice(value);
        self.entries.push_front(Entry { text, name: name.len() });
        self.size += size;
    }

    pub(super) fn resize(&mut self, most: usize) {
        self.most = most;
        self.shrink(most);
    }

    fn shrink(&mut self, most: usize) {
        while self.size > most {
            let Some(Entry { text, .. }) = self.entries.pop_back() else { return };
            self.size -= text.len() + OVERHEAD;
            self.spare.push(text);
        }
    }
}
