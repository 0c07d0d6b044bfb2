//! Real TLS handshakes: which certificate a client gets, and what is negotiated.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::cell::Cell;
use std::net::IpAddr;
use std::sync::Arc;

use gateway_certs::{
    CertStore, CertStoreBuilder, Certificate, LocalCa, Resolved, UNRECOGNIZED_NAME_ALERT,
    config_for_address, load_files, server_config, ticketer,
};
use rcgen::KeyPair;
use rustls::crypto::aws_lc_rs::{cipher_suite, kx_group};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::server::Acceptor;
use rustls::version::{TLS12, TLS13};
use rustls::{
    AlertDescription, ClientConnection, Error, HandshakeKind, NamedGroup, ProtocolVersion,
    SignatureScheme,
};
use support::tls::{Client, handshake, server};
use support::{Authority, DAY, ecdsa_key, now, patterns, rsa_key};
use tempfile::TempDir;

const NOWHERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED);

/// An authority and certificates that it issued.
struct Fixture {
    dir: TempDir,
    root: Authority,
}

impl Fixture {
    fn new() -> Self {
        Self { dir: TempDir::new().unwrap(), root: Authority::root("Test Root") }
    }

    fn certificate(&self, names: &[&str], key: &KeyPair) -> Arc<Certificate> {
        let files = self.root.files_with(self.dir.path(), "site", names, key);
        Arc::new(load_files(&files, now()).unwrap().certificate)
    }

    fn roots(&self) -> [CertificateDer<'static>; 1] {
        [self.root.der()]
    }
}

fn store(sites: &[(&[&str], &[Arc<Certificate>])]) -> CertStore {
    let mut builder = CertStoreBuilder::new();
    for (index, (hosts, certificates)) in sites.iter().enumerate() {
        builder.add_site(index, &patterns(hosts), certificates).unwrap();
    }
    builder.build()
}

fn der(certificate: &Certificate) -> CertificateDer<'static> {
    certificate.certified_key().cert[0].clone()
}

#[test]
fn the_most_specific_name_wins() {
    let fixture = Fixture::new();
    let issue = |names: &[&str]| fixture.certificate(names, &ecdsa_key());
    let (exact, wildcard) = (issue(&["www.a.test"]), issue(&["*.a.test"]));
    let any = issue(&["other.test", "x.y.a.test", "a.test"]);
    let server = server(store(&[
        (&["*.a.test"], &[Arc::clone(&wildcard)]),
        (&["*"], &[Arc::clone(&any)]),
        (&["www.a.test"], &[Arc::clone(&exact)]),
    ]));
    let client = Client::default().trusting(&fixture.roots());
    for (name, expected) in [
        ("www.a.test", &exact),
        ("WWW.A.test", &exact),
        ("api.a.test", &wildcard),
        ("x.y.a.test", &any),
        ("a.test", &any),
        ("other.test", &any),
    ] {
        assert_eq!(handshake(&client, &server, name).unwrap().leaf(), der(expected), "{name}");
    }
}

#[test]
fn a_name_resolves_to_its_site() {
    let fixture = Fixture::new();
    let certificate =
        fixture.certificate(&["a.test", "*.a.test", "192.0.2.7", "2001:db8::7"], &ecdsa_key());
    let certificates = [certificate];
    let store = store(&[
        (&["a.test", "192.0.2.7"], &certificates),
        (&["*.a.test"], &certificates),
        (&["2001:db8::7"], &certificates),
    ]);
    let site = |sni: Option<&str>, local: &str| match store.resolve(
        sni,
        local.parse().unwrap(),
        &[SignatureScheme::ECDSA_NISTP256_SHA256],
    ) {
        Resolved::Found { site, .. } => Some(site),
        Resolved::UnknownName => None,
        Resolved::Failed { source, .. } => panic!("{source}"),
    };
    assert_eq!(site(Some("a.test"), "0.0.0.0"), Some(0));
    assert_eq!(site(Some("A.TEST."), "0.0.0.0"), Some(0));
    assert_eq!(site(Some("x.a.test"), "0.0.0.0"), Some(1));
    assert_eq!(site(Some("x.y.a.test"), "0.0.0.0"), None);
    assert_eq!(site(Some("b.test"), "192.0.2.7"), None, "a name that is sent is what counts");
    assert_eq!(site(None, "192.0.2.7"), Some(0));
    assert_eq!(site(None, "::ffff:192.0.2.7"), Some(0), "IPv4 through an IPv6 socket");
    assert_eq!(site(None, "2001:db8::7"), Some(2));
    assert_eq!(site(None, "192.0.2.8"), None);
}

