//! `files`: what is found of a folder, and what never is.

use std::fs;
use std::os::unix::fs::symlink;

use hyper::{Method, Request, StatusCode};
use tempfile::TempDir;

use super::compression::decoded;
use crate::harness::config;
use crate::harness::gateway::{Gateway, folder};
use crate::harness::http_client::{Http, get_with};
use crate::harness::raw_client::TlsRaw;
use crate::harness::replies::{Reply, empty};

/// A folder as a build leaves it behind, and a secret beside it.
fn dist() -> TempDir {
    let dir = folder();
    let dist = dir.path().join("dist");
    for sub in ["assets", "docs", "empty", ".git", ".well-known"] {
        fs::create_dir_all(dist.join(sub)).unwrap();
    }
    fs::write(dir.path().join("secret.txt"), "secret").unwrap();
    for (name, text) in [
        ("index.html", "<title>home</title>"),
        ("assets/app.js", "app()"),
        ("assets/ä b.txt", "umlaut"),
        ("docs/index.html", "docs"),
        ("empty.txt", ""),
        (".env", "PASSWORD=1"),
        (".git/config", "[core]"),
        (".well-known/security.txt", "Contact: a"),
    ] {
        fs::write(dist.join(name), text).unwrap();
    }
    symlink("assets/app.js", dist.join("link.js")).unwrap();
    symlink("../secret.txt", dist.join("out.txt")).unwrap();
    symlink(dir.path(), dist.join("up")).unwrap();
    symlink("/etc", dist.join("etc")).unwrap();
    dir
}

async fn gateway(dir: TempDir, files: &str, keys: &str) -> Gateway {
    let toml = format!(
        "[site.\"app.test\"]\ntls = \"self-signed\"\n{keys}\nroutes = [\n\
         {{ path = \"/sub/*\", files = \"dist\" }},\n\
         {{ path = \"/assets/app.js\", files = \"dist/\" }},\n\
         {{ path = \"/missing/*\", files = \"no-such-folder\" }},\n\
         {{ path = \"/*\", files = {files} }},\n]\n"
    );
    Gateway::start_in(dir, &config("", &toml)).await
}

fn page(path: &str) -> Request<crate::harness::replies::Body> {
    get_with(path, &[("accept", "text/html,application/xhtml+xml,*/*;q=0.8")])
}

#[tokio::test]
async fn files_are_found_by_the_path_below_the_route() {
    let gateway = gateway(dist(), "\"dist\"", "").await;
    for mut http in Http::both(&gateway, "app.test").await {
        for (path, text, kind) in [
            ("/", "<title>home</title>", "text/html; charset=utf-8"),
            ("/index.html", "<title>home</title>", "text/html; charset=utf-8"),
            ("/assets/app.js?v=1", "app()", "text/javascript; charset=utf-8"),
            ("/link.js", "app()", "text/javascript; charset=utf-8"),
            ("/assets/%C3%A4%20b.txt", "umlaut", "text/plain; charset=utf-8"),
            ("/docs/", "docs", "text/html; charset=utf-8"),
            ("//docs/../docs/", "docs", "text/html; charset=utf-8"),
            ("/sub/assets/app.js", "app()", "text/javascript; charset=utf-8"),
            ("/sub/", "<title>home</title>", "text/html; charset=utf-8"),
            ("/empty.txt", "", "text/plain; charset=utf-8"),
            ("/.well-known/security.txt", "Contact: a", "text/plain; charset=utf-8"),
        ] {
            let reply = http.get(path).await;
            assert_eq!((reply.status, reply.text().as_str()), (StatusCode::OK, text), "{path}");
            assert_eq!(reply.header("content-type").as_deref(), Some(kind), "{path}");
            assert_eq!(reply.header("content-length"), Some(text.len().to_string()), "{path}");
            assert_eq!(reply.header("x-content-type-options").as_deref(), Some("nosniff"));
            assert!(reply.header("etag").unwrap().starts_with('"'), "{path}");
            assert!(reply.header("last-modified").is_some(), "{path}");
            let head = http.request(Request::head(path).body(empty()).unwrap()).await;
            assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0), "{path}");
            for name in ["content-length", "content-type", "etag", "last-modified"] {
                assert_eq!(head.header(name), reply.header(name), "{name} of {path}");
            }
        }
    }
}

