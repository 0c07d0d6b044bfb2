"""GitHub's REST API, as far as runners need it. Used by the receiver and by standing runners.

Every request has a time limit, waits as GitHub tells it to, and is tried again where that can help.
Neither a token nor a body is ever written to the log.
"""

import base64
import json
import random
import re
import subprocess
import threading
import time
import urllib.error
import urllib.request
from datetime import datetime

API_VERSION = "2022-11-28"
TIMEOUT = 20
# What one answer may be: a page of a hundred runners is far below it.
LARGEST_ANSWER = 8 << 20


class GitHubError(Exception):
    """A request that came to nothing, in one line that says what to do."""

    def __init__(self, message, status=None):
        super().__init__(message)
        self.status = status


class RateLimited(GitHubError):
    """GitHub wants to be left alone until `until` (seconds since 1970)."""

    def __init__(self, message, status, until):
        super().__init__(message, status)
        self.until = until


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    # A redirect would take the token along to wherever it leads.
    def redirect_request(self, *_):
        return None


class Credential:
    """The content of the secret file: a personal access token, or the private key of a GitHub App.

    The file is read anew for every token that is asked for, so a rotated one needs no restart.
    """

    def __init__(self, path, app_id="", installation_id=""):
        self.path, self.app_id, self.installation_id = path, app_id, installation_id
        self._token, self._expires = None, 0

    def token(self, github):
        content = self._read()
        if "-----BEGIN" not in content:
            return content
        if not self.app_id or not self.installation_id:
            raise GitHubError(
                f"{self.path} holds the private key of a GitHub App, but GITHUB_APP_ID or "
                "GITHUB_APP_INSTALLATION_ID is empty. Set both; docs/deploy-runners.md says where they are"
            )
        # Five minutes early, so that none expires on its way.
        if self._token is None or time.time() > self._expires - 300:
            answer = github.once(
                "POST",
                f"/app/installations/{self.installation_id}/access_tokens",
                {},
                token=self._assertion(),
            )
            if answer.status == 401:
                raise GitHubError(
                    f"GitHub does not know the App's key in {self.path} (401). Check GITHUB_APP_ID, "
                    "and this machine's clock; make a new private key in the App's settings if this one was deleted",
                    401,
                )
            if answer.status == 404:
                raise GitHubError(
                    f"GitHub knows no installation {self.installation_id} of this App (404). The number is at "
                    "the end of the address of the installation's settings: GITHUB_APP_INSTALLATION_ID",
                    404,
                )
            github.raise_for(answer, "the App's token")
            self._token = answer.body["token"]
            self._expires = datetime.fromisoformat(answer.body["expires_at"].replace("Z", "+00:00")).timestamp()
        return self._token

    def forget(self):
        self._token = None

    def _read(self):
        try:
            with open(self.path, encoding="ascii") as file:
                content = file.read(65536).strip()
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not plain text"
            raise GitHubError(f"the GitHub token cannot be read from {self.path}: {reason}") from None
        if not content:
            raise GitHubError(f"{self.path} is empty. It must hold a GitHub token, or a GitHub App's private key")
        if "-----BEGIN" not in content and not re.fullmatch(r"[!-~]{8,512}", content):
            raise GitHubError(f"{self.path} does not hold a token: one line without spaces is expected")
        return content

    def _assertion(self):
        """The App's JSON Web Token, signed by openssl: the only place that needs RS256, so no library."""

        def part(data):
            return base64.urlsafe_b64encode(data).rstrip(b"=")

        # A minute back, for clocks that differ; GitHub allows ten minutes ahead.
        now = int(time.time())
        claims = {"iat": now - 60, "exp": now + 540, "iss": self.app_id}
        signed = part(b'{"alg":"RS256","typ":"JWT"}') + b"." + part(json.dumps(claims).encode())
        try:
            signature = subprocess.run(
                ["openssl", "dgst", "-sha256", "-sign", self.path],
                input=signed, capture_output=True, check=True, timeout=10,
            ).stdout
        except (OSError, subprocess.SubprocessError):
            raise GitHubError(
                f"the private key in {self.path} cannot be used for signing. It must be the whole .pem file "
                "that GitHub let you download, without a passphrase"
            ) from None
        return (signed + b"." + part(signature)).decode()


