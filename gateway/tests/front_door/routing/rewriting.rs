//! The path as the origin sees it.

use crate::harness::config;
use crate::harness::gateway::Gateway;
use crate::harness::http_client::Http;
use crate::harness::origin::Origin;

async fn targets(route: &str, asked: &[&str]) -> Vec<String> {
    let origin = Origin::echo().await;
    let toml = format!(
        "[site.\"app.test\"]\ntls = \"self-signed\"\n\
         routes = [ {{ {route}, to = \"{}\" }} ]\n",
        origin.addr()
    );
    let gateway = Gateway::start(&config("", &toml)).await;
    let mut seen = Vec::new();
    for mut http in Http::both(&gateway, "app.test").await {
        let mut over_this = Vec::new();
        for path in asked {
            let reply = http.get(path).await;
            assert_eq!(reply.status, 200, "{path}: {}", reply.text());
            over_this.push(reply.json()["target"].as_str().unwrap().to_owned());
        }
        if !seen.is_empty() {
            assert_eq!(seen, over_this, "HTTP/1.1 and HTTP/2 differ");
        }
        seen = over_this;
    }
    seen
}

#[tokio::test]
async fn without_a_rewrite_the_origin_sees_the_bytes_that_the_client_sent() {
    let asked = [
        "/",
        "/a/b/?x=1&x=2",
        "/a%20b/%C3%A9?q=%2F%3F",
        "/%41",
        "/a//b",
        "/a;v=1/b=,c@d:e!$&'()*+",
        "/x?",
        "/x?a=[1]&b={2}|3",
    ];
    assert_eq!(targets("path = \"/*\"", &asked).await, asked);
}

#[tokio::test]
async fn strip_prefix_cuts_at_a_segment_and_keeps_the_query() {
    let route = "path = \"/app/*\", strip_prefix = \"/app\"";
    let asked = ["/app/x?y=1", "/app", "/app/", "/app?y", "/app/a%2Fb", "/app/app/x"];
    let expected = ["/x?y=1", "/", "/", "/?y", "/a%2Fb", "/app/x"];
    assert_eq!(targets(route, &asked).await, expected);
}

#[tokio::test]
async fn rewrite_to_one_path_keeps_the_query() {
    let asked = ["/old/x?y=1", "/old"];
    let expected = ["/new/page?y=1", "/new/page"];
    assert_eq!(targets("path = \"/old/*\", rewrite = \"/new/page\"", &asked).await, expected);
}

#[tokio::test]
async fn rewrite_below_a_prefix_keeps_what_the_star_matched() {
    let asked = ["/old/x/y?z=1", "/old/a%20b", "/old/"];
    let expected = ["/new/x/y?z=1", "/new/a%20b", "/new/"];
    assert_eq!(targets("path = \"/old/*\", rewrite = \"/new/*\"", &asked).await, expected);
}

#[tokio::test]
async fn a_stripped_path_cannot_become_another_host_or_climb_out() {
    let route = "path = \"/app/*\", strip_prefix = \"/app\"";
    for target in targets(route, &["/app//evil.test/x", "/app/./x"]).await {
        assert!(target.starts_with('/'), "the origin saw {target}");
        assert!(!target.contains(".."), "the origin saw {target}");
    }
}
