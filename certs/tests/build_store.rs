//! From sites to a store: everything that is wrong at once, and nothing touched without need.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod support;

use std::collections::HashSet;
use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;

use gateway_certs::{
    CertProblem, CertificateSource, Problem, Resolved, Slots, SubjectName, Warning, build_store,
};
use gateway_config::model::{CertificateFiles, Site, Tls};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use support::tls::{Client, handshake, server};
use support::{Authority, DAY, HOUR, now, rsa_key, set_mode, site};
use tempfile::TempDir;

const NOWHERE: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

fn files(hosts: &[&str], files: &[&CertificateFiles]) -> Site {
    site(hosts, Tls::Files(files.iter().copied().cloned().collect()))
}

fn missing(dir: &Path) -> CertificateFiles {
    CertificateFiles { cert: dir.join("missing.crt"), key: dir.join("missing.key") }
}

fn problems(sites: &[Site], storage: &Path) -> Vec<CertProblem> {
    build_store(sites, &Slots::default(), storage, now).expect_err("these sites must be refused")
}

#[test]
fn files_and_the_local_ca_stand_side_by_side() {
    let dir = TempDir::new().unwrap();
    let root = Authority::root("Test Root");
    let ecdsa = root.files(dir.path(), "ecdsa", &["a.test"]);
    let rsa = root.files_with(dir.path(), "rsa", &["a.test"], &rsa_key());
    let sites = [
        files(&["a.test"], &[&ecdsa, &rsa]),
        site(&["b.test", "*.b.test"], Tls::SelfSigned),
        site(&["*"], Tls::SelfSigned),
    ];
    let built = build_store(&sites, &Slots::default(), dir.path(), now).unwrap();

    assert_eq!(built.warnings, []);
    let facts: Vec<_> = built
        .facts
        .iter()
        .map(|facts| (facts.site, facts.from.clone(), facts.not_after, facts.renew_at))
        .collect();
    let (file_end, file_renewal) = (now() + 30 * DAY, now() - DAY + 31 * DAY * 2 / 3);
    assert_eq!(
        facts,
        [
            (0, CertificateSource::File(ecdsa.cert), file_end, file_renewal),
            (0, CertificateSource::File(rsa.cert), file_end, file_renewal),
            (1, CertificateSource::LocalCa, now() - HOUR + 90 * DAY, now() - HOUR + 60 * DAY),
        ]
    );
    assert_eq!(
        built.facts[2].names,
        [SubjectName::Dns("b.test".into()), SubjectName::Wildcard("b.test".into())]
    );
    assert!(built.facts[0].issuer.contains("Test Root"));
    assert!(built.facts[2].issuer.contains("Gateway local CA"));
    assert_eq!(built.renew_at(), Some(now() - HOUR + 60 * DAY), "files are not ours to renew");

    let ca = built.local_ca.unwrap();
    let ca_root = CertificateDer::from_pem_slice(ca.root_pem().as_bytes()).unwrap();
    let client = Client::default().trusting(&[root.der(), ca_root]);
    let server = server(built.store);
    for name in ["a.test", "b.test", "x.b.test", "elsewhere.test"] {
        handshake(&client, &server, name).expect(name);
    }
}

#[test]
fn the_storage_is_left_alone_without_a_self_signed_site() {
    let dir = TempDir::new().unwrap();
    let pair = Authority::root("Root").files(dir.path(), "a", &["a.test"]);
    let storage = dir.path().join("storage");
    let built =
        build_store(&[files(&["a.test"], &[&pair])], &Slots::default(), &storage, now).unwrap();
    assert!(built.local_ca.is_none());
    assert_eq!(built.renew_at(), None);
    assert!(!storage.exists());
}

#[test]
fn every_problem_is_reported_with_its_site() {
    let dir = TempDir::new().unwrap();
    let root = Authority::root("Root");
    let good = root.files(dir.path(), "good", &["a.test", "*.a.test"]);
    let mismatch = root.files(dir.path(), "mismatch", &["m.test"]);
    fs::copy(&good.key, &mismatch.key).unwrap();
    fs::write(dir.path().join("storage"), "a file").unwrap();

    let sites = [
        files(&["a.test", "b.test", "x.y.a.test"], &[&good]),
        files(&["gone.test"], &[&missing(dir.path())]),
        files(&["m.test"], &[&mismatch, &missing(dir.path())]),
        site(&["self.test"], Tls::SelfSigned),
        site(&["same.test"], Tls::SelfSigned),
        files(&["ok.a.test"], &[&good]),
    ];
    let problems = problems(&sites, &dir.path().join("storage"));
    let sites: Vec<_> = problems.iter().map(|problem| problem.site.to_string()).collect();
    assert_eq!(sites, ["a.test", "gone.test", "m.test", "m.test", "self.test"]);
    match &problems[0].problem {
        Problem::NotCovered { missing, covered, .. } => {
            let missing: Vec<_> = missing.iter().map(ToString::to_string).collect();
            assert_eq!(missing, ["b.test", "x.y.a.test"]);
            assert_eq!(covered.len(), 2);
        }
        other => panic!("{other}"),
    }
    assert!(matches!(problems[4].problem, Problem::LocalCa(_)));
    for problem in &problems {
        assert!(
            std::error::Error::source(problem).is_some()
                || matches!(problem.problem, Problem::NotCovered { .. })
        );
    }
}

