"""What an administrator relies on: probes, metrics, logs, outages, the end."""

import contextlib
import json
import os
import threading
import time
import uuid

import httpx
import pytest
from conftest import application, until
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect


def watch(process, list_id):
    return connect(f"ws://127.0.0.1:{process.port}/api/v1/ws/lists/{list_id}", open_timeout=5)


def told(socket, kind):
    """The next message of that kind."""
    while True:
        message = json.loads(socket.recv(timeout=15))
        if message["type"] == kind:
            return message


def test_a_change_reaches_a_browser_at_another_process(client, second, a_list):
    until(lambda: httpx.get(f"http://127.0.0.1:{second.port}/ready").status_code == 200)
    path = f"/api/v1/lists/{a_list}"
    with watch(second, a_list) as socket:
        # Whatever a browser says is nobody's business, and ends nothing.
        socket.send("hello")
        socket.send(b"\x00\xff")
        item = client.post(f"{path}/items", json={"name": "Milk"}).json()
        assert told(socket, "item_added")["item"] == item
        client.patch(f"{path}/items/{item['id']}", json={"done": True})
        assert told(socket, "item_changed")["item"]["done"] is True
        client.delete(f"{path}/items/{item['id']}")
        assert told(socket, "item_deleted")["item"] == {"id": item["id"]}
        client.delete(path)
        assert told(socket, "list_deleted")["list"] == a_list


def test_a_websocket_of_no_list_and_one_too_many_are_refused(first, client, a_list):
    with pytest.raises(InvalidStatus) as refused, watch(first, 987654321):
        pass
    assert refused.value.response.status_code == 404
    with contextlib.ExitStack() as sockets:
        for _ in range(20):
            sockets.enter_context(watch(first, a_list))
        with pytest.raises(InvalidStatus) as refused, watch(first, a_list):
            pass
        assert refused.value.response.status_code == 503
    until(lambda: "backend_websocket_clients 0.0" in client.get("/metrics").text)


def test_metrics_count_by_route_and_not_by_path(client, a_list):
    client.get(f"/api/v1/lists/{a_list}")
    client.get(f"/wp-login.php?{uuid.uuid4()}")
    client.request("PROPFIND", "/api/v1/lists")
    said = client.get("/metrics").text
    assert 'backend_http_requests_total{method="GET",route="/api/v1/lists/{list_id}",status="200"}' in said
    assert 'backend_http_request_duration_seconds_bucket{le="0.5",method="GET",route="/api/v1/lists/{list_id}"}' in said
    assert 'route="none",status="404"' in said and 'method="other"' in said
    assert "wp-login" not in said and "PROPFIND" not in said
    assert 'backend_dependency_up{dependency="postgres"} 1.0' in said
    assert 'backend_build_info{python="3.' in said


def test_system_info_tells_no_secret(client):
    info = client.get("/api/v1/system/info").json()
    assert info["cpu"]["count"] >= 1 and info["memory"]["total"] > 0 and info["process"]["uptime"] >= 0
    assert "password" not in json.dumps(info).lower()


def test_the_gateways_request_id_is_logged_and_given_back(client, first):
    identity = f"gateway-{uuid.uuid4()}"
    answer = client.get("/api/v1/lists", headers={"X-Request-Id": identity})
    assert answer.headers["x-request-id"] == identity
    assert client.get("/health", headers={"X-Request-Id": 'a"b c'}).headers["x-request-id"] != 'a"b c'
    lines = [json.loads(line) for line in first.log.read_text().splitlines()]
    line = next(line for line in lines if line.get("request_id") == identity)
    assert (line["path"], line["status"], line["method"]) == ("/api/v1/lists", 200, "GET")


def test_forwarded_addresses_are_believed_from_the_gateway_only(servers, monkeypatch):
    for trusted, client in (("127.0.0.0/8", "203.0.113.7"), ("192.0.2.0/24", "127.0.0.1")):
        monkeypatch.setenv("FORWARDED_ALLOW_IPS", trusted)
        name = f"forwarded-{uuid.uuid4()}"
        running = application(servers, name)
        httpx.get(f"http://127.0.0.1:{running.port}/api/v1/system/info", headers={"X-Forwarded-For": "203.0.113.7"})
        assert running.end() == 0
        assert f'"client": "{client}"' in running.log.read_text()


