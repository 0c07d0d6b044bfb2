//! `/metrics`: well-formed, right, and of a size that no client decides.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Stdio};

use hyper::{Method, Request};

use crate::harness::gateway::Gateway;
use crate::harness::http_client::{Http, get_with};
use crate::harness::origin::Origin;
use crate::harness::raw_client::Raw;
use crate::harness::replies::empty;
use crate::harness::tls_client::Tls;
use crate::harness::{config, eventually, skipped};

async fn metrics(gateway: &Gateway) -> String {
    Http::plain(gateway.admin(), "localhost").await.get("/metrics").await.text()
}

/// Every time series, without its value.
fn series(text: &str) -> BTreeSet<String> {
    text.lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| line.rsplit_once(' ').unwrap().0.to_owned())
        .collect()
}

/// The sum of all series of a name whose labels hold all of these.
fn sum(text: &str, name: &str, labels: &[&str]) -> f64 {
    text.lines()
        .filter(|line| line.split(['{', ' ']).next() == Some(name))
        .filter(|line| labels.iter().all(|label| line.contains(label)))
        .map(|line| line.rsplit_once(' ').unwrap().1.parse::<f64>().unwrap())
        .sum()
}

/// A gateway that has seen a bit of everything.
async fn busy() -> (Origin, Gateway) {
    let origin = Origin::text("ok").await;
    let toml = format!(
        "[limit.few]\nrate = \"1/h\"\nburst = 1\n\n\
         [site.\"app.test\"]\ntls = \"self-signed\"\nroutes = [\n\
         {{ path = \"/gone\", to = \"127.0.0.1:1\" }},\n\
         {{ path = \"/limited\", to = \"{0}\", limit = \"few\" }},\n\
         {{ path = \"/*\", to = \"{0}\" }},\n]\n",
        origin.addr()
    );
    let gateway = Gateway::start(&config("", &toml)).await;
    for mut http in Http::both(&gateway, "app.test").await {
        for path in ["/", "/gone", "/limited", "/limited", "/.env"] {
            http.get(path).await;
        }
    }
    Tls::trusting(&gateway.local_ca()).refused(gateway.https(), "unknown.test").await;
    Http::plain(gateway.http(), "app.test").await.get("/").await;
    (origin, gateway)
}

#[tokio::test]
async fn requests_are_counted_by_site_route_method_and_class() {
    let (_origin, gateway) = busy().await;
    eventually("ten requests to be counted", async || {
        let text = metrics(&gateway).await;
        let count = |labels: &[&str]| sum(&text, "gateway_requests_total", labels);
        let site = "site=\"app.test\"";
        let counted = count(&[site]) == 10.0
            && count(&[site, "method=\"GET\""]) == 10.0
            && count(&[site, "route=\"/gone\"", "5xx"]) == 2.0
            && count(&[site, "route=\"/limited\"", "4xx"]) == 3.0
            && count(&[site, "2xx"]) == 3.0;
        counted.then_some(())
    })
    .await;
    let text = metrics(&gateway).await;
    assert_eq!(sum(&text, "gateway_rate_limited_total", &["few"]), 3.0, "{text}");
    assert!(sum(&text, "gateway_tls_handshakes_total", &[]) >= 2.0, "{text}");
    assert!(sum(&text, "gateway_tls_handshake_failures_total", &[]) >= 1.0, "{text}");
    assert!(text.contains("process_resident_memory_bytes"), "{text}");
}

#[tokio::test]
async fn the_text_is_what_prometheus_reads() {
    let (_origin, gateway) = busy().await;
    let text = metrics(&gateway).await;
    for name in series(&text) {
        let base = name.split('{').next().unwrap();
        let family = ["_bucket", "_sum", "_count"]
            .iter()
            .find_map(|suffix| base.strip_suffix(suffix).filter(|family| declared(&text, family)))
            .unwrap_or(base);
        assert!(declared(&text, family), "{name} has no HELP and TYPE");
    }
}

fn declared(text: &str, family: &str) -> bool {
    ["HELP", "TYPE"].iter().all(|word| text.contains(&format!("# {word} {family} ")))
}

#[tokio::test]
async fn promtool_finds_nothing_to_complain_about() {
    let (_origin, gateway) = busy().await;
    let text = metrics(&gateway).await;
    let started = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut promtool = match started {
        Ok(promtool) => promtool,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let why = "promtool is not installed (Debian and Ubuntu: apt install prometheus)";
            return skipped("promtool check metrics", why);
        }
        Err(error) => panic!("promtool could not be started: {error}"),
    };
    promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success() && said.trim().is_empty(), "promtool says:\n{said}");
}

/// Requests of every shape that a client could invent; `salt` makes them unlike any others.
async fn invent(gateway: &Gateway, salt: &str) {
    for mut http in Http::both(gateway, "app.test").await {
        for number in 0..5 {
            let path = format!("/{salt}/{number}?q={salt}");
            let agent = format!("agent-{salt}");
            http.request(get_with(&path, &[("user-agent", &agent), ("referer", &agent)])).await;
            let method = Method::from_bytes(format!("M{salt}{number}").as_bytes()).unwrap();
            let odd = Request::builder().method(method).uri(&path).body(empty()).unwrap();
            http.request(odd).await;
        }
    }
    for number in 0..5 {
        let name = format!("h{number}-{salt}.test");
        Tls::trusting(&gateway.local_ca()).refused(gateway.https(), &name).await;
        let mut raw = Raw::tls(gateway, "app.test").await;
        raw.write(format!("GET / HTTP/1.1\r\nHost: {name}\r\n\r\n")).await;
        raw.head().await;
        let mut raw = Raw::plain(gateway.http()).await;
        raw.write(format!("GET /{salt} HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n"))
            .await;
        raw.rest().await;
    }
}

#[tokio::test]
async fn no_client_can_make_the_metrics_grow() {
    let (_origin, gateway) = busy().await;
    let salts = ["qzone", "qztwo", "qzthree", "qzfour"];
    invent(&gateway, salts[0]).await;
    let before = series(&metrics(&gateway).await);
    for salt in &salts[1..] {
        invent(&gateway, salt).await;
    }
    let after = metrics(&gateway).await;
    for salt in salts {
        assert!(!after.contains(salt), "a client's text {salt:?} is in the metrics");
    }
    let new: Vec<_> = series(&after).difference(&before).cloned().collect();
    assert!(new.is_empty(), "new time series: {new:#?}");
}