#[test]
fn files_that_sites_share_are_read_and_warned_of_once() {
    let dir = TempDir::new().unwrap();
    let pair = Authority::root("Root").files(dir.path(), "shared", &["*.a.test"]);
    set_mode(&pair.key, 0o644);
    let sites = [files(&["x.a.test"], &[&pair]), files(&["y.a.test"], &[&pair])];
    let built = build_store(&sites, &Slots::default(), dir.path(), now).unwrap();
    assert_eq!(built.warnings.len(), 1);
    let key = |name: &str| match built.store.resolve(Some(name), NOWHERE, &[]) {
        Resolved::Found { key, .. } => key,
        other => panic!("{other:?}"),
    };
    assert!(Arc::ptr_eq(&key("x.a.test"), &key("y.a.test")));
}

#[test]
fn a_certificate_that_is_never_used_is_warned_of() {
    let dir = TempDir::new().unwrap();
    let root = Authority::root("Root");
    let used = root.files(dir.path(), "used", &["a.test"]);
    let idle = root.files(dir.path(), "idle", &["old.test"]);
    let built =
        build_store(&[files(&["a.test"], &[&used, &idle])], &Slots::default(), dir.path(), now)
            .unwrap();
    assert_eq!(built.warnings, [Warning::Unused { path: idle.cert, site: "a.test".into() }]);
}

#[test]
fn a_star_site_takes_any_certificate() {
    let dir = TempDir::new().unwrap();
    let pair = Authority::root("Root").files(dir.path(), "a", &["a.test"]);
    let built =
        build_store(&[files(&["*"], &[&pair])], &Slots::default(), dir.path(), now).unwrap();
    assert_eq!(built.warnings, []);
    assert!(matches!(
        built.store.resolve(Some("b.test"), NOWHERE, &[]),
        Resolved::Found { site: 0, .. }
    ));
}

#[test]
fn a_thousand_self_signed_sites_have_a_certificate_each() {
    let storage = TempDir::new().unwrap();
    let names: Vec<_> = (0..1000).map(|index| format!("site-{index}.test")).collect();
    let sites: Vec<_> = names.iter().map(|name| site(&[name], Tls::SelfSigned)).collect();
    let built = build_store(&sites, &Slots::default(), storage.path(), now).unwrap();
    assert_eq!(built.facts.len(), 1000);
    let mut leaves = HashSet::new();
    for (index, name) in names.iter().enumerate() {
        match built.store.resolve(Some(name), NOWHERE, &[]) {
            Resolved::Found { site, key } if site == index => leaves.insert(key.cert[0].to_vec()),
            other => panic!("{name}: {other:?}"),
        };
    }
    assert_eq!(leaves.len(), 1000);
}

#[test]
fn a_certificate_of_the_local_ca_is_kept_while_its_hosts_and_its_root_are() {
    let (dir, other) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let slots = Slots::default();
    let leaf = |sites: &[Site], storage: &Path, name: &str| {
        let built = build_store(sites, &slots, storage, now).unwrap();
        match built.store.resolve(Some(name), NOWHERE, &[]) {
            Resolved::Found { key, .. } => key.cert[0].to_vec(),
            unexpected => panic!("{name}: {unexpected:?}"),
        }
    };
    let (a, b) = (site(&["a.test"], Tls::SelfSigned), site(&["b.test"], Tls::SelfSigned));
    let first = leaf(std::slice::from_ref(&a), dir.path(), "a.test");
    assert_eq!(leaf(&[b.clone(), a.clone()], dir.path(), "a.test"), first, "another place");
    assert_ne!(leaf(&[site(&["a.test", "c.test"], Tls::SelfSigned)], dir.path(), "a.test"), first);
    assert_ne!(leaf(std::slice::from_ref(&a), dir.path(), "a.test"), first, "it was given up");
    let again = leaf(std::slice::from_ref(&a), dir.path(), "a.test");
    assert_eq!(leaf(std::slice::from_ref(&a), dir.path(), "a.test"), again);
    assert_ne!(leaf(&[a], other.path(), "a.test"), again, "of another root");
}
