//! The gateway beside nginx, HAProxy and Caddy: equal work, one core each, in turn.

mod measure;
mod peer;
pub mod render;
pub mod report;
mod row;

use std::path::{Path, PathBuf};
use std::time::Duration;

pub use crate::bench::error::Error;
pub use peer::Name;
pub use row::Row;

use crate::bench::certificate::NAME;
use crate::bench::cores::Cores;
use crate::bench::ground::Ground;
use crate::bench::{files, interrupt};
use measure::Measuring;
pub(crate) use peer::Peer;
use report::Report;

/// Open files that are asked for, for servers and load alike.
const FILES: u64 = 20_000;

/// What is to be measured, and how long.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Where the gateway is; `None`: where it is built.
    pub gateway: Option<PathBuf>,
    /// Whether nobody else is measured.
    pub alone: bool,
    /// In the order in which they are shown.
    pub rows: Vec<Row>,
    /// How often each is measured.
    pub rounds: u32,
    /// How long each load lasts.
    pub load: Duration,
    /// Connections that are held when memory is looked at, first and last.
    pub idle: (u32, u32),
}

/// Measures everything that is planned.
///
/// # Errors
/// A program is missing, does not run, or gives answers that are no good.
pub fn run(plan: &Plan) -> Result<Report, Error> {
    interrupt::watch().map_err(Error::own("signals cannot be watched"))?;
    let mut peers = vec![Peer::gateway(plan.gateway.as_deref())?];
    if !plan.alone {
        peers.extend(Peer::installed()?);
    }
    let ground = ground()?;
    let measuring = Measuring::start(plan, &ground, peers)?;
    measuring.all_rounds()
}

/// Writes each server's configuration, as it would run, to a folder of its name in `folder`.
///
/// # Errors
/// A folder or file cannot be written.
pub fn print_config(folder: &Path) -> Result<(), Error> {
    peer::print_all(folder)
}

fn ground() -> Result<Ground, Error> {
    files::allow(FILES);
    let cores = Cores::one_for_the_server().map_err(Error::own("the cores cannot be asked for"))?;
    Ground::prepare(cores, &[NAME])
}
