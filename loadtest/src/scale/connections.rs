//! Memory per connection, by the number of idle ones.

use std::time::Duration;

use super::configuration::Configuration;
use super::report::{Goal, Group, Line};
use super::{Bench, Plan};
use crate::bench::certificate::NAME;
use crate::bench::error::Error;
use crate::bench::generator::{Generator, Held, Subject};
use crate::bench::load::{Load, Pace, Protocol};
use crate::bench::{files, memory};
use crate::compare::Peer;

/// How long connections are held at most; they are let go when the last memory was looked at.
const HELD: Duration = Duration::from_secs(3600);

/// Memory differs little from one time to the next.
const MOST_ROUNDS: u32 = 3;

/// Open files that are left to a process for other things than clients' connections: those to the
/// origin above all, of which the gateway keeps as many as were in use at once.
const OTHER_FILES: u64 = 600;

/// Opens ever more connections to one gateway, and looks at its memory at each step.
pub(super) fn measure(plan: &Plan, gateway: &Peer) -> Result<Group, Error> {
    let possible = files::allow(u64::from(plan.connections) + OTHER_FILES);
    let possible = possible.saturating_sub(OTHER_FILES);
    let most = plan.connections.min(u32::try_from(possible).unwrap_or(u32::MAX));
    let note = (most < plan.connections).then(|| {
        format!(
            "No more than {most} connections, because a process may not open more files here \
             (`ulimit -Hn`)."
        )
    });
    let mut steps = vec![10, 1_000.min(most), 10_000.min(most), most];
    steps.dedup();
    let mut of_steps = vec![Vec::new(); steps.len().saturating_sub(1)];
    let rounds = plan.rounds.min(MOST_ROUNDS);
    let mut bench = Bench::one_for_the_server(rounds as usize * steps.len())?;
    for _ in 0..rounds {
        let taken = memory_at(&mut bench, gateway, &steps)?;
        for ((rounds, taken), steps) in
            of_steps.iter_mut().zip(taken.windows(2)).zip(steps.windows(2))
        {
            if let ([before, after], [few, many]) = (taken, steps) {
                rounds.push((after - before) / f64::from(many - few) / 1024.0);
            }
        }
    }
    let first = of_steps.first().cloned().unwrap_or_default();
    let titles = steps.windows(2).map(|pair| match pair {
        [few, many] => format!("the connections from {few} to {many}"),
        _ => String::new(),
    });
    let lines = titles.zip(of_steps).enumerate().map(|(number, (title, rounds))| {
        let line = Line::new(&title, "KiB/connection", rounds);
        if number == 0 { line } else { line.against(&first, Goal::AtMost(1.05)) }
    });
    let lines = lines.collect();
    Ok(Group { title: "idle connections".into(), against: "the first".into(), lines, note })
}

/// Bytes, after each step.
fn memory_at(bench: &mut Bench, gateway: &Peer, steps: &[u32]) -> Result<Vec<f64>, Error> {
    let connections = u64::from(steps.last().copied().unwrap_or_default()) + OTHER_FILES;
    let configuration = Configuration { sites: 1, workers: 1, connections };
    let server = bench.start(gateway, "gateway", &configuration)?;
    let mut held: Vec<Held> = Vec::new();
    let (mut taken, mut open) = (Vec::new(), 0);
    for (number, step) in steps.iter().enumerate() {
        let what = format!("{step} idle connections");
        bench.progress.step(&what);
        let folder = bench.ground.folder.inner(&format!("hold-{number}"))?;
        let holder = Generator::new(bench.ground.cores.client.clone(), folder)?;
        let load = Load { pace: Pace::Idle, ..Load::of(Protocol::Http1, step - open) };
        let ca = &bench.ground.certificate.chain;
        let scenario = load.scenario(server.address, NAME, ca, HELD);
        held.push(holder.hold(Subject { server: "gateway", row: &what }, &scenario)?);
        open = *step;
        let bytes = memory::of(server.process.group());
        taken.push(bytes.map_err(Error::own("memory cannot be read"))? as f64);
    }
    Ok(taken)
}
