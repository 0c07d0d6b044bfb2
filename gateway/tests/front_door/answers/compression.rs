//! PARITY: "gzip level 6 from 1024 bytes for text, JSON, JS, SVG". The gateway compresses with gzip,
//! brotli and zstd by `Accept-Encoding`, and leaves alone what must not be changed.

use std::io::Read;

use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};

use crate::harness::gateway::Gateway;
use crate::harness::http_client::{Http, get_with};
use crate::harness::origin::Origin;
use crate::harness::replies::{Body, Reply, empty, full};
use crate::harness::{config, one_site};

/// Undoes the coding that an answer says it has.
pub(super) fn decoded(coding: &str, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let read = match coding {
        "gzip" => flate2::read::GzDecoder::new(body).read_to_end(&mut out),
        "br" => brotli::Decompressor::new(body, 4096).read_to_end(&mut out),
        "zstd" => zstd::Decoder::new(body).unwrap().read_to_end(&mut out),
        other => panic!("the coding {other:?} is not one of ours"),
    };
    read.unwrap_or_else(|error| panic!("this is not {coding}: {error}"));
    out
}

fn text() -> String {
    (0..500).map(|number| format!("line {number} of a text that shrinks\n")).collect()
}

/// Answers with a long text, and with the headers that the query names: `?name=value&…`. `status` and
/// `length` are not headers.
async fn answer(request: Request<Incoming>) -> Response<Body> {
    let mut body = text();
    let mut response = Response::new(empty());
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    for pair in request.uri().query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty())
    {
        let (name, value) = pair.split_once('=').unwrap();
        let value = value.replace("%22", "\"").replace("%20", " ");
        match name {
            "status" => *response.status_mut() = value.parse().unwrap(),
            "length" => body.truncate(value.parse().unwrap()),
            name => {
                let name: HeaderName = name.parse().unwrap();
                response.headers_mut().insert(name, HeaderValue::from_str(&value).unwrap());
            }
        }
    }
    *response.body_mut() = full(body);
    response
}

async fn gateway(origin: &Origin, keys: &str) -> Gateway {
    Gateway::start(&config("", &one_site(origin.addr(), keys))).await
}

async fn asked(http: &mut Http, path: &str, accept: &str) -> Reply {
    http.request(get_with(path, &[("accept-encoding", accept)])).await
}

#[tokio::test]
async fn each_coding_comes_out_as_it_went_in() {
    let origin = Origin::http(answer).await;
    let gateway = gateway(&origin, "compress = true").await;
    for mut http in Http::both(&gateway, "app.test").await {
        for coding in ["gzip", "br", "zstd"] {
            let reply = asked(&mut http, "/?etag=%22abc%22&accept-ranges=bytes", coding).await;
            assert_eq!(reply.status, StatusCode::OK);
            assert_eq!(reply.header("content-encoding").as_deref(), Some(coding));
            assert_eq!(reply.header("vary").as_deref(), Some("Accept-Encoding"));
            assert_eq!(reply.header("etag").as_deref(), Some("W/\"abc\""));
            assert_eq!(reply.header("content-length"), None);
            assert_eq!(reply.header("accept-ranges"), None, "ranges of it cannot be asked for");
            assert!(reply.body.len() * 3 < text().len(), "{coding}: {} bytes", reply.body.len());
            assert_eq!(decoded(coding, &reply.body), text().into_bytes(), "{coding}");
        }
    }
}

#[tokio::test]
async fn the_client_s_weights_decide_and_then_the_route_s_order() {
    let origin = Origin::http(answer).await;
    let gateway =
        gateway(&origin, "compress = { algorithms = [\"br\", \"gzip\", \"zstd\"] }").await;
    let mut http = Http::http2(&gateway, "app.test").await;
    for (accept, expected) in [
        ("gzip, deflate, br, zstd", Some("br")),
        ("gzip, br;q=0.9", Some("gzip")),
        ("zstd, gzip", Some("gzip")),
        ("br;q=0, *", Some("gzip")),
        ("identity;q=0, zstd", Some("zstd")),
        ("gzip;q=0.2, identity;q=0.5", None),
        ("*;q=0", None),
        ("deflate", None),
        ("", None),
    ] {
        let reply = asked(&mut http, "/", accept).await;
        assert_eq!(reply.header("content-encoding").as_deref(), expected, "{accept}");
        assert_eq!(reply.header("vary").as_deref(), Some("Accept-Encoding"), "{accept}");
        if expected.is_none() {
            assert_eq!(reply.text(), text(), "{accept}");
            assert!(reply.header("content-length").is_some(), "{accept}");
        }
    }
    let reply = http.get("/").await;
    assert_eq!(reply.header("content-encoding"), None, "a client that says nothing gets it plain");
}