def test_redis_may_go_and_come_back(client, first, servers, a_list):
    path = f"/api/v1/lists/{a_list}/items"
    key = {"Idempotency-Key": str(uuid.uuid4())}
    with watch(first, a_list) as socket:
        kept = client.post(path, json={"name": "kept"}, headers=key).json()
        # Redis writes its log to disk once a second.
        time.sleep(1.5)
        servers["redis"].kill()
        assert client.get("/health").status_code == 200
        missing = client.get("/ready")
        assert (missing.status_code, list(missing.json()["missing"])) == (503, ["redis"])
        # What is stored is stored; what promises more than can be kept is refused.
        assert client.post(path, json={"name": "without a key"}).status_code == 201
        refused = client.post(path, json={"name": "with one"}, headers={"Idempotency-Key": "k"})
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "2")
        servers["redis"].start()
        until(lambda: client.get("/ready").status_code == 200)
        assert told(socket, "resync")["list"] == a_list
        client.post(path, json={"name": "afterwards"})
        assert told(socket, "item_added")["item"]["name"] == "afterwards"
    names = [item["name"] for item in client.get(f"/api/v1/lists/{a_list}").json()["items"]]
    assert names == ["kept", "without a key", "afterwards"]
    again = client.post(path, json={"name": "kept"}, headers=key)
    assert again.json() == kept, "Redis has forgotten a key over a restart"


def test_postgresql_may_go_and_come_back(client, first, servers, a_list):
    with watch(first, a_list) as socket:
        servers["postgres"].kill()
        assert client.get("/health").status_code == 200
        missing = client.get("/ready")
        assert (missing.status_code, list(missing.json()["missing"])) == (503, ["postgres"])
        refused = client.get("/api/v1/lists")
        assert (refused.status_code, refused.headers["content-type"]) == (503, "application/problem+json")
        with pytest.raises(InvalidStatus) as no_socket, watch(first, a_list):
            pass
        assert no_socket.value.response.status_code == 503
        servers["postgres"].start()
        until(lambda: client.get("/ready").status_code == 200)
        assert client.get(f"/api/v1/lists/{a_list}").status_code == 200
        client.post(f"/api/v1/lists/{a_list}/items", json={"name": "afterwards"})
        assert told(socket, "item_added")["item"]["name"] == "afterwards"


def test_it_starts_before_its_servers(client, servers):
    servers["postgres"].kill()
    servers["redis"].kill()
    running = application(servers, "early")
    url = f"http://127.0.0.1:{running.port}"
    assert httpx.get(f"{url}/health").status_code == 200
    assert set(httpx.get(f"{url}/ready", timeout=10).json()["missing"]) == {"postgres", "redis"}
    servers["postgres"].start()
    servers["redis"].start()
    until(lambda: httpx.get(f"{url}/ready", timeout=10).status_code == 200)
    assert httpx.get(f"{url}/api/v1/lists").status_code == 200
    assert running.end() == 0


def test_many_may_start_at_one_time(servers, client):
    """The advisory lock: the schema is made anew by four at once, and each file is applied once."""
    import psycopg

    with psycopg.connect(
        host="127.0.0.1", port=servers["postgres"].port, user="app", dbname="postgres",
        password=servers["password"].read_text().strip(), autocommit=True,
    ) as connection:
        connection.execute("DROP TABLE items, lists, schema_migrations")
        running = []
        threads = [threading.Thread(target=lambda n=n: running.append(application(servers, f"of-many-{n}"))) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for process in running:
            until(lambda p=process: httpx.get(f"http://127.0.0.1:{p.port}/ready", timeout=10).status_code == 200)
        numbers = connection.execute("SELECT number FROM schema_migrations ORDER BY number").fetchall()
        assert numbers == [(1,), (2,)]
    assert [process.end() for process in running] == [0] * 4
    logs = "".join(process.log.read_text() for process in running)
    assert logs.count("migration applied") == 2


def test_sigterm_tells_browsers_to_come_back(servers, client, a_list):
    running = application(servers, "stopped")
    until(lambda: httpx.get(f"http://127.0.0.1:{running.port}/ready").status_code == 200)
    with watch(running, a_list) as socket:
        ended = threading.Thread(target=lambda: running.end())
        ended.start()
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=15)
        ended.join()
    assert closed.value.rcvd.code in (1001, 1012)
    assert running.process.returncode == 0
    assert '"stopped"' in running.log.read_text()


def test_a_missing_secret_is_said_in_a_sentence(servers):
    import subprocess
    import sys

    environment = os.environ | {"POSTGRES_PASSWORD_FILE": "/nowhere/password", "PYTHONDONTWRITEBYTECODE": "1"}
    ended = subprocess.run([sys.executable, "-m", "app"], env=environment, capture_output=True, text=True, cwd=os.path.dirname(os.path.dirname(__file__)))
    assert ended.returncode == 1
    assert ended.stderr == "POSTGRES_PASSWORD_FILE: cannot read /nowhere/password (No such file or directory); is the secret mounted?\n"


def test_no_password_is_in_any_log(servers):
    password = servers["password"].read_text().strip()
    for log in servers["folder"].glob("*.log"):
        assert password not in log.read_text(), log
