//! Whose requests a limit counts together: by a header or a cookie; assets and WebSockets apart from
//! pages; and limits that only say what they would do.
//!
//! What nginx did: one client's WebSockets and assets used up what its pages needed, so that a page
//! with many files limited itself.

use hyper::{Request, StatusCode};

use crate::harness::gateway::Gateway;
use crate::harness::http_client::{Http, get_with, post};
use crate::harness::origin::{Origin, status};
use crate::harness::replies::{Reply, empty};
use crate::harness::ws_client::WebSocket;
use crate::harness::{config, one_site};

/// Nothing comes back while a test runs.
fn limit(keys: &str) -> String {
    format!("[limit.few]\nrate = \"1/h\"\nburst = 2\n{keys}\n\n")
}

async fn start(limit: &str, origin: &Origin) -> Gateway {
    let site = one_site(origin.addr(), "limit = \"few\"");
    Gateway::start(&config("", &format!("{limit}{site}"))).await
}

async fn statuses(
    http: &mut Http,
    requests: Vec<Request<crate::harness::replies::Body>>,
) -> Vec<u16> {
    let mut statuses = Vec::new();
    for request in requests {
        statuses.push(http.request(request).await.status.as_u16());
    }
    statuses
}

fn gets(fields: &[(&str, &str)], paths: &[&str]) -> Vec<Request<crate::harness::replies::Body>> {
    paths.iter().map(|path| get_with(path, fields)).collect()
}

#[tokio::test]
async fn pages_assets_and_websockets_do_not_use_each_other_up() {
    // The origin speaks no WebSocket; whether it is asked is what counts here.
    let origin = Origin::http(async |_| status(StatusCode::FORBIDDEN, "no WebSockets here")).await;
    let gateway = start(&limit(""), &origin).await;
    let mut http = Http::http2(&gateway, "app.test").await;
    let ask = gets(&[], &["/app.js", "/style.CSS?v=2", "/font.woff2", "/logo.png"]);
    assert_eq!(statuses(&mut http, ask).await, [403, 403, 429, 429], "assets are not unlimited");
    for expected in [StatusCode::FORBIDDEN, StatusCode::FORBIDDEN, StatusCode::TOO_MANY_REQUESTS] {
        assert_eq!(WebSocket::open(&gateway, "app.test", "/ws").await.err(), Some(expected));
    }
    let ask = gets(&[], &["/", "/app.json", "/app.js/x"]);
    assert_eq!(
        statuses(&mut http, ask).await,
        [403, 403, 429],
        "the pages have all that is theirs"
    );
}

#[tokio::test]
async fn what_only_looks_like_an_asset_counts_as_what_it_is() {
    let origin = Origin::text("ok").await;
    let gateway = start(&limit(""), &origin).await;
    let mut http = Http::http1(&gateway, "app.test").await;
    let posts = (0..3).map(|_| post("/login/x.js", empty())).collect();
    assert_eq!(statuses(&mut http, posts).await, [200, 200, 429], "nobody loads a page by POST");
}

#[tokio::test]
async fn a_limit_may_count_all_together_or_leave_assets_out() {
    let origin = Origin::text("ok").await;
    let gateway = start(&limit("assets = \"together\""), &origin).await;
    let mut http = Http::http2(&gateway, "app.test").await;
    let ask = gets(&[], &["/a.js", "/", "/b.js", "/"]);
    assert_eq!(statuses(&mut http, ask).await, [200, 200, 429, 429]);

    let gateway = start(&limit("assets = \"skip\"\nasset_suffixes = [\".data\"]"), &origin).await;
    let mut http = Http::http2(&gateway, "app.test").await;
    let ask = gets(&[], &["/a.data", "/b.data", "/c.DATA", "/a.js", "/", "/"]);
    assert_eq!(statuses(&mut http, ask).await, [200, 200, 200, 200, 200, 429]);
    let free = http.get("/d.data").await;
    assert_eq!(free.header("ratelimit"), None, "what does not count is told nothing");
}

#[tokio::test]
async fn each_value_of_a_header_has_its_own_count_and_none_is_its_client_s() {
    let origin = Origin::text("ok").await;
    let gateway = start(&limit("key = { header = \"X-Api-Key\" }"), &origin).await;
    for mut http in Http::both(&gateway, "app.test").await {
        let version = format!("{:?}", http.version());
        let (one, two) = (format!("one {version}"), format!("two {version}"));
        for key in [&one, &two] {
            let ask = gets(&[("x-api-key", key)], &["/", "/", "/"]);
            assert_eq!(statuses(&mut http, ask).await, [200, 200, 429], "{key}");
        }
    }
    // Without the header, with an empty one and with two, it is the address that counts.
    let mut http = Http::http2(&gateway, "app.test").await;
    let mut ask = gets(&[], &["/"]);
    ask.extend(gets(&[("x-api-key", "")], &["/"]));
    ask.extend(gets(&[("x-api-key", "a"), ("x-api-key", "b")], &["/"]));
    assert_eq!(statuses(&mut http, ask).await, [200, 200, 429]);
    let mut other = Http::http1_from(&gateway, "app.test", "127.0.0.2").await;
    assert_eq!(statuses(&mut other, gets(&[], &["/"])).await, [200], "another address");
}