class GitHub:
    def __init__(self, api, owner, repository, credential, log, stop=None):
        self.api = api.rstrip("/")
        self.owner, self.repository = owner, repository
        self.scope = f"/repos/{owner}/{repository}" if repository else f"/orgs/{owner}"
        self.credential, self.log = credential, log
        self.stop = stop or threading.Event()
        self.errors = 0
        self._not_before = 0.0
        self._lock = threading.Lock()
        self._opener = urllib.request.build_opener(_NoRedirect)

    # What runners need.

    def jit_config(self, name, labels, group):
        body = {"name": name, "runner_group_id": group, "labels": labels, "work_folder": "_work"}
        answer = self.call("POST", f"{self.scope}/actions/runners/generate-jitconfig", body, "a just-in-time runner")
        return answer.body["runner"]["id"], answer.body["encoded_jit_config"]

    def registration_token(self):
        path = f"{self.scope}/actions/runners/registration-token"
        return self.call("POST", path, None, "a registration token").body["token"]

    def runners(self):
        return self._pages(f"{self.scope}/actions/runners", "runners", "the list of runners")

    def remove_runner(self, number):
        """True if it is gone, False if GitHub thinks that it runs a job."""
        try:
            self.call("DELETE", f"{self.scope}/actions/runners/{number}", None, "the removal of a runner")
        except GitHubError as error:
            if error.status == 404:
                return True
            if error.status == 422:
                return False
            raise
        return True

    def remove_stale(self, ours, keep=()):
        """Removes the registrations whose name `ours` matches, except those to keep. The names of those
        that are gone, and of those that GitHub still thinks busy and does not remove."""
        gone, busy = [], []
        for runner in self.runners():
            name = runner.get("name", "")
            if ours.fullmatch(name) and name not in keep:
                (gone if self.remove_runner(runner["id"]) else busy).append(name)
        return gone, busy

    def job(self, repository, number):
        return self.call("GET", f"/repos/{repository}/actions/jobs/{number}", None, "the state of a job").body

    def queued_jobs(self, repository, etags):
        """Jobs that wait for a runner. `etags` is kept between calls: what has not changed is not counted
        against the rate limit."""
        jobs = []
        for status in ("queued", "in_progress"):
            path = f"/repos/{repository}/actions/runs?status={status}&per_page=100"
            answer = self.call("GET", path, None, "the list of workflow runs", etag=etags.get(path))
            if answer.status == 304:
                continue
            for run in answer.body.get("workflow_runs", []):
                path_of_jobs = f"/repos/{repository}/actions/runs/{run['id']}/jobs"
                for job in self._pages(path_of_jobs, "jobs", "the jobs of a workflow run"):
                    if job.get("status") == "queued":
                        jobs.append(job)
            # Kept only now: had one of the requests failed, the next round asks for everything again.
            etags[path] = answer.headers.get("ETag")
        return jobs

    # How it is asked.

    def _pages(self, path, key, what):
        items = []
        for page in range(1, 101):
            answer = self.call("GET", f"{path}?per_page=100&page={page}", None, what)
            items += answer.body.get(key, [])
            if 'rel="next"' not in answer.headers.get("Link", ""):
                return items
        return items

    def call(self, method, path, body, what, etag=None, patience=20):
        """A request with its repetitions. Raises GitHubError when `patience` seconds have brought nothing."""
        deadline = time.monotonic() + patience
        pause, asked_again = 1.0, False
        while True:
            try:
                self._wait_for_limit(deadline)
                answer = self.once(method, path, body, etag=etag)
                if answer.status == 401 and not asked_again:
                    # The file may hold another token by now, and an App's may have been revoked.
                    asked_again = True
                    self.credential.forget()
                    continue
                self.raise_for(answer, what)
                return answer
            except RateLimited as error:
                with self._lock:
                    self._not_before = max(self._not_before, error.until)
                if time.monotonic() + error.until - time.time() > deadline:
                    self._count()
                    raise
            except GitHubError as error:
                again = error.status is not None and (error.status >= 500 or error.status == 0)
                if not again or time.monotonic() + pause > deadline or self.stop.is_set():
                    self._count()
                    raise
                # Jitter, so that two who were refused together do not come back together.
                self.stop.wait(pause * random.uniform(0.5, 1.5))
                pause = min(pause * 2, 30)

    def _count(self):
        with self._lock:
            self.errors += 1

    def _wait_for_limit(self, deadline):
        wait = self._not_before - time.time()
        if wait <= 0:
            return
        if time.monotonic() + wait > deadline:
            raise RateLimited(self._limit_text(self._not_before), 429, self._not_before)
        self.stop.wait(wait)

    @staticmethod
    def _limit_text(until):
        clock = time.strftime("%H:%M:%S", time.gmtime(until))
        return f"GitHub's rate limit is used up; no request before {clock} UTC. Nothing needs to be done"

    def once(self, method, path, body, token=None, etag=None):
        headers = {
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": API_VERSION,
            "User-Agent": "gateway-runners",
            "Authorization": "Bearer " + (token or self.credential.token(self)),
        }
        if etag:
            headers["If-None-Match"] = etag
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        elif method == "POST":
            data = b""
        request = urllib.request.Request(self.api + path, data=data, headers=headers, method=method)
        try:
            try:
                response = self._opener.open(request, timeout=TIMEOUT)
            except urllib.error.HTTPError as error:
                response = error
            with response:
                raw = response.read(LARGEST_ANSWER)
                status, headers = response.status, response.headers
        except (OSError, EOFError, ValueError, urllib.error.URLError) as error:
            raise GitHubError(self._network_text(error), 0) from None
        except Exception as error:  # http.client's own, such as a line that is no HTTP
            raise GitHubError(self._network_text(error), 0) from None
        try:
            parsed = json.loads(raw) if raw else {}
        except ValueError:
            parsed = {}
            if 200 <= status < 300:
                raise GitHubError(f"{self.api} answers something that is not JSON. Is GITHUB_API_URL right?", 502) from None
        return Answer(status, headers, parsed if isinstance(parsed, dict) else {})

    def _network_text(self, error):
        reason = getattr(error, "reason", None) or error
        return (
            f"{self.api} cannot be reached: {reason}. If it lasts, look at this machine's way to the "
            "internet and at its name server"
        )

    def raise_for(self, answer, what):
        status = answer.status
        if 200 <= status < 300 or status == 304:
            return
        said = str(answer.body.get("message", ""))[:200]
        where = f"GitHub refuses {what} ({status}: {said})" if said else f"GitHub refuses {what} ({status})"
        if status in (403, 429):
            until = self._limit_of(answer, said)
            if until is not None:
                raise RateLimited(self._limit_text(until), status, until)
        if status == 401:
            raise GitHubError(
                f"{where}: the token in {self.credential.path} has expired or was revoked. Make a new one and "
                "write it to the secret file; a restart is not needed", status)
        if status == 403:
            needs = answer.headers.get("X-Accepted-GitHub-Permissions")
            needs = f" It needs: {needs[:100]}." if needs else ""
            raise GitHubError(f"{where}: the token lacks a permission.{needs} docs/deploy-runners.md lists them", status)
        if status == 404:
            raise GitHubError(
                f"{where}: {self.scope.lstrip('/')} does not exist, or the token may not see it. Check GITHUB_OWNER, "
                "GITHUB_REPOSITORY, and which repositories the token is for", status)
        if status in (301, 307, 308):
            raise GitHubError(
                f"{where}: it has moved. The repository was renamed or transferred: set GITHUB_OWNER and "
                "GITHUB_REPOSITORY to its new name", status)
        raise GitHubError(where, status)

    @staticmethod
    def _limit_of(answer, said):
        """Until when GitHub wants no request, or None where a 403 means something else."""
        after = answer.headers.get("Retry-After", "")
        if after.isdigit():
            return time.time() + min(int(after), 3600)
        reset = answer.headers.get("X-RateLimit-Reset", "")
        if answer.headers.get("X-RateLimit-Remaining") == "0" and reset.isdigit():
            # A second more, as the two clocks are not the same.
            return min(max(int(reset), time.time()) + 1, time.time() + 3700)
        if answer.status == 429 or "rate limit" in said.lower():
            return time.time() + 60
        return None