#[tokio::test]
async fn a_folder_is_sent_to_its_slash_and_never_listed() {
    let gateway = gateway(dist(), "\"dist\"", "").await;
    for mut http in Http::both(&gateway, "app.test").await {
        for (path, to) in [
            ("/docs", "/docs/"),
            ("/docs?a=b", "/docs/?a=b"),
            ("/sub", "/sub/"),
            ("/sub/docs", "/sub/docs/"),
            ("//docs", "/docs/"),
            ("/x/..//docs", "/docs/"),
        ] {
            let reply = http.get(path).await;
            assert_eq!(reply.status, StatusCode::PERMANENT_REDIRECT, "{path}");
            assert_eq!(reply.header("location").as_deref(), Some(to), "{path}");
        }
        for path in ["/assets", "/assets/", "/empty/", "/empty"] {
            let reply = http.get(path).await;
            assert_eq!(reply.status, StatusCode::NOT_FOUND, "{path}: {}", reply.text());
            assert!(!reply.text().contains("app.js"), "{path} is listed");
        }
    }
}

#[tokio::test]
async fn nothing_outside_and_nothing_hidden_is_served() {
    let gateway = gateway(dist(), "\"dist\"", "deny_paths = false").await;
    let mut http = Http::http1(&gateway, "app.test").await;
    for path in [
        "/.env",
        "/%2eenv",
        "/.git/config",
        "/docs/../.git/config",
        "/sub/.env",
        "/out.txt",
        "/up/secret.txt",
        "/etc/passwd",
        "/..%2fsecret.txt",
        "/docs/%2e%2e/%2e%2e/secret.txt",
        "/%2e%2e/secret.txt",
        "/sub/../../secret.txt",
        "/assets/app.js/",
        "/assets/app.js/x",
        "/no-such-file",
        "/index.html%00.txt",
    ] {
        let reply = http.get(path).await;
        let refused = [StatusCode::NOT_FOUND, StatusCode::BAD_REQUEST];
        assert!(refused.contains(&reply.status), "{path}: {} {}", reply.status, reply.text());
        assert!(!reply.text().contains("secret"), "{path}: {}", reply.text());
    }
    for target in ["/../secret.txt", "/docs/../../secret.txt", "/..\\secret.txt", "/./.env"] {
        let mut raw = TlsRaw::tls(&gateway, "app.test").await;
        raw.write(format!("GET {target} HTTP/1.1\r\nhost: app.test\r\n\r\n")).await;
        let status = raw.head().await.unwrap().status;
        assert!([400, 404].contains(&status), "{target}: {status}");
    }
}

#[tokio::test]
async fn only_get_and_head_and_what_is_broken_says_so_in_the_log() {
    let gateway = gateway(dist(), "\"dist\"", "").await;
    for mut http in Http::both(&gateway, "app.test").await {
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS] {
            let request = Request::builder().method(&method).uri("/index.html");
            let reply = http.request(request.body(empty()).unwrap()).await;
            assert_eq!(reply.status, StatusCode::METHOD_NOT_ALLOWED, "{method}");
            assert_eq!(reply.header("allow").as_deref(), Some("GET, HEAD"), "{method}");
        }
        let reply = http.get("/missing/x").await;
        assert_eq!(reply.status, StatusCode::INTERNAL_SERVER_ERROR);
    }
    let record = gateway.record_of("/missing/x").await;
    assert!(record["error"].as_str().unwrap().contains("the file cannot be read"), "{record}");
}

