//! PARITY: "`location /api/` …; CORS headers for one origin with credentials, preflight 204 with max-age
//! 86400". Wrong in the old one: the security headers of the server were lost, CORS was sent to all, and
//! OPTIONS of every origin was answered.

use hyper::header::{HeaderName, HeaderValue};
use hyper::{Request, Response, StatusCode};

use crate::harness::config;
use crate::harness::gateway::Gateway;
use crate::harness::http_client::{Http, get_with};
use crate::harness::origin::Origin;
use crate::harness::replies::{Body, Reply, empty, full};

const UAT: &str = "https://uat.familycart.app";
const EVIL: &str = "https://evil.example";

/// An origin that has its own opinion, as applications with a CORS library of their own do.
async fn opinionated() -> Origin {
    Origin::http(async |_| {
        let mut response = Response::new(full("answer"));
        for (name, value) in [
            ("access-control-allow-origin", "*"),
            ("access-control-allow-credentials", "true"),
            ("access-control-allow-private-network", "true"),
            ("vary", "Accept"),
        ] {
            let headers = response.headers_mut();
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        response
    })
    .await
}

async fn gateway(origin: &Origin, cors: &str) -> Gateway {
    let toml = format!(
        "[limit.few]\nrate = \"1/h\"\nburst = 1\n\n\
         [site.\"app.test\"]\ntls = \"self-signed\"\nheaders = \"app\"\ncors = {cors}\nroutes = [\n\
         {{ path = \"/api/*\", to = \"{0}\" }},\n\
         {{ path = \"/few\", to = \"{0}\", limit = \"few\" }},\n\
         {{ path = \"/gone\", to = \"127.0.0.1:1\" }},\n\
         {{ path = \"/fixed\", respond = {{ status = 200, body = \"x\" }} }},\n\
         {{ path = \"/without\", to = \"{0}\", cors = false }},\n]\n",
        origin.addr()
    );
    Gateway::start(&config("", &toml)).await
}

const LISTED: &str = "{ origins = [\"https://uat.familycart.app\"], credentials = true, \
                      methods = [\"GET\", \"PUT\"], max_age = \"24h\", expose = [\"X-Total\"] }";

fn preflight(path: &str, origin: &str, method: &str, headers: &str) -> Request<Body> {
    Request::options(path)
        .header("origin", origin)
        .header("access-control-request-method", method)
        .header("access-control-request-headers", headers)
        .body(empty())
        .unwrap()
}

/// Every header of CORS in an answer.
fn cors_of(reply: &Reply) -> Vec<String> {
    let names =
        reply.headers.iter().filter(|(name, _)| name.as_str().starts_with("access-control"));
    let mut said: Vec<String> =
        names.map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
    said.sort();
    said
}

fn readable_by_uat(reply: &Reply, what: &str) {
    assert_eq!(
        cors_of(reply),
        [
            "access-control-allow-credentials: true",
            "access-control-allow-origin: https://uat.familycart.app",
            "access-control-expose-headers: x-total",
        ],
        "{what}"
    );
    assert!(reply.header("vary").unwrap().contains("Origin"), "{what}: {:?}", reply.headers);
    assert_eq!(reply.header("x-content-type-options").as_deref(), Some("nosniff"), "{what}");
}

#[tokio::test]
async fn only_listed_origins_are_echoed_and_nothing_is_said_twice() {
    let origin = opinionated().await;
    let gateway = gateway(&origin, LISTED).await;
    for mut http in Http::both(&gateway, "app.test").await {
        let reply = http.request(get_with("/api/x", &[("origin", UAT)])).await;
        readable_by_uat(&reply, "/api/x");
        assert_eq!(reply.header("vary").as_deref(), Some("Accept, Origin"));
        for other in [EVIL, "null", "http://uat.familycart.app", "https://uat.familycart.app:444"] {
            let reply = http.request(get_with("/api/x", &[("origin", other)])).await;
            assert_eq!(reply.status, StatusCode::OK, "{other}: it is for the browser to refuse");
            assert_eq!(cors_of(&reply), Vec::<String>::new(), "{other}");
            assert_eq!(reply.header("vary").as_deref(), Some("Accept, Origin"), "{other}");
        }
        let reply = http.get("/api/x").await;
        assert_eq!(cors_of(&reply), Vec::<String>::new(), "not asked from another origin");
        assert_eq!(reply.header("vary").as_deref(), Some("Accept, Origin"));
        assert!(reply.header("strict-transport-security").is_some(), "the old one lost it");
    }
}

#[tokio::test]
async fn preflights_are_answered_here_for_listed_origins_alone() {
    let origin = opinionated().await;
    let gateway = gateway(&origin, LISTED).await;
    for mut http in Http::both(&gateway, "app.test").await {
        for path in ["/api/x", "/gone", "/fixed"] {
            let reply = http.request(preflight(path, UAT, "PUT", "content-type, x-a")).await;
            assert_eq!(reply.status, StatusCode::NO_CONTENT, "{path}");
            assert_eq!(
                cors_of(&reply),
                [
                    "access-control-allow-credentials: true",
                    "access-control-allow-headers: content-type, x-a",
                    "access-control-allow-methods: GET, PUT",
                    "access-control-allow-origin: https://uat.familycart.app",
                    "access-control-max-age: 86400",
                ],
                "{path}"
            );
            assert_eq!(reply.header("vary").as_deref(), Some("Origin"));
            assert!(reply.body.is_empty() && reply.header("content-length").is_none());
            assert!(reply.header("strict-transport-security").is_some());
        }
        for other in [EVIL, "null"] {
            let reply = http.request(preflight("/api/x", other, "PUT", "x-a")).await;
            assert_eq!(reply.status, StatusCode::FORBIDDEN, "{other}");
            assert_eq!(cors_of(&reply), Vec::<String>::new(), "{other}");
        }
        let reply = http.request(preflight("/api/x", UAT, "DELETE", "x-a")).await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN, "a method that is not listed");
    }
    assert_eq!(origin.seen(), Vec::<String>::new(), "a preflight reached the upstream");
    let record = gateway
        .record("a refused preflight", |record| {
            record["status"] == 403 && record["method"] == "OPTIONS"
        })
        .await;
    let why = record["error"].as_str().unwrap();
    assert!(why.contains("its origin is not one of `cors`"), "{record}");
}

