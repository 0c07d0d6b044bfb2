#!/usr/bin/env python3
"""GitHub's documented REST API, as far as runners use it, for tests on this machine.

It checks requests as the documentation says (headers, bodies, status codes, paging) and can be told to
misbehave: see `faults`. Paths that begin with /_runner are the stand-in program's, /_control the tests'.
"""

import base64
import hashlib
import hmac
import json
import os
import re
import secrets
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

OWNER, REPOSITORY = "familycart", "shop"
TOKEN = "github_pat_of_the_tests_0123456789"


class StandIn(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address=("127.0.0.1", 0), public=None):
        super().__init__(address, Handler)
        self.public = public or f"http://127.0.0.1:{self.server_address[1]}"
        self.lock = threading.RLock()
        self.tokens = {TOKEN}
        self.registration_tokens = set()
        self.app_key = None  # file with the App's public key
        self.runners, self.jobs = {}, {}
        self.requests = []  # (method, path, headers) of the documented part
        self.faults = []  # each is (pattern of "METHOD path", status, headers, body), used once; status 0 hangs up
        self.webhook = None  # (address, secret): where events are sent to
        self.numbers = 100

    def start(self):
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def number(self):
        self.numbers += 1
        return self.numbers

    def runner(self, name, labels, **more):
        with self.lock:
            number = self.number()
            self.runners[number] = {"id": number, "name": name, "os": "linux", "status": "offline", "busy": False,
                                    "labels": [{"name": label} for label in labels], "secret": secrets.token_hex(8), **more}
            return self.runners[number]

    def job(self, script="true", labels=("self-hosted", "linux"), deliver=True):
        """A new job, which waits for a runner; GitHub's event is sent unless it is to get lost."""
        with self.lock:
            number = self.number()
            job = self.jobs[number] = {
                "id": number, "run_id": number + 500000, "name": f"job-{number}", "labels": list(labels), "status": "queued",
                "conclusion": None, "runner_name": None, "script": script, "output": "", "deliver": deliver}
        self.event("queued", job)
        return job

    def cancel(self, job, deliver=True):
        job["status"], job["conclusion"] = "completed", "cancelled"
        if deliver:
            self.event("completed", job)

    def event(self, action, job, **more):
        if self.webhook is None or not job["deliver"]:
            return None
        shown = {name: value for name, value in job.items() if name not in ("script", "output", "deliver")}
        body = {"action": action, "workflow_job": shown, "repository": {"full_name": f"{OWNER}/{REPOSITORY}"}, **more}
        return self.send(json.dumps(body).encode())

    def send(self, body, kind="workflow_job", **headers):
        address, secret = self.webhook
        signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", "X-GitHub-Event": kind, "X-Forwarded-For": "192.0.2.1",
                   "X-GitHub-Delivery": secrets.token_hex(8), "X-Hub-Signature-256": f"sha256={signature}", **headers}
        try:
            with urllib.request.urlopen(urllib.request.Request(address, body, headers), timeout=10) as response:
                return response.status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return None  # as with GitHub, a delivery that fails is not tried again

    def names(self):
        with self.lock:
            return sorted(runner["name"] for runner in self.runners.values())


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body=None, **headers):
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        for name, value in {"X-RateLimit-Limit": "5000", "X-RateLimit-Remaining": "4999", **more}.items():
            self.send_header(name, str(value))
        if data:
            self.send_header("Content-Type", "application/json; charset=utf-8")
        if status != 204:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def do_GET(self):
        self.handle_any()

    do_POST = do_DELETE = do_GET

    def handle_any(self):
        url = urlsplit(self.path)
        self.query = {name: values[0] for name, values in parse_qs(url.query).items()}
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            body = json.loads(raw) if raw else None
        except ValueError:
            return self.answer(400, {"message": "Problems parsing JSON"})
        if url.path.startswith("/_runner/"):
            return self.runner_program(url.path, body)
        if url.path.startswith("/_control/"):
            return self.control(url.path, body)
        with self.server.lock:
            self.server.requests.append((self.command, self.path, dict(self.headers)))
            for fault in self.server.faults:
                if re.search(fault[0], f"{self.command} {self.path}"):
                    self.server.faults.remove(fault)
                    if fault[1] == 0:
                        self.close_connection = True
                        return None
                    return self.answer(fault[1], fault[3], **fault[2])
            return self.documented(url.path, body)

    def documented(self, path, body):
        server = self.server
        if not self.headers.get("User-Agent"):
            return self.answer(403, {"message": "Request forbidden by administrative rules. Please make sure your request has a User-Agent header"})
        if self.headers.get("Accept") != "application/vnd.github+json":
            return self.answer(415, {"message": "Unsupported 'Accept' header"})
        if self.headers.get("X-GitHub-Api-Version") != "2022-11-28":
            return self.answer(400, {"message": "X-GitHub-Api-Version is missing or not supported"})
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        if match := re.fullmatch(r"/app/installations/(\d+)/access_tokens", path):
            if not self.signed_by_app(token):
                return self.answer(401, {"message": "A JSON web token could not be decoded"})
            if match[1] != "77":
                return self.answer(404, {"message": "Not Found"})
            made = "ghs_" + secrets.token_hex(16)
            server.tokens.add(made)
            until = datetime.fromtimestamp(time.time() + 3600, timezone.utc)
            return self.answer(201, {"token": made, "expires_at": until.strftime("%Y-%m-%dT%H:%M:%SZ")})
        if scheme != "Bearer" or token not in server.tokens:
            return self.answer(401, {"message": "Bad credentials"})
        scope = next((s for s in (f"/repos/{OWNER}/{REPOSITORY}", f"/orgs/{OWNER}") if path.startswith(s + "/")), None)
        if scope is None:
            return self.answer(404, {"message": "Not Found"})
        rest = path[len(scope):]
        what = (self.command, rest)
        if what == ("GET", "/actions/runners"):
            found = [r for r in server.runners.values() if self.query.get("name") in (None, r["name"])]
            shown = [{k: v for k, v in r.items() if k not in ("secret", "ephemeral")} for r in found]
            return self.paged("runners", shown)
        if what == ("POST", "/actions/runners/registration-token"):
            made = "A" + secrets.token_hex(14).upper()
            server.registration_tokens.add(made)
            return self.answer(201, {"token": made, "expires_at": "2099-01-01T00:00:00Z"})
        if what == ("POST", "/actions/runners/remove-token"):
            return self.answer(201, {"token": "R" + secrets.token_hex(14).upper(), "expires_at": "2099-01-01T00:00:00Z"})
        if what == ("POST", "/actions/runners/generate-jitconfig"):
            good = (isinstance(body, dict) and isinstance(body.get("name"), str) and 0 < len(body["name"]) <= 64
                    and type(body.get("runner_group_id")) is int and isinstance(body.get("labels"), list)
                    and 1 <= len(body["labels"]) <= 100 and all(isinstance(label, str) for label in body["labels"]))
            if not good:
                return self.answer(422, {"message": "Invalid request"})
            if body["name"] in server.names():
                return self.answer(409, {"message": "Already exists - a runner with this name exists"})
            runner = server.runner(body["name"], body["labels"], ephemeral=True)
            config = {"api": server.public, "id": runner["id"], "name": runner["name"], "secret": runner["secret"]}
            shown = {k: v for k, v in runner.items() if k not in ("secret", "ephemeral")}
            return self.answer(201, {"runner": shown, "encoded_jit_config": base64.b64encode(json.dumps(config).encode()).decode()})
        if (match := re.fullmatch(r"/actions/runners/(\d+)", rest)) and self.command == "DELETE":
            runner = server.runners.get(int(match[1]))
            if runner is None:
                return self.answer(404, {"message": "Not Found"})
            if runner["busy"]:
                return self.answer(422, {"message": f"Runner \"{runner['name']}\" is currently running a job and cannot be deleted."})
            del server.runners[int(match[1])]
            return self.answer(204)
        if what == ("GET", "/actions/runs"):
            status = self.query.get("status")
            runs = [{"id": job["run_id"], "status": job["status"]} for job in server.jobs.values() if status in (None, job["status"])]
            etag = '"' + hashlib.sha256(json.dumps(runs).encode()).hexdigest()[:16] + '"'
            if self.headers.get("If-None-Match") == etag:
                return self.answer(304, ETag=etag)
            return self.answer(200, {"total_count": len(runs), "workflow_runs": runs}, ETag=etag)
        if (match := re.fullmatch(r"/actions/runs/(\d+)/jobs", rest)) and self.command == "GET":
            return self.paged("jobs", [self.shown(job) for job in server.jobs.values() if job["run_id"] == int(match[1])])
        if (match := re.fullmatch(r"/actions/jobs/(\d+)", rest)) and self.command == "GET":
            job = server.jobs.get(int(match[1]))
            return self.answer(404, {"message": "Not Found"}) if job is None else self.answer(200, self.shown(job))
        return self.answer(404, {"message": "Not Found"})

    @staticmethod
    def shown(job):
        return {k: v for k, v in job.items() if k not in ("script", "output", "deliver")}

    def paged(self, key, items):
        size, page = min(int(self.query.get("per_page", 30)), 100), int(self.query.get("page", 1))
        more = {}
        if page * size < len(items):
            address = f"{self.server.public}{urlsplit(self.path).path}?per_page={size}&page={page + 1}"
            more = {"Link": f'<{address}>; rel="next"'}
        return self.answer(200, {"total_count": len(items), key: items[(page - 1) * size:page * size]}, **more)

    def signed_by_app(self, token):
        try:
            head, claims, signature = token.split(".")
            pad = lambda part: base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
            said = json.loads(pad(claims))
            if json.loads(pad(head))["alg"] != "RS256" or said["iss"] != "4711":
                return False
            if not said["iat"] <= time.time() < said["exp"] <= time.time() + 600:
                return False
            with tempfile.NamedTemporaryFile() as file:
                file.write(pad(signature))
                file.flush()
                return subprocess.run(["openssl", "dgst", "-sha256", "-verify", self.server.app_key, "-signature", file.name],
                                      input=f"{head}.{claims}".encode(), capture_output=True, check=False).returncode == 0
        except (ValueError, KeyError, TypeError):
            return False

    # What the runner program does.

    def runner_program(self, path, body):
        server = self.server
        with server.lock:
            if path == "/_runner/configure":
                if body["token"] not in server.registration_tokens:
                    return self.answer(401)
                runner = server.runner(body["name"], body["labels"], ephemeral=body["ephemeral"])
                return self.answer(200, {"api": server.public, "id": runner["id"], "name": runner["name"], "secret": runner["secret"]})
            runner = server.runners.get(body["id"])
            if runner is None or runner["secret"] != body["secret"]:
                return self.answer(401)
            if path == "/_runner/take":
                runner["status"] = "online"
                mine = {label["name"].lower() for label in runner["labels"]}
                job = next((j for j in server.jobs.values()
                            if j["status"] == "queued" and {label.lower() for label in j["labels"]} <= mine), None)
                if job is None:
                    return self.answer(204)
                runner["busy"] = True
                job["status"], job["runner_name"], job["runner_id"] = "in_progress", runner["name"], runner["id"]
            else:
                job = server.jobs[body["job"]]
                job["status"], job["conclusion"], job["output"] = "completed", body["conclusion"], body["output"]
                runner["busy"] = False
                if runner["ephemeral"]:
                    del server.runners[runner["id"]]
        if path == "/_runner/take":
            server.event("in_progress", job)
            return self.answer(200, {"id": job["id"], "script": job["script"]})
        server.event("completed", job)
        return self.answer(200, {})

    # What a test that is not in this process does.

    def control(self, path, body):
        server = self.server
        if path == "/_control/job":
            return self.answer(201, server.job(**body))
        with server.lock:
            return self.answer(200, {"jobs": list(server.jobs.values()), "runners": list(server.runners.values())})


def main():
    server = StandIn(("0.0.0.0", 8080), public=os.environ["PUBLIC"])
    with open("/run/secrets/github_webhook", encoding="ascii") as file:
        server.webhook = (os.environ["WEBHOOK"], file.read().strip())
    server.serve_forever()


if __name__ == "__main__":
    sys.exit(main())
