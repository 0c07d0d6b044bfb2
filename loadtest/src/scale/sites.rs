//! CPU per request, by the number of sites and routes.

use super::configuration::{Configuration, ROUTES, paths};
use super::report::{Goal, Group, Line};
use super::{Bench, Plan, WARM_UP};
use crate::bench::error::Error;
use crate::bench::load::{Load, Protocol};
use crate::compare::Peer;

const CONNECTIONS: u32 = 32;

/// Measures in turn gateways that differ in nothing but their configuration's size.
pub(super) fn measure(plan: &Plan, gateway: &Peer) -> Result<Group, Error> {
    let mut sizes = vec![1, 100.min(plan.sites), plan.sites];
    sizes.dedup();
    let loads = [
        ("HTTP/1.1", Load { paths: paths(), ..Load::of(Protocol::Http1, CONNECTIONS) }),
        ("HTTP/2", Load { paths: paths(), ..Load::of(Protocol::Http2 { streams: 16 }, 16) }),
    ];
    let steps = sizes.len() * loads.len() * (plan.rounds as usize + 1);
    let mut bench = Bench::one_for_the_server(steps)?;
    let mut servers = Vec::new();
    for sites in &sizes {
        let configuration = Configuration { sites: *sites, workers: 1, connections: 1000 };
        let server = bench.start(gateway, &format!("gateway-{sites}"), &configuration)?;
        servers.push((*sites, server));
    }
    let mut lines = Vec::new();
    for (protocol, load) in &loads {
        let mut of_sizes = vec![Vec::new(); servers.len()];
        let what = |sites: u32| format!("{protocol}, {sites} sites, {} routes", sites * ROUTES);
        for (sites, server) in &servers {
            bench.cpu(server, &what(*sites), load, WARM_UP)?;
        }
        for round in 0..plan.rounds as usize {
            for turn in 0..servers.len() {
                let index = (turn + round) % servers.len();
                let (sites, server) = &servers[index];
                of_sizes[index].push(bench.cpu(server, &what(*sites), load, plan.load)?);
            }
        }
        let smallest = of_sizes.first().cloned().unwrap_or_default();
        lines.extend(servers.iter().zip(of_sizes).map(|((sites, _), rounds)| {
            let title = what(*sites).replace("1 sites", "1 site");
            let line = Line::new(&title, "µs CPU/request", rounds);
            if *sites == 1 { line } else { line.against(&smallest, Goal::Between(0.95, 1.05)) }
        }));
    }
    Ok(Group { title: "sites and routes".into(), against: "one site".into(), lines, note: None })
}
