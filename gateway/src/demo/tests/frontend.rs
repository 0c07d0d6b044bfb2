use super::*;
use crate::demo::start;

#[tokio::test]
async fn the_page_and_what_it_links_to_are_served_with_their_types() {
    let origins = start().await.expect("started");
    let page = get(origins.frontend, "/").await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(page.header("cache-control"), "no-cache");

    let links: Vec<&str> =
        page.text().split('"').filter(|part| part.starts_with('/') && part.contains('.')).collect();
    assert!(links.len() >= 3, "{links:?}");
    for link in links {
        let asset = get(origins.frontend, link).await;
        assert_eq!(asset.status, StatusCode::OK, "{link}");
        let path = link.split('?').next().expect("a path");
        let expected = match path {
            "/app.js" => "text/javascript; charset=utf-8",
            "/app.css" => "text/css; charset=utf-8",
            "/favicon.svg" => "image/svg+xml",
            other => panic!("a link that is not known: {other}"),
        };
        assert_eq!(asset.header("content-type"), expected);
        assert!(!asset.body.is_empty());
        assert_eq!(asset.header("cache-control"), "");
    }
}

#[tokio::test]
async fn pages_need_nothing_that_a_strict_policy_forbids() {
    let origins = start().await.expect("started");
    for path in ["/", "/nowhere"] {
        let page = get(origins.frontend, path).await;
        for forbidden in ["http:", "https:", "style=", "<style", "onclick", "{version}"] {
            assert!(!page.text().contains(forbidden), "{path}: {forbidden}");
        }
    }
}

#[tokio::test]
async fn anything_else_is_a_page_that_says_404() {
    let origins = start().await.expect("started");
    let page = get(origins.frontend, "/nowhere?x=1").await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(page.text().contains("There is no such page"));
}

#[tokio::test]
async fn head_has_no_body_and_other_methods_are_refused() {
    let origins = start().await.expect("started");
    let head = send(origins.frontend, "HEAD", "/app.js", "").await;
    assert_eq!(head.status, StatusCode::OK);
    assert!(head.body.is_empty());
    let length: usize = head.header("content-length").parse().expect("a length");
    assert_eq!(length, get(origins.frontend, "/app.js").await.body.len());

    let post = send(origins.frontend, "POST", "/", "x").await;
    assert_eq!(post.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(post.header("allow"), "GET, HEAD");
}
