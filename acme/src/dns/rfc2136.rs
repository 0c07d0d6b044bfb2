//! Updates of a zone at its primary server (RFC 2136), signed by TSIG.
//!
//! Everything goes over TCP, which every name server has to speak (RFC 7766): an update is sent once
//! and answered once, nobody can slip an answer in between, and no size is too large.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::SystemTime;

use gateway_config::model::{Secret, TsigAlgorithm};
use hickory_resolver::proto::op::{Message, OpCode, Query, ResponseCode};
use hickory_resolver::proto::rr::rdata::TXT;
use hickory_resolver::proto::rr::rdata::name::CNAME;
use hickory_resolver::proto::rr::rdata::tsig::TsigError;
use hickory_resolver::proto::rr::{DNSClass, Name, RData, Record, RecordType};

use super::record::{and_ancestors, fqdn, shown};
use super::resolver::Resolver;
use super::tsig::{Key, Unverified};
use super::wire::{over_tcp, question};
use super::{ALIASES, Change, DnsError, Examined, TxtRecord, UpdateError};

/// Short, since the record goes away again soon.
const TTL: u32 = 60;

/// A primary server, and how it knows us.
#[derive(Debug)]
pub(super) struct Rfc2136 {
    server: SocketAddr,
    key: Name,
    algorithm: TsigAlgorithm,
    secret: Secret,
    resolver: Arc<Resolver>,
}

impl Rfc2136 {
    pub(super) fn new(
        server: SocketAddr,
        key: &str,
        algorithm: TsigAlgorithm,
        secret: &Secret,
        resolver: Arc<Resolver>,
    ) -> Result<Self, UpdateError> {
        let key = match fqdn(key) {
            Some(name) if !name.is_root() => name,
            _ => return Err(UpdateError::KeyName { key: key.to_owned() }),
        };
        Ok(Self { server, key, algorithm, secret: secret.clone(), resolver })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.server
    }

    pub(super) async fn change(&self, record: &TxtRecord, change: Change) -> Result<(), DnsError> {
        let key = self.key()?;
        let name = self.holder(record).await?;
        let zone = self.zone_of(&name).await?;
        let update = update(&zone, &name, record.value(), change);
        Ok(self.send(&key, &update, &zone, &name).await?)
    }

    /// Asks what a change would ask, and signs the last question as a change is signed: a server says
    /// to that too that it does not know the key.
    pub(super) async fn examine(&self, record: &TxtRecord) -> Result<Examined, DnsError> {
        let key = self.key()?;
        let name = self.holder(record).await?;
        let zone = self.zone_of(&name).await?;
        self.send(&key, &question(&zone, RecordType::SOA), &zone, &name).await?;
        Ok(Examined::Signed { server: self.server, zone: shown(&zone), holder: shown(&name) })
    }

    /// The name that holds the record: where somebody put a CNAME at `_acme-challenge`, the server may
    /// know it, or everybody but the server.
    pub(super) async fn holder(&self, record: &TxtRecord) -> Result<Name, DnsError> {
        let mut name = record.dns_name()?;
        for _ in 0..ALIASES {
            match self.alias(&name).await? {
                Some(target) => name = target,
                None => return Ok(name),
            }
        }
        Err(DnsError::Aliases { name: record.name().to_owned() })
    }

    async fn alias(&self, name: &Name) -> Result<Option<Name>, UpdateError> {
        let answer = self.ask(name, RecordType::CNAME).await?;
        let alias = answer.answers.iter().find_map(|record| match &record.data {
            RData::CNAME(CNAME(target)) if record.name == *name => Some(target.clone()),
            _ => None,
        });
        let is_certain = answer.authoritative
            && matches!(answer.response_code, ResponseCode::NoError | ResponseCode::NXDomain);
        match alias {
            None if !is_certain => Ok(self.resolver.alias(name).await),
            alias => Ok(alias),
        }
    }

    /// The zone that the name is in: the longest of its ancestors that has a SOA record.
    async fn zone_of(&self, name: &Name) -> Result<Name, UpdateError> {
        for ancestor in and_ancestors(name) {
            let answer = self.ask(&ancestor, RecordType::SOA).await?;
            match apex(&answer, &ancestor) {
                Apex::Here => return Ok(ancestor),
                Apex::Above => {}
                Apex::Elsewhere => break,
            }
        }
        Err(UpdateError::NoZone { server: self.server, name: shown(name) })
    }

