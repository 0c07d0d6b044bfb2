//! The load itself: event loops, one a thread, which share nothing while they run.

mod arrivals;
mod connection;
mod dial;
mod poll;
mod session;
mod tally;
mod tickets;
mod timeline;
mod tls_config;
mod worker;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::scenario::Scenario;
use crate::wire::{Book, Nanos};

use timeline::nanos;

pub(crate) use tally::{Buckets, RequestSlice, Slice, histogram};
pub(crate) use timeline::Part;

/// Why there is no load.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unusable {
    #[error(
        "{opened} of {asked} connections to {target} could be opened: {why}; is the server running, and does the scenario fit it?"
    )]
    Unreachable { target: String, opened: usize, asked: usize, why: String },
    #[error("the root certificates cannot be used: {0}; name others with `ca` of [tls]")]
    Roots(String),
    #[error(
        "the limit of open files is {limit}, and {asked} connections need more; raise it, for instance with `ulimit -n {asked}`"
    )]
    OpenFiles { limit: u64, asked: u64 },
    #[error(
        "the system refuses an event loop: {0}; stop something else, or ask for fewer --threads"
    )]
    System(#[from] std::io::Error),
}

/// What an event loop has to say.
pub(crate) enum Report {
    /// A part of the run is over.
    Slice(Box<Slice>),
    /// Every connection is open, so long after the beginning.
    AllOpen(Duration),
    /// There is no load, and there will be none.
    Failed(Unusable),
}

/// A run that has begun.
pub(crate) struct Run {
    pub(crate) reports: Receiver<Report>,
    threads: Vec<JoinHandle<()>>,
}

/// What the event loops of a run have in common.
pub(crate) struct Shared {
    book: Book,
    address: SocketAddr,
    threads: usize,
    origin: Instant,
    opened: AtomicUsize,
    /// When all connections were open: then the time of the run begins.
    zero: OnceLock<Nanos>,
    has_failed: AtomicBool,
}

impl Shared {
    fn now(&self) -> Nanos {
        nanos(self.origin.elapsed())
    }

    /// One connection more is open. The last one begins the run's time.
    fn one_open(&self, reports: &Sender<Report>) {
        let opened = self.opened.fetch_add(1, Ordering::AcqRel) + 1;
        if opened == self.book.scenario.connections as usize {
            let zero = *self.zero.get_or_init(|| self.now());
            // Where nobody listens any more, the run is over.
            let _ = reports.send(Report::AllOpen(Duration::from_nanos(zero)));
        }
    }
}

impl Run {
    /// Begins the load, on so many threads.
    pub(crate) fn begin(
        scenario: Scenario,
        address: SocketAddr,
        threads: usize,
    ) -> Result<Self, Unusable> {
        allow_files(u64::from(scenario.connections))?;
        let threads = threads.min(scenario.connections as usize);
        let shared = Arc::new(Shared {
            book: Book::new(scenario),
            address,
            threads,
            origin: Instant::now(),
            opened: AtomicUsize::new(0),
            zero: OnceLock::new(),
            has_failed: AtomicBool::new(false),
        });
        let (sender, reports) = channel();
        let workers: Result<Vec<_>, std::io::Error> = (0..threads)
            .map(|thread| {
                let (shared, reports) = (shared.clone(), sender.clone());
                let named = std::thread::Builder::new().name(format!("load-{thread}"));
                named.spawn(move || worker::run(&shared, thread, &reports))
            })
            .collect();
        Ok(Self { reports, threads: workers? })
    }

    /// Waits until every thread has left.
    pub(crate) fn end(self) {
        drop(self.reports);
        for thread in self.threads {
            // A panic has said on stderr what it is.
            let _ = thread.join();
        }
    }
}

/// Raises the limit of open files as far as the connections need it.
fn allow_files(connections: u64) -> Result<(), Unusable> {
    /// Of everything that is no connection.
    const OTHERS: u64 = 64;
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let asked = connections + OTHERS;
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let is_enough = |limit: Option<u64>| limit.is_none_or(|limit| limit >= asked);
    if is_enough(current) {
        return Ok(());
    }
    let maximum = if is_enough(maximum) { maximum } else { Some(asked) };
    setrlimit(Resource::Nofile, Rlimit { current: Some(asked), maximum })
        .map_err(|_| Unusable::OpenFiles { limit: current.unwrap_or_default(), asked })
}
