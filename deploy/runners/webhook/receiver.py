"""The receiver of GitHub's `workflow_job` events, and what runner containers get their registration from.

It alone holds the credential. A container that waits gets a registration for one job, and what a job can
take from a container is worth no more than that. See docs/deploy-runners.md.
"""

import hashlib
import hmac
import json
import os
import re
import secrets
import select
import signal
import socket
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from github import Credential, GitHub, GitHubError
from jobs import Full, Jobs

# GitHub sends up to 25 MB, but a workflow_job event has some 20 kB.
LARGEST_EVENT = 1 << 20
LARGEST_ASK = 4096
MOST_CONNECTIONS = 64
MOST_OF_ONE = 16
HEARTBEAT = 15


def log(line):
    print(f"runner-webhook: {line}", file=sys.stderr, flush=True)


class Settings:
    def __init__(self, environment):
        def need(name):
            if not environment.get(name):
                sys.exit(f"runner-webhook: {name} is not set. deploy/env/*.env.example shows what it looks like")
            return environment[name]

        def number(name, default, least):
            text = environment.get(name) or str(default)
            if not text.isdigit() or int(text) < least:
                sys.exit(f"runner-webhook: {name} is '{text}', and must be a whole number of at least {least}")
            return int(text)

        self.owner = need("GITHUB_OWNER")
        self.repository = environment.get("GITHUB_REPOSITORY", "").split("/")[-1]
        self.url = environment.get("GITHUB_URL") or "https://github.com"
        self.api = environment.get("GITHUB_API_URL") or "https://api.github.com"
        self.token_file = environment.get("GITHUB_TOKEN_FILE") or "/run/secrets/github_token"
        self.app_id = environment.get("GITHUB_APP_ID", "")
        self.installation_id = environment.get("GITHUB_APP_INSTALLATION_ID", "")
        self.webhook_file = environment.get("GITHUB_WEBHOOK_FILE") or "/run/secrets/github_webhook"
        self.labels = [word.strip() for word in (environment.get("RUNNER_LABELS") or "self-hosted,linux,x64").split(",")]
        self.group = number("RUNNER_GROUP_ID", 1, 1)
        self.prefix = environment.get("RUNNER_NAME_PREFIX") or "gateway"
        self.registration = environment.get("RUNNER_REGISTRATION") or "jit"
        if self.registration not in ("jit", "token"):
            sys.exit(f"runner-webhook: RUNNER_REGISTRATION is '{self.registration}', and must be jit or token")
        self.state = environment.get("STATE_DIR") or "/var/lib/runner-webhook"
        self.port = number("PORT", 9000, 1)
        self.limit = number("MAX_QUEUED_JOBS", 500, 1)
        self.catch_up = number("CATCH_UP_SECONDS", 180, 1)
        # NAME, or NAME=HOST where the container's name in the network is another.
        self.containers = {}
        for word in need("RUNNERS").split(","):
            name, _, host = word.strip().partition("=")
            if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,30}", name):
                sys.exit(f"runner-webhook: RUNNERS names '{name}': small letters, digits and '-' only, at most 31")
            self.containers[name] = host or name
        try:
            with open(self.webhook_file, "rb") as file:
                self.webhook_secret = file.read().strip()
        except OSError as error:
            sys.exit(f"runner-webhook: the webhook's secret cannot be read from {self.webhook_file}: {error.strerror}")
        if len(self.webhook_secret) < 16:
            sys.exit(f"runner-webhook: the webhook's secret in {self.webhook_file} is shorter than 16 characters")

    def names_of(self, container):
        """The names that the container's registrations have: a new one for each, so that one that GitHub
        still thinks is busy after a crash is in nobody's way."""
        return re.compile(re.escape(f"{self.prefix}-{container}") + r"-[0-9a-f]{8}")

    def mine(self, repository):
        owner, _, name = repository.lower().partition("/")
        return owner == self.owner.lower() and (not self.repository or name == self.repository.lower())

    def fits(self, labels):
        mine = {label.lower() for label in self.labels}
        return bool(labels) and all(label.lower() in mine for label in labels)