#[tokio::test]
async fn each_value_of_a_cookie_has_its_own_count_and_the_log_does_not_show_it() {
    let origin = Origin::text("ok").await;
    let gateway = start(&limit("key = { cookie = \"session\" }"), &origin).await;
    for mut http in Http::both(&gateway, "app.test").await {
        let session = format!("session=s3cret-{:?}", http.version());
        for cookie in [session.clone(), format!("a=1; {session}"), format!("{session}; b=2")] {
            let expected = if cookie.ends_with("b=2") { 429 } else { 200 };
            let ask = gets(&[("cookie", &cookie)], &["/"]);
            assert_eq!(statuses(&mut http, ask).await, [expected], "{cookie}");
        }
        let ask = gets(&[("cookie", &format!("{session}x"))], &["/"]);
        assert_eq!(statuses(&mut http, ask).await, [200], "another session");
    }
    let record = gateway.record("a refusal", |record| record["status"] == 429).await;
    assert_eq!(record["over_limit"], "few");
    assert!(!gateway.access_log().contains("s3cret"), "{}", gateway.access_log());
}

#[tokio::test]
async fn a_dry_run_refuses_nobody_and_says_whom_it_would_have() {
    let origin = Origin::text("ok").await;
    let limits =
        format!("{}[limit.at_once]\nconcurrent = 5\ndry_run = true\n\n", limit("dry_run = true"));
    let site = one_site(origin.addr(), "limit = [\"few\", \"at_once\"]");
    let gateway = Gateway::start(&config("", &format!("{limits}{site}"))).await;
    let mut http = Http::http2(&gateway, "app.test").await;
    let mut last: Option<Reply> = None;
    for number in 0..5 {
        let reply = http.get(&format!("/{number}")).await;
        assert_eq!(reply.status, StatusCode::OK, "{number}");
        last = Some(reply);
    }
    let last = last.expect("an answer");
    assert_eq!((last.header("ratelimit"), last.header("retry-after")), (None, None));
    for (path, over) in
        [("/1", serde_json::Value::Null), ("/2", "few".into()), ("/4", "few".into())]
    {
        let record = gateway.record_of(path).await;
        assert_eq!(record["over_limit"], over, "{path}");
        assert_eq!((&record["status"], &record["error"]), (&200.into(), &serde_json::Value::Null));
    }
    let mut admin = Http::plain(gateway.admin(), "admin").await;
    let metrics = admin.get("/metrics").await.text();
    let counted = "gateway_rate_limited_total{limit=\"few\",outcome=\"served\"} 3";
    assert!(metrics.contains(counted), "no {counted} in {metrics}");
    let refused = "gateway_rate_limited_total{limit=\"few\",outcome=\"refused\"}";
    assert!(!metrics.contains(refused), "{metrics}");
}

#[tokio::test]
async fn thousands_of_values_take_no_more_memory_than_the_table_has() {
    use crate::harness::memory::{MIB, resident};
    let origin = Origin::text("ok").await;
    let limits = "[limit.few]\nrate = \"1/h\"\nburst = 2\nkey = { header = \"X-Api-Key\" }\n\n";
    let toml = format!(
        "{limits}[site.\"app.test\"]\ntls = \"self-signed\"\nlimit = \"few\"\nlog = false\n\
         routes = [ {{ path = \"/*\", respond = {{ status = 204 }} }}, \
         {{ path = \"/o\", to = \"{}\" }} ]\n",
        origin.addr()
    );
    let gateway = Gateway::start(&config("", &toml)).await;
    let http = Http::http2(&gateway, "app.test").await;
    let ask = async |round: usize| {
        let asking = (0..20).map(|task| {
            let mut beside = http.beside();
            tokio::spawn(async move {
                for number in 0..250 {
                    // Long values, as somebody would send who wants them kept.
                    let value = format!("{round}-{task}-{number}-{}", "v".repeat(2000));
                    let reply = beside.request(get_with("/", &[("x-api-key", &value)])).await;
                    assert_eq!(reply.status, StatusCode::NO_CONTENT);
                }
            })
        });
        for task in asking.collect::<Vec<_>>() {
            task.await.unwrap();
        }
    };
    ask(0).await;
    let before = resident(gateway.pid());
    ask(1).await;
    ask(2).await;
    let grown = resident(gateway.pid()).saturating_sub(before);
    // Ten thousand values of 2 KiB are 20 MiB; as keys they are 240 KiB.
    assert!(grown < 4 * MIB, "{grown} bytes more after 10,000 further values");
}
