//! Certificates from files: what is taken, what is refused, what is warned of.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::path::Path;

use gateway_certs::{CertError, KeyKind, PemFile, SubjectName, Warning, load_files};
use gateway_config::model::CertificateFiles;
use rcgen::{CertificateParams, KeyPair, PKCS_ED25519};
use support::{
    Authority, DAY, ecdsa_key, leaf_params, now, pattern, rsa_key, set_mode, write_pair,
};
use tempfile::TempDir;
use time::OffsetDateTime;
use x509_parser::der_parser::parse_der;

fn error(files: &CertificateFiles) -> CertError {
    load_files(files, now()).expect_err("these files must be refused")
}

/// A self-signed pair of files.
fn pair(dir: &Path, params: &CertificateParams, key: &KeyPair) -> CertificateFiles {
    write_pair(dir, "site", &params.self_signed(key).unwrap().pem(), &key.serialize_pem())
}

fn good(dir: &Path) -> CertificateFiles {
    pair(dir, &leaf_params(&["a.test"]), &ecdsa_key())
}

/// RFC 7468 by hand: none of the libraries here writes the older kinds of block.
fn pem_block(label: &str, der: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = format!("-----BEGIN {label}-----\n");
    for line in der.chunks(48) {
        for group in line.chunks(3) {
            let bits = group
                .iter()
                .enumerate()
                .fold(0_u32, |bits, (index, byte)| bits | u32::from(*byte) << (16 - 8 * index));
            for digit in 0..4 {
                let sextet = (bits >> (18 - 6 * digit)) as usize & 63;
                let symbol = if digit > group.len() { '=' } else { ALPHABET[sextet] as char };
                text.push(symbol);
            }
        }
        text.push('\n');
    }
    text + "-----END " + label + "-----\n"
}

/// The key inside a PKCS#8 envelope, which is PKCS#1 for RSA and SEC1 for ECDSA.
fn unwrap_pkcs8(pkcs8: &[u8]) -> Vec<u8> {
    let (_, envelope) = parse_der(pkcs8).unwrap();
    envelope.as_sequence().unwrap()[2].as_slice().unwrap().to_vec()
}

#[test]
fn says_what_the_leaf_says() {
    let dir = TempDir::new().unwrap();
    let root = Authority::root("Test Root");
    let names = ["a.test", "*.b.test", "192.0.2.7", "2001:db8::7"];
    let loaded = load_files(&root.files(dir.path(), "site", &names), now()).unwrap();
    let certificate = loaded.certificate;

    assert_eq!(loaded.warnings, []);
    assert_eq!(
        certificate.names(),
        [
            SubjectName::Dns("a.test".into()),
            SubjectName::Wildcard("b.test".into()),
            SubjectName::Ip("192.0.2.7".parse().unwrap()),
            SubjectName::Ip("2001:db8::7".parse().unwrap()),
        ]
    );
    assert_eq!(certificate.not_before(), now() - DAY);
    assert_eq!(certificate.not_after(), now() + 30 * DAY);
    assert_eq!(certificate.renew_at(), now() - DAY + 31 * DAY * 2 / 3);
    assert!(certificate.issuer().contains("CN=Test Root"), "{}", certificate.issuer());
    assert!(certificate.serial().contains(':'), "{}", certificate.serial());
    assert_eq!(certificate.key_kind(), KeyKind::Ecdsa);
}

#[test]
fn covers_what_a_client_would_accept() {
    let dir = TempDir::new().unwrap();
    let params = leaf_params(&["a.test", "*.B.test", "192.0.2.7", "2001:db8::7"]);
    let certificate =
        load_files(&pair(dir.path(), &params, &ecdsa_key()), now()).unwrap().certificate;

    for covered in
        ["a.test", "A.test.", "x.b.test", "*.b.test", "192.0.2.7", "[2001:db8:0::7]", "*"]
    {
        assert!(certificate.covers(&pattern(covered)), "{covered} must be covered");
    }
    for uncovered in
        ["b.test", "x.y.b.test", "x.a.test", "*.a.test", "192.0.2.8", "2001:db8::8", "test"]
    {
        assert!(!certificate.covers(&pattern(uncovered)), "{uncovered} must not be covered");
    }
}

