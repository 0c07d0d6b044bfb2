//! The stream with rustls' own client, over pipes that take a few bytes at a time.

use std::sync::Arc;

use gateway_certs::provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio_rustls::{TlsConnector, client};

use super::*;

const VERSIONS: [&rustls::SupportedProtocolVersion; 2] =
    [&rustls::version::TLS12, &rustls::version::TLS13];

/// How many bytes a pipe takes before somebody reads.
const NARROW: usize = 1;
const WIDE: usize = 256 * 1024;

struct Party {
    server: Arc<ServerConfig>,
    client: Arc<ClientConfig>,
}

fn party(version: &'static rustls::SupportedProtocolVersion) -> Party {
    let certified = rcgen::generate_simple_self_signed(["app.test".to_owned()]).unwrap();
    let certificate = CertificateDer::from(certified.cert.der().to_vec());
    let key = PrivateKeyDer::try_from(certified.signing_key.serialize_der()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let server = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[version])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let client = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Party { server: Arc::new(server), client: Arc::new(client) }
}

type Server = Box<TlsStream<DuplexStream>>;
type Client = client::TlsStream<DuplexStream>;

async fn accept(mut pipe: DuplexStream, config: Arc<ServerConfig>) -> io::Result<Server> {
    let mut received = Vec::new();
    drop(hello::read(&mut pipe, &mut received).await?);
    TlsStream::accept(pipe, config, received).await
}

async fn connect_to(pipe: DuplexStream, config: Arc<ClientConfig>) -> io::Result<Client> {
    let name = ServerName::try_from("app.test").unwrap();
    TlsConnector::from(config).connect(name, pipe).await
}

async fn connect(party: &Party) -> (Client, Server) {
    let (near, far) = duplex(WIDE);
    let connecting = connect_to(near, party.client.clone());
    let (client, server) = tokio::join!(connecting, accept(far, party.server.clone()));
    (client.unwrap(), server.unwrap())
}

fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|number| (number % 251) as u8).collect()
}

/// Sends what comes back to where it came from, in pieces of so many bytes, until nothing follows.
async fn echo(mut server: Server, piece: usize) -> io::Result<Server> {
    let mut buffer = vec![0; piece];
    loop {
        let read = server.read(&mut buffer).await?;
        if read == 0 {
            server.shutdown().await?;
            return Ok(server);
        }
        server.write_all(&buffer[..read]).await?;
        server.flush().await?;
    }
}

/// What comes back when so much is sent.
async fn there_and_back(party: &Party, pipe: usize, piece: usize, length: usize) -> Server {
    let (near, far) = duplex(pipe);
    let accepting = accept(far, party.server.clone());
    let echoing = tokio::spawn(async move { echo(accepting.await?, piece).await });
    let client = connect_to(near, party.client.clone()).await.unwrap();
    let (mut reader, mut writer) = tokio::io::split(client);
    let sent = pattern(length);
    let writing = async {
        writer.write_all(&sent).await.unwrap();
        writer.shutdown().await.unwrap();
    };
    let mut back = Vec::new();
    let ((), read) = tokio::join!(writing, reader.read_to_end(&mut back));
    read.unwrap();
    assert!(back == sent, "{} bytes of {length}, pieces of {piece}", back.len());
    echoing.await.unwrap().unwrap()
}

#[tokio::test]
async fn every_byte_arrives_in_pieces_of_any_size() {
    for version in VERSIONS {
        let party = party(version);
        for piece in [1, 2, 1000, 16_383, 16_384, 16_385, 65_536, 100_000] {
            let length = if piece < 1000 { 20_000 } else { 300_000 };
            there_and_back(&party, WIDE, piece, length).await;
        }
    }
}

#[tokio::test]
async fn every_byte_arrives_over_a_pipe_that_takes_one_at_a_time() {
    for version in VERSIONS {
        there_and_back(&party(version), NARROW, 50_000, 40_000).await;
    }
}

#[tokio::test]
async fn much_goes_both_ways() {
    for version in VERSIONS {
        there_and_back(&party(version), WIDE, 64 * 1024, 20_000_000).await;
    }
}

#[tokio::test]
async fn a_silent_connection_holds_no_buffer() {
    let server = there_and_back(&party(VERSIONS[1]), WIDE, 50_000, 100_000).await;
    assert_eq!(server.held(), 0);
    let (mut client, mut server) = connect(&party(VERSIONS[1])).await;
    client.write_all(b"request").await.unwrap();
    server.read_exact(&mut [0; 7]).await.unwrap();
    server.write_all(b"answer").await.unwrap();
    server.flush().await.unwrap();
    assert_eq!(server.held(), 0);
    // Half of a record, then the rest of it.
    client.write_all(&pattern(10_000)).await.unwrap();
    server.read_exact(&mut [0; 5000]).await.unwrap();
    assert!(server.held() >= 5000);
    server.read_exact(&mut [0; 5000]).await.unwrap();
    assert_eq!(server.held(), 0);
}

#[tokio::test]
async fn the_client_s_goodbye_ends_reading_and_not_writing() {
    for version in VERSIONS {
        let (mut client, mut server) = connect(&party(version)).await;
        client.write_all(b"last").await.unwrap();
        client.shutdown().await.unwrap();
        let mut read = Vec::new();
        server.read_to_end(&mut read).await.unwrap();
        assert_eq!(read, b"last");
        assert_eq!(server.read(&mut [0; 10]).await.unwrap(), 0);
        server.write_all(b"answer").await.unwrap();
        server.shutdown().await.unwrap();
        server.shutdown().await.unwrap();
        assert!(server.write_all(b"more").await.is_err());
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).await.unwrap();
        assert_eq!(answer, b"answer");
    }
}

