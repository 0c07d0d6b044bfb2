//! Buffers for ciphertext. A thread has a few that its connections take in turn, so that a connection
//! on which nothing moves holds none.

use std::cell::RefCell;

/// The most content that a record has (RFC 8446 section 5.1).
pub(super) const RECORD: usize = 16 * 1024;

/// What a record has around its content: header, nonce and tag of AES-GCM in TLS 1.2, which is the
/// most of all that are offered.
pub(super) const OVERHEAD: usize = 5 + 8 + 16;

/// How many whole records are read, or written, in one system call at most.
const RECORDS: usize = 4;

/// How large the thread's buffers are: records, and some room beyond them, so that there is more to
/// be read behind a handshake message that is as long as it may be.
const SIZE: usize = BEGIN + RECORDS * (RECORD + OVERHEAD) + 4096;

/// Where in its memory a buffer begins. Not at the memory's beginning, which is that of a page, as
/// that of each record is when rustls makes it: an AMD processor copies 16 KiB twenty times slower to
/// where it is 1 to 31 bytes further into its page than it was.
const BEGIN: usize = 1024;

/// How many buffers a thread keeps while nobody uses them. Each client that takes an answer more
/// slowly than it comes holds one, now and then.
const SPARE: usize = 16;

thread_local! {
    static SPARES: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// A buffer of the thread's; or one as large as needed, where those are too small.
fn of_thread(needed: usize) -> Vec<u8> {
    if needed > SIZE {
        return vec![0; needed];
    }
    SPARES.with_borrow_mut(Vec::pop).unwrap_or_else(|| vec![0; SIZE])
}

/// Bytes in one of the thread's buffers. Takes it with the first byte and gives it back with the last.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    /// All of it is initialised, whatever it holds.
    memory: Vec<u8>,
    begin: usize,
    end: usize,
}

impl Buffer {
    pub(super) fn is_empty(&self) -> bool {
        self.begin == self.end
    }

    /// How much memory it has.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.memory.len()
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.memory[self.begin..self.end]
    }

    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.memory[self.begin..self.end]
    }

    /// How much content fits behind what is there, encrypted, in the thread's buffer. One of the
    /// records may be short.
    pub(super) fn room(&self) -> usize {
        let end = if self.memory.len() == SIZE { self.end } else { BEGIN + self.bytes().len() };
        let space = SIZE.saturating_sub(end + OVERHEAD);
        let (records, rest) = (space / (RECORD + OVERHEAD), space % (RECORD + OVERHEAD));
        records * RECORD + rest.saturating_sub(OVERHEAD)
    }

    /// The memory behind what is there, so much of it at least.
    pub(super) fn space(&mut self, least: usize) -> &mut [u8] {
        if self.memory.len() < self.end + least || self.memory.is_empty() {
            self.move_to(of_thread(BEGIN + self.bytes().len() + least), BEGIN);
        }
        &mut self.memory[self.end..]
    }

    /// What is there is going to wait: little of it is not to hold a large buffer.
    pub(super) fn settle(&mut self) {
        let length = self.bytes().len();
        if self.memory.len() == SIZE && length < SIZE / 4 {
            self.move_to(vec![0; length], 0);
        }
    }

    fn move_to(&mut self, mut memory: Vec<u8>, begin: usize) {
        let end = begin + self.bytes().len();
        memory[begin..end].copy_from_slice(self.bytes());
        self.give_back();
        (self.memory, self.begin, self.end) = (memory, begin, end);
    }

    /// So many bytes have been put into [`Self::space`].
    pub(super) fn added(&mut self, length: usize) {
        self.end += length;
    }

    /// So many bytes, from the front, are done with.
    pub(super) fn consume(&mut self, length: usize) {
        self.begin += length;
        if self.is_empty() {
            self.give_back();
        }
    }

    fn give_back(&mut self) {
        (self.begin, self.end) = (0, 0);
        let memory = std::mem::take(&mut self.memory);
        // Only those that are as all others are kept.
        if memory.len() == SIZE {
            let _not_when_the_thread_ends = SPARES.try_with(|spares| {
                let mut spares = spares.borrow_mut();
                if spares.len() < SPARE {
                    spares.push(memory);
                }
            });
        }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.give_back();
    }
}
