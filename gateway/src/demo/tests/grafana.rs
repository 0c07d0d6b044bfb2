use super::*;
use crate::demo::start;

#[tokio::test]
async fn the_dashboard_brings_its_own_headers() {
    let origins = start().await.expect("started");
    let page = get(origins.grafana, "/").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text().contains("a stand-in for Grafana"));
    assert_eq!(page.header("x-frame-options"), "deny");
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    assert!(page.header("content-security-policy").starts_with("default-src 'none'"));
}

#[tokio::test]
async fn health_is_json() {
    let origins = start().await.expect("started");
    let health = get(origins.grafana, "/api/health").await;
    assert_eq!(health.header("content-type"), "application/json");
    assert_eq!(health.json()["status"], "ok");
    assert_eq!(get(origins.grafana, "/api/none").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_socket_sends_a_measurement_at_once_and_more_later() {
    let origins = start().await.expect("started");
    let mut socket = TestSocket::connect(origins.grafana, "/api/live/ws").await;
    let first = socket.receive_json().await;
    let second = socket.receive_json().await;
    let time = |point: &Value| point["time_unix_ms"].as_u64().expect("a time");
    assert!(time(&second) >= time(&first));
    assert!(second["timer_late_us"].is_u64(), "{second}");
}
