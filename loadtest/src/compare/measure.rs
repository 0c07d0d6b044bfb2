//! The measurements, round by round, each server in turn.

use std::time::Duration;

use super::peer::{Name, Peer};
use super::report::{FigureReport, PeerReport, Report};
use super::row::{CONNECTIONS, Per, Row, Way};
use super::{Error, Plan};
use crate::bench::certificate::NAME;
use crate::bench::first_answer::Asker;
use crate::bench::generator::{Generator, Outcome, Subject};
use crate::bench::ground::Ground;
use crate::bench::load::{Handshakes, Load, Pace, Protocol};
use crate::bench::machine::Machine;
use crate::bench::progress::Progress;
use crate::bench::server::Server;
use crate::bench::{cpu, memory};

/// How much of the best peer's peak is asked for when latency is measured.
const SHARE_OF_PEAK: f64 = 0.7;

/// How long idle connections are held at most; they are let go as soon as memory was looked at.
const HELD: Duration = Duration::from_secs(60);

/// How long a load lasts that nobody looks at.
const WARM_UP: Duration = Duration::from_millis(300);

const GIB: f64 = (1_u64 << 30) as f64;

pub(super) struct Measuring<'g> {
    plan: &'g Plan,
    ground: &'g Ground,
    asker: Asker,
    generator: Generator,
    holders: [Generator; 2],
    /// Started once and measured in all rounds, in the order in which they are shown.
    running: Vec<(Peer, Server)>,
    progress: Progress,
    /// Requests a second that latency is measured at.
    rate: Option<f64>,
}

impl<'g> Measuring<'g> {
    /// Starts all servers.
    pub(super) fn start(
        plan: &'g Plan,
        ground: &'g Ground,
        peers: Vec<Peer>,
    ) -> Result<Self, Error> {
        let asker = Asker::trusting(&ground.certificate).map_err(Error::own("the certificate"))?;
        let client = |name| Generator::new(ground.cores.client.clone(), ground.folder.inner(name)?);
        let (generator, holders) = (client("load")?, [client("hold-first")?, client("hold-more")?]);
        let mut running = Vec::new();
        for peer in peers {
            let started = peer.start(ground, &asker)?;
            running.push((peer, started));
        }
        let steps = plan.rows.len() * running.len() * (plan.rounds as usize + 1);
        let progress = Progress::of(steps);
        Ok(Self { plan, ground, asker, generator, holders, running, progress, rate: None })
    }

    pub(super) fn all_rounds(mut self) -> Result<Report, Error> {
        self.warm_up()?;
        let mut figures: Vec<Vec<FigureReport>> = self
            .plan
            .rows
            .iter()
            .map(|row| row.figures().iter().map(FigureReport::of).collect())
            .collect();
        for round in 0..self.plan.rounds as usize {
            for (row, reports) in self.plan.rows.iter().zip(&mut figures) {
                // Whoever comes first in a row has the caches for itself; each is first in turn.
                for turn in 0..self.running.len() {
                    let index = (turn + round) % self.running.len();
                    let name = self.name(index);
                    let values = self.measure(*row, index)?;
                    for (report, value) in reports.iter_mut().zip(values) {
                        report.rounds.entry(name).or_default().push(value);
                    }
                }
            }
        }
        Ok(self.report(figures.into_iter().flatten().collect()))
    }

    fn report(&self, figures: Vec<FigureReport>) -> Report {
        let peers = self
            .running
            .iter()
            .map(|(peer, _)| PeerReport { name: peer.name, version: peer.version.clone() });
        Report {
            version: 1,
            date: time::OffsetDateTime::now_utc().date().to_string(),
            machine: Machine::this(),
            server_cores: self.ground.cores.server.to_string(),
            client_cores: self.ground.cores.client.to_string(),
            rounds: self.plan.rounds,
            seconds: self.plan.load.as_secs_f64(),
            latency_rate_per_s: self.rate,
            peers: peers.collect(),
            figures,
        }
    }

    /// A short load of each kind on each server, so that the first round finds connections to the
    /// origin and code that has run; and the peak, where latency is asked for.
    fn warm_up(&mut self) -> Result<(), Error> {
        let mut peak: f64 = 0.0;
        for row in &self.plan.rows {
            for index in 0..self.running.len() {
                match row.way() {
                    Way::Cpu { load, .. } => {
                        self.load(*row, index, &load, WARM_UP)?;
                    }
                    Way::Latency => {
                        let load = Load::of(Protocol::Http1, CONNECTIONS);
                        let outcome = self.load(*row, index, &load, self.plan.load)?;
                        if self.name(index) != Name::Gateway {
                            peak = peak.max(outcome.rate_per_s);
                        }
                    }
                    Way::Idle | Way::Start => {}
                }
            }
        }
        self.rate = (peak > 0.0).then_some((peak * SHARE_OF_PEAK).round());
        Ok(())
    }

