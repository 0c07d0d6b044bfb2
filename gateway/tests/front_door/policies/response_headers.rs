//! Response headers: presets, `set`, `default`, `remove`; never two of the same.
//!
//! What nginx did: `add_header`, which an `add_header` further in takes away, and which doubles what
//! the application says too.

use hyper::header::{HeaderName, HeaderValue};
use hyper::{Response, StatusCode};

use crate::harness::gateway::Gateway;
use crate::harness::http_client::Http;
use crate::harness::origin::Origin;
use crate::harness::replies::{Reply, full};
use crate::harness::{config, one_site};

/// What the old front door and its upstreams both used to send.
const SECURITY: [&str; 6] = [
    "x-frame-options",
    "x-content-type-options",
    "referrer-policy",
    "content-security-policy",
    "strict-transport-security",
    "permissions-policy",
];

/// An origin that has an opinion on every security header, and gives its version away.
async fn opinionated() -> Origin {
    Origin::http(async |_| {
        let mut response = Response::new(full("page"));
        for name in SECURITY {
            let name = HeaderName::from_static(name);
            response.headers_mut().insert(name, HeaderValue::from_static("origin"));
        }
        let headers = response.headers_mut();
        headers.insert("x-powered-by", HeaderValue::from_static("PHP/5.2"));
        headers.insert("x-kept", HeaderValue::from_static("from the origin"));
        headers.append("set-cookie", HeaderValue::from_static("a=1"));
        headers.append("set-cookie", HeaderValue::from_static("b=2"));
        response
    })
    .await
}

async fn replies(origin: &Origin, keys: &str) -> Vec<Reply> {
    let gateway = Gateway::start(&config("", &one_site(origin.addr(), keys))).await;
    let mut replies = Vec::new();
    for mut http in Http::both(&gateway, "app.test").await {
        replies.push(http.get("/").await);
    }
    replies
}

fn no_security_header_twice(reply: &Reply, what: &str) {
    for name in SECURITY {
        let values = reply.values(name);
        assert!(values.len() <= 1, "{what}: {name} is there twice: {values:?}");
    }
}

#[tokio::test]
async fn no_preset_doubles_a_header_that_the_origin_sends_too() {
    let origin = opinionated().await;
    for preset in ["app", "api", "grafana", "off"] {
        for reply in replies(&origin, &format!("headers = \"{preset}\"")).await {
            assert_eq!(reply.status, StatusCode::OK);
            no_security_header_twice(&reply, preset);
            assert_eq!(reply.values("set-cookie"), ["a=1", "b=2"], "{preset}");
            assert_eq!(reply.header("x-kept").as_deref(), Some("from the origin"), "{preset}");
        }
    }
}

#[tokio::test]
async fn the_presets_bring_what_they_are_for() {
    let origin = Origin::text("page").await;
    for reply in replies(&origin, "headers = \"app\"").await {
        assert_eq!(reply.header("x-content-type-options").as_deref(), Some("nosniff"));
        assert!(reply.header("strict-transport-security").is_some(), "{:?}", reply.headers);
        assert!(reply.header("referrer-policy").is_some(), "{:?}", reply.headers);
        let framing = reply.header("x-frame-options").unwrap_or_default();
        assert!(["DENY", "SAMEORIGIN"].contains(&framing.as_str()), "{:?}", reply.headers);
    }
    for reply in replies(&origin, "headers = \"api\"").await {
        assert_eq!(reply.header("x-content-type-options").as_deref(), Some("nosniff"));
        assert!(reply.header("strict-transport-security").is_some(), "{:?}", reply.headers);
    }
    for reply in replies(&origin, "headers = \"grafana\"").await {
        assert_eq!(reply.header("x-frame-options").as_deref(), Some("SAMEORIGIN"));
        assert_eq!(reply.header("content-security-policy"), None, "Grafana brings its own");
    }
    for reply in replies(&origin, "headers = \"off\"").await {
        for name in SECURITY {
            assert_eq!(reply.header(name), None, "off adds nothing");
        }
    }
}

