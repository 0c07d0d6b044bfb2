//! Names, asked of the system's name servers or of those that the configuration gives.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use hickory_resolver::config::{LookupIpStrategy, NameServerConfig, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::rdata::name::{CNAME, NS};
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::{Resolver as Hickory, ResolverBuilder};

use super::lookup::Told;

/// Asks the name servers. A system without any resolves nothing, and says so when it is asked.
pub struct Resolver {
    hickory: Result<Hickory<TokioRuntimeProvider>, String>,
}

impl Resolver {
    /// A resolver that asks `servers`, or those of `/etc/resolv.conf` where there are none.
    #[must_use]
    pub fn new(servers: &[SocketAddr]) -> Self {
        let builder = if servers.is_empty() {
            Hickory::builder_tokio()
        } else {
            let servers = servers.iter().map(|server| {
                let mut config = NameServerConfig::udp_and_tcp(server.ip());
                for connection in &mut config.connections {
                    connection.port = server.port();
                }
                config
            });
            let config = ResolverConfig::from_name_servers(servers.collect());
            Ok(Hickory::builder_with_config(config, TokioRuntimeProvider::default()))
        };
        Self { hickory: builder.and_then(build).map_err(|error| error.to_string()) }
    }

    /// The addresses of a name, never none, and until when they are good by their time to live.
    ///
    /// # Errors
    /// What the name servers said.
    pub async fn addresses_until(&self, name: &str) -> Result<(Vec<IpAddr>, Instant), String> {
        let answer = self.hickory.as_ref()?.lookup_ip(name).await.map_err(|error| said(&error))?;
        match answer.iter().collect::<Vec<_>>() {
            none if none.is_empty() => Err("the name has no addresses".into()),
            addresses => Ok((addresses, answer.valid_until())),
        }
    }

    /// The addresses of a name.
    ///
    /// # Errors
    /// What the name servers said.
    pub async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, String> {
        self.addresses_until(name).await.map(|(addresses, _)| addresses)
    }

    /// What the name stands for, if it is an alias. A resolver that does not answer knows no alias.
    pub(super) async fn alias(&self, name: &Name) -> Option<Name> {
        let records = self.records(name, RecordType::CNAME).await.unwrap_or_default();
        records.into_iter().find_map(|record| match record {
            RData::CNAME(CNAME(target)) => Some(target),
            _ => None,
        })
    }

    /// The name servers of a zone; none where `name` is no zone's.
    ///
    /// # Errors
    /// [`Silent`].
    pub(super) async fn name_servers(&self, name: &Name) -> Result<Vec<Name>, Silent> {
        let of_ns = |record| match record {
            RData::NS(NS(server)) => Some(server),
            _ => None,
        };
        let records = self.records(name, RecordType::NS).await?;
        Ok(records.into_iter().filter_map(of_ns).collect())
    }

    /// The texts at a name, each put together from its strings.
    pub(super) async fn texts(&self, name: &Name) -> Vec<Vec<u8>> {
        let of_txt = |record| match record {
            RData::TXT(text) => Some(text.txt_data.concat()),
            _ => None,
        };
        let records = self.records(name, RecordType::TXT).await.unwrap_or_default();
        records.into_iter().filter_map(of_txt).collect()
    }

    /// What there is of a kind at a name, after all aliases.
    ///
    /// # Errors
    /// Where nobody can say.
    pub(super) async fn told(&self, name: &Name, kind: RecordType) -> Result<Told, String> {
        let found = match self.hickory.as_ref()?.lookup(name.clone(), kind).await {
            Ok(found) => found,
            Err(error) if error.is_nx_domain() => return Ok(Told::NoName),
            Err(error) if error.is_no_records_found() => return Ok(Told::Nothing),
            Err(error) => return Err(error.to_string()),
        };
        let of_kind = found.answers().iter().filter(|record| record.record_type() == kind);
        Ok(Told::of(of_kind.map(|record| record.data.clone()).collect()))
    }

    async fn records(&self, name: &Name, kind: RecordType) -> Result<Vec<RData>, Silent> {
        let hickory = self.hickory.as_ref().map_err(|_| Silent)?;
        match hickory.lookup(name.clone(), kind).await {
            Ok(found) => {
                // Of aliases and name servers, only the name's own; a text may be behind an alias.
                let of_name = found
                    .answers()
                    .iter()
                    .filter(|record| kind == RecordType::TXT || record.name == *name);
                Ok(of_name.map(|record| record.data.clone()).collect())
            }
            Err(NetError::Timeout | NetError::NoConnections | NetError::Io(_)) => Err(Silent),
            Err(_) => Ok(Vec::new()),
        }
    }
}

/// No name server answers, so it is of no use to ask more.
pub(super) struct Silent;

impl std::fmt::Debug for Resolver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Resolver").finish_non_exhaustive()
    }
}

fn build(
    mut builder: ResolverBuilder<TokioRuntimeProvider>,
) -> Result<Hickory<TokioRuntimeProvider>, NetError> {
    let options = builder.options_mut();
    // What is asked for here has just been changed, is asked for once in weeks, or is kept by who asks.
    options.cache_size = 0;
    options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
    options.timeout = Duration::from_secs(2);
    options.attempts = 2;
    builder.build()
}

fn said(error: &NetError) -> String {
    match error.is_no_records_found() {
        true => "the name servers know no address for it".into(),
        false => error.to_string(),
    }
}
