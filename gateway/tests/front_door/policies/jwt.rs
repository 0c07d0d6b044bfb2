//! `auth = { jwt }`: tokens, and the issuer's keys.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use aws_lc_rs::hmac;
use hyper::{Request, Response, StatusCode};
use serde_json::json;
use tokio::io::AsyncReadExt;

use crate::harness::gateway::{Gateway, folder};
use crate::harness::http_client::{Http, get_with};
use crate::harness::origin::{Origin, echo, echoed, echoed_once, status};
use crate::harness::replies::{Reply, full};
use crate::harness::tokens::{AUDIENCE, ISSUER, Signer, encoded, key_set, now, unsigned};
use crate::harness::{config, eventually};

fn site(origin: &Origin, jwks: &str, more: &str) -> String {
    config(
        "",
        &format!(
            "[site.\"app.test\"]\ntls = \"self-signed\"\nroutes = [\n\
             {{ path = \"/*\", to = \"{}\", auth = {{ jwt = {{ jwks = \"{jwks}\", issuer = \"{ISSUER}\", audience = \"{AUDIENCE}\",\n\
             cookie = \"token\", copy_claims = {{ X-User = \"sub\", X-Roles = \"roles\" }}, {more} }} }} }},\n]\n",
            origin.addr()
        ),
    )
}

/// An issuer whose keys can be changed, and how often it was asked.
async fn issuer(signers: &[&Signer]) -> (Origin, Arc<Mutex<String>>, Arc<AtomicUsize>) {
    let keys = Arc::new(Mutex::new(key_set(signers.iter().copied())));
    let asked = Arc::<AtomicUsize>::default();
    let (said, count) = (Arc::clone(&keys), Arc::clone(&asked));
    let origin = Origin::http(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        let text = said.lock().unwrap().clone();
        async move {
            match text.is_empty() {
                true => status(StatusCode::INTERNAL_SERVER_ERROR, "down"),
                false => Response::new(full(text)),
            }
        }
    })
    .await;
    (origin, keys, asked)
}

fn url(issuer: &Origin) -> String {
    format!("http://{}/keys?v=1", issuer.addr())
}

async fn ask(http: &mut Http, token: &str) -> Reply {
    // HTTP/2 has no values that end with a space.
    let value = format!("Bearer {token}");
    http.request(get_with("/", &[("authorization", value.trim_end())])).await
}

#[tokio::test]
async fn a_token_of_each_kind_lets_its_bearer_in() {
    let signers = [Signer::rsa("r"), Signer::ec("e"), Signer::ed("d")];
    let origin = Origin::http(echo).await;
    let (issuer, _keys, asked) = issuer(&signers.each_ref()).await;
    let gateway = Gateway::start(&site(&origin, &url(&issuer), "")).await;
    for mut http in Http::both(&gateway, "app.test").await {
        for signer in &signers {
            let token = signer.token(|claims| claims["roles"] = json!(["a", "b"]));
            let cookie = format!("a=b; token={token}");
            for (name, value) in [("authorization", format!("bEaReR {token}")), ("cookie", cookie)]
            {
                let headers = [(name, value.as_str()), ("x-user", "root"), ("x_roles", "root")];
                let reply = http.request(get_with("/", &headers)).await;
                assert_eq!(reply.status, StatusCode::OK);
                let seen = reply.json();
                assert_eq!(echoed_once(&seen, "x-user").as_deref(), Some("alice"));
                assert_eq!(echoed_once(&seen, "x-roles").as_deref(), Some("a,b"));
                assert_eq!(echoed(&seen, "x_roles"), Vec::<String>::new());
                assert_eq!(echoed_once(&seen, name).as_deref(), Some(value.as_str()));
            }
        }
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1, "keys are kept");
    assert_eq!(issuer.seen(), ["GET /keys?v=1"]);
}