#[tokio::test]
async fn set_replaces_default_yields_and_remove_drops() {
    let origin = opinionated().await;
    let keys = "headers = { preset = \"off\",\n\
         set = { \"X-Kept\" = \"from the gateway\", \"X-New\" = \"new\" },\n\
         default = { \"X-Frame-Options\" = \"DENY\", \"X-Default\" = \"default\" },\n\
         remove = [\"X-Powered-By\", \"Permissions-Policy\"] }";
    for reply in replies(&origin, keys).await {
        assert_eq!(reply.header("x-kept").as_deref(), Some("from the gateway"));
        assert_eq!(reply.header("x-new").as_deref(), Some("new"));
        assert_eq!(reply.header("x-frame-options").as_deref(), Some("origin"));
        assert_eq!(reply.header("x-default").as_deref(), Some("default"));
        assert_eq!(reply.header("x-powered-by"), None);
        assert_eq!(reply.header("permissions-policy"), None);
    }
}

#[tokio::test]
async fn a_route_adds_to_its_site_and_takes_nothing_away() {
    let origin = Origin::text("page").await;
    let toml = format!(
        "[site.\"app.test\"]\ntls = \"self-signed\"\n\
         headers = {{ preset = \"app\", set = {{ \"X-Site\" = \"site\", \"X-Both\" = \"site\" }} }}\n\
         routes = [\n\
         {{ path = \"/api/*\", to = \"{0}\", headers = {{ set = {{ \"X-Route\" = \"route\", \"X-Both\" = \"route\" }} }} }},\n\
         {{ path = \"/*\", to = \"{0}\" }},\n]\n",
        origin.addr()
    );
    let gateway = Gateway::start(&config("", &toml)).await;
    let mut http = Http::http2(&gateway, "app.test").await;
    let reply = http.get("/api/x").await;
    assert_eq!(reply.header("x-route").as_deref(), Some("route"));
    assert_eq!(reply.header("x-both").as_deref(), Some("route"), "the nearest level decides");
    assert_eq!(reply.header("x-site").as_deref(), Some("site"), "the site's headers are not lost");
    assert_eq!(reply.header("x-content-type-options").as_deref(), Some("nosniff"));
    let reply = http.get("/").await;
    assert_eq!(reply.header("x-route"), None);
    assert_eq!(reply.header("x-both").as_deref(), Some("site"));
}

#[tokio::test]
async fn answers_of_the_gateway_itself_have_the_headers_too() {
    let toml = "[site.\"app.test\"]\ntls = \"self-signed\"\nheaders = \"app\"\nroutes = [\n\
        { path = \"/fixed\", respond = { status = 200, body = \"x\" } },\n\
        { path = \"/*\", to = \"127.0.0.1:1\" },\n]\n";
    let gateway = Gateway::start(&config("", toml)).await;
    for mut http in Http::both(&gateway, "app.test").await {
        for (path, status) in [("/fixed", 200), ("/gone", 502), ("/.git/config", 403)] {
            let reply = http.get(path).await;
            assert_eq!(reply.status, status, "{path}");
            let sniff = reply.header("x-content-type-options");
            assert_eq!(sniff.as_deref(), Some("nosniff"), "{path}: {:?}", reply.headers);
        }
    }
}

#[tokio::test]
async fn nobody_learns_what_serves_here() {
    let origin = Origin::http(async |_| {
        let mut response = Response::new(full("page"));
        response.headers_mut().insert("server", HeaderValue::from_static("nginx/1.18.0"));
        response
    })
    .await;
    let toml = format!(
        "[site.\"app.test\"]\ntls = \"self-signed\"\nroutes = [\n\
         {{ path = \"/fixed\", respond = {{ status = 200, body = \"x\" }} }},\n\
         {{ path = \"/gone\", to = \"127.0.0.1:1\" }},\n\
         {{ path = \"/*\", to = \"{}\" }},\n]\n",
        origin.addr()
    );
    let gateway = Gateway::start(&config("", &toml)).await;
    let mut connections = Vec::from(Http::both(&gateway, "app.test").await);
    connections.push(Http::plain(gateway.http(), "app.test").await);
    for mut http in connections {
        for path in ["/fixed", "/gone", "/", "/.git/config", "/healthz"] {
            let reply = http.get(path).await;
            let server = reply.header("server");
            assert_eq!(server, None, "{path} over {:?} names a server", http.version());
            assert_eq!(reply.header("via"), None, "{path}");
        }
    }
}
