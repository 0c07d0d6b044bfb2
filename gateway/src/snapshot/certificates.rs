//! Certificates as they are served, and what is asked of clients that must show theirs.

use std::sync::Arc;
use std::time::SystemTime;

use gateway_certs::{CertStore, CertificateFacts, ClientVerification, LocalCa, Slot};
use gateway_config::model::{self, Config};
use rustls::ServerConfig;

use super::Lasting;
use super::error::BuildError;
use crate::tls::{ForClient, ForClients};

/// The part of a snapshot that time wears out.
#[derive(Clone)]
pub(crate) struct Certificates {
    pub(crate) store: Arc<CertStore>,
    pub(crate) tls: Arc<ServerConfig>,
    /// For sites that ask their clients for certificates.
    pub(crate) for_clients: Arc<ForClients>,
    pub(crate) local_ca: Option<Arc<LocalCa>>,
    pub(crate) facts: Arc<[CertificateFacts]>,
    /// The places of certificates that come by ACME, with the hosts that each is for.
    pub(crate) live: Arc<[(String, Arc<Slot>)]>,
    /// When the first certificate of the local CA is to be made anew.
    pub(crate) renew_at: Option<SystemTime>,
}

impl Certificates {
    pub(super) fn build(config: &Config, lasting: &Lasting) -> Result<Self, BuildError> {
        let storage = &config.server.storage;
        let built =
            gateway_certs::build_store(&config.sites, &lasting.slots, storage, SystemTime::now)
                .map_err(BuildError::Certificates)?;
        for warning in &built.warnings {
            crate::journal::warn("certificate", warning, &[]);
        }
        for note in built.local_ca.iter().flat_map(|ca| ca.notes()) {
            crate::journal::info("local_ca", note, &[]);
        }
        let renew_at = built.renew_at();
        let store = Arc::new(built.store);
        let alpn: [&[u8]; 2] = [b"h2", b"http/1.1"];
        let tls = gateway_certs::server_config(store.clone(), lasting.tickets.clone(), &alpn)?;
        let for_clients = Arc::new(for_clients(config, &store, &alpn)?);
        let groups = config.sites.iter().flat_map(model::Site::acme_groups);
        let live = groups.map(|hosts| (names(&hosts), lasting.slots.of(&hosts))).collect();
        let (local_ca, facts) = (built.local_ca, built.facts.into());
        Ok(Self { store, tls, for_clients, local_ca, facts, live, renew_at })
    }
}

/// What sites are served with that ask their clients for certificates.
fn for_clients(
    config: &Config,
    store: &Arc<CertStore>,
    alpn: &[&[u8]],
) -> Result<ForClients, BuildError> {
    let (mut configs, mut problems) = (ForClients::new(), Vec::new());
    for (index, site) in config.sites.iter().enumerate() {
        let Some(clients) = &site.client_certs else { continue };
        match gateway_certs::client_verifier(clients) {
            Ok(ClientVerification { verifier, version }) => {
                let store = store.clone();
                let config = gateway_certs::server_config_for_clients(store, verifier, alpn)?;
                configs.insert(index, ForClient { config, version });
            }
            Err(error) => problems.push(format!("site `{}`: {error}", site.name)),
        }
    }
    if problems.is_empty() { Ok(configs) } else { Err(BuildError::ClientCerts(problems)) }
}

fn names(hosts: &[model::HostPattern]) -> String {
    hosts.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
