//! A request as it is written: everything that does not change from one to the next is there once.

use std::io::Write as _;
use std::sync::Arc;

use crate::scenario::{Path, Piece};

/// What a request has in its path's places.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Values {
    /// `{n}`
    pub(crate) counter: u64,
    /// `{random}`
    pub(crate) random: u64,
}

/// A request in its protocol's bytes, around its path.
pub(super) struct Plan {
    pub(super) before: Vec<u8>,
    /// Empty where the path never changes; then it is a part of `before`.
    pub(super) path: Vec<Piece>,
    pub(super) after: Vec<u8>,
    pub(super) body: Arc<[u8]>,
    /// The answer to HEAD has no body, whatever its head says.
    pub(super) is_head: bool,
}

/// Whether a path is the same for every request.
pub(super) fn is_constant(path: &Path) -> bool {
    path.pieces.iter().all(|piece| matches!(piece, Piece::Text(_)))
}

/// Writes a path with its values.
pub(super) fn write_path(path: &[Piece], values: Values, out: &mut Vec<u8>) {
    for piece in path {
        // Writing to a Vec cannot fail.
        let _ = match piece {
            Piece::Text(text) => out.write_all(text.as_bytes()),
            Piece::Counter => write!(out, "{}", values.counter),
            Piece::Random => write!(out, "{:016x}", values.random),
        };
    }
}
