import concurrent.futures
import uuid

import pytest


def test_lists_are_kept_and_paged(client):
    made = [client.post("/api/v1/lists", json={"name": f"  list {n} "}).json() for n in range(3)]
    assert made[0]["name"] == "list 0"
    page = client.get("/api/v1/lists", params={"limit": 2}).json()
    assert [entry["id"] for entry in page["lists"]] == [made[2]["id"], made[1]["id"]]
    further = client.get("/api/v1/lists", params={"limit": 2, "before": page["next"]}).json()
    assert further["lists"][0]["id"] == made[0]["id"]


def test_items_are_added_ticked_and_deleted(client, a_list):
    path = f"/api/v1/lists/{a_list}"
    milk = client.post(f"{path}/items", json={"name": "Milk"})
    assert (milk.status_code, milk.json()["done"]) == (201, False)
    item = f"{path}/items/{milk.json()['id']}"
    assert client.patch(item, json={"done": True}).json()["done"] is True
    assert client.get(path).json()["items"] == [client.patch(item, json={"done": True}).json()]
    assert client.delete(item).status_code == 204
    assert client.delete(item).status_code == 404
    assert client.delete(path).status_code == 204
    assert client.get(path).status_code == 404
    assert client.post(f"{path}/items", json={"name": "Milk"}).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/api/v1/lists", b'{"name": ""}', 422),
        ("POST", "/api/v1/lists", b'{"name": "   "}', 422),
        ("POST", "/api/v1/lists", b'{"name": "%s"}' % (b"x" * 101), 422),
        ("POST", "/api/v1/lists", b'{"name": "a\\u0000b"}', 422),
        ("POST", "/api/v1/lists", b'{"name": "a\\u000ab"}', 422),
        ("POST", "/api/v1/lists", b'{"name": "a", "id": 7}', 422),
        ("POST", "/api/v1/lists", b'{"name": 7}', 422),
        ("POST", "/api/v1/lists", b"{", 422),
        ("POST", "/api/v1/lists", b"x" * 70_000, 413),
        ("GET", "/api/v1/lists?limit=0", None, 422),
        ("GET", "/api/v1/lists?limit=101", None, 422),
        ("GET", "/api/v1/lists/0", None, 422),
        ("GET", "/api/v1/lists/99999999999999999999", None, 422),
        ("GET", "/api/v1/lists/x", None, 422),
        ("GET", "/api/v1/lists/987654321", None, 404),
        ("GET", "/nowhere", None, 404),
        ("PUT", "/api/v1/lists", b"{}", 405),
    ],
)
def test_wrong_input_is_refused_in_words(client, method, path, body, status):
    answer = client.request(method, path, content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["status"]) == (status, status)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["title"]
    assert "Traceback" not in answer.text


def test_a_body_without_a_length_is_limited_too(client):
    chunks = (b"x" * 10_000 for _ in range(8))
    assert client.post("/api/v1/lists", content=chunks, headers={"Content-Type": "application/json"}).status_code == 413


def test_a_key_makes_a_post_happen_once(client, a_list):
    key = {"Idempotency-Key": str(uuid.uuid4())}
    path = f"/api/v1/lists/{a_list}/items"
    answers = [client.post(path, json={"name": "Eggs"}, headers=key) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201] * 3
    assert answers[1].json() == answers[0].json()
    assert [answer.headers.get("idempotency-replayed") for answer in answers] == [None, "true", "true"]
    assert len(client.get(f"/api/v1/lists/{a_list}").json()["items"]) == 1
    assert client.post(path, json={"name": "Bread"}, headers=key).status_code == 422
    # Without one, twice is twice.
    for _ in range(2):
        assert client.post(path, json={"name": "Eggs"}).status_code == 201
    assert len(client.get(f"/api/v1/lists/{a_list}").json()["items"]) == 3


def test_requests_of_one_key_at_one_time_happen_once(client, a_list):
    key = {"Idempotency-Key": str(uuid.uuid4())}
    path = f"/api/v1/lists/{a_list}/items"
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: client.post(path, json={"name": "Tea"}, headers=key).status_code, range(16)))
    assert set(answers) <= {201, 409} and 201 in answers
    assert len(client.get(f"/api/v1/lists/{a_list}").json()["items"]) == 1


def test_a_failed_request_leaves_its_key_free(client, a_list):
    key = {"Idempotency-Key": str(uuid.uuid4())}
    gone = "/api/v1/lists/987654321/items"
    assert [client.post(gone, json={"name": "x"}, headers=key).status_code for _ in range(2)] == [404, 404]


def test_a_list_takes_a_thousand_items(client, a_list):
    path = f"/api/v1/lists/{a_list}/items"
    statuses = [client.post(path, json={"name": f"item {n}"}).status_code for n in range(1001)]
    assert statuses == [201] * 1000 + [409]