    fn name(&self, index: usize) -> Name {
        self.running[index].0.name
    }

    fn measure(&mut self, row: Row, index: usize) -> Result<Vec<f64>, Error> {
        match row.way() {
            Way::Cpu { load, per } => Ok(vec![self.cpu(row, index, &load, per)?]),
            Way::Latency => self.latency(row, index),
            Way::Idle => Ok(vec![self.idle(row, index)?]),
            Way::Start => {
                self.step(row, index);
                let fresh = self.running[index].0.start(self.ground, &self.asker)?;
                Ok(vec![fresh.ready_after.as_secs_f64() * 1e3])
            }
        }
    }

    fn step(&mut self, row: Row, index: usize) {
        let title = row.figures().first().map_or("", |figure| figure.title);
        let name = self.name(index).as_str();
        self.progress.step(&format!("{title}: {name}"));
    }

    fn load(
        &mut self,
        row: Row,
        index: usize,
        load: &Load,
        duration: Duration,
    ) -> Result<Outcome, Error> {
        self.step(row, index);
        let (peer, running) = &self.running[index];
        let title = row.figures().first().map_or("", |figure| figure.title);
        let subject = Subject { server: peer.name.as_str(), row: title };
        let ca = &self.ground.certificate.chain;
        let scenario = load.scenario(running.address, NAME, ca, duration);
        let outcome = self.generator.run(subject, &scenario, duration)?;
        outcome.has_handshakes(load.handshakes, subject)?;
        Ok(outcome)
    }

    fn cpu(&mut self, row: Row, index: usize, load: &Load, per: Per) -> Result<f64, Error> {
        let group = self.running[index].1.process.group();
        let time = || cpu::time_of(group).map_err(Error::own("CPU time cannot be read"));
        let before = time()?;
        let outcome = self.load(row, index, load, self.plan.load)?;
        let spent = (time()? - before).as_secs_f64();
        Ok(match per {
            Per::Request => spent * 1e6 / outcome.requests as f64,
            Per::GibDown => spent * 1e3 / (outcome.bytes_in as f64 / GIB),
            Per::GibUp => spent * 1e3 / (outcome.bytes_out as f64 / GIB),
        })
    }

    fn latency(&mut self, row: Row, index: usize) -> Result<Vec<f64>, Error> {
        let pace = Pace::Open { per_second: self.rate.unwrap_or_default() };
        let load = Load { pace, ..Load::of(Protocol::Http1, 2 * CONNECTIONS) };
        let outcome = self.load(row, index, &load, self.plan.load)?;
        // A run with good answers has latencies.
        Ok(outcome.latency_ms.map(|latency| vec![latency.p50, latency.p99]).unwrap_or_default())
    }

    /// The slope between few connections and many, so that what a server takes anyway is not in it.
    fn idle(&mut self, row: Row, index: usize) -> Result<f64, Error> {
        self.step(row, index);
        let peer = &self.running[index].0;
        let fresh = peer.start(self.ground, &self.asker)?;
        let subject = Subject { server: peer.name.as_str(), row: "memory per idle connection" };
        let (few, many) = self.plan.idle;
        let hold = |holder: &Generator, connections| {
            let load = Load { pace: Pace::Idle, ..Load::of(Protocol::Http1, connections) };
            let ca = &self.ground.certificate.chain;
            holder.hold(subject, &load.scenario(fresh.address, NAME, ca, HELD))
        };
        let taken =
            || memory::of(fresh.process.group()).map_err(Error::own("memory cannot be read"));
        let [first, more] = &self.holders;
        let _few = hold(first, few)?;
        let with_few = taken()?;
        let _many = hold(more, many - few)?;
        let with_many = taken()?;
        Ok((with_many as f64 - with_few as f64) / f64::from(many - few) / 1024.0)
    }
}

impl Outcome {
    /// That the handshakes were those that are measured.
    fn has_handshakes(&self, wanted: Handshakes, subject: Subject<'_>) -> Result<(), Error> {
        let (full, resumed) =
            (self.connections.handshakes_full, self.connections.handshakes_resumed);
        let wrong = match wanted {
            Handshakes::Once => false,
            Handshakes::FullEach => resumed > 0,
            // The first of each connection slot is full, and a ticket may be late.
            Handshakes::ResumedEach => full > 32 + resumed / 20,
        };
        if wrong {
            return Err(
                subject.failed(format!("{full} handshakes were full and {resumed} resumed"))
            );
        }
        Ok(())
    }
}