#[tokio::test]
async fn a_page_stands_in_for_pages_and_for_nothing_else() {
    let files = "{ dir = \"dist\", spa = \"index.html\" }";
    let keys = "cache_control = [{ suffixes = [\".js\"], value = \"public, max-age=31536000\" }]";
    let gateway = gateway(dist(), files, keys).await;
    for mut http in Http::both(&gateway, "app.test").await {
        for path in ["/lists/7", "/lists/7/", "/lists/gone.js", "/assets", "/docs/x"] {
            let reply = http.request(page(path)).await;
            assert_eq!(reply.status, StatusCode::OK, "{path}");
            assert_eq!(reply.text(), "<title>home</title>", "{path}");
            assert_eq!(reply.header("cache-control").as_deref(), Some("no-cache"), "{path}");
            assert_eq!(reply.header("vary").as_deref(), Some("Accept"), "{path}");
            let reply = http.get(path).await;
            assert_eq!(reply.status, StatusCode::NOT_FOUND, "{path} is not asked for as a page");
            let reply = http.request(get_with(path, &[("accept", "*/*")])).await;
            assert_eq!(reply.status, StatusCode::NOT_FOUND, "{path} for a script");
        }
        let reply = http.request(page("/docs/")).await;
        assert_eq!(reply.text(), "docs", "what is there is served");
        let reply = http.request(page("/.env")).await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN, "nothing stands in for a dotfile");
        let reply = http.request(page("/link.js")).await;
        assert_eq!(reply.header("cache-control").as_deref(), Some("public, max-age=31536000"));
    }
}

/// A folder whose script is there in all codings, and a style sheet in one.
fn precompressed() -> TempDir {
    let dir = dist();
    for (name, text) in [
        ("assets/app.js.br", "made with br"),
        ("assets/app.js.zst", "made with zst"),
        ("assets/app.js.gz", "made with gz"),
        ("style.css", "plain"),
        ("style.css.gz", "made with gz"),
        ("gone.css.gz", "without its file"),
    ] {
        fs::write(dir.path().join("dist").join(name), text).unwrap();
    }
    fs::create_dir(dir.path().join("dist/index.html.br")).unwrap();
    symlink("../../secret.txt", dir.path().join("dist/docs/index.html.br")).unwrap();
    dir
}

#[tokio::test]
async fn precompressed_siblings_are_served_to_those_who_take_them() {
    let files = "{ dir = \"dist\", precompressed = true }";
    let gateway = gateway(precompressed(), files, "").await;
    for mut http in Http::both(&gateway, "app.test").await {
        for (path, accept, coding, text) in [
            ("/assets/../assets/app.js", "", None, "app()"),
            ("/link.js", "gzip, br, zstd", None, "app()"),
            ("/style.css", "gzip, br, zstd", Some("gzip"), "made with gz"),
            ("/style.css", "br", None, "plain"),
            ("/style.css", "gzip;q=0", None, "plain"),
            ("/", "br", None, "<title>home</title>"),
            ("/docs/", "br", None, "docs"),
        ] {
            let reply = http.request(get_with(path, &[("accept-encoding", accept)])).await;
            assert_eq!(
                (reply.status, reply.text().as_str()),
                (StatusCode::OK, text),
                "{path} {accept}"
            );
            assert_eq!(reply.header("content-encoding").as_deref(), coding, "{path} {accept}");
        }
        let reply = http.request(get_with("/gone.css", &[("accept-encoding", "gzip")])).await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND, "what is gone is gone in every coding");
    }
}