#[test]
fn an_unknown_name_is_told_from_a_known_one() {
    let fixture = Fixture::new();
    let certificate = fixture.certificate(&["a.test"], &ecdsa_key());
    let known = store(&[(&["a.test"], &[certificate])]);
    assert!(matches!(known.resolve(Some("b.test"), NOWHERE, &[]), Resolved::UnknownName));
    assert!(matches!(known.resolve(None, NOWHERE, &[]), Resolved::UnknownName));

    let client = Client::default().trusting(&fixture.roots());
    let refused = handshake(&client, &server(known), "b.test").err();
    // What rustls says on its own, and why a listener asks first.
    assert_eq!(refused, Some(Error::AlertReceived(AlertDescription::AccessDenied)));
}

#[test]
fn the_refusal_is_an_alert_that_clients_understand() {
    let fixture = Fixture::new();
    let config = Client::default().trusting(&fixture.roots());
    let mut client = ClientConnection::new(config, "b.test".try_into().unwrap()).unwrap();
    let mut hello = Vec::new();
    client.write_tls(&mut hello).unwrap();
    // As in a listener: the name is read before any configuration is chosen.
    let mut acceptor = Acceptor::default();
    acceptor.read_tls(&mut hello.as_slice()).unwrap();
    let accepted = acceptor.accept().unwrap().unwrap();
    assert_eq!(accepted.client_hello().server_name(), Some("b.test"));

    client.read_tls(&mut UNRECOGNIZED_NAME_ALERT.as_slice()).unwrap();
    assert_eq!(
        client.process_new_packets().unwrap_err(),
        Error::AlertReceived(AlertDescription::UnrecognisedName)
    );
}

#[test]
fn rsa_is_for_clients_without_ecdsa() {
    let fixture = Fixture::new();
    let ecdsa = fixture.certificate(&["a.test"], &ecdsa_key());
    let rsa = fixture.certificate(&["a.test"], &rsa_key());
    // RSA first in the file: the order there must not matter.
    let store = store(&[(&["a.test"], &[Arc::clone(&rsa), Arc::clone(&ecdsa)])]);

    let key = |schemes: &[SignatureScheme]| match store.resolve(Some("a.test"), NOWHERE, schemes) {
        Resolved::Found { key, .. } => key.cert[0].clone(),
        other => panic!("{other:?}"),
    };
    use SignatureScheme as Scheme;
    assert_eq!(key(&[Scheme::RSA_PSS_SHA256, Scheme::ECDSA_NISTP256_SHA256]), der(&ecdsa));
    assert_eq!(key(&[Scheme::RSA_PSS_SHA256]), der(&rsa));
    assert_eq!(key(&[Scheme::RSA_PKCS1_SHA512]), der(&rsa));
    // P-384 is ECDSA too, but not what this key can do.
    assert_eq!(key(&[Scheme::ECDSA_NISTP384_SHA384, Scheme::RSA_PSS_SHA256]), der(&rsa));
    assert_eq!(key(&[]), der(&ecdsa));

    let server = server(store);
    let new = Client::default().trusting(&fixture.roots());
    assert_eq!(handshake(&new, &server, "a.test").unwrap().leaf(), der(&ecdsa));
    // An old client: its schemes mention ECDSA, its cipher suites rule it out.
    let mut old = Client { versions: vec![&TLS12], ..Client::default() };
    old.provider.cipher_suites = vec![cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256];
    let old = old.trusting(&fixture.roots());
    assert_eq!(handshake(&old, &server, "a.test").unwrap().leaf(), der(&rsa));
}

#[test]
fn hosts_of_one_site_may_have_certificates_of_their_own() {
    let fixture = Fixture::new();
    let a = fixture.certificate(&["a.test"], &ecdsa_key());
    let b = fixture.certificate(&["b.test"], &rsa_key());
    let server = server(store(&[(&["a.test", "b.test"], &[Arc::clone(&a), Arc::clone(&b)])]));
    let client = Client::default().trusting(&fixture.roots());
    assert_eq!(handshake(&client, &server, "a.test").unwrap().leaf(), der(&a));
    assert_eq!(handshake(&client, &server, "b.test").unwrap().leaf(), der(&b));
}

