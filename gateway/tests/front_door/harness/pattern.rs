//! A body of any length whose every byte is known, so that a lost, doubled or moved piece is seen.

use bytes::Bytes;
use std::sync::OnceLock;

/// A prime, so that no buffer size divides it and no piece fits in another's place.
const PERIOD: usize = 65_521;

/// The largest piece of the pattern that is handed out at once.
pub(crate) const PIECE: usize = 64_000;

fn pattern() -> &'static Bytes {
    static PATTERN: OnceLock<Bytes> = OnceLock::new();
    PATTERN.get_or_init(|| {
        let mut state = 0x9e37_79b9_u32;
        let period: Vec<u8> = (0..PERIOD)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                state.to_be_bytes()[0]
            })
            .collect();
        let twice = [period.as_slice(), period.as_slice()].concat();
        Bytes::from(twice)
    })
}

fn offset(position: u64) -> usize {
    usize::try_from(position % PERIOD as u64).unwrap()
}

/// The bytes at `position` of a body of `total` bytes: at most [`PIECE`], none at the end.
pub(crate) fn piece(position: u64, total: u64) -> Bytes {
    let left = total.saturating_sub(position).min(PIECE as u64);
    let start = offset(position);
    pattern().slice(start..start + usize::try_from(left).unwrap())
}

/// Counts a body that arrives and compares every byte.
#[derive(Default)]
pub(crate) struct Check {
    position: u64,
}

impl Check {
    /// Takes the next bytes.
    ///
    /// # Panics
    /// Where they are not the pattern's.
    pub(crate) fn take(&mut self, mut data: &[u8]) {
        while !data.is_empty() {
            let (now, later) = data.split_at(data.len().min(PERIOD));
            let start = offset(self.position);
            let same = now == &pattern()[start..start + now.len()];
            assert!(same, "the body differs from what was sent after byte {}", self.position);
            self.position += now.len() as u64;
            data = later;
        }
    }

    /// How many bytes came.
    pub(crate) fn total(&self) -> u64 {
        self.position
    }
}