#[tokio::test]
async fn an_end_without_goodbye_is_an_error_behind_what_came_before_it() {
    for version in VERSIONS {
        let (mut client, mut server) = connect(&party(version)).await;
        client.write_all(b"half").await.unwrap();
        let (pipe, _session) = client.into_inner();
        drop(pipe);
        let mut read = [0; 10];
        assert_eq!(server.read(&mut read).await.unwrap(), 4);
        for _ in 0..2 {
            let error = server.read(&mut read).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        }
    }
}

/// The client's session under the test's own hands, beside its pipe.
async fn send_tls(session: &mut ClientConnection, pipe: &mut DuplexStream) {
    let mut bytes = Vec::new();
    while session.wants_write() {
        session.write_tls(&mut bytes).unwrap();
    }
    pipe.write_all(&bytes).await.unwrap();
}

async fn receive_tls(session: &mut ClientConnection, pipe: &mut DuplexStream) -> Vec<u8> {
    let mut bytes = vec![0; 64 * 1024];
    let read = pipe.read(&mut bytes).await.unwrap();
    session.read_tls(&mut &bytes[..read]).unwrap();
    let plain = session.process_new_packets().unwrap().plaintext_bytes_to_read();
    let mut read = vec![0; plain];
    io::Read::read_exact(&mut session.reader(), &mut read).unwrap();
    read
}

#[tokio::test]
async fn keys_are_changed_when_the_client_asks_for_it() {
    let (client, mut server) = connect(&party(VERSIONS[1])).await;
    let (mut pipe, mut session) = client.into_inner();
    for round in 0..3 {
        session.refresh_traffic_keys().unwrap();
        io::Write::write_all(&mut session.writer(), b"under new keys").unwrap();
        send_tls(&mut session, &mut pipe).await;
        let mut read = [0; 14];
        server.read_exact(&mut read).await.unwrap();
        assert_eq!(&read, b"under new keys", "{round}");
        server.write_all(b"under others").await.unwrap();
        server.flush().await.unwrap();
        assert_eq!(receive_tls(&mut session, &mut pipe).await, b"under others", "{round}");
    }
}

#[tokio::test]
async fn a_record_that_was_changed_on_its_way_is_answered_with_an_alert() {
    for version in VERSIONS {
        let (client, mut server) = connect(&party(version)).await;
        let (mut pipe, mut session) = client.into_inner();
        io::Write::write_all(&mut session.writer(), b"right").unwrap();
        send_tls(&mut session, &mut pipe).await;
        io::Write::write_all(&mut session.writer(), b"wrong").unwrap();
        let mut record = Vec::new();
        session.write_tls(&mut record).unwrap();
        *record.last_mut().unwrap() ^= 1;
        pipe.write_all(&record).await.unwrap();
        let mut read = [0; 10];
        assert_eq!(server.read(&mut read).await.unwrap(), 5);
        for _ in 0..2 {
            let error = server.read(&mut read).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        }
        assert!(server.write_all(b"answer").await.is_err());
        server.shutdown().await.unwrap();
        let mut answer = Vec::new();
        pipe.read_to_end(&mut answer).await.unwrap();
        session.read_tls(&mut &answer[..]).unwrap();
        let heard = session.process_new_packets().unwrap_err();
        let expected = rustls::AlertDescription::BadRecordMac;
        assert_eq!(heard, rustls::Error::AlertReceived(expected));
    }
}

#[tokio::test]
async fn what_is_no_handshake_is_refused_with_an_alert() {
    let (mut near, far) = duplex(WIDE);
    near.write_all(b"GET / HTTP/1.1\r\nHost: app.test\r\n\r\n").await.unwrap();
    let error = accept(far, party(VERSIONS[1]).server).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    let mut alert = Vec::new();
    near.read_to_end(&mut alert).await.unwrap();
    assert_eq!(alert[..1], [21], "{alert:?}");
}

#[tokio::test]
async fn a_handshake_that_fails_behind_its_first_message_is_refused_with_an_alert() {
    let (near, far) = duplex(WIDE);
    let connecting = connect_to(near, party(VERSIONS[0]).client);
    let accepting = accept(far, party(VERSIONS[1]).server);
    let (client, server) = tokio::join!(connecting, accepting);
    assert_eq!(server.unwrap_err().kind(), io::ErrorKind::InvalidData);
    let told = client.unwrap_err().to_string();
    assert!(told.contains("ProtocolVersion"), "{told}");
}

#[tokio::test]
async fn tickets_leave_in_one_piece_with_the_answer_to_a_request_that_came_early() {
    let party = party(VERSIONS[1]);
    let name = ServerName::try_from("app.test").unwrap();
    let mut session = ClientConnection::new(party.client.clone(), name).unwrap();
    let (mut near, far) = duplex(WIDE);
    let accepting = tokio::spawn(accept(far, party.server.clone()));
    send_tls(&mut session, &mut near).await;
    while session.is_handshaking() {
        receive_tls(&mut session, &mut near).await;
    }
    io::Write::write_all(&mut session.writer(), b"request").unwrap();
    send_tls(&mut session, &mut near).await;
    let mut server = accepting.await.unwrap().unwrap();
    // While the answer is waited for, the tickets take no more memory than they are long.
    assert!((1..2000).contains(&server.held()), "{}", server.held());
    server.read_exact(&mut [0; 7]).await.unwrap();
    server.write_all(b"answer").await.unwrap();
    assert_eq!(receive_tls(&mut session, &mut near).await, b"answer");
    assert_eq!(session.tls13_tickets_received(), 2);
}