#[test]
fn the_hybrid_key_exchange_comes_first() {
    let fixture = Fixture::new();
    let certificate = fixture.certificate(&["a.test"], &ecdsa_key());
    let server = server(store(&[(&["a.test"], &[certificate])]));
    let group = |groups: &[&'static dyn rustls::crypto::SupportedKxGroup]| {
        let mut client = Client::default();
        client.provider.kx_groups = groups.to_vec();
        let session = handshake(&client.trusting(&fixture.roots()), &server, "a.test").unwrap();
        session.server.negotiated_key_exchange_group().unwrap().name()
    };
    let provider = gateway_certs::provider();
    let offered: Vec<_> = provider.kx_groups.iter().map(|group| group.name()).collect();
    assert_eq!(
        offered,
        [
            NamedGroup::X25519MLKEM768,
            NamedGroup::X25519,
            NamedGroup::secp256r1,
            NamedGroup::secp384r1
        ]
    );
    assert_eq!(group(&provider.kx_groups), NamedGroup::X25519MLKEM768);
    assert_eq!(group(&[kx_group::X25519]), NamedGroup::X25519);
    assert_eq!(group(&[kx_group::SECP384R1]), NamedGroup::secp384r1);
}

#[test]
fn both_versions_resume_by_ticket() {
    let fixture = Fixture::new();
    let certificates = [fixture.certificate(&["a.test", "b.test"], &ecdsa_key())];
    let server = server(store(&[(&["a.test"], &certificates), (&["b.test"], &certificates)]));
    for (version, name) in [(&TLS13, ProtocolVersion::TLSv1_3), (&TLS12, ProtocolVersion::TLSv1_2)]
    {
        let client =
            Client { versions: vec![version], ..Client::default() }.trusting(&fixture.roots());
        let first = handshake(&client, &server, "a.test").unwrap();
        assert_eq!(first.client.protocol_version(), Some(name));
        assert_eq!(first.client.handshake_kind(), Some(HandshakeKind::Full));
        let second = handshake(&client, &server, "a.test").unwrap();
        assert_eq!(second.client.handshake_kind(), Some(HandshakeKind::Resumed));
        assert_eq!(second.server.handshake_kind(), Some(HandshakeKind::Resumed));
        let elsewhere = handshake(&client, &server, "b.test").unwrap();
        assert_eq!(elsewhere.client.handshake_kind(), Some(HandshakeKind::Full));
    }
}

#[test]
fn a_ticket_outlives_the_configuration_it_came_from() {
    let fixture = Fixture::new();
    let tickets = ticketer().unwrap();
    let config = || {
        let certificate = fixture.certificate(&["a.test"], &ecdsa_key());
        let store = Arc::new(store(&[(&["a.test"], &[certificate])]));
        server_config(store, Arc::clone(&tickets), &[]).unwrap()
    };
    let client = Client::default().trusting(&fixture.roots());
    let first = handshake(&client, &config(), "a.test").unwrap();
    assert_eq!(first.client.tls13_tickets_received(), 2);
    let second = handshake(&client, &config(), "a.test").unwrap();
    assert_eq!(second.client.handshake_kind(), Some(HandshakeKind::Resumed));
}

#[test]
fn the_protocol_is_the_servers_choice() {
    let fixture = Fixture::new();
    let certificate = fixture.certificate(&["a.test"], &ecdsa_key());
    let server = server(store(&[(&["a.test"], &[certificate])]));
    for (offered, expected) in
        [(&["http/1.1", "h2"][..], Some("h2")), (&["http/1.1"], Some("http/1.1")), (&[], None)]
    {
        let alpn = offered.iter().map(|name| name.as_bytes().to_vec()).collect();
        let client = Client { alpn, ..Client::default() }.trusting(&fixture.roots());
        let session = handshake(&client, &server, "a.test").unwrap();
        assert_eq!(session.server.alpn_protocol(), expected.map(str::as_bytes));
    }
}

