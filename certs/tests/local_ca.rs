//! The local CA: made once, kept through crashes and damage, and issuing what clients accept.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Barrier;

use gateway_certs::{Certificate, IssueError, KeyKind, LocalCa, Note, Remade, StorageError};
use gateway_config::model::Host;
use rcgen::KeyPair;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use support::{DAY, HOUR, leaf_params, mode, now, patterns, set_mode};
use tempfile::TempDir;
use x509_parser::parse_x509_certificate;

const KEY: &str = "root.key";
const ROOT: &str = "root.crt";

fn open(storage: &TempDir) -> LocalCa {
    LocalCa::open(storage.path(), now()).unwrap()
}

fn file(storage: &TempDir, name: &str) -> PathBuf {
    storage.path().join("local-ca").join(name)
}

fn root_der(ca: &LocalCa) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(ca.root_pem().as_bytes()).unwrap()
}

fn leaf_der(certificate: &Certificate) -> &CertificateDer<'static> {
    &certificate.certified_key().cert[0]
}

/// The root's public key and name: what a client that trusts it looks for.
fn identity(ca: &LocalCa) -> (Vec<u8>, String) {
    let der = root_der(ca);
    let (_, root) = parse_x509_certificate(&der).unwrap();
    (root.public_key().raw.to_vec(), root.subject().to_string())
}

/// The CA works: a leaf of it is signed by the root that it shows, and the files say the same.
fn assert_sound(storage: &TempDir, ca: &LocalCa) {
    let leaf = ca.issue(&patterns(&["a.test"]), now()).unwrap();
    let (root, leaf) = (root_der(ca), leaf_der(&leaf).clone());
    let (_, root) = parse_x509_certificate(&root).unwrap();
    let (_, leaf) = parse_x509_certificate(&leaf).unwrap();
    assert_eq!(leaf.issuer(), root.subject());
    rustls_verifies(ca);
    assert_eq!(fs::read_to_string(file(storage, ROOT)).unwrap(), ca.root_pem());
    assert_eq!(mode(&file(storage, KEY)), 0o600);
    let again = open(storage);
    assert_eq!((again.root_pem(), again.notes()), (ca.root_pem(), &[][..]));
}

/// A client that trusts the root accepts a leaf of it.
fn rustls_verifies(ca: &LocalCa) {
    let mut builder = gateway_certs::CertStoreBuilder::new();
    let hosts = patterns(&["a.test"]);
    let leaf = ca.issue(&hosts, now()).unwrap();
    builder.add_site(0, &hosts, &[leaf.into()]).unwrap();
    let client = support::tls::Client::default().trusting(&[root_der(ca)]);
    support::tls::handshake(&client, &support::tls::server(builder.build()), "a.test").unwrap();
}

fn aside(storage: &TempDir) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(storage.path().join("local-ca"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| ![KEY, ROOT, "lock"].contains(&name.as_str()))
        .collect();
    names.sort();
    names
}

fn remade(ca: &LocalCa) -> Remade {
    match ca.notes() {
        [Note::Remade { reason, .. }] => *reason,
        notes => panic!("{notes:?}"),
    }
}

#[test]
fn is_made_once_and_kept() {
    let storage = TempDir::new().unwrap();
    // The storage folder itself need not be there yet.
    let nested = storage.path().join("var/lib/gateway");
    let first = LocalCa::open(&nested, now()).unwrap();
    let second = LocalCa::open(&nested, now() + 300 * DAY).unwrap();
    assert_eq!(first.root_pem(), second.root_pem());
    assert_eq!((first.notes(), second.notes()), (&[][..], &[][..]));
    assert_eq!(first.root_path(), nested.join("local-ca/root.crt"));
}