#[tokio::test]
async fn what_must_not_be_changed_is_passed_on_as_it_is() {
    let origin = Origin::http(answer).await;
    let gateway = gateway(&origin, "compress = true").await;
    for mut http in Http::both(&gateway, "app.test").await {
        for query in [
            "length=1023",
            "content-type=image/png",
            "content-type=font/woff2",
            "content-type=application/grpc",
            "content-type=text/event-stream",
            "content-encoding=br",
            "cache-control=public,%20no-transform",
            "content-digest=sha-256=:AAAA:",
            "status=206&content-range=bytes%200-18000/20000",
        ] {
            let plain = http.get(&format!("/?{query}")).await;
            let reply =
                asked(&mut http, &format!("/?{query}&etag=%22abc%22"), "gzip, zstd, br").await;
            let coding = reply.header("content-encoding");
            assert_eq!(coding, plain.header("content-encoding"), "{query}");
            assert_eq!(reply.body, plain.body, "{query}");
            assert_eq!(reply.header("content-length"), plain.header("content-length"), "{query}");
            assert_eq!(reply.header("etag").as_deref(), Some("\"abc\""), "{query}");
            assert_eq!(reply.header("vary").as_deref(), Some("Accept-Encoding"), "{query}");
        }
        for query in ["status=204", "status=304"] {
            let reply =
                asked(&mut http, &format!("/?{query}&content-type=text/html"), "gzip").await;
            assert_eq!(reply.header("content-encoding"), None, "{query}");
            assert_eq!(reply.header("vary").as_deref(), Some("Accept-Encoding"), "{query}");
        }
        let reply = asked(&mut http, "/?length=1024", "gzip").await;
        assert_eq!(reply.header("content-encoding").as_deref(), Some("gzip"), "1 KiB is enough");
        let reply = asked(&mut http, "/?status=404&vary=Cookie", "gzip").await;
        assert_eq!(reply.header("content-encoding").as_deref(), Some("gzip"), "a long 404 too");
        assert_eq!(reply.header("vary").as_deref(), Some("Cookie, Accept-Encoding"));
    }
}

#[tokio::test]
async fn head_says_what_get_would_say() {
    let origin = Origin::http(answer).await;
    let gateway = gateway(&origin, "compress = true").await;
    for mut http in Http::both(&gateway, "app.test").await {
        for query in ["/?etag=%22abc%22", "/?length=100"] {
            let get = asked(&mut http, query, "gzip").await;
            let mut request = get_with(query, &[("accept-encoding", "gzip")]);
            *request.method_mut() = Method::HEAD;
            let head = http.request(request).await;
            assert_eq!((head.status, head.body.len()), (get.status, 0));
            for name in ["content-encoding", "content-length", "content-type", "etag", "vary"] {
                assert_eq!(head.header(name), get.header(name), "{name} of {query}");
            }
        }
    }
}

/// An upstream that compares tags as RFC 9110 wants it, and knows nothing of compression.
async fn tagged(request: Request<Incoming>) -> Response<Body> {
    let known = request.headers().get("if-none-match").map(|value| value.to_str().unwrap());
    let mut response = match known {
        Some("\"abc\"" | "W/\"abc\"") => Response::new(empty()),
        _ => Response::new(full(text())),
    };
    if known.is_some() {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    response.headers_mut().insert("etag", HeaderValue::from_static("\"abc\""));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
    response
}

#[tokio::test]
async fn the_weak_tag_finds_its_way_to_the_upstream_and_back() {
    let origin = Origin::http(tagged).await;
    let gateway = gateway(&origin, "compress = true").await;
    for mut http in Http::both(&gateway, "app.test").await {
        let reply = asked(&mut http, "/", "gzip").await;
        let tag = reply.header("etag").unwrap();
        assert_eq!(tag, "W/\"abc\"");
        let request =
            get_with("/", &[("accept-encoding", "gzip"), ("if-none-match", tag.as_str())]);
        let reply = http.request(request).await;
        assert_eq!(reply.status, StatusCode::NOT_MODIFIED);
        assert_eq!(reply.header("etag"), Some(tag), "the one that the client has");
        let reply = http.request(get_with("/", &[("if-none-match", "\"abc\"")])).await;
        assert_eq!(reply.status, StatusCode::NOT_MODIFIED);
        assert_eq!(reply.header("etag").as_deref(), Some("\"abc\""));
    }
}

#[tokio::test]
async fn the_gateway_s_own_answers_are_compressed_and_other_routes_are_not_touched() {
    let origin = Origin::http(answer).await;
    let long = "long ".repeat(1000);
    let toml = format!(
        "[site.\"app.test\"]\ntls = \"self-signed\"\ncompress = true\nroutes = [\n\
         {{ path = \"/long\", respond = {{ status = 200, body = \"{long}\" }} }},\n\
         {{ path = \"/short\", respond = {{ status = 200, body = \"short\" }} }},\n\
         {{ path = \"/gone\", to = \"127.0.0.1:1\" }},\n\
         {{ path = \"/off\", to = \"{0}\", compress = false }},\n\
         {{ path = \"/csv\", to = \"{0}\", compress = {{ types = [\"text/csv\"], min = \"5B\" }} }},\n]\n",
        origin.addr()
    );
    let gateway = Gateway::start(&config("", &toml)).await;
    for mut http in Http::both(&gateway, "app.test").await {
        let reply = asked(&mut http, "/long", "br").await;
        assert_eq!(reply.header("content-encoding").as_deref(), Some("br"));
        assert_eq!(reply.header("content-length"), Some(reply.body.len().to_string()));
        assert_eq!(decoded("br", &reply.body), long.as_bytes());
        for path in ["/short", "/gone"] {
            let reply = asked(&mut http, path, "br").await;
            assert_eq!(reply.header("content-encoding"), None, "{path}");
            assert_eq!(reply.header("vary").as_deref(), Some("Accept-Encoding"), "{path}");
        }
        let reply = asked(&mut http, "/off", "br").await;
        assert_eq!((reply.header("content-encoding"), reply.header("vary")), (None, None));
        assert_eq!(reply.text(), text());
        let reply = asked(&mut http, "/csv", "br").await;
        assert_eq!(reply.header("content-encoding"), None, "HTML is not CSV");
        let reply = asked(&mut http, "/csv?content-type=text/csv&length=6", "br").await;
        assert_eq!(decoded("br", &reply.body), b"line 0");
    }
}
