//! A name server on loopback whose answers change while a test runs.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use hickory_proto::op::{Message, OpCode, ResponseCode};
use hickory_proto::rr::rdata::{A, AAAA};
use hickory_proto::rr::{RData, Record, RecordType};
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

/// What is answered for a name.
#[derive(Clone)]
pub(crate) enum Answer {
    /// These addresses, good for so many seconds.
    Addresses(Vec<IpAddr>, u32),
    /// Those of these records that are of the kind that is asked for.
    Records(Vec<RData>),
    /// NXDOMAIN: what names are answered with that the test did not set.
    NoSuchName,
    /// SERVFAIL.
    Failure,
}

/// The server. It ends when dropped.
pub(crate) struct Dns {
    pub(crate) addr: SocketAddr,
    zone: Arc<Mutex<Zone>>,
    server: JoinHandle<()>,
}

#[derive(Default)]
struct Zone {
    answers: HashMap<String, Answer>,
    asked: HashMap<String, usize>,
}

impl Dns {
    /// Starts with an empty zone.
    pub(crate) async fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let addr = socket.local_addr().unwrap();
        let zone = Arc::new(Mutex::new(Zone::default()));
        let server = tokio::spawn(serve(socket, Arc::clone(&zone)));
        Self { addr, zone, server }
    }

    /// Sets what is answered for a name from now on.
    pub(crate) fn set(&self, name: &str, answer: Answer) {
        self.zone.lock().unwrap().answers.insert(name.to_owned(), answer);
    }

    /// Sets one address for a name, good for one second.
    pub(crate) fn set_address(&self, name: &str, address: IpAddr) {
        self.set(name, Answer::Addresses(vec![address], 1));
    }

    /// How often a name was asked for.
    pub(crate) fn asked(&self, name: &str) -> usize {
        self.zone.lock().unwrap().asked.get(name).copied().unwrap_or(0)
    }

    /// The line for `[server]` that makes the gateway ask here.
    pub(crate) fn key(&self) -> String {
        format!("dns = [\"{}\"]", self.addr)
    }
}

impl Drop for Dns {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(socket: UdpSocket, zone: Arc<Mutex<Zone>>) {
    let mut buffer = [0; 1500];
    loop {
        // An error is an earlier answer's port having closed; the next question is not affected.
        let Ok((length, client)) = socket.recv_from(&mut buffer).await else { continue };
        let Ok(question) = Message::from_vec(&buffer[..length]) else { continue };
        let answer = reply(&question, &mut zone.lock().unwrap());
        socket.send_to(&answer.to_vec().unwrap(), client).await.unwrap();
    }
}

fn reply(question: &Message, zone: &mut Zone) -> Message {
    let mut reply = Message::response(question.metadata.id, OpCode::Query);
    reply.metadata.recursion_desired = question.metadata.recursion_desired;
    reply.metadata.recursion_available = true;
    reply.metadata.authoritative = true;
    reply.queries.clone_from(&question.queries);
    let Some(query) = question.queries.first() else { return reply };
    let name = query.name.to_ascii().trim_end_matches('.').to_ascii_lowercase();
    let answer = zone.answers.get(&name).cloned().unwrap_or(Answer::NoSuchName);
    *zone.asked.entry(name).or_default() += 1;
    match answer {
        Answer::Addresses(addresses, ttl) => {
            for address in addresses {
                let data = match (address, query.query_type) {
                    (IpAddr::V4(v4), RecordType::A) => RData::A(A(v4)),
                    (IpAddr::V6(v6), RecordType::AAAA) => RData::AAAA(AAAA(v6)),
                    _ => continue,
                };
                reply.answers.push(Record::from_rdata(query.name.clone(), ttl, data));
            }
        }
        Answer::Records(records) => {
            let of_kind = records.into_iter().filter(|it| it.record_type() == query.query_type);
            let record = |data| Record::from_rdata(query.name.clone(), 1, data);
            reply.answers.extend(of_kind.map(record));
        }
        Answer::NoSuchName => reply.metadata.response_code = ResponseCode::NXDomain,
        Answer::Failure => reply.metadata.response_code = ResponseCode::ServFail,
    }
    reply
}