#[test]
fn has_a_root_as_it_should_be() {
    let storage = TempDir::new().unwrap();
    let ca = open(&storage);
    assert_sound(&storage, &ca);
    let der = root_der(&ca);
    let (_, root) = parse_x509_certificate(&der).unwrap();

    let name = root.subject().to_string();
    let hex = name.strip_prefix("CN=Gateway local CA ").expect(&name);
    assert!(hex.len() == 8 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()), "{name}");
    let constraints = root.basic_constraints().unwrap().unwrap().value;
    assert_eq!((constraints.ca, constraints.path_len_constraint), (true, Some(0)));
    let usage = root.key_usage().unwrap().unwrap().value;
    assert!(usage.key_cert_sign() && !usage.digital_signature());
    assert!(root.name_constraints().unwrap().is_none());
    let years = (ca.root_not_after().duration_since(now()).unwrap() + HOUR).as_secs() / 86400 / 365;
    assert_eq!(years, 10);
}

#[test]
fn keeps_its_key_to_itself() {
    let storage = TempDir::new().unwrap();
    let ca = open(&storage);
    assert_eq!(mode(&storage.path().join("local-ca")), 0o700);
    assert_eq!(mode(&file(&storage, KEY)), 0o600);
    assert_eq!(mode(&file(&storage, ROOT)), 0o644);
    let key = fs::read_to_string(file(&storage, KEY)).unwrap();
    let debug = format!("{ca:?}");
    assert!(key.lines().filter(|line| !line.starts_with('-')).all(|line| !debug.contains(line)));
}

#[test]
fn takes_back_permissions_that_somebody_gave() {
    let storage = TempDir::new().unwrap();
    let first = open(&storage);
    set_mode(&file(&storage, KEY), 0o644);
    set_mode(&storage.path().join("local-ca"), 0o755);
    let second = open(&storage);
    assert_eq!(second.notes(), [Note::KeyWasExposed { path: file(&storage, KEY), mode: 0o644 }]);
    assert_eq!(mode(&storage.path().join("local-ca")), 0o700);
    assert_eq!(identity(&first), identity(&second));
    assert_sound(&storage, &second);
}

#[test]
fn is_one_for_all_who_start_together() {
    let storage = TempDir::new().unwrap();
    let start = Barrier::new(8);
    let roots: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    start.wait();
                    let ca = open(&storage);
                    assert_eq!(ca.notes(), []);
                    ca.root_pem().to_owned()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(roots.iter().all(|root| *root == roots[0]));
    assert_eq!(aside(&storage), Vec::<String>::new());
}

#[test]
fn waits_for_whoever_holds_the_lock() {
    let storage = TempDir::new().unwrap();
    let before = open(&storage);
    let lock = fs::File::open(file(&storage, "lock")).unwrap();
    lock.lock().unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| open(&storage));
        // Another process replaces the CA while the lock is held; whoever waits must see that.
        fs::remove_file(file(&storage, KEY)).unwrap();
        fs::remove_file(file(&storage, ROOT)).unwrap();
        lock.unlock().unwrap();
        let after = waiting.join().unwrap();
        assert_ne!(identity(&before), identity(&after));
        assert_sound(&storage, &after);
    });
}

#[test]
fn finishes_what_a_crash_left_half_done() {
    let storage = TempDir::new().unwrap();
    let before = open(&storage);
    let root = fs::read(file(&storage, ROOT)).unwrap();

    // Between the key and the root, with half of the root written beside.
    fs::remove_file(file(&storage, ROOT)).unwrap();
    fs::write(file(&storage, "root.crt.new"), &root[..root.len() / 2]).unwrap();
    let after = open(&storage);
    assert_eq!(remade(&after), Remade::RootMissing);
    assert_eq!(identity(&before), identity(&after), "whoever trusts the former goes on trusting");
    assert_sound(&storage, &after);

    // While the very first key was being written.
    fs::remove_file(file(&storage, ROOT)).unwrap();
    fs::rename(file(&storage, KEY), file(&storage, "root.key.new")).unwrap();
    let anew = open(&storage);
    assert_eq!(anew.notes(), []);
    assert_sound(&storage, &anew);
    assert_eq!(aside(&storage), Vec::<String>::new());
}

