//! Knowing when a record can be seen by those who will look for it.
//!
//! A CA asks the zone's own name servers, and any of them. So each is asked here, until all have the
//! record: an answer from a cache would say nothing about them, and a "no" from one too early would stay
//! in the CA's cache.

use std::net::SocketAddr;
use std::time::Duration;

use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout_at};

use super::record::shown;
use super::resolver::Resolver;
use super::wire::ask;
use super::zone::{Server, name_servers};
use super::{DnsError, Provider, TxtRecord};

/// How often to look, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// The pause after the first look; each further one is twice as long.
    pub first: Duration,
    /// The longest pause.
    pub longest: Duration,
    /// When to give up.
    pub limit: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(1),
            longest: Duration::from_secs(10),
            limit: Duration::from_secs(120),
        }
    }
}

/// Looks for records at the name servers of their zones.
#[derive(Debug)]
pub struct Lookout {
    resolver: Resolver,
    port: u16,
    pace: Pace,
}

impl Lookout {
    /// One that finds a zone's name servers by `nameservers`, or those of `/etc/resolv.conf` where
    /// there are none.
    #[must_use]
    pub fn new(nameservers: &[SocketAddr]) -> Self {
        Self { resolver: Resolver::new(nameservers), port: 53, pace: Pace::default() }
    }

    /// The same, at another pace.
    #[must_use]
    pub fn with_pace(self, pace: Pace) -> Self {
        Self { pace, ..self }
    }

    /// The same, for name servers that listen on another port than 53.
    #[must_use]
    pub fn with_port(self, port: u16) -> Self {
        Self { port, ..self }
    }

    /// Waits until every name server of the zone that answers at all shows the record, and so does the
    /// primary that `provider` changes. Where the zone's name servers cannot be reached, as it is with
    /// private zones, it is the resolver that must show it.
    ///
    /// # Errors
    /// [`DnsError::NotVisible`] at the end of the [`Pace`]'s limit; or where the record's name cannot be
    /// followed.
    pub async fn wait_until_visible(
        &self,
        record: &TxtRecord,
        provider: &Provider,
    ) -> Result<(), DnsError> {
        let deadline = Instant::now() + self.pace.limit;
        let name = provider.holder(record, &self.resolver).await?;
        let mut pause = self.pace.first;
        let mut missing = vec!["any name server".to_owned()];
        loop {
            let looked = self.look(&name, record.value(), provider.primary());
            match timeout_at(deadline, looked).await {
                Ok(none) if none.is_empty() => return Ok(()),
                Ok(some) => missing = some,
                // The round before it was the last that ended.
                Err(_) => break,
            }
            if Instant::now() + pause >= deadline {
                break;
            }
            sleep(pause).await;
            pause = (pause * 2).min(self.pace.longest);
        }
        Err(DnsError::NotVisible { name: shown(&name), missing, waited: self.pace.limit })
    }

    /// Asks everybody once, all at the same time; returns whom the record is still missing from.
    async fn look(&self, name: &Name, value: &str, primary: Option<SocketAddr>) -> Vec<String> {
        let mut servers = name_servers(&self.resolver, name, self.port).await;
        let known = servers.len();
        servers.extend(primary.map(|address| Server {
            name: "the primary".into(),
            addresses: vec![address],
            is_primary: true,
        }));
        let mut looking = JoinSet::new();
        for server in servers {
            let (name, value) = (name.clone(), value.to_owned());
            looking.spawn(async move {
                let seen = server.look(&name, &value).await;
                (server, seen)
            });
        }
        let mut seen = looking.join_all().await;
        seen.sort_by(|(a, _), (b, _)| a.name.cmp(&b.name));
        let (mut missing, mut silent) = (Vec::new(), Vec::new());
        let mut shown_by = Shown::default();
        for (server, seen) in seen {
            match seen {
                Seen::There if server.is_primary => shown_by.primary = true,
                Seen::There => shown_by.name_server = true,
                Seen::Missing(at) => missing.push(format!("{} ({at})", server.name)),
                Seen::Silent(why) => silent.push(format!("{} ({why})", server.name)),
            }
        }
        let is_enough = shown_by.name_server || (known == 0 && shown_by.primary);
        if !missing.is_empty() || is_enough {
            return missing;
        }
        if self.resolver.texts(name).await.iter().any(|text| text == value.as_bytes()) {
            return Vec::new();
        }
        silent.push("the resolver".into());
        silent
    }
}

#[derive(Default)]
struct Shown {
    name_server: bool,
    primary: bool,
}

/// What a server shows.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    There,
    /// It knows the zone and does not have the record, at this address.
    Missing(SocketAddr),
    /// It does not answer, or not for this zone; nobody else will learn anything from it either.
    Silent(String),
}

impl Server {
    /// Asks its addresses until one answers.
    async fn look(&self, name: &Name, value: &str) -> Seen {
        let mut silent = "it has no address".to_owned();
        for address in &self.addresses {
            match ask(*address, name, RecordType::TXT).await {
                Ok(answer) => match has(&answer, name, value) {
                    Some(true) => return Seen::There,
                    Some(false) => return Seen::Missing(*address),
                    None => silent = format!("{address} does not serve the zone"),
                },
                Err(error) => silent = format!("{address}: {error}"),
            }
        }
        Seen::Silent(silent)
    }
}

/// Whether an answer has the record; `None` where it is not that of a server of the zone.
fn has(answer: &Message, name: &Name, value: &str) -> Option<bool> {
    let is_of_zone = answer.authoritative
        && matches!(answer.response_code, ResponseCode::NoError | ResponseCode::NXDomain);
    let mut records = answer.answers.iter().filter(|record| record.name == *name);
    let is_there = records.any(|record| match &record.data {
        RData::TXT(text) => text.txt_data.concat() == value.as_bytes(),
        _ => false,
    });
    is_of_zone.then_some(is_there)
}
