//! `balance = { sticky = "…" }`: a client stays with its server.

use super::{app, start};
use crate::harness::config;
use crate::harness::gateway::Gateway;
use crate::harness::http_client::{Http, get_with};
use crate::harness::origin::Origin;
use crate::harness::replies::Reply;

const KEYS: &str = "balance = { sticky = \"server\" }";

/// The cookie that an answer sets, as a client sends it.
fn cookie(reply: &Reply) -> String {
    let set = reply.header("set-cookie").expect("a cookie");
    let (pair, attributes) = set.split_once("; ").unwrap();
    assert_eq!(attributes, "Path=/; HttpOnly; Secure; SameSite=Lax");
    pair.to_owned()
}

async fn ask(http: &mut Http, cookie: &str) -> Reply {
    http.request(get_with("/", &[("cookie", &format!("theme=dark; {cookie}"))])).await
}

#[tokio::test]
async fn a_client_with_a_cookie_stays_and_others_are_shared_out() {
    let (one, two) = (Origin::text("one").await, Origin::text("two").await);
    let gateway = start(&[&one, &two], KEYS).await;
    for mut http in Http::both(&gateway, "app.test").await {
        for _ in 0..2 {
            let first = http.get("/").await;
            let cookie = cookie(&first);
            for _ in 0..5 {
                let next = ask(&mut http, &cookie).await;
                assert_eq!(next.text(), first.text());
                assert_eq!(next.header("set-cookie"), None, "it has the cookie already");
            }
            for origin in [&one, &two] {
                let port = origin.addr().port().to_string();
                assert!(!cookie.contains(&port), "{cookie} tells where the server is");
            }
        }
    }
    assert_eq!(one.seen().len() + two.seen().len(), 24);
}

#[tokio::test]
async fn a_client_whose_server_is_gone_gets_another_and_its_cookie() {
    let (one, two) = (Origin::text("one").await, Origin::text("two").await);
    let gateway = start(&[&one, &two], KEYS).await;
    let mut http = Http::http2(&gateway, "app.test").await;
    let first = http.get("/").await;
    let left = if first.text() == "one" {
        drop(one);
        two
    } else {
        drop(two);
        one
    };
    let next = ask(&mut http, &cookie(&first)).await;
    assert_ne!(next.text(), first.text());
    let again = ask(&mut http, &cookie(&next)).await;
    assert_eq!((again.text(), again.header("set-cookie")), (next.text(), None));
    drop(left);
}

#[tokio::test]
async fn a_made_up_cookie_is_replaced() {
    let (one, two) = (Origin::text("one").await, Origin::text("two").await);
    let gateway = start(&[&one, &two], KEYS).await;
    let mut http = Http::http2(&gateway, "app.test").await;
    let long = format!("server={}", "x".repeat(4000));
    for made_up in ["server=one", "server=", "server=00000000000000000000000000000000", &long] {
        let reply = ask(&mut http, made_up).await;
        assert_ne!(cookie(&reply), made_up);
    }
}

#[tokio::test]
async fn a_cookie_means_the_same_after_a_restart() {
    let (one, two) = (Origin::text("one").await, Origin::text("two").await);
    let toml = config("workers = 1", &app(&[one.addr(), two.addr()], KEYS));
    let mut gateway = Gateway::start(&toml).await;
    let mut http = Http::http1(&gateway, "app.test").await;
    let known = [http.get("/").await, http.get("/").await];
    assert_ne!(known[0].text(), known[1].text(), "two clients, two servers");
    drop(http);
    gateway.stop().await;
    let gateway = Gateway::start_in(gateway.into_dir(), &toml).await;
    let mut http = Http::http1(&gateway, "app.test").await;
    for before in &known {
        let after = ask(&mut http, &cookie(before)).await;
        assert_eq!((after.text(), after.header("set-cookie")), (before.text(), None));
    }
}