#[test]
fn sets_a_damaged_key_aside() {
    let storage = TempDir::new().unwrap();
    let before = open(&storage);
    let key = fs::read(file(&storage, KEY)).unwrap();
    for length in (0..key.len() - 1).step_by(40) {
        fs::write(file(&storage, KEY), &key[..length]).unwrap();
        let after = open(&storage);
        assert_eq!(remade(&after), Remade::KeyDamaged, "{length} bytes of the key");
        assert_ne!(identity(&before), identity(&after));
        assert_sound(&storage, &after);
    }
    let names = aside(&storage);
    assert!(names.contains(&"root.crt.corrupt-1800000000".to_owned()), "{names:?}");
    assert!(names.contains(&"root.key.corrupt-1800000000".to_owned()), "{names:?}");
    // The same second each time: nothing that was set aside is ever written over.
    assert_eq!(names.len(), 2 * (0..key.len() - 1).step_by(40).len(), "{names:?}");
    assert_eq!(fs::read(file(&storage, "root.key.corrupt-1800000000")).unwrap(), b"");
    for name in names.iter().filter(|name| name.starts_with("root.key")) {
        assert_eq!(mode(&file(&storage, name)), 0o600);
    }
}

#[test]
fn makes_a_damaged_root_again_for_the_same_key() {
    let storage = TempDir::new().unwrap();
    let before = open(&storage);
    let stranger = TempDir::new().unwrap();
    let foreign = open(&stranger).root_pem().to_owned();
    let key = KeyPair::from_pem(&fs::read_to_string(file(&storage, KEY)).unwrap()).unwrap();
    let no_authority = leaf_params(&["a.test"]).self_signed(&key).unwrap().pem();
    for damage in ["", "-----BEGIN CERTIFICATE-----\n", &foreign, &no_authority] {
        fs::write(file(&storage, ROOT), damage).unwrap();
        let after = open(&storage);
        assert_eq!(remade(&after), Remade::RootDamaged, "{damage}");
        assert_eq!(identity(&before), identity(&after));
        assert_sound(&storage, &after);
        let (former, present) = (root_der(&before), root_der(&after));
        let (_, former) = parse_x509_certificate(&former).unwrap();
        let (_, present) = parse_x509_certificate(&present).unwrap();
        assert_ne!(former.raw_serial(), present.raw_serial(), "one serial number, one certificate");
    }
}

#[test]
fn starts_anew_where_the_key_is_gone_or_the_root_has_expired() {
    let storage = TempDir::new().unwrap();
    let before = open(&storage);
    fs::remove_file(file(&storage, KEY)).unwrap();
    let after = open(&storage);
    assert_eq!(remade(&after), Remade::KeyMissing);
    assert_ne!(identity(&before), identity(&after));
    assert_sound(&storage, &after);

    let last = after.root_not_after();
    assert_eq!(LocalCa::open(storage.path(), last).unwrap().notes(), []);
    let later = LocalCa::open(storage.path(), last + DAY).unwrap();
    assert_eq!(remade(&later), Remade::RootExpired);
    assert!(!remade(&later).keeps_key());
    assert!(later.root_not_after() > last + 9 * 365 * DAY);
    assert!(aside(&storage).iter().any(|name| name.starts_with("root.crt.expired-")));
}

#[test]
fn says_that_the_clock_is_behind() {
    let storage = TempDir::new().unwrap();
    let first = open(&storage);
    let past = now() - 2 * HOUR;
    let second = LocalCa::open(storage.path(), past).unwrap();
    assert_eq!(second.notes(), [Note::NotYetValid { not_before: now() - HOUR, now: past }]);
    assert_eq!(first.root_pem(), second.root_pem());
}

