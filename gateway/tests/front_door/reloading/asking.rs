//! Who may ask for a reload, and what they are told.

use std::net::{SocketAddr, UdpSocket};

use hyper::{Request, StatusCode};
use serde_json::Value;

use super::{command, reload, rewrite};
use crate::harness::gateway::{Gateway, folder};
use crate::harness::http_client::{Http, get, post};
use crate::harness::replies::empty;
use crate::harness::{answering_site, config, skipped};

fn good() -> String {
    config("", &answering_site("app.test"))
}

#[tokio::test]
async fn json_for_scripts() {
    let gateway = Gateway::start(&good()).await;
    let admin = gateway.admin().to_string();
    let json = async |expected: i32| -> Value {
        let said = command(&gateway, &["reload", "--admin", &admin, "--json"]).await;
        assert_eq!((said.code, said.stderr.as_str()), (Some(expected), ""));
        serde_json::from_str(&said.stdout).unwrap()
    };
    rewrite(&gateway, &config("drain = \"1s\"", &answering_site("new.test")));
    let told = json(0).await;
    assert_eq!((&told["ok"], &told["outcome"]), (&true.into(), &"reloaded".into()));
    assert_eq!(told["changes"]["sites"]["added"], serde_json::json!(["new.test"]));
    assert_eq!(told["changes"]["sites"]["removed"], serde_json::json!(["app.test"]));
    assert_eq!(told["changes"]["server"], serde_json::json!(["drain"]));
    rewrite(&gateway, &good().replace("tls", "tsl"));
    let told = json(1).await;
    assert_eq!((&told["ok"], &told["outcome"]), (&false.into(), &"refused".into()));
    assert!(told["problems"].as_array().unwrap().iter().any(|one| one["code"] == "unknown-key"));
    assert_eq!(told["problems"][0]["place"]["line"], 9, "{told}");
}

#[tokio::test]
async fn warnings_are_shown_and_stop_nothing() {
    let gateway = Gateway::start(&good()).await;
    let unused = good() + "[upstream.nobody]\nservers = [\"a:1\"]\n";
    let said = reload(&gateway, &unused).await;
    assert_eq!(said.code, Some(0));
    assert!(said.stdout.contains("warning[unused-upstream]"), "{}", said.stdout);
    assert!(said.stdout.contains("The configuration was reloaded.\n"), "{}", said.stdout);
}

#[tokio::test]
async fn a_web_page_cannot_ask() {
    let gateway = Gateway::start(&good()).await;
    for (name, value) in [
        ("origin", "http://evil.test"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-origin"),
    ] {
        let mut http = Http::plain(gateway.admin(), "localhost").await;
        let request = Request::post("/reload").header(name, value).body(empty()).unwrap();
        let reply = http.request(request).await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN, "{name}: {value}");
        assert_eq!(reply.header("access-control-allow-origin"), None);
    }
    let mut http = Http::plain(gateway.admin(), "localhost").await;
    assert_eq!(http.request(get("/reload")).await.status, StatusCode::METHOD_NOT_ALLOWED);
    assert!(!gateway.events().contains("\"reloaded\""), "{}", gateway.events());
}

/// An address of this machine that is not loopback. Nothing is sent to find it.
fn other_address() -> Option<SocketAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    let address = socket.local_addr().ok()?;
    (!address.ip().is_loopback()).then_some(address)
}

#[tokio::test]
async fn another_machine_cannot_ask() {
    let Some(other) = other_address() else {
        skipped("a reload asked for from elsewhere", "this machine has loopback only");
        return;
    };
    let listening = good().replace("admin = \"127.0.0.1:0\"", "admin = \"0.0.0.0:0\"");
    let gateway = Gateway::start(&listening).await;
    let admin = SocketAddr::new(other.ip(), gateway.admin().port());
    let mut http = Http::plain(admin, "gateway").await;
    let reply = http.request(post("/reload", empty())).await;
    assert_eq!(reply.status, StatusCode::FORBIDDEN, "{}", reply.text());
    assert_eq!(http.get("/livez").await.status, StatusCode::OK);
    let mut here = Http::plain(([127, 0, 0, 1], admin.port()).into(), "localhost").await;
    assert_eq!(here.request(post("/reload", empty())).await.status, StatusCode::OK);
}

#[tokio::test]
async fn this_machine_asks_at_whatever_address_is_listened_on() {
    let Some(other) = other_address() else {
        skipped("a reload asked for at an address that is not loopback", "this machine has none");
        return;
    };
    let address = format!("admin = \"{}\"", SocketAddr::new(other.ip(), 0));
    let gateway = Gateway::start(&good().replace("admin = \"127.0.0.1:0\"", &address)).await;
    let mut http = Http::plain(gateway.admin(), "gateway").await;
    let reply = http.request(post("/reload", empty())).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
}

#[tokio::test]
async fn the_public_listeners_know_nothing_of_it() {
    let gateway = Gateway::start(&good()).await;
    let mut plain = Http::plain(gateway.http(), "app.test").await;
    assert_eq!(
        plain.request(post("/reload", empty())).await.status,
        StatusCode::PERMANENT_REDIRECT
    );
    let mut secure = Http::http2(&gateway, "app.test").await;
    assert_eq!(secure.request(post("/reload", empty())).await.text(), "app.test");
    assert!(!gateway.events().contains("\"reloaded\""), "{}", gateway.events());
}

#[tokio::test]
async fn the_configuration_says_where_to_ask_even_a_broken_one() {
    let gateway = Gateway::start(&good()).await;
    let admin = format!("admin = \"{}\"", gateway.admin());
    let named = good().replace("admin = \"127.0.0.1:0\"", &admin);
    rewrite(&gateway, &named);
    let said = command(&gateway, &["reload"]).await;
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(!said.stdout.contains("listening on"), "it is the same address: {}", said.stdout);
    rewrite(&gateway, &named.replace("tls", "tsl"));
    let said = command(&gateway, &["reload", "--config", "gateway.toml"]).await;
    assert_eq!(said.code, Some(1));
    assert!(said.stderr.contains("did you mean `tls`?"), "{}", said.stderr);
}

#[tokio::test]
async fn many_who_ask_at_once_are_all_told() {
    let gateway = Gateway::start(&good()).await;
    let admin = gateway.admin();
    let asking: Vec<_> = (0..20)
        .map(|_| {
            tokio::spawn(async move {
                Http::plain(admin, "localhost").await.request(post("/reload", empty())).await.status
            })
        })
        .collect();
    for asked in asking {
        assert_eq!(asked.await.unwrap(), StatusCode::OK);
    }
}

#[tokio::test]
async fn the_folder_of_several_files_is_read_again() {
    let folder = folder();
    let conf = folder.path().join("conf.d");
    std::fs::create_dir(&conf).unwrap();
    std::fs::write(
        conf.join("10-server.toml"),
        config("", "").replace("\"storage\"", "\"../storage\""),
    )
    .unwrap();
    std::fs::write(conf.join("20-one.toml"), answering_site("one.test")).unwrap();
    let gateway = Gateway::start_from(folder, "conf.d").await;
    assert_eq!(Http::http2(&gateway, "one.test").await.get("/").await.text(), "one.test");
    std::fs::write(gateway.dir().join("conf.d/30-two.toml"), answering_site("two.test")).unwrap();
    let arguments = ["reload", "--config", "conf.d", "--admin", &gateway.admin().to_string()];
    let said = command(&gateway, &arguments).await;
    assert_eq!(said.stdout, "The configuration was reloaded.\nsites added: two.test\n");
    assert_eq!(Http::http2(&gateway, "two.test").await.get("/").await.text(), "two.test");
}
