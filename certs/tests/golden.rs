//! Every sentence that this crate says to a person, in one file to be read as a whole.
//!
//! `BLESS=1 cargo test -p gateway-certs --test golden` writes the file anew.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod support;

use std::fmt::{Display, Write};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gateway_certs::{
    CertError, CertProblem, IssueError, LocalCa, Note, PemDamage, PemFile, Problem, Remade, Slots,
    StorageError, Warning, build_store, load_files,
};
use gateway_config::model::{CertificateFiles, Site, Tls};
use rcgen::KeyPair;
use support::{
    Authority, DAY, HOUR, ecdsa_key, leaf_params, now, pattern, set_mode, site, write_pair,
};
use tempfile::TempDir;

/// The sentences so far, and the folder whose name is not part of them.
struct Golden {
    dir: TempDir,
    text: String,
}

impl Golden {
    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn say(&mut self, title: &str, sentence: &dyn Display) {
        let sentence = sentence.to_string();
        let sentence = sentence.replace(self.dir.path().to_str().unwrap(), "<dir>");
        assert!(sentence.ends_with('.') && !sentence.contains('\n'), "no sentence: {sentence}");
        writeln!(self.text, "# {title}\n{sentence}\n").unwrap();
    }

    fn refused(&mut self, title: &str, files: &CertificateFiles) {
        let error = load_files(files, now()).expect_err(title);
        self.say(title, &error);
    }
}

#[test]
fn every_sentence_is_as_it_was_read() {
    let mut golden = Golden { dir: TempDir::new().unwrap(), text: String::new() };
    pem_errors(&mut golden);
    certificate_errors(&mut golden);
    warnings(&mut golden);
    storage_errors(&mut golden);
    issue_errors(&mut golden);
    notes(&mut golden);
    problems(&mut golden);

    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/errors.txt");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &golden.text).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        golden.text == expected,
        "the sentences differ from {}; run with BLESS=1 and read the difference. Now:\n{}",
        path.display(),
        golden.text
    );
}

fn pair(dir: &Path, stem: &str) -> CertificateFiles {
    let key = ecdsa_key();
    let chain = leaf_params(&["a.test"]).self_signed(&key).unwrap().pem();
    write_pair(dir, stem, &chain, &key.serialize_pem())
}

fn with_cert(dir: &Path, stem: &str, content: &[u8]) -> CertificateFiles {
    let files = pair(dir, &format!("{stem}-chain"));
    fs::write(&files.cert, content).unwrap();
    files
}

fn with_key(dir: &Path, stem: &str, content: &[u8]) -> CertificateFiles {
    let files = pair(dir, &format!("{stem}-key"));
    fs::write(&files.key, content).unwrap();
    files
}