#[test]
fn issues_leaves_as_they_should_be() {
    let storage = TempDir::new().unwrap();
    let ca = open(&storage);
    let hosts = patterns(&["a.test", "*.b.test", "192.0.2.7", "2001:db8::7", "*"]);
    let certificate = ca.issue(&hosts, now()).unwrap();
    assert!(hosts.iter().all(|host| certificate.covers(host)));
    assert_eq!(certificate.names().len(), 4);
    assert_eq!(certificate.key_kind(), KeyKind::Ecdsa);
    assert_eq!(certificate.not_before(), now() - HOUR);
    assert_eq!(certificate.not_after(), now() - HOUR + 90 * DAY);
    assert_eq!(certificate.renew_at(), now() - HOUR + 60 * DAY);

    let (_, leaf) = parse_x509_certificate(leaf_der(&certificate)).unwrap();
    assert!(!leaf.is_ca());
    assert!(leaf.extended_key_usage().unwrap().unwrap().value.server_auth);
    let other = ca.issue(&hosts, now()).unwrap();
    assert_ne!(other.serial(), certificate.serial());

    let host = Host::parse("x.test").unwrap();
    assert!(ca.issue_for(&host, now()).unwrap().covers(&patterns(&["x.test"])[0]));
}

#[test]
fn issues_nothing_that_outlives_the_root() {
    let storage = TempDir::new().unwrap();
    let ca = open(&storage);
    let near_the_end = ca.root_not_after() - DAY;
    let certificate = ca.issue(&patterns(&["a.test"]), near_the_end).unwrap();
    assert_eq!(certificate.not_after(), ca.root_not_after());
}

#[test]
fn issues_nothing_without_a_name() {
    let storage = TempDir::new().unwrap();
    let ca = open(&storage);
    for hosts in [&[][..], &["*"]] {
        assert!(matches!(ca.issue(&patterns(hosts), now()), Err(IssueError::NoNames)));
    }
}

#[test]
fn tells_how_to_trust_it() {
    let parent = TempDir::new().unwrap();
    let ca = LocalCa::open(&parent.path().join("it's mine"), now()).unwrap();
    let root = ca.root_path().to_str().unwrap();
    let quoted = format!("'{}'", root.replace('\'', r"'\''"));
    assert_eq!(
        ca.trust_command(),
        format!(
            "sudo cp {quoted} /usr/local/share/ca-certificates/gateway-local-ca.crt && sudo update-ca-certificates"
        )
    );
    // A shell reads the word back as the path.
    let echo = std::process::Command::new("sh")
        .args(["-c", &format!("printf %s {quoted}")])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(echo.stdout).unwrap(), root);
    assert!(ca.trust_advice().contains(&format!("add `{root}`")));

    let plain = LocalCa::open(&parent.path().join("plain"), now()).unwrap();
    assert!(
        plain.trust_command().starts_with(&format!("sudo cp {} ", plain.root_path().display()))
    );
}

/// Each kind of file that is in the way stands for what only an unprivileged user would meet.
#[test]
fn says_which_file_is_in_the_way() {
    let open = |prepare: &dyn Fn(&Path)| {
        let storage = TempDir::new().unwrap();
        prepare(&storage.path().join("local-ca"));
        LocalCa::open(storage.path(), now()).unwrap_err()
    };
    let not_a_folder = open(&|folder| fs::write(folder, "").unwrap());
    assert!(matches!(&not_a_folder, StorageError::MakeFolder { .. } | StorageError::Lock { .. }));
    let locked_out = open(&|folder| fs::create_dir_all(folder.join("lock")).unwrap());
    assert!(matches!(&locked_out, StorageError::Lock { path, .. } if path.ends_with("lock")));
    let unreadable = open(&|folder| fs::create_dir_all(folder.join(KEY)).unwrap());
    assert!(matches!(&unreadable, StorageError::Read { path, .. } if path.ends_with(KEY)));
    let unwritable = open(&|folder| fs::create_dir_all(folder.join("root.key.new")).unwrap());
    assert!(matches!(&unwritable, StorageError::Write { path, .. } if path.ends_with(KEY)));
    let dangling = open(&|folder| symlink("/nonexistent/folder", folder).unwrap());
    assert!(matches!(&dangling, StorageError::MakeFolder { .. }));
}
