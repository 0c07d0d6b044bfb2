//! The name servers of a zone.

use std::net::SocketAddr;

use hickory_resolver::proto::rr::Name;

use super::record::{and_ancestors, shown};
use super::resolver::{Resolver, Silent};

/// A name server and where it is.
#[derive(Debug, Clone)]
pub(super) struct Server {
    pub(super) name: String,
    pub(super) addresses: Vec<SocketAddr>,
    pub(super) is_primary: bool,
}

/// The name servers of the zone that the name is in, on this port; none where they are not known.
pub(super) async fn name_servers(resolver: &Resolver, name: &Name, port: u16) -> Vec<Server> {
    for zone in and_ancestors(name) {
        let names = match resolver.name_servers(&zone).await {
            Ok(names) if names.is_empty() => continue,
            Ok(names) => names,
            Err(Silent) => break,
        };
        let mut servers = Vec::new();
        for name in names {
            let addresses = resolver.addresses(&name.to_ascii()).await.unwrap_or_default();
            let addresses =
                addresses.into_iter().map(|address| SocketAddr::new(address, port)).collect();
            servers.push(Server { name: shown(&name), addresses, is_primary: false });
        }
        return servers;
    }
    Vec::new()
}
