//! Every sentence of the doctor's, held by `tests/golden/doctor.txt`; `BLESS=1` writes it anew.

use std::fmt::Write;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use gateway_config::model::ChallengeKind;

use super::finding::Finding;
use super::reach::Unreached;
use super::{
    Check, addresses, ca, caa, cdn, configuration, course, dns01, ledger, port80, port443, storage,
    visit,
};
use crate::dns::DnsError;
use crate::failure::{Blame, Failed, Failure};
use crate::https::HttpsError;
use crate::moment::Moment;
use crate::storage::StorageError;

const CA: &str = "https://acme-v02.api.letsencrypt.org/directory";

fn text(text: &str) -> String {
    text.to_owned()
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn all<S: Into<Finding>>(seen: Vec<S>) -> Vec<Finding> {
    seen.into_iter().map(Into::into).collect()
}

fn of_configuration() -> Vec<Finding> {
    use configuration::Seen;
    let kinds = vec![ChallengeKind::TlsAlpn01, ChallengeKind::Http01];
    let cas = vec![text("Let's Encrypt"), text("ZeroSSL")];
    all(vec![
        Seen::NoSite { domain: text("www.example.com"), meant: Some(text("example.com")) },
        Seen::NoSite { domain: text("a.test"), meant: None },
        Seen::NotAcme { site: text("example.com"), from: "comes from files" },
        Seen::NotAcme { site: text("example.com"), from: "is one of the local CA" },
        Seen::NoChallenge { hosts: text("*.example.com") },
        Seen::Fine { site: text("example.com"), hosts: text("example.com"), cas, kinds },
        Seen::AccountKey {
            ca: text("ZeroSSL"),
            error: text(
                "the environment variable `KEY` is not set, or holds no text. Set it for the gateway's process.",
            ),
        },
    ])
}

fn of_ca() -> Vec<Finding> {
    use ca::Seen;
    let ca = || text("Let's Encrypt");
    let server = text("acme-v02.api.letsencrypt.org");
    let profile = || text("short");
    all(vec![
        Seen::Unreachable { ca: ca(), error: HttpsError::TimedOut { server } },
        Seen::NoDirectory { ca: ca(), status: 404 },
        Seen::NoClock { ca: ca() },
        Seen::Fine { ca: ca(), differ: 1 },
        Seen::Clock { ca: ca(), seconds: 100 },
        Seen::Clock { ca: ca(), seconds: -86_400 },
        Seen::NoProfile { ca: ca(), profile: profile(), offered: vec![text("shortlived")] },
        Seen::NoProfile { ca: ca(), profile: profile(), offered: Vec::new() },
    ])
}

fn of_addresses() -> Vec<Finding> {
    use addresses::Seen;
    let name = || text("example.com");
    let ns = || text("ns1.example.net");
    let some = || vec![ip("198.51.100.7"), ip("2001:db8::7")];
    let told = vec![(ns(), some()), (text("ns2.example.net"), Vec::new())];
    let silent = || vec![text("ns2.example.net (it has no address)")];
    all(vec![
        Seen::NoName { name: name(), by: ns() },
        Seen::NoAddress { name: name(), by: ns() },
        Seen::Unknown { name: name(), why: silent() },
        Seen::NoDns { name: text("a_b") },
        Seen::Fine { name: name(), addresses: some(), by: ns() },
        Seen::Several { addresses: some() },
        Seen::Private { addresses: vec![ip("10.0.0.7")] },
        Seen::Disagree { told },
        Seen::Silent { servers: silent() },
    ])
}

fn of_cdn() -> Vec<Finding> {
    use cdn::{By, Seen};
    let by = || By::Addresses(vec![ip("104.16.0.1")]);
    all(vec![
        Seen::None,
        Seen::Cloudflare { by: by(), tls_alpn_01: true },
        Seen::Cloudflare { by: by(), tls_alpn_01: false },
        Seen::Cloudflare { by: By::Answer(ip("198.51.100.7")), tls_alpn_01: true },
    ])
}

fn of_caa() -> Vec<Finding> {
    use caa::Seen;
    let (ca, at) = (|| text("Let's Encrypt"), || text("example.com"));
    let (identity, records) = (|| text("letsencrypt.org"), || vec![text("0 issue \"ca.example\"")]);
    let record = || text("0 issue \"letsencrypt.org\"");
    let forbidden = |wildcard| Seen::Forbidden {
        ca: ca(),
        identity: identity(),
        at: at(),
        records: records(),
        wildcard,
    };
    all(vec![
        Seen::None { name: at() },
        Seen::Open { at: at() },
        Seen::Allowed { ca: ca(), at: at(), record: record() },
        forbidden(false),
        forbidden(true),
        Seen::Methods { ca: ca(), at: at(), record: record() },
        Seen::Critical { at: at(), record: text("128 future \"x\"") },
        Seen::NoIdentity { ca: text("https://ca.example/directory"), at: at() },
        Seen::Failed { at: at(), why: vec![text("ns1.example.net (no answer within 4 s)")] },
    ])
}

fn of_port_80() -> Vec<Finding> {
    use port80::{Look, Seen};
    let (v4, v6) = ("198.51.100.7:80", "[2001:db8::7]:80");
    let looks = [
        (v4, Seen::Right { own: false, stands_in: false }),
        (v4, Seen::Right { own: true, stands_in: false }),
        (v4, Seen::Right { own: true, stands_in: true }),
        (v4, Seen::Unreached(Unreached::Refused)),
        (v6, Seen::Unreached(Unreached::Refused)),
        (v4, Seen::Unreached(Unreached::TimedOut)),
        (v6, Seen::Unreached(Unreached::Other(text("Network is unreachable")))),
        (v4, Seen::Silent),
        (v4, Seen::NotHttp { reason: text("invalid HTTP version parsed") }),
        (v4, Seen::Redirected { status: 301, to: text("https://example.com/") }),
        (v4, Seen::Other { status: 404, server: Some(text("nginx")) }),
        (v4, Seen::Other { status: 200, server: None }),
    ];
    let look = |(place, seen)| Finding::from(&Look { at: at(place), seen, cloudflare: false });
    let mut findings: Vec<_> = looks.into_iter().map(look).collect();
    findings.extend(all(vec![
        visit::Seen::NotNeeded,
        visit::Seen::Unrecognised,
        visit::Seen::Taken { at: at("0.0.0.0:80") },
        visit::Seen::NoListening {
            at: at("0.0.0.0:80"),
            error: io::ErrorKind::PermissionDenied.into(),
        },
        visit::Seen::NoneRuns,
    ]));
    findings
}

fn of_port_443() -> Vec<Finding> {
    use port443::{Look, Seen};
    let looks = [
        Seen::Right { local: false, own: false },
        Seen::Right { local: true, own: true },
        Seen::Unreached(Unreached::Refused),
        Seen::Silent,
        Seen::UnknownName,
        Seen::NotTls { reason: text("received corrupt message") },
        Seen::Other { issuer: text("CN=Other CA"), names: text("example.com") },
    ];
    let look = |seen| Finding::from(Look { at: at("198.51.100.7:443"), seen });
    looks.into_iter().map(look).collect()
}

fn of_dns_01() -> Vec<Finding> {
    use dns01::Seen;
    let name = || text("_acme-challenge.example.com");
    all(vec![
        Seen::Signed {
            name: name(),
            holder: name(),
            server: at("192.0.2.53:53"),
            zone: text("example.com"),
        },
        Seen::Cloudflare { name: name(), holder: text("example.com.acme.example.net") },
        Seen::Program { file: text("/usr/local/bin/dns-hook") },
        Seen::Failed(DnsError::Aliases { name: name() }),
    ])
}

fn of_storage() -> Vec<Finding> {
    use storage::Seen;
    let path = || text("/var/lib/gateway/acme");
    let reason = || text("Permission denied (os error 13)");
    all(vec![
        Seen::NoFolder { path: path() },
        Seen::Unwritable { path: path(), reason: reason() },
        Seen::ToBeMade { path: path() },
        Seen::Full { path: path(), free: 3 },
        Seen::Fine { path: path(), free: 1000 },
        Seen::Runs,
        Seen::NoneRuns,
        Seen::LockUnknown { path: path(), reason: reason() },
        Seen::NoPassword { path: text("/var/lib/gateway/acme/doctor.key") },
    ])
}

fn of_ledger() -> Vec<Finding> {
    use ledger::Seen;
    let (hosts, ca) = (|| text("example.com"), || text("Let's Encrypt"));
    let moment = Moment(1_795_503_600);
    let failed = |failures, served, next| Seen::Failed {
        hosts: hosts(),
        failures,
        failed: Failed {
            at: moment,
            directory: text(CA),
            failure: Failure {
                blame: Blame::Name,
                what: text("Let's Encrypt says: connection refused."),
                advice: text("Let the world reach this machine's port 80 by this name."),
                retry_after: None,
            },
        },
        ca: ca(),
        next,
        served,
    };
    let issued = |ended| Seen::Issued {
        hosts: hosts(),
        issuer: text("CN=R10"),
        until: moment,
        due: Some(moment),
        ended,
    };
    let source = || io::Error::from(io::ErrorKind::PermissionDenied);
    let path = PathBuf::from("/var/lib/gateway/acme/example.com-0.json");
    all(vec![
        Seen::Unreadable(StorageError::Read { path, source: source() }),
        Seen::Nothing { hosts: hosts(), ca: ca() },
        Seen::UnderWay { hosts: hosts(), ca: ca(), since: moment },
        issued(false),
        issued(true),
        failed(1, false, Some(moment)),
        failed(3, true, None),
    ])
}

fn of_time() -> Vec<Finding> {
    let limit = Duration::from_secs(25);
    vec![course::unfinished(Check::Ca, limit), course::unfinished(Check::Http01, limit)]
}

#[test]
fn every_sentence() {
    let findings = [
        of_configuration(),
        of_ca(),
        of_addresses(),
        of_cdn(),
        of_caa(),
        of_port_80(),
        of_port_443(),
        of_dns_01(),
        of_storage(),
        of_ledger(),
        of_time(),
    ];
    let mut actual = String::new();
    for Finding { check, severity, what, advice, challenges } in findings.into_iter().flatten() {
        assert!(what.ends_with(['.', ')']), "{what}");
        let kinds: Vec<_> = challenges.iter().map(ToString::to_string).collect();
        let kinds =
            if kinds.is_empty() { String::new() } else { format!(" ({})", kinds.join(", ")) };
        writeln!(actual, "{check}: {severity}{kinds}\n  {what}").unwrap();
        advice.iter().for_each(|advice| writeln!(actual, "  -> {advice}").unwrap());
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/doctor.txt");
    if std::env::var_os("BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &actual).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(expected, actual, "not as in tests/golden/doctor.txt");
}