#[test]
fn takes_every_usual_key_in_every_usual_form() {
    let dir = TempDir::new().unwrap();
    let (ecdsa, rsa, ed25519) =
        (ecdsa_key(), rsa_key(), KeyPair::generate_for(&PKCS_ED25519).unwrap());
    let sec1 = pem_block("EC PRIVATE KEY", &unwrap_pkcs8(ecdsa.serialized_der()));
    // `openssl ecparam -genkey` puts the curve's block in front of the key's.
    let parameters =
        "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
    let cases = [
        (&ecdsa, ecdsa.serialize_pem(), KeyKind::Ecdsa),
        (&ecdsa, format!("{parameters}{sec1}"), KeyKind::Ecdsa),
        (&rsa, rsa.serialize_pem(), KeyKind::Rsa),
        (&rsa, pem_block("RSA PRIVATE KEY", &unwrap_pkcs8(rsa.serialized_der())), KeyKind::Rsa),
        (&ed25519, ed25519.serialize_pem(), KeyKind::Ed25519),
    ];
    for (key, text, kind) in cases {
        let chain = leaf_params(&["a.test"]).self_signed(key).unwrap().pem();
        let files = write_pair(dir.path(), "site", &chain, &text);
        let loaded = load_files(&files, now()).unwrap();
        assert_eq!(loaded.certificate.key_kind(), kind);
    }
}

#[test]
fn takes_chain_and_key_from_one_file() {
    let dir = TempDir::new().unwrap();
    let mut files = good(dir.path());
    let both = fs::read_to_string(&files.key).unwrap() + &fs::read_to_string(&files.cert).unwrap();
    fs::write(&files.key, both.replace('\n', "\r\n")).unwrap();
    files.cert.clone_from(&files.key);
    load_files(&files, now()).unwrap();
}

#[test]
fn names_the_file_that_is_missing_or_cannot_be_read() {
    let dir = TempDir::new().unwrap();
    let mut files = good(dir.path());
    fs::remove_file(&files.key).unwrap();
    assert!(matches!(error(&files), CertError::Missing { file: PemFile::PrivateKey, .. }));

    files.cert = dir.path().to_owned();
    assert!(matches!(error(&files), CertError::Unreadable { file: PemFile::Certificate, .. }));
}

#[test]
fn refuses_what_is_not_the_right_pem() {
    let dir = TempDir::new().unwrap();
    let files = good(dir.path());
    let swapped = CertificateFiles { cert: files.key.clone(), key: files.cert.clone() };
    assert!(matches!(
        error(&swapped),
        CertError::WrongBlock { file: PemFile::Certificate, found, .. } if found == "PRIVATE KEY"
    ));

    let (chain, key) = (fs::read(&files.cert).unwrap(), fs::read(&files.key).unwrap());
    fs::write(&files.key, &chain).unwrap();
    assert!(matches!(
        error(&files),
        CertError::WrongBlock { file: PemFile::PrivateKey, found, .. } if found == "CERTIFICATE"
    ));

    fs::write(&files.cert, b"\x30\x82").unwrap();
    assert!(matches!(error(&files), CertError::NotPem { der: true, .. }));
    fs::write(&files.cert, b"").unwrap();
    assert!(matches!(error(&files), CertError::NotPem { der: false, .. }));

    fs::write(&files.cert, &chain[..chain.len() / 2]).unwrap();
    assert!(matches!(error(&files), CertError::BadPem { file: PemFile::Certificate, .. }));
    fs::write(&files.cert, pem_block("CERTIFICATE", b"no certificate")).unwrap();
    fs::write(&files.key, &key).unwrap();
    assert!(matches!(error(&files), CertError::BadCertificate { position: 1, .. }));
}

#[test]
fn refuses_keys_that_are_encrypted_or_damaged() {
    let dir = TempDir::new().unwrap();
    let files = good(dir.path());
    let key = fs::read_to_string(&files.key).unwrap();

    let pkcs8 = key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    let openssl = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\
        DEK-Info: AES-256-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";
    for encrypted in [pkcs8.as_str(), openssl] {
        fs::write(&files.key, encrypted).unwrap();
        assert!(matches!(error(&files), CertError::EncryptedKey { .. }), "{encrypted}");
    }

    fs::write(&files.key, pem_block("PRIVATE KEY", b"no key")).unwrap();
    assert!(matches!(error(&files), CertError::BadKey { .. }));
    fs::write(&files.key, key.replace('M', "!")).unwrap();
    assert!(matches!(error(&files), CertError::BadPem { file: PemFile::PrivateKey, .. }));
}

