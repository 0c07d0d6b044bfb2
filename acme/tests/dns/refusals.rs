//! RFC 2136 where it does not work out.

use std::net::SocketAddr;
use std::time::Duration;

use gateway_acme::dns::{DnsError, Provider, Unverified, UpdateError};
use gateway_config::model::{DnsProvider, Secret, TsigAlgorithm};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::named::{KEYS, Named, provider};
use crate::{ONE, ignorant, nobody, record};

const NS: &str = "@ NS ns1\nns1 A 127.0.0.1\n";
const NAME: &str = "_acme-challenge.example.test";

async fn refused(provider: &Provider, name: &str) -> UpdateError {
    match provider.set(&record(name, ONE)).await.unwrap_err() {
        DnsError::Update(error) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn keys_that_do_not_fit() {
    let Some(named) = Named::start(&[("example.test", NS)]) else { return };
    let nameserver = ignorant().await;
    let unknown = named.provider_with("other", "hmac-sha256", KEYS[0].2, nameserver);
    let error = refused(&unknown, NAME).await;
    assert!(matches!(&error, UpdateError::UnknownKey { key, .. } if key == "other"), "{error:?}");

    let wrong = named.provider_with("edge", "hmac-sha256", KEYS[3].2, nameserver);
    let error = refused(&wrong, NAME).await;
    assert!(matches!(&error, UpdateError::WrongSecret { .. }), "{error:?}");
    assert!(!format!("{error:?} {error} {wrong:?}").contains(KEYS[3].2));

    let other_algorithm = named.provider_with("edge", "hmac-sha512", KEYS[0].2, nameserver);
    let error = refused(&other_algorithm, NAME).await;
    assert!(matches!(&error, UpdateError::UnknownKey { .. }), "{error:?}");

    let error = refused(&named.provider("reader", nameserver), NAME).await;
    assert!(matches!(&error, UpdateError::Refused { zone, .. } if zone == "example.test"));
    assert_eq!(named.texts(NAME), [""; 0]);
}

#[tokio::test]
async fn zones_that_are_not_there() {
    let delegated = format!("{NS}far NS ns.elsewhere.invalid.\n");
    let Some(named) = Named::start(&[("example.test", &delegated)]) else { return };
    let provider = named.provider("edge", ignorant().await);
    for name in ["_acme-challenge.example.invalid", "_acme-challenge.far.example.test"] {
        let error = refused(&provider, name).await;
        assert!(
            matches!(&error, UpdateError::NoZone { name: n, .. } if n == name),
            "{name}: {error:?}"
        );
    }
}

#[tokio::test]
async fn nothing_listens() {
    let dir = TempDir::new().unwrap();
    let nobody = nobody().await;
    let error = refused(&provider(nobody, dir.path(), KEYS[0], nobody), NAME).await;
    assert!(matches!(error, UpdateError::Unreachable { .. }), "{error:?}");
}

#[tokio::test]
async fn silence_ends_with_the_time_limit() {
    let dir = TempDir::new().unwrap();
    // Connections wait in the backlog and are never answered.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = silent.local_addr().unwrap();
    let provider = provider(server, dir.path(), KEYS[0], ignorant().await);
    let provider = provider.with_time_limit(Duration::from_millis(50));
    let error = provider.set(&record(NAME, ONE)).await.unwrap_err();
    assert!(matches!(error, DnsError::TimedOut { .. }), "{error:?}");
}

/// Passes messages on to `server`, and changes the answers to updates.
async fn meddler(server: SocketAddr, change: fn(&mut Vec<u8>)) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut server = TcpStream::connect(server).await.unwrap();
            let question = message(&mut client).await;
            send(&mut server, &question).await;
            let mut answer = message(&mut server).await;
            // The opcode UPDATE is 5.
            if question[2] >> 3 & 15 == 5 {
                change(&mut answer);
            }
            send(&mut client, &answer).await;
        }
    });
    address
}

async fn message(stream: &mut TcpStream) -> Vec<u8> {
    let mut message = vec![0; usize::from(stream.read_u16().await.unwrap())];
    stream.read_exact(&mut message).await.unwrap();
    message
}

async fn send(stream: &mut TcpStream, message: &[u8]) {
    stream.write_u16(u16::try_from(message.len()).unwrap()).await.unwrap();
    stream.write_all(message).await.unwrap();
}

#[tokio::test]
async fn answers_that_prove_nothing() {
    let Some(named) = Named::start(&[("example.test", NS)]) else { return };
    let nameserver = ignorant().await;
    let provider = async |change| {
        provider(meddler(named.address, change).await, named.dir.path(), KEYS[0], nameserver)
    };
    // Another message altogether: the id that was signed is not the request's.
    let altered = provider(|answer| answer[2] ^= 1).await;
    let error = refused(&altered, NAME).await;
    assert!(matches!(error, UpdateError::Unverified { source: Unverified::Mac, .. }), "{error:?}");
    // Twelve bytes of head that count no records.
    let unsigned = provider(|answer| {
        answer.truncate(12);
        answer[4..].fill(0);
    });
    let error = refused(&unsigned.await, NAME).await;
    assert!(
        matches!(error, UpdateError::Unverified { source: Unverified::Unsigned, .. }),
        "{error:?}"
    );
    let garbage = provider(|answer| answer.truncate(20)).await;
    let error = refused(&garbage, NAME).await;
    assert!(matches!(error, UpdateError::Garbled { .. }), "{error:?}");
}

#[tokio::test]
async fn configuration_that_cannot_work() {
    let dir = TempDir::new().unwrap();
    let nobody = nobody().await;
    let configured = |key: &str, secret: Secret| {
        let algorithm = TsigAlgorithm::HmacSha256;
        let configured =
            DnsProvider::Rfc2136 { server: nobody, key: key.into(), algorithm, secret };
        Provider::new(&configured, &[nobody])
    };
    let missing = || Secret::File(dir.path().join("missing"));
    for key in ["", ".", "a..b"] {
        let error = configured(key, missing()).unwrap_err();
        assert!(matches!(error, DnsError::Update(UpdateError::KeyName { .. })), "{error:?}");
    }
    let error = configured("edge", missing()).unwrap().set(&record(NAME, ONE)).await.unwrap_err();
    assert!(matches!(error, DnsError::Secret(_)), "{error:?}");
    let no_base64 = provider(nobody, dir.path(), ("edge", "hmac-sha256", "no base64!"), nobody);
    let error = refused(&no_base64, NAME).await;
    assert!(matches!(&error, UpdateError::KeySecret { .. }), "{error:?}");
    assert!(!format!("{error:?} {error}").contains("no base64!"));
}