#[test]
fn a_client_without_a_name_gets_the_site_of_the_address() {
    let fixture = Fixture::new();
    let by_address = fixture.certificate(&["192.0.2.7"], &ecdsa_key());
    let any = fixture.certificate(&["192.0.2.8"], &ecdsa_key());
    let store = Arc::new(store(&[
        (&["192.0.2.7"], &[Arc::clone(&by_address)]),
        (&["*"], &[Arc::clone(&any)]),
    ]));
    let config = server_config(Arc::clone(&store) as _, ticketer().unwrap(), &[]).unwrap();
    let client = Client { sni: false, ..Client::default() }.trusting(&fixture.roots());
    for (address, expected) in [("192.0.2.7", &by_address), ("192.0.2.8", &any)] {
        let local_ip = address.parse().unwrap();
        let config = config_for_address(&config, Arc::clone(&store), local_ip);
        assert_eq!(handshake(&client, &config, address).unwrap().leaf(), der(expected));
    }
    // The shared configuration knows no address.
    assert_eq!(handshake(&client, &config, "192.0.2.8").unwrap().leaf(), der(&any));
}

#[test]
fn a_self_signed_star_has_a_certificate_for_every_name() {
    let storage = TempDir::new().unwrap();
    let ca = Arc::new(LocalCa::open(storage.path(), now()).unwrap());
    let root = CertificateDer::from_pem_slice(ca.root_pem().as_bytes()).unwrap();
    let mut builder = CertStoreBuilder::new();
    builder.add_on_demand(3, Arc::clone(&ca), now);
    let store = Arc::new(builder.build());
    let config = server_config(Arc::clone(&store) as _, ticketer().unwrap(), &[]).unwrap();

    let roots = [root];
    let client = Client::default().trusting(&roots);
    let first = handshake(&client, &config, "anything.test").unwrap();
    // Another client, so that nothing is resumed.
    let client = Client::default().trusting(&roots);
    let second = handshake(&client, &config, "anything.test").unwrap();
    assert_eq!(first.leaf(), second.leaf(), "made once");
    handshake(&client, &config, "something.else.test").unwrap();

    let by_address = config_for_address(&config, Arc::clone(&store), "192.0.2.7".parse().unwrap());
    handshake(&client, &by_address, "192.0.2.7").unwrap();
    assert!(matches!(store.resolve(Some("x.test"), NOWHERE, &[]), Resolved::Found { site: 3, .. }));
}

#[test]
fn certificates_on_demand_are_remembered_up_to_a_bound() {
    let storage = TempDir::new().unwrap();
    let ca = Arc::new(LocalCa::open(storage.path(), now()).unwrap());
    let mut builder = CertStoreBuilder::new();
    builder.add_on_demand(0, ca, now);
    let store = builder.build();
    let key = |name: &str| match store.resolve(Some(name), NOWHERE, &[]) {
        Resolved::Found { key, .. } => key,
        other => panic!("{other:?}"),
    };
    let oldest = key("oldest.test");
    for index in 0..1023 {
        key(&format!("{index}.test"));
    }
    assert!(Arc::ptr_eq(&oldest, &key("oldest.test")), "1024 fit");
    let newest = key("one-too-many.test");
    assert!(Arc::ptr_eq(&newest, &key("one-too-many.test")));
    assert!(!Arc::ptr_eq(&oldest, &key("oldest.test")), "the oldest had to go");
}

#[test]
fn a_certificate_on_demand_is_renewed_in_time() {
    thread_local! { static DAYS: Cell<u32> = const { Cell::new(0) }; }
    let storage = TempDir::new().unwrap();
    let ca = Arc::new(LocalCa::open(storage.path(), now()).unwrap());
    let mut builder = CertStoreBuilder::new();
    builder.add_on_demand(0, ca, || now() + DAYS.get() * DAY);
    let store = builder.build();
    let key_on = |day: u32| {
        DAYS.set(day);
        match store.resolve(Some("a.test"), NOWHERE, &[]) {
            Resolved::Found { key, .. } => key,
            other => panic!("{other:?}"),
        }
    };
    let first = key_on(0);
    assert!(Arc::ptr_eq(&first, &key_on(59)));
    let second = key_on(60);
    assert!(!Arc::ptr_eq(&first, &second), "two thirds of 90 days are over");
    assert!(Arc::ptr_eq(&second, &key_on(60)));
}

#[test]
fn tls_1_3_and_1_2_are_all_there_is() {
    let fixture = Fixture::new();
    let certificate = fixture.certificate(&["a.test"], &ecdsa_key());
    let server = server(store(&[(&["a.test"], &[certificate])]));
    let client =
        Client { versions: vec![&TLS13, &TLS12], ..Client::default() }.trusting(&fixture.roots());
    let session = handshake(&client, &server, "a.test").unwrap();
    assert_eq!(session.server.protocol_version(), Some(ProtocolVersion::TLSv1_3));
    assert_eq!(server.max_early_data_size, 0);
}