fn pem_errors(golden: &mut Golden) {
    let dir = golden.path().to_owned();
    let dir = dir.as_path();
    let good = pair(dir, "good");
    let folder = dir.join("folder");
    fs::create_dir(&folder).unwrap();
    let cases = [
        ("no certificate file", CertificateFiles { cert: dir.join("gone.crt"), ..good.clone() }),
        ("no key file", CertificateFiles { key: dir.join("gone.key"), ..good.clone() }),
        ("certificate file unreadable", CertificateFiles { cert: folder.clone(), ..good.clone() }),
        ("key file unreadable", CertificateFiles { key: folder, ..good.clone() }),
        ("certificate not PEM", with_cert(dir, "text", b"hello")),
        ("certificate in DER", with_cert(dir, "der", b"\x30\x82")),
        ("key not PEM", with_key(dir, "text", b"hello")),
        ("key in DER", with_key(dir, "der", b"\x30\x82")),
        (
            "chain and key swapped",
            CertificateFiles { cert: good.key.clone(), key: good.cert.clone() },
        ),
        ("a chain for a key", CertificateFiles { key: good.cert.clone(), ..good.clone() }),
        ("key encrypted", with_key(dir, "encrypted", b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n")),
        ("PEM without an end", with_cert(dir, "cut", b"-----BEGIN CERTIFICATE-----\nAAAA\n")),
        ("PEM with a bad beginning", with_cert(dir, "begin", b"-----BEGIN CERTIFICATE--\n")),
        (
            "PEM that is not base64",
            with_key(dir, "base64", b"-----BEGIN PRIVATE KEY-----\n!\n-----END PRIVATE KEY-----\n"),
        ),
    ];
    for (title, files) in cases {
        golden.refused(title, &files);
    }
    let (file, path) = (PemFile::Certificate, dir.join("huge.crt"));
    let huge = CertError::BadPem { file, path, source: PemDamage::TooLarge };
    golden.say("PEM that is too large", &huge);
}

fn certificate_errors(golden: &mut Golden) {
    let dir = golden.path().to_owned();
    let dir = dir.as_path();
    let block = |label: &str| format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n");
    golden.refused("not X.509", &with_cert(dir, "garbage", block("CERTIFICATE").as_bytes()));
    golden.refused("not a key", &with_key(dir, "garbage", block("PRIVATE KEY").as_bytes()));
    let other = ecdsa_key().serialize_pem();
    golden.refused("key of another certificate", &with_key(dir, "mismatch", other.as_bytes()));

    let key = ecdsa_key();
    let root = Authority::root("Root");
    let upside_down = root.certificate.pem() + &root.issue(&leaf_params(&["a.test"]), &key);
    golden.refused(
        "leaf not first",
        &write_pair(dir, "upside-down", &upside_down, &key.serialize_pem()),
    );

    let mut params = leaf_params(&[]);
    let self_signed = |params: &rcgen::CertificateParams, stem: &str, key: &KeyPair| {
        write_pair(dir, stem, &params.self_signed(key).unwrap().pem(), &key.serialize_pem())
    };
    golden.refused("no names", &self_signed(&params, "no-names", &key));
    params = leaf_params(&["a.test"]);
    params.not_before = (now() + DAY).into();
    golden.refused("not yet valid", &self_signed(&params, "early", &key));
    params = leaf_params(&["a.test"]);
    params.not_after = (now() - HOUR).into();
    golden.refused("expired", &self_signed(&params, "late", &key));
}

fn warnings(golden: &mut Golden) {
    let dir = golden.path().to_owned();
    let dir = dir.as_path();
    let key = ecdsa_key();
    let chain = Authority::root("Root").issue(&leaf_params(&["a.test"]), &key)
        + &Authority::root("Other").certificate.pem();
    let files = write_pair(dir, "shuffled", &chain, &key.serialize_pem());
    set_mode(&files.key, 0o644);
    for warning in load_files(&files, now()).unwrap().warnings {
        let title = match &warning {
            Warning::KeyReadableByOthers { .. } => "key readable by others",
            Warning::ChainOutOfOrder { .. } => "chain out of order",
            Warning::Unused { .. } => unreachable!("load_files knows no site"),
        };
        golden.say(title, &warning);
    }
    let unused = Warning::Unused { path: dir.join("idle.crt"), site: "a.test".into() };
    golden.say("certificate unused", &unused);
}

fn storage_errors(golden: &mut Golden) {
    let dir = golden.path().to_owned();
    fs::write(dir.join("file"), "").unwrap();
    for in_the_way in ["lock", "root.key", "root.key.new"] {
        fs::create_dir_all(dir.join(format!("ca-{in_the_way}/local-ca/{in_the_way}"))).unwrap();
    }
    for (title, storage) in [
        ("CA folder cannot be made", "file"),
        ("CA cannot be locked", "ca-lock"),
        ("CA file cannot be read", "ca-root.key"),
        ("CA file cannot be written", "ca-root.key.new"),
    ] {
        let error = LocalCa::open(&dir.join(storage), now()).expect_err(title);
        golden.say(title, &error);
    }
    let source = Box::new(rcgen::Error::KeyGenerationUnavailable);
    let make = StorageError::Make { path: dir.join("local-ca"), source };
    golden.say("CA cannot be made", &make);
}

fn issue_errors(golden: &mut Golden) {
    let ca = LocalCa::open(&golden.path().join("ca"), now()).unwrap();
    golden.say("no name to issue for", &ca.issue(&[pattern("*")], now()).unwrap_err());
    let source = rcgen::string::Ia5String::try_from("ä.test").unwrap_err();
    golden.say(
        "name that no certificate can carry",
        &IssueError::Name { name: "ä.test".into(), source },
    );
    golden.say("leaf not made", &IssueError::Make(rcgen::Error::KeyGenerationUnavailable));
    golden.say("leaf key refused", &IssueError::Key(rustls::Error::General("no reason".into())));
    golden.say("leaf unreadable", &IssueError::ReadBack("no reason".into()));
    golden.say("no random numbers", &IssueError::Random(rustls::Error::FailedToGetRandomBytes));
}

fn notes(golden: &mut Golden) {
    let folder = golden.path().join("local-ca");
    let aside = |names: &[&str]| names.iter().map(|name| folder.join(name)).collect::<Vec<_>>();
    for (title, reason, aside) in [
        (
            "CA key damaged",
            Remade::KeyDamaged,
            aside(&["root.key.corrupt-1800000000", "root.crt.corrupt-1800000000"]),
        ),
        ("CA key missing", Remade::KeyMissing, aside(&["root.crt.corrupt-1800000000"])),
        ("CA root damaged", Remade::RootDamaged, aside(&["root.crt.corrupt-1800000000"])),
        ("CA root missing", Remade::RootMissing, Vec::new()),
        (
            "CA root expired",
            Remade::RootExpired,
            aside(&["root.key.expired-1800000000", "root.crt.expired-1800000000"]),
        ),
    ] {
        golden.say(title, &Note::Remade { reason, aside });
    }
    let exposed = Note::KeyWasExposed { path: folder.join("root.key"), mode: 0o644 };
    golden.say("CA key was exposed", &exposed);
    golden.say("clock behind", &Note::NotYetValid { not_before: now(), now: now() - DAY });
    let ca = LocalCa::open(&golden.path().join("ca"), now()).unwrap();
    golden.say("how to trust the CA", &ca.trust_advice());
}

fn problems(golden: &mut Golden) {
    let dir = golden.path().to_owned();
    let dir = dir.as_path();
    let root = Authority::root("Root");
    let good = root.files(dir, "a", &["a.test", "*.a.test"]);
    let gone = CertificateFiles { cert: dir.join("gone.crt"), key: dir.join("gone.key") };
    let files = |hosts: &[&str], files: &[&CertificateFiles]| -> Site {
        site(hosts, Tls::Files(files.iter().copied().cloned().collect()))
    };
    let sites = [
        files(&["a.test", "b.test", "*.b.test"], &[&good]),
        files(&["gone.test"], &[&gone]),
        site(&["self.test"], Tls::SelfSigned),
    ];
    let found = build_store(&sites, &Slots::default(), &dir.join("file"), now).unwrap_err();
    let titles = ["site not covered", "site without its files", "site without the local CA"];
    assert_eq!(found.len(), titles.len());
    for (title, problem) in titles.into_iter().zip(found) {
        golden.say(title, &problem);
    }
    let issue = CertProblem { site: pattern("*"), problem: Problem::Issue(IssueError::NoNames) };
    golden.say("site without a certificate", &issue);
    let shared = Arc::new(CertError::NoNames { path: dir.join("a.crt") });
    let files = CertProblem { site: pattern("*.a.test"), problem: Problem::Files(shared) };
    golden.say("wildcard site with bad files", &files);
}
