//! What every worker counts and writes for itself. Two cores that write to one place in turn wait for it
//! to come over from each other, and a request counts a dozen things. So each worker has a place of its
//! own, and whoever asks adds them up.

use std::cell::Cell;

thread_local! {
    static MINE: Cell<usize> = const { Cell::new(0) };
}

/// Gives the thread its place. Threads that are no workers share the first.
pub(crate) fn assign(worker: usize) {
    MINE.set(worker);
}

/// One value for each worker.
#[derive(Debug)]
pub(crate) struct Shards<T>(Box<[Alone<T>]>);

/// A value that shares its cache lines with no other. Two lines, because processors fetch them in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Alone<T>(pub(crate) T);

impl<T: Default> Shards<T> {
    /// One for each of `workers`, at least one.
    pub(crate) fn new(workers: usize) -> Self {
        Self((0..workers.max(1)).map(|_| Alone::default()).collect())
    }
}

impl<T> Shards<T> {
    /// This thread's.
    pub(crate) fn mine(&self) -> &T {
        let Self(shards) = self;
        // There is at least one, and as many as workers.
        let Alone(mine) = shards.get(MINE.get()).unwrap_or(&shards[0]);
        mine
    }

    /// Everybody's.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|Alone(shard)| shard)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}
