//! What the world is told about a name. A CA asks the name servers of the zone, and any of them, so
//! each is asked here; the resolver speaks where these cannot be asked, as it is with private zones.

use std::net::SocketAddr;

use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::rdata::name::CNAME;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use tokio::task::JoinSet;

use super::ALIASES;
use super::resolver::Resolver;
use super::wire::ask;
use super::zone::{Server, name_servers};

/// No zone has more name servers that are worth asking.
const MOST_SERVERS: usize = 8;

/// What the answers of the resolver are called by.
pub(crate) const THE_RESOLVER: &str = "the resolver";

/// Asks about names.
#[derive(Debug)]
pub(crate) struct Inquiry {
    resolver: Resolver,
    /// The port of zones' name servers.
    port: u16,
}

/// What is at a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    /// These records, of the kind that was asked for; never none.
    Records(Vec<RData>),
    /// The name is there, without records of that kind.
    Nothing,
    /// There is no such name.
    NoName,
}

/// What was answered, and by whom.
#[derive(Debug)]
pub(crate) struct Answers {
    /// By each name server, in the order of their names.
    pub(crate) told: Vec<(String, Told)>,
    /// Who did not answer, and why.
    pub(crate) silent: Vec<(String, String)>,
}

impl Told {
    pub(super) fn of(records: Vec<RData>) -> Self {
        if records.is_empty() { Self::Nothing } else { Self::Records(records) }
    }
}

impl Inquiry {
    /// One that finds a zone's name servers, which listen on `port`, by `nameservers`, or those of
    /// `/etc/resolv.conf` where there are none.
    pub(crate) fn new(nameservers: &[SocketAddr], port: u16) -> Self {
        Self { resolver: Resolver::new(nameservers), port }
    }

    /// What there is of a kind at a name, after all aliases.
    pub(crate) async fn ask(&self, name: &Name, kind: RecordType) -> Answers {
        let mut name = name.clone();
        let mut answers = Answers { told: Vec::new(), silent: Vec::new() };
        for _ in 0..ALIASES {
            answers = Answers { told: Vec::new(), silent: Vec::new() };
            let mut alias = None;
            for (server, said) in self.ask_servers(&name, kind).await {
                match said {
                    Ok(Said::Told(told)) => answers.told.push((server, told)),
                    Ok(Said::Alias(target)) => alias = Some(target),
                    Err(why) => answers.silent.push((server, why)),
                }
            }
            match alias {
                Some(target) if answers.told.is_empty() => name = target,
                _ => break,
            }
        }
        if answers.told.is_empty() {
            match self.resolver.told(&name, kind).await {
                Ok(told) => answers.told.push((THE_RESOLVER.to_owned(), told)),
                Err(why) => answers.silent.push((THE_RESOLVER.to_owned(), why)),
            }
        }
        answers
    }

    async fn ask_servers(
        &self,
        name: &Name,
        kind: RecordType,
    ) -> Vec<(String, Result<Said, String>)> {
        let mut servers = name_servers(&self.resolver, name, self.port).await;
        servers.truncate(MOST_SERVERS);
        let mut asking = JoinSet::new();
        for server in servers {
            let name = name.clone();
            asking.spawn(async move {
                let said = said(&server, &name, kind).await;
                (server.name, said)
            });
        }
        let mut said = asking.join_all().await;
        said.sort_by(|(a, _), (b, _)| a.cmp(b));
        said
    }
}

enum Said {
    Told(Told),
    /// The name stands for another.
    Alias(Name),
}

/// What the first of a server's addresses says that says anything.
async fn said(server: &Server, name: &Name, kind: RecordType) -> Result<Said, String> {
    let mut why = "it has no address".to_owned();
    for address in &server.addresses {
        match ask(*address, name, kind).await {
            Ok(answer) => match read(&answer, name, kind) {
                Some(said) => return Ok(said),
                None => why = format!("{address} says {}", answer.response_code),
            },
            Err(error) => why = format!("{address}: {error}"),
        }
    }
    Err(why)
}

/// `None` where it is not the answer of a server of the zone.
fn read(answer: &Message, name: &Name, kind: RecordType) -> Option<Said> {
    if !answer.authoritative {
        return None;
    }
    let of_name = || answer.answers.iter().filter(|record| record.name == *name);
    let alias = of_name().find_map(|record| match &record.data {
        RData::CNAME(CNAME(target)) => Some(target.clone()),
        _ => None,
    });
    match (alias, answer.response_code) {
        (Some(target), _) if kind != RecordType::CNAME => Some(Said::Alias(target)),
        (_, ResponseCode::NoError) => {
            let of_kind = of_name().filter(|record| record.record_type() == kind);
            let records = of_kind.map(|record| record.data.clone()).collect();
            Some(Said::Told(Told::of(records)))
        }
        (_, ResponseCode::NXDomain) => Some(Said::Told(Told::NoName)),
        _ => None,
    }
}
