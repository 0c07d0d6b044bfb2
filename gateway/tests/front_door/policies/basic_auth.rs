//! `auth = { basic }`: names and passwords, held against hashes by argon2 and bcrypt.

use argon2::password_hash::PasswordHasher;
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::StatusCode;

use crate::harness::config;
use crate::harness::gateway::{Gateway, folder};
use crate::harness::http_client::{Http, get, get_with};
use crate::harness::origin::{Origin, echo, echoed, echoed_once};

fn by_argon2(password: &str) -> String {
    let params = Params::new(64, 1, 1, None).unwrap();
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon2.hash_password(password.as_bytes()).unwrap().to_string()
}

fn by_bcrypt(password: &str) -> String {
    bcrypt::hash(password, 4).unwrap()
}

fn said(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

async fn guarded() -> (Origin, Gateway) {
    let origin = Origin::http(echo).await;
    let dir = folder();
    let bob = by_bcrypt("b:ob's päss").replacen("$2b$", "$2y$", 1);
    std::fs::write(dir.path().join("htpasswd"), format!("# more\nbob:{bob}\n")).unwrap();
    let site = format!(
        "[site.\"app.test\"]\ntls = \"self-signed\"\n\
         auth = {{ basic = {{ users = {{ alice = \"{}\" }}, file = \"htpasswd\", realm = \"Staging\", user_header = \"Remote-User\" }} }}\n\
         routes = [\n{{ path = \"/*\", to = \"{1}\" }},\n{{ path = \"/open\", to = \"{1}\", auth = \"off\" }},\n]\n",
        by_argon2("open sesame"),
        origin.addr()
    );
    (origin, Gateway::start_in(dir, &config("", &site)).await)
}

#[tokio::test]
async fn users_come_in_and_the_upstream_learns_their_name_alone() {
    let (_origin, gateway) = guarded().await;
    for mut http in Http::both(&gateway, "app.test").await {
        for (user, password) in [("alice", "open sesame"), ("bob", "b:ob's päss")] {
            // Twice: the second time it is remembered.
            for _ in 0..2 {
                let said = said(user, password);
                let headers = [("authorization", said.as_str()), ("remote_user", "root")];
                let reply = http.request(get_with("/", &headers)).await;
                assert_eq!(reply.status, StatusCode::OK, "{user}");
                let seen = reply.json();
                assert_eq!(echoed_once(&seen, "remote-user").as_deref(), Some(user));
                assert_eq!(echoed(&seen, "remote_user"), Vec::<String>::new());
                assert_eq!(echoed_once(&seen, "authorization"), None);
            }
        }
    }
}

#[tokio::test]
async fn nobody_else_does() {
    let (origin, gateway) = guarded().await;
    for mut http in Http::both(&gateway, "app.test").await {
        let long = "x".repeat(20_000);
        let mut refused = vec![
            said("alice", "open sesame "),
            said("alice", ""),
            said("bob", "open sesame"),
            said("carol", "open sesame"),
            said("", ""),
            said("alice", &long),
            "Basic".into(),
            "Basic !!!".into(),
            "Basic YWxpY2U=".into(),
            "Basic /w==".into(),
            "Bearer x".into(),
            String::new(),
        ];
        // After a good one too.
        let good = said("alice", "open sesame");
        http.request(get_with("/", &[("authorization", &good)])).await;
        refused.push(said("alice", "open sesam"));
        for value in refused {
            let reply = http.request(get_with("/", &[("authorization", &value)])).await;
            assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{value:.40}");
            let challenge = reply.header("www-authenticate");
            assert_eq!(challenge.as_deref(), Some("Basic realm=\"Staging\", charset=\"UTF-8\""));
        }
        assert_eq!(http.get("/").await.status, StatusCode::UNAUTHORIZED);
        let two = get_with("/", &[("authorization", &good), ("authorization", &good)]);
        assert_eq!(http.request(two).await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(http.request(get("/open")).await.status, StatusCode::OK);
    }
    assert_eq!(origin.seen().len(), 4, "{:?}", origin.seen());
    let record = gateway.record("a refusal", |record| record["status"] == 401).await;
    let said = gateway.access_log() + &gateway.events();
    assert!(record["error"].is_string());
    assert!(!said.contains("sesame") && !said.contains("YWxpY2U"), "{said}");
}

#[tokio::test]
async fn a_page_s_many_requests_do_not_wait_for_each_other() {
    let (_origin, gateway) = guarded().await;
    let http = Http::http2(&gateway, "app.test").await;
    let good = said("alice", "open sesame");
    let requests = (0..60).map(|number| {
        let (mut http, good) = (http.beside(), good.clone());
        tokio::spawn(async move {
            let value = if number % 3 == 0 { said("alice", "wrong") } else { good };
            http.request(get_with("/", &[("authorization", &value)])).await.status
        })
    });
    for (number, request) in requests.collect::<Vec<_>>().into_iter().enumerate() {
        let expected = if number % 3 == 0 { 401 } else { 200 };
        assert_eq!(request.await.unwrap(), expected, "{number}");
    }
}

#[tokio::test]
async fn what_is_no_hash_keeps_the_gateway_from_starting() {
    let site = "[site.\"app.test\"]\ntls = \"self-signed\"\nauth = { basic = { file = \"htpasswd\" } }\n\
                routes = [{ path = \"/*\", respond = { status = 200 } }]\n";
    let with = |text: &str| {
        let dir = folder();
        std::fs::write(dir.path().join("htpasswd"), text).unwrap();
        dir
    };
    for (dir, sentence) in [
        (folder(), "htpasswd` cannot be read"),
        (with("alice:hunter2\n"), "it is no hash, and may be the password itself"),
        (with("alice:$apr1$x$y\n"), "it is a hash by MD5"),
        (with("\nalice\n"), "line 2 of the file of users"),
        (with("# nobody\n"), "names nobody"),
    ] {
        let failed = Gateway::fail_in(dir, &config("", site)).await;
        assert_eq!(failed.status.code(), Some(1));
        assert!(failed.stderr.contains("site `app.test`, route `/*`: `auth`: "));
        assert!(failed.stderr.contains(sentence), "{}", failed.stderr);
        assert!(!failed.stderr.contains("hunter2"), "{}", failed.stderr);
    }
}
