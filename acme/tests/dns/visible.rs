//! Waiting until a record can be seen.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gateway_acme::dns::{DnsError, Lookout, Pace};

use hickory_resolver::proto::op::Message;
use hickory_resolver::proto::rr::rdata::TXT;
use hickory_resolver::proto::rr::{RData, Record};
use tokio::net::UdpSocket;

use crate::named::{KEYS, Named, free_port, provider};
use crate::{ONE, TWO, ignorant, nobody, record};

const NS: &str = "@ NS ns1\nns1 A 127.0.0.1\n";
const NAME: &str = "_acme-challenge.example.test";

/// Looks a thousand times a minute, for a short time or a long one.
fn lookout(named: &Named, limit: Duration) -> Lookout {
    let pause = Duration::from_millis(20);
    Lookout::new(&[named.address]).with_port(named.address.port()).with_pace(Pace {
        first: pause,
        longest: pause,
        limit,
    })
}

const SOON: Duration = Duration::from_millis(300);
const LONG: Duration = Duration::from_secs(30);

async fn missing(lookout: &Lookout, named: &Named, nameserver: SocketAddr) -> Vec<String> {
    let provider = named.provider("edge", nameserver);
    match lookout.wait_until_visible(&record(NAME, ONE), &provider).await.unwrap_err() {
        DnsError::NotVisible { name, missing, .. } if name == NAME => missing,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn it_is_waited_for() {
    let Some(named) = Named::start(&[("example.test", NS)]) else { return };
    let provider = named.provider("edge", named.address);
    let lookout = lookout(&named, LONG);
    // Another value there is not this one.
    provider.set(&record(NAME, TWO)).await.unwrap();
    let record = record(NAME, ONE);
    let (seen, set) =
        tokio::join!(lookout.wait_until_visible(&record, &provider), provider.set(&record));
    seen.unwrap();
    set.unwrap();
    assert_eq!(named.texts(NAME), [TWO, ONE]);
}

#[tokio::test]
async fn it_never_comes() {
    let Some(named) = Named::start(&[("example.test", NS)]) else { return };
    let port = named.address.port();
    let missing = missing(&lookout(&named, SOON), &named, named.address).await;
    let expected =
        [format!("ns1.example.test (127.0.0.1:{port})"), format!("the primary (127.0.0.1:{port})")];
    assert_eq!(missing, expected);
}

/// A name server of `example.test` that has [`ONE`] at every name once it is `fresh`.
async fn secondary(address: SocketAddr, fresh: Arc<AtomicBool>) {
    let socket = UdpSocket::bind(address).await.unwrap();
    let mut buffer = [0; 4096];
    loop {
        let (length, client) = socket.recv_from(&mut buffer).await.unwrap();
        let mut answer = Message::from_vec(&buffer[..length]).unwrap().into_response();
        answer.metadata.authoritative = true;
        if fresh.load(Ordering::Relaxed) {
            let name = answer.queries[0].name().clone();
            let text = RData::TXT(TXT::new(vec![ONE.into()]));
            answer.add_answer(Record::from_rdata(name, 60, text));
        }
        socket.send_to(&answer.to_vec().unwrap(), client).await.unwrap();
    }
}

#[tokio::test]
async fn one_server_is_behind() {
    let both = format!("{NS}@ NS ns2\nns2 A 127.0.0.2\n");
    let Some(named) = Named::start(&[("example.test", &both)]) else { return };
    let (mut second, fresh) = (named.address, Arc::new(AtomicBool::default()));
    second.set_ip([127, 0, 0, 2].into());
    tokio::spawn(secondary(second, fresh.clone()));
    let provider = named.provider("edge", named.address);
    provider.set(&record(NAME, ONE)).await.unwrap();
    let missing = missing(&lookout(&named, SOON), &named, named.address).await;
    assert_eq!(missing, [format!("ns2.example.test ({second})")]);
    fresh.store(true, Ordering::Relaxed);
    lookout(&named, LONG).wait_until_visible(&record(NAME, ONE), &provider).await.unwrap();
}

#[tokio::test]
async fn among_more_than_a_datagram_holds() {
    let others = (0..40).map(|number| format!("_acme-challenge TXT {number}{TWO}\n"));
    let zone: String = [NS.to_owned()].into_iter().chain(others).collect();
    let Some(named) = Named::start(&[("example.test", &zone)]) else { return };
    let provider = named.provider("edge", named.address);
    provider.set(&record(NAME, ONE)).await.unwrap();
    lookout(&named, LONG).wait_until_visible(&record(NAME, ONE), &provider).await.unwrap();
}

#[tokio::test]
async fn servers_that_do_not_answer_do_not_count() {
    // Nothing listens at the second, and the third has no address.
    let three = format!("{NS}@ NS ns2\n@ NS ns.nowhere.invalid.\nns2 A 127.0.0.3\n");
    let Some(named) = Named::start(&[("example.test", &three)]) else { return };
    let provider = named.provider("edge", named.address);
    provider.set(&record(NAME, ONE)).await.unwrap();
    lookout(&named, LONG).wait_until_visible(&record(NAME, ONE), &provider).await.unwrap();
}

#[tokio::test]
async fn a_private_zone_is_seen_through_the_resolver() {
    let Some(named) = Named::start(&[("example.test", "@ NS ns.nowhere.invalid.\n")]) else {
        return;
    };
    let provider = named.provider("edge", named.address);
    let reason = missing(&lookout(&named, SOON), &named, named.address).await;
    assert_eq!(reason, [format!("the primary ({})", named.address)]);
    provider.set(&record(NAME, ONE)).await.unwrap();
    lookout(&named, LONG).wait_until_visible(&record(NAME, ONE), &provider).await.unwrap();
}

#[tokio::test]
async fn only_the_primary_is_known() {
    let Some(named) = Named::start(&[("example.test", NS)]) else { return };
    let ignorant = ignorant().await;
    let provider = named.provider("edge", ignorant);
    provider.set(&record(NAME, ONE)).await.unwrap();
    let lookout = Lookout::new(&[ignorant]);
    lookout.wait_until_visible(&record(NAME, ONE), &provider).await.unwrap();
}

#[tokio::test]
async fn an_alias_is_followed() {
    let alias = format!("{NS}_acme-challenge CNAME example.held.test.\n");
    let zones = [("example.test", alias.as_str()), ("held.test", NS)];
    let Some(named) = Named::start(&zones) else { return };
    let provider = named.provider("edge", named.address);
    provider.set(&record(NAME, ONE)).await.unwrap();
    // It can be a task of its own.
    let lookout = lookout(&named, LONG);
    let seen = async move { lookout.wait_until_visible(&record(NAME, ONE), &provider).await };
    tokio::spawn(seen).await.unwrap().unwrap();
}

#[tokio::test]
async fn nobody_answers() {
    let dir = tempfile::TempDir::new().unwrap();
    let (server, nobody) = (free_port(), nobody().await);
    let provider = provider(server, dir.path(), KEYS[0], nobody);
    let lookout = Lookout::new(&[nobody]);
    // Following the name already fails at the primary.
    let error = lookout.wait_until_visible(&record(NAME, ONE), &provider).await.unwrap_err();
    assert!(matches!(error, DnsError::Update(_)), "{error:?}");
}
