//! Pages, the API, a WebSocket and a webhook, through TLS.

use crate::project::Stack;
use crate::visitor::DOMAIN;
use crate::websocket::WebSocket;

/// A list with an item in it, whose number is given back.
pub(crate) fn traffic_flows(stack: &Stack) -> String {
    stack.step("traffic through TLS");
    let (status, page) = stack.visit(DOMAIN, "/", &["--http2"]);
    assert_eq!(status, 200, "{page}");
    assert!(page.contains("<html"), "{page}");

    let list = stack.post("/api/v1/lists", r#"{"name":"kept over everything"}"#);
    let list = list["id"].to_string();
    an_update_is_heard(stack, &list);
    deliveries_are_judged(stack);
    list
}

/// What one visitor adds, another one who looks at the same list is told of.
fn an_update_is_heard(stack: &Stack, list: &str) {
    let mut websocket = WebSocket::open(stack, &format!("/api/v1/ws/lists/{list}"));
    // The backend listens for updates before it answers.
    let heard = websocket.hear("101 Switching");
    assert!(heard.contains("101 Switching"), "the WebSocket does not open: {heard}");
    stack.post(&format!("/api/v1/lists/{list}/items"), r#"{"name":"bread-of-the-test"}"#);
    let heard = websocket.hear("bread-of-the-test");
    assert!(heard.contains("bread-of-the-test"), "the update does not arrive: {heard}");
}

fn deliveries_are_judged(stack: &Stack) {
    let signature = stack.signature();
    let forged = format!("sha256={}", "0".repeat(64));
    let status = stack.deliver(&forged, "00000000-0000-4000-8000-000000000001");
    assert_eq!(status, 401, "a delivery with a forged signature");
    if stack.has_runners {
        let status = stack.deliver(&signature, "00000000-0000-4000-8000-000000000002");
        assert!((200..300).contains(&status), "a signed delivery: {status}");
        let status = stack.deliver(&signature, "00000000-0000-4000-8000-000000000002");
        assert_eq!(status, 409, "the same delivery replayed");
    } else {
        eprintln!("*** SKIPPED: a signed delivery: STACK_TEST_WITHOUT_RUNNERS is set");
    }
}
