//! Do the names of upstreams resolve?

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use gateway_acme::dns::Resolver;
use gateway_config::Problems;
use gateway_config::model::{Config, Endpoint, Host};
use tokio::task::JoinSet;

use super::super::finding::Finding;
use super::super::places::Places;

pub(super) fn check(config: &Config, places: &Places<'_>, problems: &mut Problems) {
    let named: Vec<_> = config
        .upstreams
        .iter()
        .flat_map(|upstream| {
            upstream.servers.iter().map(move |server| (upstream, &server.endpoint))
        })
        .filter_map(|(upstream, server)| match server {
            Endpoint::Name { host, .. } => Some((upstream, server, host)),
            Endpoint::Addr(_) | Endpoint::Unix(_) => None,
        })
        .collect();
    let looked_up = look_up(config, named.iter().map(|(_, _, host)| *host));
    let failed = match looked_up {
        Ok(failed) => failed,
        Err(error) => {
            let message =
                format!("no name can be looked up: the system gives no event queue ({error})");
            problems.push(Finding::Unresolved.problem(message, String::new(), None));
            return;
        }
    };
    for (upstream, server, host) in named {
        let Some(reason) = failed.get(host) else { continue };
        let message = format!("`{host}` does not resolve: {reason}");
        let help = "start what has this name, or correct it; a gateway answers 502 on its routes until it resolves";
        let place = places.endpoint(upstream, server);
        problems.push(Finding::Unresolved.problem(message, help.into(), place));
    }
}

/// Looks names up, all at the same time; the reasons of those that do not resolve.
fn look_up<'h>(
    config: &Config,
    hosts: impl Iterator<Item = &'h Host>,
) -> io::Result<HashMap<Host, String>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(async {
        let resolver = Arc::new(Resolver::new(&config.server.dns));
        let mut tasks = JoinSet::new();
        let hosts: std::collections::HashSet<Host> = hosts.cloned().collect();
        for host in hosts {
            let resolver = resolver.clone();
            tasks.spawn(async move {
                let looked_up = resolver.addresses(host.as_str()).await;
                (host, looked_up.err())
            });
        }
        let outcomes = tasks.join_all().await;
        outcomes.into_iter().filter_map(|(host, reason)| Some((host, reason?))).collect()
    }))
}
