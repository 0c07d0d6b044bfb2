//! Can the addresses be listened on?

use std::io;
use std::time::Duration;

use gateway_config::model::{Config, ListenAddr};
use gateway_config::{Place, Problem, Problems};

use super::super::finding::Finding;
use super::super::places::Places;
use crate::accept::{self, BindError};
use crate::cli::healthcheck::{get, reached_at};

/// Listens on each address for a moment, and lets it go again.
pub(super) fn check(config: &Config, places: &Places<'_>, problems: &mut Problems) {
    let server = &config.server;
    let each = |key: &'static str, list: &[ListenAddr]| {
        let list: Vec<_> = list.iter().copied().enumerate().collect();
        list.into_iter().map(move |(index, address)| (key, index, address))
    };
    let admin: Vec<ListenAddr> = server.admin.into_iter().collect();
    let addresses =
        each("http", &server.http).chain(each("https", &server.https)).chain(each("admin", &admin));
    // All are held at the same time: some may exclude each other.
    let mut held = Vec::new();
    for (key, index, address) in addresses {
        match accept::bind(key, address, 1) {
            Ok(sockets) => held.push(sockets),
            Err(error) => problems.push(explained(&error, config, places.server(key, index))),
        }
    }
}

fn explained(error: &BindError, config: &Config, place: Option<Place>) -> Problem {
    if error.source.kind() == io::ErrorKind::AddrInUse && is_running(config) {
        let message =
            format!("a running gateway listens on {} ({})", error.address, error.listener);
        let help = "that is as it should be where this configuration is to replace the running one";
        return Finding::AlreadyRunning.problem(message, help.into(), place);
    }
    let text = error.to_string();
    let (message, help) = text.split_once("; ").unwrap_or((&text, ""));
    Finding::Listen.problem(message.to_owned(), help.to_owned(), place)
}

/// Whether a gateway answers at the configuration's admin address.
fn is_running(config: &Config) -> bool {
    let url = config.server.admin.and_then(|admin| reached_at(admin, "/livez"));
    let asked = url.map(|url| get(&url, Duration::from_secs(1)));
    matches!(asked, Some(Ok(reply)) if reply.is_good())
}
