"""PostgreSQL, Redis and the application as processes of their own, on free ports, for as long as the
tests run. The servers are those of Debian's packages postgresql and redis-server."""

import glob
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

BACKEND = Path(__file__).parent.parent
POSTGRES_BIN = next(iter(sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True)), None)
PASSWORD = "a password of the tests"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def until(question, seconds=20.0):
    """What the question says once it says something; it is asked until then."""
    end = time.monotonic() + seconds
    while True:
        try:
            if said := question():
                return said
        except (OSError, httpx.HTTPError):
            pass
        assert time.monotonic() < end, f"still not so after {seconds} seconds"
        time.sleep(0.1)


def answers(port: int):
    with socket.create_connection(("127.0.0.1", port), 1):
        return True


class Process:
    """A program that can be killed and started again with the same command."""

    def __init__(self, command, port, log: Path, environment=None):
        self.command, self.port, self.log, self.environment = command, port, log, environment
        self.start()

    def start(self):
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                self.command, env=self.environment, stdout=log, stderr=log, cwd=BACKEND, start_new_session=True
            )
        until(lambda: answers(self.port))

    def end(self, number=signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(40)

    def kill(self):
        # All of its session: PostgreSQL's children go with their parent, as in a container.
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)


@pytest.fixture(scope="session")
def servers(tmp_path_factory):
    missing = [] if POSTGRES_BIN else ["postgresql"]
    missing += [] if shutil.which("redis-server") else ["redis-server"]
    if missing:
        pytest.skip(f"SKIPPED: not installed: {' '.join(missing)}; sudo apt-get install -y {' '.join(missing)}")
    folder = tmp_path_factory.mktemp("servers")
    # PostgreSQL refuses to run as root.
    as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
    data, password = folder / "postgres", folder / "password"
    password.write_text(PASSWORD + "\n")
    if as_user:
        # pytest's own folders are for one user only; this one the server must get through.
        for parent in [folder, *folder.parents[:2]]:
            parent.chmod(0o755)
        data.mkdir()
        shutil.chown(data, "postgres", "postgres")
    subprocess.run(
        [*as_user, f"{POSTGRES_BIN}/initdb", "-D", data, "-U", "app", "-A", "scram-sha-256", f"--pwfile={password}", "--no-sync"],
        check=True, stdout=subprocess.DEVNULL, cwd="/",
    )
    port = free_port()
    postgres = Process(
        [*as_user, f"{POSTGRES_BIN}/postgres", "-D", data, "-p", str(port), "-k", data, "-c", "fsync=off",
         "-c", "listen_addresses=127.0.0.1"],
        port, folder / "postgres.log",
    )
    port = free_port()
    acl = folder / "acl"
    acl.write_text(f'user default on sanitize-payload #{__import__("hashlib").sha256(PASSWORD.encode()).hexdigest()} ~* &* +@all -@dangerous +info\n')
    redis = Process(
        ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", folder, "--aclfile", acl, "--appendonly", "yes"],
        port, folder / "redis.log",
    )
    yield {"postgres": postgres, "redis": redis, "password": password, "folder": folder}
    postgres.end(signal.SIGINT)
    redis.end()


def application(servers, name: str) -> Process:
    port = free_port()
    environment = os.environ | {
        "PORT": str(port), "HOST": "127.0.0.1", "PYTHONDONTWRITEBYTECODE": "1", "MAX_WEBSOCKETS": "20",
        "POSTGRES_HOST": "127.0.0.1", "POSTGRES_PORT": str(servers["postgres"].port), "POSTGRES_DB": "postgres",
        "POSTGRES_PASSWORD_FILE": str(servers["password"]),
        "REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(servers["redis"].port), "REDIS_PASSWORD_FILE": str(servers["password"]),
    }
    return Process([sys.executable, "-m", "app"], port, servers["folder"] / f"{name}.log", environment)


@pytest.fixture(scope="session")
def first(servers):
    running = application(servers, "first")
    yield running
    running.end()


@pytest.fixture(scope="session")
def second(servers):
    running = application(servers, "second")
    yield running
    running.end()


@pytest.fixture
def client(first):
    with httpx.Client(base_url=f"http://127.0.0.1:{first.port}", timeout=10) as client:
        until(lambda: client.get("/ready").status_code == 200)
        yield client


@pytest.fixture
def a_list(client) -> int:
    return client.post("/api/v1/lists", json={"name": "Saturday"}).json()["id"]