class Receiver:
    def __init__(self, settings):
        self.settings = settings
        self.stop = threading.Event()
        credential = Credential(settings.token_file, settings.app_id, settings.installation_id)
        self.github = GitHub(settings.api, settings.owner, settings.repository, credential, log, self.stop)
        self.jobs = Jobs(os.path.join(settings.state, "jobs.json"), settings.limit)
        self.registered = 0
        # Containers of which this receiver, just started, does not know whether a job runs in them. They
        # get no runner while GitHub thinks that one of theirs is busy: it may be the job that asks.
        self.unknown = set(settings.containers)
        self._said = {}

    def say_once(self, key, line):
        """The same line again only after ten minutes: an outage is told of and does not fill the log."""
        last, when = self._said.get(key, ("", 0))
        if line != last or time.monotonic() - when > 600:
            self._said[key] = (line, time.monotonic())
            log(line)

    # From GitHub.

    def event(self, kind, body):
        """Status and text of the answer to a delivery whose signature is right."""
        if kind == "ping":
            return 200, "pong"
        if kind != "workflow_job":
            return 202, f"ignored: the event {kind[:40]!r} is none that is of use here; choose 'Workflow jobs' alone"
        try:
            event = json.loads(body)
            action, job = event["action"], event["workflow_job"]
            number, labels = job["id"], job["labels"]
            repository = event["repository"]["full_name"]
            name, runner = str(job.get("name", ""))[:100], job.get("runner_name")
            if not (type(number) is int and 0 < number < 1 << 63 and isinstance(labels, list)
                    and all(isinstance(label, str) for label in labels)
                    and re.fullmatch(r"[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}", repository)
                    and (runner is None or isinstance(runner, str))):
                raise ValueError
        except (ValueError, KeyError, TypeError, RecursionError):
            return 400, "this is not the JSON of a workflow_job event; is the webhook's content type application/json?"
        if not self.settings.mine(repository):
            return 202, f"ignored: runners here are for {self.github.scope.lstrip('/')} only"
        if action == "queued":
            return self.queued(number, repository, name, labels)
        if action == "in_progress":
            self.jobs.begun(number, runner)
            return 200, "noted"
        if action == "completed":
            self.jobs.ended(number)
            return 200, "noted"
        return 202, "ignored: an action that is of no use here"

    def queued(self, number, repository, name, labels):
        if not self.settings.fits(labels):
            return 202, "ignored: no runner here has these labels"
        try:
            new = self.jobs.queued(number, repository, name)
        except Full:
            self.say_once("full", f"{self.settings.limit} jobs wait already (MAX_QUEUED_JOBS); further ones are refused "
                          "and looked for later")
            return 503, "too many jobs wait already"
        except OSError as error:
            self.say_once("disk", f"a job cannot be kept in {self.settings.state}: {error.strerror}")
            return 503, "the job cannot be kept"
        if new:
            log(f"job {number} of {repository} waits for a runner")
        return 200, "queued" if new else "known already"

    # To the runners.

    def serve_container(self, container, runner, busy, connection, send):
        """Lasts as long as the container's connection. False if the container has one already."""
        lease = self.jobs.enter(container, runner, busy)
        if lease is None:
            return False
        try:
            beat = Beat(send)
            if runner:
                log(f"{container} is back with its runner {runner}")
            while lease.runner is None and not self.stop.is_set() and not gone(connection):
                beat()
                self.find_work(container, lease, send)
            while not self.stop.is_set() and not gone(connection):
                beat()
                self.stop.wait(0.3)
            return True
        finally:
            self.jobs.leave(lease)
            if lease.runner and not self.stop.is_set():
                self.clean(container)

    def find_work(self, container, lease, send):
        """About a second of waiting; afterwards the lease has a runner, or it has not."""
        if container in self.unknown and not self.clean(container):
            self.stop.wait(5)
            return
        name = f"{self.settings.prefix}-{container}-{secrets.token_hex(4)}"
        job = self.jobs.take(lease, name, 1.0)
        if job is None:
            return
        message = None
        try:
            message = self.register(name, *job)
        except GitHubError as error:
            self.say_once("register", str(error))
        if message is None:
            self.jobs.give_back(lease)
            self.stop.wait(1)
            return
        log(f"{container} is registered as {name}")
        send(message)

    def register(self, name, number, job):
        """What the container is told, or None if GitHub says that the job no longer waits."""
        try:
            status = self.github.job(job["repository"], number).get("status")
            if status not in (None, "queued"):
                self.jobs.ended(number)
                log(f"job {number} no longer waits (GitHub says: {status}); no runner is started for it")
                return None
        except GitHubError as error:
            if error.status == 404:
                self.say_once("look", f"job {number} cannot be looked at ({error}); a runner is started all the same")
            elif error.status == 403:
                self.say_once("look", f"{error}. Until it may read Actions, runners are started for cancelled jobs too")
            else:
                raise
        settings = self.settings
        if settings.registration == "jit":
            _, config = self.github.jit_config(name, settings.labels, settings.group)
            message = {"name": name, "jitconfig": config}
        else:
            path = f"{settings.owner}/{settings.repository}" if settings.repository else settings.owner
            message = {"name": name, "token": self.github.registration_token(),
                       "url": f"{settings.url}/{path}", "labels": ",".join(settings.labels)}
        self.registered += 1
        return message

    def clean(self, container):
        """Removes what the container's runners have left behind. True if nothing is left."""
        try:
            removed, busy = self.github.remove_stale(self.settings.names_of(container), self.jobs.names())
        except GitHubError as error:
            self.say_once("clean", f"{error}. Left-over registrations are looked for again")
            return False
        for name in removed:
            log(f"the registration {name} was left over and is removed")
        if busy:
            self.say_once(f"busy {container}", f"GitHub thinks that {', '.join(busy)} runs a job; it is removed later")
            return False
        self.unknown.discard(container)
        return True

    # By itself.

    def look(self):
        """Deliveries get lost: every few minutes GitHub is asked what waits, and what is left over is removed."""
        etags = {}
        while not self.stop.wait(self.settings.catch_up * (0.9 + 0.2 * secrets.randbelow(100) / 100)):
            for number in self.jobs.drop_old():
                log(f"job {number} has waited for a day, after which GitHub gives it up; it is forgotten")
            for container in self.settings.containers:
                self.clean(container)
            if not self.settings.repository:
                continue
            repository = f"{self.settings.owner}/{self.settings.repository}"
            try:
                for job in self.github.queued_jobs(repository, etags):
                    labels = job.get("labels") or []
                    if self.settings.fits(labels) and self.jobs.queued(int(job["id"]), repository, str(job.get("name"))[:100]):
                        log(f"job {job['id']} of {repository} waits though no delivery told of it; was one lost?")
            except (GitHubError, Full, OSError, KeyError, ValueError) as error:
                etags.clear()
                self.say_once("look", f"jobs whose delivery was lost cannot be looked for: {error}")

    def metrics(self):
        kinds = dict.fromkeys(self.jobs.figures(), "gauge")
        values = self.jobs.figures()
        values["runner_github_errors_total"], kinds["runner_github_errors_total"] = self.github.errors, "counter"
        values["runner_registrations_total"], kinds["runner_registrations_total"] = self.registered, "counter"
        return "".join(f"# TYPE {name} {kinds[name]}\n{name} {value:g}\n" for name, value in values.items())


