//! Whether the gateway stays as cheap when there is more of everything: sites and routes,
//! connections, cores.

mod configuration;
mod connections;
mod cores;
pub mod render;
pub mod report;
mod sites;

use std::path::PathBuf;
use std::time::Duration;

use crate::bench::certificate::NAME;
use crate::bench::cores::Cores;
use crate::bench::error::Error;
use crate::bench::first_answer::Asker;
use crate::bench::generator::{Generator, Subject};
use crate::bench::ground::{Ground, free_addresses};
use crate::bench::load::Load;
use crate::bench::machine::Machine;
use crate::bench::progress::Progress;
use crate::bench::server::{Server, Start, write_files};
use crate::bench::{cpu, interrupt};
use crate::compare::Peer;
use configuration::Configuration;
use report::{Group, Report};

/// What grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Part {
    /// CPU per request, by the number of sites and routes.
    Sites,
    /// Memory per connection, by the number of idle connections.
    Connections,
    /// CPU per request, by the number of cores.
    Cores,
}

impl Part {
    /// All, in the order in which they are shown.
    pub const ALL: [Self; 3] = [Self::Sites, Self::Connections, Self::Cores];
}

/// What is to be measured, and how long.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Where the gateway is; `None`: where it is built.
    pub gateway: Option<PathBuf>,
    /// In the order in which they are shown.
    pub parts: Vec<Part>,
    /// How often each is measured.
    pub rounds: u32,
    /// How long each load lasts.
    pub load: Duration,
    /// Sites of the largest configuration. It has ten routes for each.
    pub sites: u32,
    /// Idle connections in the end.
    pub connections: u32,
}

/// Measures everything that is planned.
///
/// # Errors
/// The gateway is missing, does not run, or gives answers that are no good.
pub fn run(plan: &Plan) -> Result<Report, Error> {
    interrupt::watch().map_err(Error::own("signals cannot be watched"))?;
    let gateway = Peer::gateway(plan.gateway.as_deref())?;
    let mut groups: Vec<Group> = Vec::new();
    for part in &plan.parts {
        groups.push(match part {
            Part::Sites => sites::measure(plan, &gateway)?,
            Part::Connections => connections::measure(plan, &gateway)?,
            Part::Cores => cores::measure(plan, &gateway)?,
        });
    }
    Ok(Report {
        version: 1,
        date: time::OffsetDateTime::now_utc().date().to_string(),
        machine: Machine::this(),
        gateway: gateway.version,
        rounds: plan.rounds,
        seconds: plan.load.as_secs_f64(),
        groups,
    })
}

/// How long the gateway may take to read ten thousand sites, in a build that is not optimised.
const START: Duration = Duration::from_secs(120);

/// How long a load lasts that nobody looks at.
const WARM_UP: Duration = Duration::from_millis(300);

/// A ground with what asks and what loads.
struct Bench {
    ground: Ground,
    asker: Asker,
    generator: Generator,
    progress: Progress,
}

impl Bench {
    fn prepare(cores: Cores, steps: usize) -> Result<Self, Error> {
        let ground = Ground::prepare(cores, &[NAME, configuration::WILDCARD])?;
        let asker = Asker::trusting(&ground.certificate).map_err(Error::own("the certificate"))?;
        let folder = ground.folder.inner("load")?;
        let generator = Generator::new(ground.cores.client.clone(), folder)?;
        Ok(Self { ground, asker, generator, progress: Progress::of(steps) })
    }

    fn one_for_the_server(steps: usize) -> Result<Self, Error> {
        let cores = Cores::one_for_the_server().map_err(Error::own("the cores"))?;
        Self::prepare(cores, steps)
    }

    /// Starts a gateway in a folder of its own.
    fn start(
        &self,
        gateway: &Peer,
        folder: &str,
        configuration: &Configuration,
    ) -> Result<Server, Error> {
        let folder = self.ground.folder.inner(folder)?;
        let [https] = free_addresses()?;
        write_files(&folder, &[("gateway.toml", configuration.text(https, &self.ground))])?;
        let mut command = std::process::Command::new(&gateway.program);
        command.args(["run", "--config", "gateway.toml"]);
        let start = Start {
            name: "gateway",
            command,
            folder: &folder,
            cores: &self.ground.cores.server,
            address: https,
            limit: START,
        };
        Server::start(start, &self.asker)
    }

    /// Microseconds of CPU a request.
    fn cpu(
        &mut self,
        server: &Server,
        what: &str,
        load: &Load,
        duration: Duration,
    ) -> Result<f64, Error> {
        self.progress.step(what);
        let time =
            || cpu::time_of(server.process.group()).map_err(Error::own("CPU time cannot be read"));
        let subject = Subject { server: "gateway", row: what };
        let ca = &self.ground.certificate.chain;
        let scenario = load.scenario(server.address, NAME, ca, duration);
        let before = time()?;
        let outcome = self.generator.run(subject, &scenario, duration)?;
        Ok((time()? - before).as_secs_f64() * 1e6 / outcome.requests as f64)
    }
}