#[tokio::test]
async fn options_that_is_no_preflight_is_the_upstream_s() {
    let origin = opinionated().await;
    let gateway = gateway(&origin, LISTED).await;
    for mut http in Http::both(&gateway, "app.test").await {
        let request = Request::options("/api/x").header("origin", UAT).body(empty()).unwrap();
        let reply = http.request(request).await;
        assert_eq!((reply.status, reply.text().as_str()), (StatusCode::OK, "answer"));
        readable_by_uat(&reply, "OPTIONS");
    }
    assert_eq!(origin.seen(), ["OPTIONS /api/x", "OPTIONS /api/x"]);
}

#[tokio::test]
async fn scripts_can_read_the_gateway_s_own_errors() {
    let origin = opinionated().await;
    let gateway = gateway(&origin, LISTED).await;
    let mut http = Http::http2(&gateway, "app.test").await;
    for (path, status) in
        [("/fixed", 200), ("/gone", 502), ("/api/.env", 403), ("/few", 200), ("/few", 429)]
    {
        let reply = http.request(get_with(path, &[("origin", UAT)])).await;
        assert_eq!(reply.status, status, "{path}");
        readable_by_uat(&reply, path);
        assert_eq!(reply.header("retry-after").is_some(), status == 429);
    }
}

#[tokio::test]
async fn false_leaves_it_to_the_upstream() {
    let origin = opinionated().await;
    let gateway = gateway(&origin, LISTED).await;
    let mut http = Http::http1(&gateway, "app.test").await;
    let reply = http.request(preflight("/without", EVIL, "PUT", "x-a")).await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(reply.header("access-control-allow-origin").as_deref(), Some("*"));
    assert_eq!(reply.header("vary").as_deref(), Some("Accept"));
    assert_eq!(origin.seen(), ["OPTIONS /without"]);
}

#[tokio::test]
async fn a_star_is_every_origin_and_the_same_answer_for_all() {
    let origin = opinionated().await;
    let gateway = gateway(&origin, "{ origins = [\"*\"], headers = [\"X-A\"] }").await;
    for mut http in Http::both(&gateway, "app.test").await {
        for headers in [&[("origin", EVIL)][..], &[]] {
            let reply = http.request(get_with("/api/x", headers)).await;
            assert_eq!(cors_of(&reply), ["access-control-allow-origin: *"]);
            assert_eq!(reply.header("vary").as_deref(), Some("Accept"));
        }
        let reply = http.request(preflight("/api/x", EVIL, "PATCH", "X-A")).await;
        assert_eq!(reply.status, StatusCode::NO_CONTENT);
        assert_eq!(reply.header("access-control-allow-headers").as_deref(), Some("x-a"));
        let reply = http.request(preflight("/api/x", EVIL, "PATCH", "x-b")).await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN, "a header that is not listed");
    }
}