    async fn ask(&self, name: &Name, of: RecordType) -> Result<Message, UpdateError> {
        let server = self.server;
        let encode = |source| UpdateError::Encode { name: shown(name), source };
        let bytes = question(name, of).to_vec().map_err(encode)?;
        let unreachable = |source| UpdateError::Unreachable { server, source };
        let answer = over_tcp(server, &bytes).await.map_err(unreachable)?;
        Message::from_vec(&answer).map_err(|source| UpdateError::Garbled { server, source })
    }

    async fn send(
        &self,
        key: &Key,
        update: &Message,
        zone: &Name,
        name: &Name,
    ) -> Result<(), UpdateError> {
        let server = self.server;
        let encode = |source| UpdateError::Encode { name: shown(name), source };
        let request = key.sign(update, SystemTime::now()).map_err(encode)?;
        let unreachable = |source| UpdateError::Unreachable { server, source };
        let answer = over_tcp(server, &request.bytes).await.map_err(unreachable)?;
        let code = match key.verify(&request, &answer, SystemTime::now()) {
            Ok(message) => message.response_code,
            Err(problem) => self.unverified(problem, &answer)?,
        };
        match code {
            ResponseCode::NoError => Ok(()),
            code => {
                let (name, zone) = (shown(name), shown(zone));
                Err(UpdateError::Refused { server, name, zone, code })
            }
        }
    }

    /// What an answer says that proves nothing. A refusal is taken for one all the same: nothing is
    /// lost by believing it.
    fn unverified(&self, source: Unverified, answer: &[u8]) -> Result<ResponseCode, UpdateError> {
        let (server, key) = (self.server, shown(&self.key));
        match source {
            Unverified::Refused(TsigError::BadKey) => Err(UpdateError::UnknownKey { server, key }),
            Unverified::Refused(TsigError::BadSig) => {
                Err(UpdateError::WrongSecret { server, key, secret: self.secret.clone() })
            }
            Unverified::Refused(TsigError::BadTime) => Err(UpdateError::Clock { server }),
            Unverified::Refused(error) => {
                Err(UpdateError::Tsig { server, key, code: error.into() })
            }
            Unverified::Decode(source) => Err(UpdateError::Garbled { server, source }),
            source => match Message::from_vec(answer) {
                Ok(message) if message.response_code != ResponseCode::NoError => {
                    Ok(message.response_code)
                }
                _ => Err(UpdateError::Unverified { server, source }),
            },
        }
    }

    fn key(&self) -> Result<Key, DnsError> {
        let secret = self.secret.read()?;
        let key = Key::new(self.key.clone(), self.algorithm, &secret);
        let name = || shown(&self.key);
        Ok(key.ok_or_else(|| UpdateError::KeySecret { key: name(), secret: self.secret.clone() })?)
    }
}

/// Where a zone begins, going by a server's answer about a name.
#[derive(Debug, PartialEq, Eq)]
enum Apex {
    /// At the name.
    Here,
    /// At one of its ancestors, if at all.
    Above,
    /// At this name or above, and on other servers.
    Elsewhere,
}

fn apex(answer: &Message, name: &Name) -> Apex {
    let is_soa = |record: &Record| record.record_type() == RecordType::SOA && record.name == *name;
    let is_ns = |record: &Record| record.record_type() == RecordType::NS;
    if answer.response_code != ResponseCode::NoError {
        Apex::Above
    } else if answer.authoritative && answer.answers.iter().any(is_soa) {
        Apex::Here
    } else if !answer.authoritative && answer.authorities.iter().any(is_ns) {
        Apex::Elsewhere
    } else {
        Apex::Above
    }
}

/// RFC 2136 section 2.5.1 and 2.5.4: one record is added to those at the name, or taken from them.
pub(super) fn update(zone: &Name, name: &Name, value: &str, change: Change) -> Message {
    let mut message = Message::query();
    message.metadata.op_code = OpCode::Update;
    message.metadata.recursion_desired = false;
    message.add_query(Query::query(zone.clone(), RecordType::SOA));
    let text = RData::TXT(TXT::new(vec![value.to_owned()]));
    let mut record = Record::from_rdata(name.clone(), TTL, text);
    if change == Change::Remove {
        record.ttl = 0;
        record.dns_class = DNSClass::NONE;
    }
    message.add_authority(record);
    message
}

#[cfg(test)]
mod tests;
