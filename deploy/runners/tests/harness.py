"""What the tests share: the stand-in of GitHub, the receiver and runners as real processes."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.request

from github_stand_in import OWNER, REPOSITORY, TOKEN, StandIn

HERE = os.path.dirname(os.path.abspath(__file__))
RUNNERS = os.path.dirname(HERE)
PROGRAM = os.path.join(os.path.dirname(RUNNERS), "test-images/runner/program")
WEBHOOK_SECRET = "the-secret-of-the-webhook-in-tests"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Process:
    """A program whose output is kept, line by line."""

    def __init__(self, command, environment):
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": RUNNERS, "PYTHONDONTWRITEBYTECODE": "1", **environment}
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.lines = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        with self.process.stdout as output:
            for line in output:
                self.lines.append(line.rstrip())

    def said(self, pattern):
        return any(re.search(pattern, line) for line in self.lines)

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        # What a killed one's children still hold open is closed with them, after this.
        self.reader.join(0.2)

    def text(self):
        return "\n".join(self.lines)


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="runners-")
        self.github = StandIn().start()
        self.processes = []
        self.token_file = self.write("github_token", TOKEN + "\n")
        self.port = free_port()
        self.more = {}

    def tearDown(self):
        for process in self.processes:
            process.end()
        self.github.shutdown()
        self.github.server_close()
        for entry in os.listdir("/proc"):  # runner programs of containers that were killed
            if entry.isdigit():
                try:
                    with open(f"/proc/{entry}/cmdline", "rb") as file:
                        if self.folder.encode() in file.read():
                            os.kill(int(entry), signal.SIGKILL)
                except OSError:
                    pass
        shutil.rmtree(self.folder, ignore_errors=True)
        # Whatever else a test is about: no credential is ever said.
        for process in self.processes:
            for secret in self.github.tokens | self.github.registration_tokens | {WEBHOOK_SECRET}:
                self.assertNotIn(secret, process.text())

    def write(self, name, content):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="ascii") as file:
            file.write(content)
        return path

    def until(self, condition, what, seconds=20):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            value = condition()
            if value:
                return value
            time.sleep(0.05)
        logs = "\n---\n".join(process.text() for process in self.processes)
        self.fail(f"not within {seconds} s: {what}\n{logs}")

    # The receiver.

    def receiver(self, **environment):
        state = os.path.join(self.folder, "state")
        os.makedirs(state, exist_ok=True)
        process = Process([sys.executable, os.path.join(RUNNERS, "webhook/receiver.py")], {
            "GITHUB_OWNER": OWNER, "GITHUB_REPOSITORY": REPOSITORY, "GITHUB_API_URL": self.github.public,
            "GITHUB_URL": self.github.public, "GITHUB_TOKEN_FILE": self.token_file,
            "GITHUB_WEBHOOK_FILE": self.write("github_webhook", WEBHOOK_SECRET), "STATE_DIR": state, "PORT": str(self.port),
            "RUNNERS": "runner-1=127.0.0.1,runner-2=127.0.0.1,elsewhere=192.0.2.7", "RUNNER_LABELS": "self-hosted,linux,x64,uat",
            "RUNNER_NAME_PREFIX": "test", "CATCH_UP_SECONDS": "3600", **environment})
        self.processes.append(process)
        self.until(lambda: process.said("listening on port"), "the receiver listens")
        self.github.webhook = (f"http://127.0.0.1:{self.port}/github", WEBHOOK_SECRET)
        return process

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as response:
            return response.read().decode()

    def figure(self, name):
        return float(re.search(rf"^{name} (\S+)$", self.get("/metrics"), re.M)[1])

    # A container: the entrypoint as a process, once or again and again as with a restart policy.

    def runner(self, name="runner-1", **environment):
        home, state = os.path.join(self.folder, name, "home"), os.path.join(self.folder, name, "state")
        os.makedirs(home, exist_ok=True)
        os.makedirs(state, exist_ok=True)
        variables = {"RUNNER_NAME": name, "RUNNER_HOME": home, "RUNNER_STATE": state, "RUNNER_PROGRAM": PROGRAM,
                     "RUNNER_STOP_GRACE": "20", **environment}
        if "RUNNER_TOKEN_FILE" not in environment:
            variables["RUNNER_WEBHOOK_URL"] = f"http://127.0.0.1:{self.port}"
        else:
            variables.update(GITHUB_OWNER=OWNER, GITHUB_REPOSITORY=REPOSITORY, GITHUB_API_URL=self.github.public,
                             GITHUB_URL=self.github.public, RUNNER_NAME_PREFIX="test")
        process = Process([sys.executable, os.path.join(RUNNERS, "entrypoint")], variables)
        process.state_folder = state
        self.processes.append(process)
        return process

    def waiting(self, runner):
        """It waits, or has waited already."""
        self.until(lambda: self.state_of(runner) in ("waiting", "registered", "busy"), "the runner waits")
        return runner

    def state_of(self, runner):
        try:
            with open(os.path.join(runner.state_folder, "state"), encoding="ascii") as file:
                return json.load(file)["state"]
        except (OSError, ValueError):
            return None

    def healthy(self, runner):
        return subprocess.run([sys.executable, os.path.join(RUNNERS, "health")], check=False, capture_output=True,
                              env={"PATH": os.environ["PATH"], "RUNNER_STATE": runner.state_folder}).returncode == 0

    def done(self, job, seconds=20):
        self.until(lambda: job["status"] == "completed", f"{job['name']} is done", seconds)
        return job

    def ended(self, process, seconds=20):
        self.until(lambda: process.process.poll() is not None, "the process ends", seconds)
        return process.process.returncode

    def asked(self, pattern):
        return [entry for entry in self.github.requests if re.search(pattern, f"{entry[0]} {entry[1]}")]
