//! TXT records for `dns-01`: who changes them ([`Provider`]), and when they can be seen
//! ([`Lookout`]).

mod cloudflare;
mod error;
mod exec;
pub(crate) mod lookup;
pub(crate) mod record;
mod resolver;
mod rfc2136;
mod tsig;
mod visible;
mod wire;
mod zone;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use gateway_config::model::DnsProvider;
use hickory_resolver::proto::rr::Name;
use tokio::time::timeout;

use self::cloudflare::Cloudflare;
use self::exec::Exec;
use self::rfc2136::Rfc2136;
use crate::https::HttpsClient;

pub use self::error::{CloudflareError, DnsError, ExecError, UpdateError};
pub use self::record::TxtRecord;
pub use self::resolver::Resolver;
pub use self::tsig::Unverified;
pub use self::visible::{Lookout, Pace};

/// How long a change may take as a whole.
const CHANGE: Duration = Duration::from_secs(60);

/// How long a program may take, which may itself wait until the record can be seen.
const PROGRAM: Duration = Duration::from_secs(120);

/// How many CNAMEs are followed, each leading to the next.
const ALIASES: usize = 8;

/// Whether a record is to be there or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Set,
    Remove,
}

/// What of a provider could be seen without a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Examined {
    /// This server takes the key, and has the zone.
    Signed {
        /// The primary.
        server: SocketAddr,
        /// The zone.
        zone: String,
        /// The name that would hold the record, after all CNAMEs.
        holder: String,
    },
    /// Cloudflare takes the token, and has the zone.
    Cloudflare {
        /// The name that would hold the record, after all CNAMEs.
        holder: String,
    },
    /// This program can be run.
    Program {
        /// Where it is.
        file: String,
    },
}

/// Who changes TXT records.
#[derive(Debug)]
pub struct Provider {
    kind: Kind,
    time_limit: Duration,
}

#[derive(Debug)]
enum Kind {
    Rfc2136(Rfc2136),
    Cloudflare(Box<Cloudflare>),
    Exec(Exec),
}

impl Provider {
    /// The configured one. Names are resolved with `nameservers`, or those of `/etc/resolv.conf` where
    /// there are none. Secrets are read at each change and not here.
    ///
    /// # Errors
    /// [`DnsError`]: what is configured can never work.
    pub fn new(configured: &DnsProvider, nameservers: &[SocketAddr]) -> Result<Self, DnsError> {
        let resolver = Arc::new(Resolver::new(nameservers));
        let kind = match configured {
            DnsProvider::Rfc2136 { server, key, algorithm, secret } => {
                Kind::Rfc2136(Rfc2136::new(*server, key, *algorithm, secret, resolver)?)
            }
            DnsProvider::Cloudflare { token, api } => {
                let https = HttpsClient::new(None, nameservers).map_err(CloudflareError::Https)?;
                Kind::Cloudflare(Box::new(Cloudflare::new(token, api, https, resolver)))
            }
            DnsProvider::Exec { command } => Kind::Exec(Exec::new(command)),
        };
        let time_limit = if matches!(kind, Kind::Exec(_)) { PROGRAM } else { CHANGE };
        Ok(Self { kind, time_limit })
    }

    /// The same provider, whose changes may take at most `limit` instead of one minute, or two for a
    /// program.
    #[must_use]
    pub fn with_time_limit(self, limit: Duration) -> Self {
        Self { time_limit: limit, ..self }
    }

    /// Makes the record be there. Others at the same name stay, and so does this one if it is there
    /// already.
    ///
    /// # Errors
    /// [`DnsError`]: it is not there, or nobody knows.
    pub async fn set(&self, record: &TxtRecord) -> Result<(), DnsError> {
        self.change(record, Change::Set).await
    }

    /// Makes the record not be there. Others at the same name stay.
    ///
    /// # Errors
    /// [`DnsError`]: it is still there, or nobody knows.
    pub async fn remove(&self, record: &TxtRecord) -> Result<(), DnsError> {
        self.change(record, Change::Remove).await
    }

    async fn change(&self, record: &TxtRecord, change: Change) -> Result<(), DnsError> {
        let limit = self.time_limit;
        let timed_out = |_| DnsError::TimedOut { name: record.name().to_owned(), limit };
        match &self.kind {
            Kind::Rfc2136(server) => {
                timeout(limit, server.change(record, change)).await.map_err(timed_out)?
            }
            Kind::Cloudflare(api) => {
                timeout(limit, api.change(record, change)).await.map_err(timed_out)?
            }
            // It keeps to the limit itself, since its processes must end too.
            Kind::Exec(program) => Ok(program.change(record, change, limit).await?),
        }
    }

    /// Looks whether a record could be changed, and changes nothing. Returns what was seen.
    ///
    /// # Errors
    /// [`DnsError`]: it could not.
    pub async fn examine(&self, record: &TxtRecord) -> Result<Examined, DnsError> {
        let limit = self.time_limit;
        let timed_out = |_| DnsError::TimedOut { name: record.name().to_owned(), limit };
        match &self.kind {
            Kind::Rfc2136(server) => {
                timeout(limit, server.examine(record)).await.map_err(timed_out)?
            }
            Kind::Cloudflare(api) => {
                timeout(limit, api.examine(record)).await.map_err(timed_out)?
            }
            Kind::Exec(program) => Ok(program.examine()?),
        }
    }

    /// The server that has a change first, where that is known.
    fn primary(&self) -> Option<SocketAddr> {
        match &self.kind {
            Kind::Rfc2136(server) => Some(server.address()),
            Kind::Cloudflare(_) | Kind::Exec(_) => None,
        }
    }

    /// The name that really holds the record, after all CNAMEs.
    async fn holder(&self, record: &TxtRecord, resolver: &Resolver) -> Result<Name, DnsError> {
        match &self.kind {
            Kind::Rfc2136(server) => server.holder(record).await,
            Kind::Cloudflare(_) | Kind::Exec(_) => holder(record, resolver).await,
        }
    }
}

/// Follows CNAMEs as the resolver sees them.
async fn holder(record: &TxtRecord, resolver: &Resolver) -> Result<Name, DnsError> {
    let mut name = record.dns_name()?;
    for _ in 0..ALIASES {
        match resolver.alias(&name).await {
            Some(target) => name = target,
            None => return Ok(name),
        }
    }
    Err(DnsError::Aliases { name: record.name().to_owned() })
}
