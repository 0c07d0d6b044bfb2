//! What a second core brings.
//!
//! Where there are two cores, a client and an origin that keep one busy leave no second one to the
//! gateway, and requests a second say nothing. So everything runs on one core, and then everything on
//! two, and what is compared is CPU per request: work that two workers do to keep out of each other's
//! way, or waiting for each other's caches, would show as more of it.

use super::configuration::Configuration;
use super::report::{Goal, Group, Line};
use super::{Bench, Plan, WARM_UP};
use crate::bench::cores::Cores;
use crate::bench::error::Error;
use crate::bench::load::{Load, Protocol};
use crate::compare::Peer;

const CONNECTIONS: u32 = 64;

/// Measures in turn a gateway with one worker on one core and one with two on two.
pub(super) fn measure(plan: &Plan, gateway: &Peer) -> Result<Group, Error> {
    let loads = [
        ("HTTP/1.1", Load::of(Protocol::Http1, CONNECTIONS)),
        ("HTTP/2", Load::of(Protocol::Http2 { streams: 16 }, 32)),
    ];
    let steps = loads.len() * (plan.rounds as usize + 1);
    let on = |workers: usize| {
        let cores = Cores::shared(workers).map_err(Error::own("the cores"))?;
        let bench = Bench::prepare(cores, 2 * steps)?;
        let configuration = Configuration { sites: 1, workers, connections: 1000 };
        let server = bench.start(gateway, "gateway", &configuration)?;
        Ok::<_, Error>((bench, server))
    };
    let mut benches = [on(1)?, on(2)?];
    let mut lines = Vec::new();
    for (protocol, load) in &loads {
        let mut of_cores = [Vec::new(), Vec::new()];
        let titles = [format!("{protocol}, 1 core"), format!("{protocol}, 2 cores")];
        for ((bench, server), title) in benches.iter_mut().zip(&titles) {
            bench.cpu(server, title, load, WARM_UP)?;
        }
        for round in 0..plan.rounds as usize {
            for turn in 0..2 {
                let index = (turn + round) % 2;
                let (bench, server) = &mut benches[index];
                of_cores[index].push(bench.cpu(server, &titles[index], load, plan.load)?);
            }
        }
        let [one, two] = of_cores;
        let doubled: Vec<f64> = one.iter().map(|cpu| 2.0 * cpu).collect();
        let [of_one, of_two] = titles;
        lines.push(Line::new(&of_one, "µs CPU/request", one));
        let line = Line::new(&of_two, "µs CPU/request", two);
        lines.push(line.worth(&doubled, Goal::AtLeast(1.9)));
    }
    Ok(Group { title: "cores".into(), against: "times one core".into(), lines, note: None })
}
