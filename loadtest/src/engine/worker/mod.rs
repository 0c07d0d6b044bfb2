//! One event loop: its connections, its requests, its clock.

mod connections;
mod requests;
mod slot;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Sender;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use rustls::ClientConfig;

use super::arrivals::{Arrivals, schedule};
use super::connection::Scratch;
use super::poll::Poll;
use super::tally::Tally;
use super::timeline::{Part, Timeline, nanos};
use super::{Report, Shared, Unusable, tls_config};
use crate::scenario::{Load, Scenario};
use crate::wire::{Flight, Nanos, Outcome, Turn};
use slot::Slot;

/// How exact the kernel's timers are asked to be. Its default, 50 µs, would be seen in latencies.
const SLACK: NonZeroU64 = NonZeroU64::MIN;

/// The longest that is waited for anything.
const LONGEST_WAIT: Nanos = 100_000_000;

/// How often another thread's last connection is looked for.
const START_WAIT: Nanos = 500_000;

/// One event loop.
struct Worker {
    shared: Arc<Shared>,
    reports: Sender<Report>,
    tls: Option<Arc<ClientConfig>>,
    poll: Poll,
    scratch: Scratch,
    slots: Vec<Slot>,
    /// Slots that are to be connected.
    unopened: VecDeque<usize>,
    /// How many are connecting or shaking hands.
    opening: usize,
    /// When one was last opened.
    progress: Nanos,
    /// Slots that take a request, in an open loop.
    ready: VecDeque<usize>,
    /// What no server has looked at, and is sent again.
    again: VecDeque<Flight>,
    timers: BinaryHeap<Reverse<(Nanos, usize, Timer)>>,
    sweep_at: Nanos,
    arrivals: Arrivals,
    rng: fastrand::Rng,
    tally: Tally,
    /// `None` until all connections are open.
    timeline: Option<Timeline>,
    /// How many requests are on their way.
    flying: usize,
    /// What exchanges write to, before it is their connection's.
    out: Vec<u8>,
    outcomes: Vec<Outcome>,
}

/// What is to be done with a slot at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    /// The pause behind an answer is over.
    Think,
    Reconnect,
}

/// What a step of an exchange writes to, out of a worker's own fields.
macro_rules! turn {
    ($worker:ident) => {
        Turn {
            book: &$worker.shared.book,
            out: &mut $worker.out,
            outcomes: &mut $worker.outcomes,
            rng: &mut $worker.rng,
        }
    };
}
use turn;

/// Runs one thread's share of the load to its end.
pub(super) fn run(shared: &Arc<Shared>, thread: usize, reports: &Sender<Report>) {
    // Without it, timers are less exact; the load is the same.
    let _ = rustix::thread::set_current_timer_slack(Some(SLACK));
    let worker = Worker::new(shared.clone(), thread, reports.clone());
    if let Err(error) = worker.and_then(|mut worker| worker.run_until_over()) {
        shared.has_failed.store(true, Ordering::Release);
        // Where nobody listens any more, another thread has failed before.
        let _ = reports.send(Report::Failed(error));
    }
}

impl Worker {
    fn new(shared: Arc<Shared>, thread: usize, reports: Sender<Report>) -> Result<Self, Unusable> {
        let scenario = &shared.book.scenario;
        let tls = scenario.tls.as_ref();
        let tls = tls.map(|tls| tls_config::build(tls, scenario.protocol)).transpose()?;
        let all = 0..scenario.connections as usize;
        let mine = all.skip(thread).step_by(shared.threads);
        let slots: Vec<Slot> = mine.map(|number| Slot::new(number, &scenario.sources)).collect();
        Ok(Self {
            tls,
            poll: Poll::new()?,
            scratch: Scratch::new(),
            unopened: (0..slots.len()).collect(),
            slots,
            opening: 0,
            progress: 0,
            ready: VecDeque::new(),
            again: VecDeque::new(),
            timers: BinaryHeap::new(),
            sweep_at: 0,
            arrivals: Arrivals::new(&scenario.requests, thread, shared.threads),
            rng: fastrand::Rng::with_seed(scenario.seed.wrapping_add(thread as u64)),
            tally: Tally::new(scenario.requests.len()),
            timeline: None,
            flying: 0,
            out: Vec::new(),
            outcomes: Vec::new(),
            reports,
            shared,
        })
    }

