//! `gateway acme doctor`, beside real gateways, name servers and whoever else answers.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use gateway_acme::Wanted;
use gateway_acme::doctor::{Check, Examination, Finding, Ports, Report, Severity, examine};
use gateway_config::model::{ChallengeKind, HostPattern};
use hickory_proto::rr::rdata::{CAA, NS};
use hickory_proto::rr::{Name, RData};
use hyper::Response;

use super::{Pebble, acme, as_cas_are, issued, pebble, site};
use crate::harness::dns::{Answer, Dns};
use crate::harness::gateway::Gateway;
use crate::harness::origin::Origin;
use crate::harness::replies::full;
use crate::harness::{answering_site, config, eventually};

const HOME: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A domain that is looked at, and everything around it.
struct Scene {
    dns: Dns,
    ca: Origin,
    gateway: Gateway,
}

/// What answers as a CA: a directory, and nothing behind it.
async fn ca(clock: Duration) -> Origin {
    Origin::http(move |_| async move {
        let date = httpdate::fmt_http_date(SystemTime::now() + clock);
        let directory = r#"{"newNonce":"http://127.0.0.1/n","newAccount":"http://127.0.0.1/a","newOrder":"http://127.0.0.1/o","meta":{"caaIdentities":["ca.test"]}}"#;
        Response::builder().header("date", date).body(full(directory)).unwrap()
    })
    .await
}

/// The configuration of a gateway that wants a certificate for `www.a.test`.
fn wants(dns: &Dns, ca: &Origin, keys: &str) -> String {
    let acme = format!("[acme]\ndirectory = \"http://{}\"\n{keys}\n", ca.addr());
    config(&dns.key(), &(acme + &site("www.a.test")))
}

impl Scene {
    async fn new(clock: Duration) -> Self {
        let (dns, ca) = (Dns::start().await, ca(clock).await);
        dns.set_address("www.a.test", HOME);
        let gateway = Gateway::start(&wants(&dns, &ca, "")).await;
        let scene = Self { dns, ca, gateway };
        scene.until_known().await;
        scene
    }

    /// Waits until the gateway holds the lock and can be recognised.
    async fn until_known(&self) {
        let key = self.gateway.dir().join("storage/acme/doctor.key");
        eventually("the doctor's key", async || key.exists().then_some(())).await;
    }

    fn ports(&self) -> Ports {
        let (http, https) = (self.gateway.http().port(), self.gateway.https().port());
        Ports { http, https, dns: self.dns.addr.port() }
    }

    async fn examine(&self, ports: Ports) -> Report {
        let text = wants(&self.dns, &self.ca, "");
        examined("www.a.test", &text, self.gateway.dir(), ports).await
    }
}

/// What the doctor says about a domain of a configuration.
async fn examined(domain: &str, text: &str, dir: &Path, ports: Ports) -> Report {
    let config = gateway_config::parse("gateway.toml", text, dir).unwrap().config;
    let of_site = |site: &gateway_config::model::Site| {
        let (certificate, name) = (site.acme().cloned(), site.name.to_string());
        let groups = site.acme_groups().into_iter();
        let wanted = groups.filter_map(move |hosts| {
            let (slot, certificate) = (Arc::default(), certificate.clone()?);
            Some(Wanted { site: name.clone(), hosts, certificate, slot })
        });
        wanted.collect::<Vec<_>>()
    };
    let wanted = config.sites.iter().flat_map(of_site).collect();
    let domain = HostPattern::parse(domain).unwrap();
    let time_limit = Duration::from_secs(60);
    let mut told = Vec::new();
    let examination = Examination { domain, config, wanted, ports, time_limit };
    let report = examine(&examination, &mut |open| told.push(open.to_vec())).await;
    assert!(told.windows(2).all(|pair| pair[0].len() >= pair[1].len()), "{told:?}");
    report
}

/// The findings of a check.
fn of(report: &Report, check: Check) -> Vec<&Finding> {
    report.findings.iter().filter(|finding| finding.check == check).collect()
}

/// That a check found exactly this.
#[track_caller]
fn found(report: &Report, check: Check, severity: Severity, what: &str) {
    let findings = of(report, check);
    let is = |finding: &&Finding| finding.severity == severity && finding.what.contains(what);
    assert!(findings.iter().any(is), "{what:?} is not among {findings:#?}");
}

