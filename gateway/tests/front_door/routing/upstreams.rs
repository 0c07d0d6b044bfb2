//! Upstreams: bare addresses, named ones, unix sockets, and https with a verified certificate.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use hyper::{Response, StatusCode};

use crate::harness::certs::{Authority, Kind};
use crate::harness::dns::Dns;
use crate::harness::gateway::{Gateway, folder};
use crate::harness::http_client::Http;
use crate::harness::origin::Origin;
use crate::harness::replies::full;
use crate::harness::{config, one_site};

#[tokio::test]
async fn a_named_upstream_takes_its_servers_in_turn() {
    let (one, two) = (Origin::text("one").await, Origin::text("two").await);
    let toml = format!(
        "[upstream.app]\nservers = [\"{}\", \"{}\"]\n\n{}",
        one.addr(),
        two.addr(),
        one_site("app", "")
    );
    let gateway = Gateway::start(&config("workers = 1", &toml)).await;
    let mut http = Http::http2(&gateway, "app.test").await;
    let mut answers = Vec::new();
    for _ in 0..10 {
        answers.push(http.get("/").await.text());
    }
    let of_one = answers.iter().filter(|answer| *answer == "one").count();
    assert_eq!(of_one, 5, "ten requests were shared out as {answers:?}");
}

#[tokio::test]
async fn a_name_is_resolved_by_the_configured_server() {
    let origin = Origin::text("resolved").await;
    let dns = Dns::start().await;
    dns.set_address("backend.test", IpAddr::V4(Ipv4Addr::LOCALHOST));
    let toml = one_site(format_args!("backend.test:{}", origin.addr().port()), "");
    let gateway = Gateway::start(&config(&dns.key(), &toml)).await;
    let mut http = Http::http2(&gateway, "app.test").await;
    assert_eq!(http.get("/").await.text(), "resolved");
    assert!(dns.asked("backend.test") > 0, "nobody asked the name server");
}

#[tokio::test]
async fn a_unix_socket_is_an_upstream() {
    let dir = folder();
    let socket = dir.path().join("app.sock");
    let origin = Origin::unix(&socket, async |_| Response::new(full("by socket")));
    let toml = one_site(format_args!("unix:{}", socket.display()), "");
    let gateway = Gateway::start_in(dir, &config("", &toml)).await;
    for mut http in Http::both(&gateway, "app.test").await {
        for _ in 0..2 {
            assert_eq!(http.get("/").await.text(), "by socket");
        }
    }
    drop(origin);
}

#[tokio::test]
async fn a_unix_socket_that_is_not_there_is_a_502() {
    let dir = folder();
    let socket = dir.path().join("missing.sock");
    let toml = one_site(format_args!("unix:{}", socket.display()), "");
    let gateway = Gateway::start_in(dir, &config("", &toml)).await;
    let mut http = Http::http2(&gateway, "app.test").await;
    assert_eq!(http.get("/").await.status, StatusCode::BAD_GATEWAY);
}

struct Verified {
    gateway: Gateway,
    origin: Origin,
    _dns: Dns,
}

/// A gateway in front of a TLS origin that calls itself `shown`, and is called `secure.test` in the
/// configuration; `ca` is trusted.
async fn https_upstream(authority: &Authority, shown: &str, ca: Option<&Authority>) -> Verified {
    let dns = Dns::start().await;
    dns.set_address("secure.test", IpAddr::V4(Ipv4Addr::LOCALHOST));
    let issued = authority.issue(&[shown], Kind::Ecdsa);
    let origin =
        Origin::tls(issued.server_config(), async |_| Response::new(full("over tls"))).await;
    let dir = folder();
    let ca_key = ca.map_or("", |ca| {
        write_ca(dir.path(), ca);
        "ca = \"upstream-ca.pem\""
    });
    let toml = format!(
        "[upstream.secure]\nservers = [\"https://secure.test:{}\"]\n{ca_key}\n\n{}",
        origin.addr().port(),
        one_site("secure", "")
    );
    let gateway = Gateway::start_in(dir, &config(&dns.key(), &toml)).await;
    Verified { gateway, origin, _dns: dns }
}

fn write_ca(dir: &Path, ca: &Authority) {
    std::fs::write(dir.join("upstream-ca.pem"), ca.pem()).unwrap();
}

#[tokio::test]
async fn an_https_upstream_with_a_certificate_of_the_trusted_ca_is_used() {
    let authority = Authority::new();
    let setup = https_upstream(&authority, "secure.test", Some(&authority)).await;
    for mut http in Http::both(&setup.gateway, "app.test").await {
        let reply = http.get("/").await;
        assert_eq!((reply.status, reply.text().as_str()), (StatusCode::OK, "over tls"));
    }
}

#[tokio::test]
async fn an_https_upstream_that_cannot_be_verified_is_a_502_and_sees_no_request() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let cases = [
        ("no CA given", https_upstream(&authority, "secure.test", None).await),
        ("another CA", https_upstream(&authority, "secure.test", Some(&stranger)).await),
        ("another name", https_upstream(&authority, "other.test", Some(&authority)).await),
    ];
    for (what, setup) in cases {
        let mut http = Http::http2(&setup.gateway, "app.test").await;
        let reply = http.get("/secret").await;
        assert_eq!(reply.status, StatusCode::BAD_GATEWAY, "{what}");
        assert_eq!(setup.origin.seen(), Vec::<String>::new(), "{what}: the request was sent");
        let record = setup.gateway.record_of("/secret").await;
        let error = record["error"].as_str().unwrap_or_default();
        assert!(!error.is_empty(), "{what}: the access log does not say why: {record}");
    }
}

#[tokio::test]
async fn an_https_upstream_that_speaks_no_tls_is_a_502() {
    let origin = Origin::text("in the clear").await;
    let toml = one_site(format_args!("https://{}", origin.addr()), "");
    let gateway = Gateway::start(&config("", &toml)).await;
    let mut http = Http::http2(&gateway, "app.test").await;
    assert_eq!(http.get("/").await.status, StatusCode::BAD_GATEWAY);
    assert_eq!(origin.seen(), Vec::<String>::new());
}