#[test]
fn refuses_a_key_of_another_certificate() {
    let dir = TempDir::new().unwrap();
    let files = good(dir.path());
    fs::write(&files.key, ecdsa_key().serialize_pem()).unwrap();
    assert!(matches!(error(&files), CertError::KeyMismatch { .. }));
    fs::write(&files.key, rsa_key().serialize_pem()).unwrap();
    assert!(matches!(error(&files), CertError::KeyMismatch { .. }));
}

#[test]
fn wants_the_leaf_first_and_warns_of_a_shuffled_chain() {
    let dir = TempDir::new().unwrap();
    let root = Authority::root("Root");
    let upper = root.intermediate("Upper");
    let lower = upper.intermediate("Lower");
    let key = ecdsa_key();
    let leaf = lower.issue(&leaf_params(&["a.test"]), &key);
    let (upper, lower, root) =
        (upper.certificate.pem(), lower.certificate.pem(), root.certificate.pem());
    let load = |chain: &[&String]| {
        let chain: String = chain.iter().map(|pem| pem.as_str()).collect();
        load_files(&write_pair(dir.path(), "site", &chain, &key.serialize_pem()), now())
    };

    assert_eq!(load(&[&leaf, &lower, &upper]).unwrap().warnings, []);
    assert_eq!(load(&[&leaf, &lower, &upper, &root]).unwrap().warnings, []);
    let shuffled = load(&[&leaf, &upper, &lower]).unwrap();
    assert!(matches!(shuffled.warnings[..], [Warning::ChainOutOfOrder { position: 1, .. }]));
    let gap = load(&[&leaf, &lower, &root]).unwrap();
    assert!(matches!(gap.warnings[..], [Warning::ChainOutOfOrder { position: 2, .. }]));
    assert!(matches!(
        load(&[&upper, &lower, &leaf]),
        Err(CertError::LeafNotFirst { position: 3, .. })
    ));
}

#[test]
fn wants_a_name_besides_the_common_name() {
    let dir = TempDir::new().unwrap();
    let files = pair(dir.path(), &leaf_params(&[]), &ecdsa_key());
    assert!(matches!(error(&files), CertError::NoNames { .. }));
}

#[test]
fn is_valid_from_its_first_second_to_its_last() {
    let dir = TempDir::new().unwrap();
    let mut params = leaf_params(&["a.test"]);
    let (first, last) = (now() + DAY, now() + 2 * DAY);
    params.not_before = OffsetDateTime::from(first);
    params.not_after = OffsetDateTime::from(last);
    let files = pair(dir.path(), &params, &ecdsa_key());
    let second = std::time::Duration::from_secs(1);

    assert!(matches!(
        load_files(&files, first - second),
        Err(CertError::NotYetValid { not_before, .. }) if not_before == first
    ));
    load_files(&files, first).unwrap();
    load_files(&files, last).unwrap();
    assert!(matches!(
        load_files(&files, last + second),
        Err(CertError::Expired { not_after, .. }) if not_after == last
    ));
}

#[test]
fn warns_of_a_key_that_everybody_can_read() {
    let dir = TempDir::new().unwrap();
    let files = good(dir.path());
    set_mode(&files.key, 0o644);
    let warnings = load_files(&files, now()).unwrap().warnings;
    assert_eq!(warnings, [Warning::KeyReadableByOthers { path: files.key.clone(), mode: 0o644 }]);
    // A group of its own (Debian's `ssl-cert`) is how keys are shared on purpose.
    set_mode(&files.key, 0o640);
    assert_eq!(load_files(&files, now()).unwrap().warnings, []);
}

#[test]
fn shows_no_key_when_it_is_debugged() {
    let dir = TempDir::new().unwrap();
    let key = ecdsa_key();
    let loaded = load_files(&pair(dir.path(), &leaf_params(&["a.test"]), &key), now()).unwrap();
    let debug = format!("{loaded:?} {:?}", loaded.certificate.certified_key());
    for line in key.serialize_pem().lines().filter(|line| !line.starts_with('-')) {
        assert!(!debug.contains(line));
    }
    // Any four bytes in a row, as a list of numbers.
    for bytes in key.serialized_der()[36..68].windows(4) {
        let numbers = format!("{bytes:?}");
        assert!(!debug.contains(numbers.trim_matches(['[', ']'])));
    }
}