#[tokio::test]
async fn no_other_token_does() {
    let (signer, stranger) = (Signer::ed("d"), Signer::ed("d"));
    let rsa = Signer::rsa("r");
    let origin = Origin::http(echo).await;
    let (issuer, _keys, _asked) = issuer(&[&signer, &rsa]).await;
    let gateway = Gateway::start(&site(&origin, &url(&issuer), "")).await;
    let claims = json!({ "iss": ISSUER, "aud": AUDIENCE, "exp": now() + 300 });
    let none = unsigned(&json!({ "alg": "none" }), &claims) + ".";
    // The oldest trick: the public key as a shared secret.
    let confused = unsigned(&json!({ "alg": "HS256", "kid": "r" }), &claims);
    let key = hmac::Key::new(hmac::HMAC_SHA256, &rsa.public_bytes());
    let tag = hmac::sign(&key, confused.as_bytes());
    let confused = format!("{confused}.{}", encoded(tag.as_ref()));
    let good = signer.token(|_| ());
    let (head, signature) = good.rsplit_once('.').unwrap();
    let crit = json!({ "alg": "EdDSA", "kid": "d", "crit": ["b64"], "b64": false });
    let other_alg = json!({ "alg": "RS256", "kid": "d" });
    let tokens = [
        ("empty", String::new()),
        ("a word", "token".into()),
        ("dots", "..".into()),
        ("not base64", "!.!.!".into()),
        ("not JSON", format!("{0}.{0}.{0}", encoded(b"x"))),
        ("oversize", format!("{}.{}", "A".repeat(30_000), "B".repeat(20_000))),
        ("expired", signer.token(|claims| claims["exp"] = (now() - 61).into())),
        ("not yet", signer.token(|claims| claims["nbf"] = (now() + 120).into())),
        ("without an end", signer.token(|claims| claims["exp"] = json!(null))),
        ("another issuer's", signer.token(|claims| claims["iss"] = "https://evil.test".into())),
        ("for another", signer.token(|claims| claims["aud"] = "other".into())),
        ("for nobody", signer.token(|claims| claims["aud"] = json!(null))),
        ("a stranger's", stranger.token(|_| ())),
        ("cut off", head.to_owned()),
        ("without a signature", format!("{head}.")),
        ("of another signature", format!("{head}.{}", encoded(&[7; 64]))),
        ("with a tail", format!("{head}.{signature}.x")),
        ("none", none),
        ("confused", confused),
        ("critical", signer.token_with(&crit, |_| ())),
        ("of another algorithm", signer.token_with(&other_alg, |_| ())),
    ];
    for mut http in Http::both(&gateway, "app.test").await {
        for (what, token) in &tokens {
            let reply = ask(&mut http, token).await;
            assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{what}");
            let challenge = reply.header("www-authenticate");
            assert_eq!(challenge.as_deref(), Some("Bearer error=\"invalid_token\""), "{what}");
        }
        let nobody = http.get("/").await;
        assert_eq!(nobody.header("www-authenticate").as_deref(), Some("Bearer"));
        let twice = format!("Bearer {good}");
        let twice = get_with("/", &[("authorization", &twice), ("authorization", &twice)]);
        assert_eq!(http.request(twice).await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(ask(&mut http, &good).await.status, StatusCode::OK);
    }
    assert_eq!(origin.seen().len(), 2);
    assert!(!(gateway.access_log() + &gateway.events()).contains(signature));
}

#[tokio::test]
async fn clocks_may_be_a_little_apart() {
    let signer = Signer::ec("e");
    let origin = Origin::http(echo).await;
    let (issuer, _keys, _asked) = issuer(&[&signer]).await;
    let gateway = Gateway::start(&site(&origin, &url(&issuer), "")).await;
    let mut http = Http::http2(&gateway, "app.test").await;
    let late = signer.token(|claims| claims["exp"] = (now() - 20).into());
    let early = signer.token(|claims| claims["nbf"] = (now() + 40).into());
    for token in [late, early] {
        assert_eq!(ask(&mut http, &token).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_claim_that_is_asked_for_must_be_there() {
    let signer = Signer::ed("d");
    let origin = Origin::http(echo).await;
    let (issuer, _keys, _asked) = issuer(&[&signer]).await;
    let claims = "claims = { scope = \"orders:read\", roles = \"staff\" }";
    let gateway = Gateway::start(&site(&origin, &url(&issuer), claims)).await;
    for mut http in Http::both(&gateway, "app.test").await {
        for (scope, roles, expected) in [
            (json!("orders:read users:read"), json!(["staff"]), 200),
            (json!("users:read orders:read"), json!("staff"), 200),
            (json!("orders:readers"), json!("staff"), 403),
            (json!("orders:read"), json!(["staffer"]), 403),
            (json!("orders:read"), json!(null), 403),
            (json!(7), json!({ "staff": true }), 403),
        ] {
            let token = signer.token(|claims| {
                (claims["scope"], claims["roles"]) = (scope.clone(), roles.clone());
            });
            let reply = ask(&mut http, &token).await;
            assert_eq!(reply.status, expected, "{scope} {roles}");
            let challenge = reply.header("www-authenticate");
            let denied = Some("Bearer error=\"insufficient_scope\"".to_owned());
            assert_eq!(challenge, denied.filter(|_| expected == 403));
        }
    }
}

#[tokio::test]
async fn a_new_key_is_fetched_and_an_issuer_that_is_gone_forgiven() {
    let (old, new) = (Signer::ed("old"), Signer::ed("new"));
    let origin = Origin::http(echo).await;
    let (issuer, keys, asked) = issuer(&[&old]).await;
    let gateway = Gateway::start(&site(&origin, &url(&issuer), "")).await;
    let mut http = Http::http2(&gateway, "app.test").await;
    keys.lock().unwrap().clear();
    // Down at first.
    assert_eq!(ask(&mut http, &old.token(|_| ())).await.status, StatusCode::SERVICE_UNAVAILABLE);
    *keys.lock().unwrap() = key_set([&old, &new]);
    let (gateway, token) = (&gateway, &old.token(|_| ()));
    eventually("the keys to be fetched", || async move {
        let mut http = Http::http1(gateway, "app.test").await;
        (ask(&mut http, token).await.status == StatusCode::OK).then_some(())
    })
    .await;
    let before = asked.load(Ordering::SeqCst);
    // However many keys are made up, the issuer is not asked again so soon.
    for number in 0..20 {
        let unknown = Signer::ed(&format!("made-up-{number}"));
        assert_eq!(ask(&mut http, &unknown.token(|_| ())).await.status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(asked.load(Ordering::SeqCst), before);
    keys.lock().unwrap().clear();
    assert_eq!(ask(&mut http, &new.token(|_| ())).await.status, StatusCode::OK);
}

#[tokio::test]
async fn keys_may_stand_in_a_file() {
    let signer = Signer::rsa("r");
    let origin = Origin::http(echo).await;
    let dir = folder();
    std::fs::write(dir.path().join("jwks.json"), key_set([&signer])).unwrap();
    let gateway = Gateway::start_in(dir, &site(&origin, "jwks.json", "")).await;
    let mut http = Http::http1(&gateway, "app.test").await;
    assert_eq!(ask(&mut http, &signer.token(|_| ())).await.status, StatusCode::OK);
    assert_eq!(ask(&mut http, &Signer::rsa("r").token(|_| ())).await.status, 401);

    let dir = folder();
    std::fs::write(dir.path().join("jwks.json"), "{\"keys\":[]}").unwrap();
    for (dir, sentence) in
        [(dir, "it holds no public key that signs"), (folder(), "cannot be read")]
    {
        let failed = Gateway::fail_in(dir, &site(&origin, "jwks.json", "")).await;
        assert!(failed.stderr.contains(sentence), "{}", failed.stderr);
    }
}

/// Issuers that do not tell their keys.
async fn troubled() -> Vec<(&'static str, Origin)> {
    let silent = Origin::raw(|mut stream, _| async move {
        let mut held = Vec::new();
        drop(stream.read_to_end(&mut held).await);
    });
    let text = |text: &'static str| Origin::http(move |_| async move { Response::new(full(text)) });
    let not_found = Origin::http(|_| async { status(StatusCode::NOT_FOUND, "{\"keys\":[]}") });
    vec![
        ("silent", silent.await),
        ("a page", text("<html>log in</html>").await),
        ("no keys", text("{\"keys\":[]}").await),
        ("not found", not_found.await),
    ]
}

#[tokio::test]
async fn without_keys_nobody_comes_in_unless_the_configuration_says_so() {
    let signer = Signer::ed("d");
    let origin = Origin::http(echo).await;
    for (trouble, issuer) in troubled().await {
        let gateway = Gateway::start(&site(&origin, &url(&issuer), "")).await;
        let mut http = Http::http2(&gateway, "app.test").await;
        let reply = ask(&mut http, &signer.token(|_| ())).await;
        assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE, "{trouble}");
        // What could never be a token is refused all the same.
        assert_eq!(ask(&mut http, "x").await.status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(origin.seen(), Vec::<String>::new());
    let jwks = "http://127.0.0.1:1/keys";
    let gateway = Gateway::start(&site(&origin, jwks, "on_error = \"allow\"")).await;
    for mut http in Http::both(&gateway, "app.test").await {
        let token = format!("Bearer {}", signer.token(|_| ()));
        let request = get_with("/", &[("authorization", &token), ("x-user", "root")]);
        let reply = http.request(request).await;
        assert_eq!(reply.status, StatusCode::OK);
        assert_eq!(echoed_once(&reply.json(), "x-user"), None, "nobody is known");
        assert_eq!(http.get("/").await.status, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn ten_megabytes_of_headers_are_no_token() {
    let signer = Signer::ed("d");
    let origin = Origin::http(echo).await;
    let (issuer, _keys, asked) = issuer(&[&signer]).await;
    let gateway = Gateway::start(&site(&origin, &url(&issuer), "")).await;
    let mut raw = crate::harness::raw_client::Raw::tls(&gateway, "app.test").await;
    raw.write("GET / HTTP/1.1\r\nHost: app.test\r\nAuthorization: Bearer ").await;
    let piece = vec![b'A'; 64 * 1024];
    for _ in 0..160 {
        if !raw.write(&piece).await {
            break;
        }
    }
    let status = raw.head().await.map(|head| head.status);
    assert!(matches!(status, None | Some(431)), "{status:?}");
    let mut http = Http::http2(&gateway, "app.test").await;
    let cookie = format!("token={}", "A".repeat(40_000));
    let oversize = Request::get("/").header("cookie", cookie);
    let reply = http.request(oversize.body(crate::harness::replies::empty()).unwrap()).await;
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
    assert_eq!((asked.load(Ordering::SeqCst), origin.seen().len()), (0, 0));
}