class Beat:
    """Says now and then that the receiver is there, so that the container finds out when it is not."""

    def __init__(self, send):
        self.send, self.last = send, 0.0

    def __call__(self):
        if time.monotonic() - self.last > HEARTBEAT:
            self.last = time.monotonic()
            self.send({"wait": True})


def gone(connection):
    """Whether the other side has closed. A container that is killed closes too: the kernel does it."""
    readable, _, _ = select.select([connection], [], [], 0)
    if not readable:
        return False
    try:
        return connection.recv(1, socket.MSG_PEEK) == b""
    except OSError:
        return True


class Handler(BaseHTTPRequestHandler):
    server_version = "runner-webhook"
    sys_version = ""
    protocol_version = "HTTP/1.1"
    timeout = 20
    receiver: Receiver

    def log_message(self, *_):
        pass  # The gateway has an access log, and what matters is said where it happens.

    def answer(self, status, text, kind="text/plain; charset=utf-8"):
        body = text.encode()
        self.close_connection = True
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path == "/health":
            self.answer(200, "ok\n")
        elif self.path == "/metrics" and not self.came_through_gateway():
            self.answer(200, self.receiver.metrics(), "text/plain; version=0.0.4")
        else:
            self.answer(404, "not found\n")

    def do_POST(self):
        if self.path == "/github":
            self.github()
        elif self.path == "/next" and not self.came_through_gateway():
            self.next()
        else:
            self.answer(404, "not found\n")

    def came_through_gateway(self):
        return any(name in self.headers for name in ("X-Forwarded-For", "Forwarded", "Via", "X-Real-IP"))

    def body(self, largest):
        length = self.headers.get("Content-Length", "")
        if "Transfer-Encoding" in self.headers or not re.fullmatch(r"[0-9]{1,10}", length):
            self.answer(411, "the length of the body must be said\n")
            return None
        if int(length) > largest:
            # Some of it is read, or the sender would be cut off before it can read the answer.
            for _ in range(min(int(length), 4 * LARGEST_EVENT) // 65536):
                if not self.rfile.read(65536):
                    break
            self.answer(413, f"at most {largest} bytes\n")
            return None
        body = self.rfile.read(int(length))
        if len(body) != int(length):
            self.answer(400, "the body is shorter than was said\n")
            return None
        return body

    def github(self):
        body = self.body(LARGEST_EVENT)
        if body is None:
            return
        # The gateway has checked it already. But jobs run on a network with this receiver, and they
        # must not be able to play GitHub.
        mine = "sha256=" + hmac.new(self.receiver.settings.webhook_secret, body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(mine.encode(), self.headers.get("X-Hub-Signature-256", "").encode()):
            self.receiver.say_once("signature", f"a delivery from {self.client_address[0]} has a wrong signature and is "
                                   "refused. If it was GitHub's: the secret of the webhook there is not the one here")
            self.answer(401, "the signature is wrong\n")
            return
        try:
            status, text = self.receiver.event(self.headers.get("X-GitHub-Event", ""), body)
        except OSError as error:
            log(f"a delivery could not be noted in {self.receiver.settings.state}: {error.strerror}")
            status, text = 503, "it cannot be kept"
        self.answer(status, text + "\n")

    def next(self):
        body = self.body(LARGEST_ASK)
        if body is None:
            return
        try:
            asked = json.loads(body)
            container, runner, busy = asked["container"], asked.get("runner"), asked.get("busy") is True
            host = self.receiver.settings.containers[container]
            if runner is not None and not self.receiver.settings.names_of(container).fullmatch(runner):
                raise ValueError
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            self.answer(400, "the container's name is expected, and must be one of RUNNERS\n")
            return
        # A job in runner-1 must not get what is meant for runner-2.
        try:
            known = {entry[4][0] for entry in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
        except OSError:
            known = set()
        if self.client_address[0] not in known:
            self.receiver.say_once("address", f"{self.client_address[0]} says that it is {container}, which has another "
                                   "address; refused")
            self.answer(403, "this is not that container's address\n")
            return
        started = False

        def send(message):
            nonlocal started
            if not started:
                started = True
                self.send_response(200)
                self.send_header("Content-Type", "application/x-ndjson")
                self.send_header("Connection", "close")
                self.end_headers()
            self.wfile.write(json.dumps(message).encode() + b"\n")
            self.wfile.flush()

        self.close_connection = True
        try:
            if not self.receiver.serve_container(container, runner, busy, self.connection, send):
                self.answer(409, "this container has a runner already\n")
        except OSError:
            pass  # It went away while it was told something; the lease has ended with that.


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    block_on_close = False

    def __init__(self, address, receiver):
        self.lock = threading.Lock()
        self.open = Counter()  # connections by address, so that a job cannot keep GitHub's deliveries out
        super().__init__(address, type("BoundHandler", (Handler,), {"receiver": receiver}))

    def process_request(self, request, client_address):
        with self.lock:
            full = self.open.total() >= MOST_CONNECTIONS or self.open[client_address[0]] >= MOST_OF_ONE
            if not full:
                self.open[client_address[0]] += 1
        if full:
            self.shutdown_request(request)
        else:
            super().process_request(request, client_address)

    def process_request_thread(self, request, client_address):
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self.lock:
                self.open[client_address[0]] -= 1
                self.open += Counter()  # drops those that are at zero

    def handle_error(self, request, client_address):
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            log(f"a request from {client_address[0]} ended with {type(error).__name__}: {error}")


def main():
    receiver = Receiver(Settings(os.environ))
    server = Server(("0.0.0.0", receiver.settings.port), receiver)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    threading.Thread(target=receiver.look, daemon=True).start()
    log(f"listening on port {receiver.settings.port} for {receiver.github.scope.lstrip('/')}; "
        f"{len(receiver.jobs.waiting)} jobs wait; containers: {', '.join(receiver.settings.containers)}")
    if not receiver.settings.repository:
        log("GITHUB_REPOSITORY is empty, so runners are the organization's; jobs whose delivery was lost are not looked for")
    server.serve_forever(poll_interval=0.2)
    receiver.stop.set()
    log("stopped")


if __name__ == "__main__":
    main()
