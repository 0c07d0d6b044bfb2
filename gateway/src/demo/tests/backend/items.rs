use super::*;
use serde_json::json;

const ITEMS: &str = "/api/v1/items";

async fn add(origin: SocketAddr, name: &str) -> Answer {
    send(origin, "POST", ITEMS, json!({ "name": name }).to_string()).await
}

async fn count(origin: SocketAddr) -> usize {
    let items = get(origin, ITEMS).await.json();
    items.as_array().expect("a list").len()
}

#[tokio::test]
async fn items_are_added_read_and_removed() {
    let origins = start().await.expect("started");
    let samples = get(origins.backend, ITEMS).await;
    assert_eq!(samples.header("content-type"), "application/json");
    assert_eq!(samples.json()[0], json!({ "id": 1, "name": "Milk" }));

    let added = add(origins.backend, "  Žitný chléb ").await;
    assert_eq!(added.status, StatusCode::CREATED);
    let place = added.header("location").to_owned();
    assert_eq!(place, "/api/v1/items/6");
    let item = json!({ "id": 6, "name": "Žitný chléb" });
    assert_eq!(added.json(), item);
    assert_eq!(get(origins.backend, &place).await.json(), item);

    let removed = send(origins.backend, "DELETE", &place, "").await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT);
    assert!(removed.body.is_empty());
    for method in ["GET", "DELETE"] {
        let gone = send(origins.backend, method, &place, "").await;
        assert_eq!(gone.status, StatusCode::NOT_FOUND, "{method}");
    }
    // A number is never given twice.
    assert_eq!(add(origins.backend, "Salt").await.json()["id"], 7);
}

#[tokio::test]
async fn the_whole_list_can_be_cleared() {
    let origins = start().await.expect("started");
    let cleared = send(origins.backend, "DELETE", ITEMS, "").await;
    assert_eq!(cleared.status, StatusCode::NO_CONTENT);
    assert_eq!(get(origins.backend, ITEMS).await.json(), json!([]));
}

#[tokio::test]
async fn what_is_no_item_is_refused() {
    let origins = start().await.expect("started");
    for body in ["", "null", "[]", "{}", r#"{"name":3}"#, r#"{"name":"x","y":1}"#, "\u{0}"] {
        let answer = send(origins.backend, "POST", ITEMS, body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
        let error = answer.json()["error"].as_str().expect("a text").to_owned();
        assert!(error.starts_with("The body is not an item"), "{error}");
    }
    for (name, sentence) in [
        ("  ", "An item needs a name."),
        ("a\nb", "An item's name is one line without control characters."),
        (&*"ž".repeat(201), "The item's name has 201 characters; 200 is the most."),
    ] {
        let answer = add(origins.backend, name).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert_eq!(answer.json()["error"], sentence);
    }
    let long = send(origins.backend, "POST", ITEMS, vec![b' '; 8 * 1024 + 1]).await;
    assert_eq!(long.status, StatusCode::PAYLOAD_TOO_LARGE);
    for id in ["x", "-1", "99999999999999999999999", "", "1/2"] {
        let answer = get(origins.backend, &format!("{ITEMS}/{id}")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{id}");
    }
    assert_eq!(count(origins.backend).await, 5);
}

#[tokio::test]
async fn the_longest_name_fits_however_it_is_escaped() {
    let origins = start().await.expect("started");
    let escaped = r"\ud83c\udf4e".repeat(200);
    let body = format!(r#"{{"name":"{escaped}"}}"#);
    let answer = send(origins.backend, "POST", ITEMS, body).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    assert_eq!(answer.json()["name"], "🍎".repeat(200));
}

#[tokio::test]
async fn the_list_has_an_end() {
    let origins = start().await.expect("started");
    for number in 5..1_000 {
        let answer = add(origins.backend, &format!("Item {number}")).await;
        assert_eq!(answer.status, StatusCode::CREATED);
    }
    let full = add(origins.backend, "One more").await;
    assert_eq!(full.status, StatusCode::CONFLICT);
    let sentence = "The list holds 1000 items, which is the most: remove one first.";
    assert_eq!(full.json()["error"], sentence);
    assert_eq!(count(origins.backend).await, 1_000);
}