/// A port where nobody listens.
fn closed() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[tokio::test]
async fn all_is_well() {
    if !pebble::is_installed("the doctor beside a gateway with a certificate") {
        return;
    }
    let (pebble, dns) = (Pebble::start(as_cas_are()).await, Dns::start().await);
    dns.set_address("a.test", HOME);
    let text = config(&dns.key(), &(acme(&pebble, "") + &site("a.test")));
    let gateway = Gateway::start(&text).await;
    pebble.http_at(gateway.http());
    pebble.tls_at(gateway.https());
    issued(&gateway, &pebble, "a.test").await;
    let bundle = || std::fs::read_dir(gateway.dir().join("storage/acme")).unwrap();
    let is_kept = || bundle().any(|it| it.unwrap().file_name().to_str().unwrap().ends_with(".pem"));
    eventually("the certificate on disk", async || is_kept().then_some(())).await;
    let ports =
        Ports { http: gateway.http().port(), https: gateway.https().port(), dns: dns.addr.port() };
    let report = examined("a.test", &text, gateway.dir(), ports).await;
    assert!(report.ok, "{report:#?}");
    assert_eq!(report.count(Severity::Ok), report.findings.len(), "{report:#?}");
    assert_eq!(report.proved_by, [ChallengeKind::TlsAlpn01, ChallengeKind::Http01]);
    found(&report, Check::TlsAlpn01, Severity::Ok, "the one that is kept");
    found(&report, Check::Ledger, Severity::Ok, "There is a certificate for a.test");
}

#[tokio::test]
async fn this_gateway_is_recognised_and_a_closed_port_too() {
    let scene = Scene::new(Duration::ZERO).await;
    let report = scene.examine(scene.ports()).await;
    found(&report, Check::Http01, Severity::Ok, "This gateway answers");
    found(&report, Check::TlsAlpn01, Severity::Ok, "the local CA's");
    found(&report, Check::Storage, Severity::Ok, "A running gateway");
    found(&report, Check::Ca, Severity::Ok, "clock agrees");
    // One that works is enough; where none does, each is a problem.
    let report = scene.examine(Ports { http: closed(), ..scene.ports() }).await;
    found(&report, Check::Http01, Severity::Warning, "refuses the connection");
    assert_eq!(report.proved_by, [ChallengeKind::TlsAlpn01]);
    let report = scene.examine(Ports { http: closed(), https: closed(), ..scene.ports() }).await;
    found(&report, Check::Http01, Severity::Problem, "refuses the connection");
    found(&report, Check::TlsAlpn01, Severity::Problem, "refuses the connection");
    assert!(!report.ok);
}

#[tokio::test]
async fn somebody_else_answers() {
    let scene = Scene::new(Duration::ZERO).await;
    let answer = || Response::builder().status(404).header("server", "cloudflare");
    let other = Origin::http(move |_| async move { answer().body(full("")).unwrap() }).await;
    let report = scene.examine(Ports { http: other.addr().port(), ..scene.ports() }).await;
    found(&report, Check::Http01, Severity::Problem, "status 404, `server: cloudflare`");
    found(&report, Check::Cdn, Severity::Problem, "answers as it");
    let silent = Origin::raw(async |_, _| ()).await;
    let report = scene.examine(Ports { http: silent.addr().port(), ..scene.ports() }).await;
    found(&report, Check::Http01, Severity::Warning, "does not speak HTTP");
}

#[tokio::test]
async fn the_name_leads_to_another_gateway() {
    let scene = Scene::new(Duration::ZERO).await;
    let other = Gateway::start(&config("", &answering_site("www.a.test"))).await;
    let (http, https) = (other.http().port(), other.https().port());
    let report = scene.examine(Ports { http, https, ..scene.ports() }).await;
    found(&report, Check::Http01, Severity::Problem, "redirects to https://www.a.test");
    found(&report, Check::TlsAlpn01, Severity::Problem, "Somebody else answers");
    // One that knows nothing of the name.
    let other = Gateway::start(&config("", &answering_site("b.test"))).await;
    let report = scene.examine(Ports { https: other.https().port(), ..scene.ports() }).await;
    found(&report, Check::TlsAlpn01, Severity::Warning, "does not know the name");
}

#[tokio::test]
async fn the_name_leads_nowhere() {
    let scene = Scene::new(Duration::ZERO).await;
    scene.dns.set("www.a.test", Answer::NoSuchName);
    let report = scene.examine(scene.ports()).await;
    found(&report, Check::Addresses, Severity::Problem, "There is no name `www.a.test`");
    assert!(report.proved_by.is_empty());
    scene.dns.set("www.a.test", Answer::Records(Vec::new()));
    let report = scene.examine(scene.ports()).await;
    found(&report, Check::Addresses, Severity::Problem, "neither an A nor an AAAA record");
    scene.dns.set("www.a.test", Answer::Failure);
    let report = scene.examine(scene.ports()).await;
    found(&report, Check::Addresses, Severity::Problem, "Nobody says where");
    // An AAAA record that leads nowhere.
    let both = vec![HOME, "::1".parse().unwrap()];
    scene.dns.set("www.a.test", Answer::Addresses(both, 1));
    let report = scene.examine(scene.ports()).await;
    let about_v6 = of(&report, Check::Http01).into_iter().find(|it| it.what.contains("[::1]"));
    assert!(about_v6.unwrap().advice.as_ref().unwrap().contains("CAs try IPv6 first"));
}