#[tokio::test]
async fn each_sibling_is_a_representation_of_its_own() {
    let toml = "[site.\"app.test\"]\ntls = \"self-signed\"\n\
                files = { dir = \"dist\", precompressed = true }\n";
    let gateway = Gateway::start_in(precompressed(), &config("", toml)).await;
    let mut http = Http::http2(&gateway, "app.test").await;
    let mut tags = Vec::new();
    for (accept, coding, text) in [
        ("gzip, zstd, br", Some("br"), "made with br"),
        ("gzip, zstd", Some("zstd"), "made with zst"),
        ("gzip, br;q=0.5", Some("gzip"), "made with gz"),
        ("identity", None, "app()"),
    ] {
        let asked = |more: &[(&str, &str)]| {
            get_with("/assets/app.js", &[&[("accept-encoding", accept)], more].concat())
        };
        let reply = http.request(asked(&[])).await;
        assert_eq!(reply.text(), text, "{accept}");
        assert_eq!(reply.header("content-encoding").as_deref(), coding, "{accept}");
        assert_eq!(reply.header("vary").as_deref(), Some("Accept-Encoding"), "{accept}");
        let kind = reply.header("content-type");
        assert_eq!(kind.as_deref(), Some("text/javascript; charset=utf-8"), "{accept}");
        let tag = reply.header("etag").unwrap();
        let known = http.request(asked(&[("if-none-match", &tag)])).await;
        assert_eq!(known.status, StatusCode::NOT_MODIFIED, "{accept}");
        assert_eq!(known.header("vary").as_deref(), Some("Accept-Encoding"), "{accept}");
        let part = http.request(asked(&[("range", "bytes=0-3")])).await;
        assert_eq!(part.text(), text[..4], "{accept}: a range of what was chosen");
        tags.push(tag);
    }
    tags.sort();
    tags.dedup();
    assert_eq!(tags.len(), 4, "two representations share a tag: {tags:?}");
}

#[tokio::test]
async fn files_are_compressed_on_their_way_too() {
    let dir = dist();
    let text = "a style sheet that shrinks\n".repeat(20_000);
    fs::write(dir.path().join("dist/style.css"), &text).unwrap();
    let gateway = gateway(dir, "\"dist\"", "compress = true").await;
    for mut http in Http::both(&gateway, "app.test").await {
        let plain = http.get("/style.css").await;
        assert_eq!(plain.text(), text);
        let tag = plain.header("etag").unwrap();
        for coding in ["gzip", "br", "zstd"] {
            let asked = |more: &[(&str, &str)]| {
                get_with("/style.css", &[&[("accept-encoding", coding)], more].concat())
            };
            let reply = http.request(asked(&[])).await;
            assert_eq!(reply.header("content-encoding").as_deref(), Some(coding));
            assert_eq!(decoded(coding, &reply.body), text.as_bytes());
            assert_eq!(reply.header("accept-ranges"), None);
            let weak = reply.header("etag").unwrap();
            assert_eq!(weak, format!("W/{tag}"));
            let known = http.request(asked(&[("if-none-match", &weak)])).await;
            assert_eq!(
                (known.status, known.header("etag")),
                (StatusCode::NOT_MODIFIED, Some(weak))
            );
            let part = http.request(asked(&[("range", "bytes=0-6")])).await;
            assert_eq!(
                (part.status, part.text().as_str()),
                (StatusCode::PARTIAL_CONTENT, "a style")
            );
            assert_eq!(part.header("content-encoding"), None);
        }
    }
}

#[tokio::test]
async fn a_folder_that_is_replaced_is_seen_at_once() {
    let gateway = gateway(dist(), "\"dist\"", "").await;
    let mut http = Http::http2(&gateway, "app.test").await;
    let tag = |reply: &Reply| reply.header("etag").unwrap();
    let before = http.get("/").await;
    let next = gateway.dir().join("next");
    fs::create_dir(&next).unwrap();
    fs::write(next.join("index.html"), "<title>next</title>").unwrap();
    fs::rename(gateway.dir().join("dist"), gateway.dir().join("old")).unwrap();
    fs::rename(&next, gateway.dir().join("dist")).unwrap();
    let known = get_with("/", &[("if-none-match", &tag(&before))]);
    let after = http.request(known).await;
    assert_eq!((after.status, after.text().as_str()), (StatusCode::OK, "<title>next</title>"));
    assert_ne!(tag(&before), tag(&after), "of the same length and perhaps the same time");
}
