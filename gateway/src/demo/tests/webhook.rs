use super::*;
use crate::demo::start;

fn delivery(path: &str, event: (&str, &str), body: &str) -> Request<Full<Bytes>> {
    let mut request = request("POST", path, body.to_owned());
    let (name, value) = event;
    let name = http::HeaderName::try_from(name).expect("a header's name");
    request.headers_mut().insert(name, value.parse().expect("a header's value"));
    request
}

#[tokio::test]
async fn a_delivery_to_any_path_is_accepted_and_listed() {
    let origins = start().await.expect("started");
    let push = delivery("/github", ("x-github-event", "push"), r#"{"ref":"main"}"#);
    let answer = exchange(origins.webhook, push).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    assert_eq!(answer.json()["accepted"]["event"], "push");
    let unnamed = send(origins.webhook, "POST", "/", "hello").await;
    assert_eq!(unnamed.status, StatusCode::ACCEPTED);

    let log = get(origins.webhook, "/deliveries").await.json();
    assert_eq!(log["total"], 2);
    let newest = &log["deliveries"][0];
    assert_eq!((&newest["path"], &newest["event"]), (&"/".into(), &Value::Null));
    let oldest = &log["deliveries"][1];
    assert_eq!(oldest["path"], "/github");
    assert_eq!(oldest["bytes"], 14);
    assert!(oldest["received_unix_ms"].as_u64().expect("a time") > 1_700_000_000_000);
}

#[tokio::test]
async fn only_the_last_deliveries_are_kept() {
    let origins = start().await.expect("started");
    for number in 0..25 {
        let event = ("x-gitea-event", number.to_string());
        let answer = exchange(origins.webhook, delivery("/", (event.0, &event.1), "")).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED);
    }
    let log = get(origins.webhook, "/deliveries").await.json();
    assert_eq!(log["total"], 25);
    let kept = log["deliveries"].as_array().expect("a list");
    assert_eq!(kept.len(), 20);
    assert_eq!(kept[0]["event"], "24");
    assert_eq!(kept[19]["event"], "5");
}

#[tokio::test]
async fn long_bodies_are_refused_and_long_texts_cut() {
    let origins = start().await.expect("started");
    let most = send(origins.webhook, "POST", "/", vec![b'x'; 1 << 20]).await;
    assert_eq!(most.status, StatusCode::ACCEPTED);
    let more = send(origins.webhook, "POST", "/", vec![b'x'; (1 << 20) + 1]).await;
    assert_eq!(more.status, StatusCode::PAYLOAD_TOO_LARGE);

    let event = ("x-gitlab-event", &*"e".repeat(5_000));
    let path = format!("/{}", "p".repeat(5_000));
    exchange(origins.webhook, delivery(&path, event, "")).await;
    let log = get(origins.webhook, "/deliveries").await.json();
    assert_eq!(log["total"], 2);
    for name in ["event", "path"] {
        let text = log["deliveries"][0][name].as_str().expect("a text");
        assert_eq!(text.chars().count(), 200, "{name}");
    }
}

#[tokio::test]
async fn other_requests_are_refused() {
    let origins = start().await.expect("started");
    assert_eq!(get(origins.webhook, "/").await.status, StatusCode::NOT_FOUND);
    let put = send(origins.webhook, "PUT", "/", "").await;
    assert_eq!(put.status, StatusCode::METHOD_NOT_ALLOWED);
}