#[tokio::test]
async fn the_zones_own_name_servers_are_asked() {
    let scene = Scene::new(Duration::ZERO).await;
    let ns = |name: &str| RData::NS(NS(Name::from_ascii(name).unwrap()));
    scene.dns.set("a.test", Answer::Records(vec![ns("ns1.a.test."), ns("ns2.a.test.")]));
    scene.dns.set_address("ns1.a.test", HOME);
    let report = scene.examine(scene.ports()).await;
    found(&report, Check::Addresses, Severity::Ok, "says ns1.a.test");
    found(&report, Check::Addresses, Severity::Warning, "ns2.a.test (it has no address)");
}

#[tokio::test]
async fn caa_records_are_walked_up_to() {
    let scene = Scene::new(Duration::ZERO).await;
    let issue = |ca: &str| RData::CAA(CAA::new_issue(false, Name::from_ascii(ca).ok(), Vec::new()));
    let report = scene.examine(scene.ports()).await;
    found(&report, Check::Caa, Severity::Ok, "has no CAA record");
    scene.dns.set("a.test", Answer::Records(vec![issue("other.test")]));
    let report = scene.examine(scene.ports()).await;
    found(
        &report,
        Check::Caa,
        Severity::Problem,
        "`a.test` has the CAA records 0 issue \"other.test\"",
    );
    assert!(!report.ok);
    scene.dns.set("a.test", Answer::Records(vec![issue("other.test"), issue("ca.test")]));
    let report = scene.examine(scene.ports()).await;
    found(&report, Check::Caa, Severity::Ok, "0 issue \"ca.test\"");
    scene.dns.set("a.test", Answer::Failure);
    let report = scene.examine(scene.ports()).await;
    found(&report, Check::Caa, Severity::Problem, "Nobody says whether `a.test`");
}

#[tokio::test]
async fn clocks_and_cas() {
    let behind = Scene::new(Duration::from_secs(3600)).await;
    let report = behind.examine(behind.ports()).await;
    found(&report, Check::Ca, Severity::Problem, "s behind it");
    let gone = wants(&behind.dns, &behind.ca, "")
        .replace(&behind.ca.addr().port().to_string(), &closed().to_string());
    let report = examined("www.a.test", &gone, behind.gateway.dir(), behind.ports()).await;
    found(&report, Check::Ca, Severity::Problem, "refused the connection");
}

#[tokio::test]
async fn without_a_gateway_the_doctor_listens_itself() {
    let (dns, ca) = (Dns::start().await, ca(Duration::ZERO).await);
    dns.set_address("www.a.test", HOME);
    let (port, dir) = (closed(), tempfile::tempdir().unwrap());
    let text = wants(&dns, &ca, "").replacen("127.0.0.1:0", &format!("127.0.0.1:{port}"), 1);
    let ports = Ports { http: port, https: closed(), dns: dns.addr.port() };
    let report = examined("www.a.test", &text, dir.path(), ports).await;
    assert!(report.ok, "{report:#?}");
    found(&report, Check::Http01, Severity::Ok, "would be reached, if it ran");
    found(&report, Check::Storage, Severity::Warning, "No gateway runs");
    assert_eq!(dir.path().read_dir().unwrap().count(), 0, "something was written");
    let _taken = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    let report = examined("www.a.test", &text, dir.path(), ports).await;
    found(&report, Check::Http01, Severity::Problem, "another program listens");
}

#[tokio::test]
async fn what_is_no_folder_is_no_storage() {
    let (dns, ca) = (Dns::start().await, ca(Duration::ZERO).await);
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("storage"), "in the way").unwrap();
    let ports = Ports { http: closed(), https: closed(), dns: dns.addr.port() };
    let report = examined("www.a.test", &wants(&dns, &ca, ""), dir.path(), ports).await;
    found(&report, Check::Storage, Severity::Problem, "is not a folder");
}

#[tokio::test]
async fn what_the_configuration_does_not_want() {
    let ports = Ports::default();
    let dir = tempfile::tempdir().unwrap();
    let text = config("", &answering_site("a.test"));
    let report = examined("a.test", &text, dir.path(), ports).await;
    found(&report, Check::Configuration, Severity::Problem, "is one of the local CA");
    let report = examined("b.test", &text, dir.path(), ports).await;
    found(&report, Check::Configuration, Severity::Problem, "No site answers to b.test");
}