    fn scenario(&self) -> &Scenario {
        &self.shared.book.scenario
    }

    fn run_until_over(&mut self) -> Result<(), Unusable> {
        let mut ready = Vec::new();
        loop {
            let now = self.shared.now();
            self.keep_time(now);
            if self.is_over(now) {
                self.cut(Part::Late);
                return Ok(());
            }
            self.connect(now)?;
            self.fire_timers(now);
            self.sweep(now)?;
            self.dispatch(now);
            self.poll.wait(Duration::from_nanos(self.wait(now)), &mut ready)?;
            for index in ready.drain(..) {
                self.advance(index)?;
            }
        }
    }

    /// Follows the time line, and reports each part that is over.
    fn keep_time(&mut self, now: Nanos) {
        if self.timeline.is_none()
            && let Some(zero) = self.shared.zero.get()
        {
            let Scenario { warmup, duration, .. } = *self.scenario();
            self.timeline = Some(Timeline::new(*zero, warmup, duration));
            self.begin_requests();
        }
        while let Some(timeline) = self.timeline
            && now >= timeline.next_part()
        {
            self.cut(timeline.part());
            self.timeline.iter_mut().for_each(Timeline::advance);
        }
    }

    fn cut(&mut self, part: Part) {
        let slice = self.tally.cut(part, process_time());
        // Where nobody listens any more, the process is about to end.
        let _ = self.reports.send(Report::Slice(Box::new(slice)));
    }

    /// Whether the time is over, and everything has been answered or given up.
    fn is_over(&self, now: Nanos) -> bool {
        let Some(timeline) = &self.timeline else {
            return self.shared.has_failed.load(Ordering::Acquire);
        };
        if now < timeline.ends {
            return false;
        }
        match self.scenario().load {
            Load::Idle => true,
            Load::Closed { .. } => self.flying == 0,
            Load::Open(_) => self.flying == 0 && self.again.is_empty() && self.due().is_none(),
        }
    }

    /// Whether requests may be made.
    fn is_serving(&self, now: Nanos) -> bool {
        let ends = |timeline: &Timeline| match self.scenario().load {
            // What was due before the end is still made, for its latency to be known.
            Load::Open(_) => Nanos::MAX,
            Load::Closed { .. } | Load::Idle => timeline.ends,
        };
        self.timeline.as_ref().is_some_and(|timeline| now < ends(timeline))
    }

    /// When the next request of an open loop is due, or was.
    fn due(&self) -> Option<Nanos> {
        let schedule = schedule(self.scenario())?;
        self.arrivals.due(schedule, *self.shared.zero.get()?)
    }

    /// How long there may be nothing to do.
    fn wait(&self, now: Nanos) -> Nanos {
        let mut until = now.saturating_add(LONGEST_WAIT).min(self.sweep_at);
        match &self.timeline {
            Some(timeline) => until = until.min(timeline.next_part()),
            None if self.opening == 0 && self.unopened.is_empty() => {
                until = until.min(now.saturating_add(START_WAIT));
            }
            None => {}
        }
        if let Some(Reverse((at, ..))) = self.timers.peek() {
            until = until.min(*at);
        }
        if !self.ready.is_empty()
            && let Some(due) = self.due()
        {
            until = until.min(due);
        }
        until.saturating_sub(now)
    }

    fn fire_timers(&mut self, now: Nanos) {
        while let Some(Reverse((at, index, timer))) = self.timers.peek().copied()
            && at <= now
        {
            self.timers.pop();
            match timer {
                Timer::Think => self.think_is_over(index, now),
                Timer::Reconnect => self.unopened.push_back(index),
            }
        }
    }

    fn timer(&mut self, at: Nanos, index: usize, timer: Timer) {
        self.timers.push(Reverse((at, index, timer)));
    }

    /// Looks for what has taken too long. Rarely, because it looks at everything.
    fn sweep(&mut self, now: Nanos) -> Result<(), Unusable> {
        if now < self.sweep_at {
            return Ok(());
        }
        let timeout = nanos(self.scenario().timeout);
        self.sweep_at = now + (timeout / 20).clamp(1_000_000, 50_000_000);
        let Some(before) = now.checked_sub(timeout) else { return Ok(()) };
        self.expire_requests(before, now);
        self.expire_connections(before, now)
    }
}

/// The CPU time of this process: user and system, of all threads.
fn process_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
}
