//! Sets of names, to hold a head's fields against.

use super::Field;
use super::known::{Known, Set};

/// A set of names. Asking costs next to nothing for a name that the gateway knows, and little for
/// one whose length no name of the set has.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    known: Set,
    /// A bit for each length that an unknown name of the set has, up to 63.
    lengths: u64,
    others: Vec<Box<[u8]>>,
}

impl Names {
    /// The set of these names, in lower case.
    pub(crate) fn of<'n>(names: impl Iterator<Item = &'n str>) -> Self {
        let mut set = Self::default();
        for name in names {
            match Known::of(name.as_bytes()) {
                Known::Other => {
                    set.lengths |= bit_of(name.len());
                    set.others.push(name.as_bytes().into());
                }
                known => set.known.insert(known),
            }
        }
        set
    }

    /// Adds a name.
    pub(crate) fn add_known(&mut self, known: Known) {
        self.known.insert(known);
    }

    /// Whether a field's name is in the set.
    pub(crate) fn have(&self, field: Field<'_>) -> bool {
        if field.known != Known::Other {
            return self.known.contains(field.known);
        }
        self.lengths & bit_of(field.name.len()) != 0
            && self.others.iter().any(|name| **name == *field.name)
    }
}

fn bit_of(length: usize) -> u64 {
    1 << length.min(63)
}
