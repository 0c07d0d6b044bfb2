"""Jobs, the receiver and the containers together."""

import http.client
import json
import os
import signal
import socket
import subprocess
import time
import unittest

from github_stand_in import TOKEN
from harness import Case


class OnDemand(Case):
    def test_one_event_one_job_and_nothing_is_left(self):
        self.receiver()
        runner = self.waiting(self.runner())
        self.assertTrue(self.healthy(runner))
        self.assertEqual(self.github.names(), [], "a runner that waits is not registered")
        job = self.done(self.github.job('echo "by $(basename "$PWD")"; env; cat /proc/$PPID/environ | tr "\\0" "\\n"'))
        self.assertEqual(job["conclusion"], "success", job["output"])
        self.assertIn("by _work", job["output"])
        self.assertEqual(self.ended(runner), 0)
        self.until(lambda: self.github.names() == [], "its registration is gone")
        for word in ("WEBHOOK", "TOKEN", TOKEN):
            self.assertNotIn(word, job["output"], "the job sees nothing of where its registration came from")
        self.assertEqual(self.figure("runner_jobs_queued"), 0)

    def test_two_jobs_and_two_runners_get_one_each(self):
        self.receiver()
        self.waiting(self.runner("runner-1"))
        self.waiting(self.runner("runner-2"))
        jobs = [self.github.job("sleep 1.5"), self.github.job("sleep 1.5")]
        self.until(lambda: self.figure("runners_busy") == 2, "both are busy")
        names = {self.done(job)["runner_name"][:-9] for job in jobs}
        self.assertEqual(names, {"test-runner-1", "test-runner-2"})

    def test_a_third_job_waits_for_a_container(self):
        self.receiver()
        self.waiting(self.runner())
        jobs = [self.github.job("true") for _ in range(2)]
        self.done(jobs[0])
        self.assertEqual(self.figure("runner_jobs_queued"), 1)
        self.assertGreater(self.figure("runner_job_oldest_seconds"), 0)
        self.until(lambda: self.processes[-1].process.poll() is not None, "the first container ends")
        self.runner()  # what the restart policy does
        self.done(jobs[1])

    def test_the_same_event_again_is_the_same_job(self):
        self.receiver()
        job = self.github.job()
        for _ in range(3):
            self.assertEqual(self.github.event("queued", job), 200)
        self.assertEqual(self.figure("runner_jobs_queued"), 1)
        self.waiting(self.runner())
        self.done(job)
        # GitHub lets one redeliver an old event by hand.
        self.github.event("queued", job)
        self.assertEqual(self.figure("runner_jobs_queued"), 0)

    def test_completed_before_queued(self):
        self.receiver()
        job = self.github.job(deliver=False)
        job.update(deliver=True, status="completed")
        self.github.event("completed", job)
        self.github.event("queued", job)
        self.assertEqual(self.figure("runner_jobs_queued"), 0)

    def test_a_job_cancelled_before_it_began(self):
        self.receiver()
        job = self.github.job()
        self.github.cancel(job)
        self.assertEqual(self.figure("runner_jobs_queued"), 0)
        # And with the second event lost: GitHub is asked before a runner is registered.
        self.github.cancel(self.github.job(), deliver=False)
        self.waiting(self.runner())
        self.until(lambda: self.processes[0].said("no longer waits"), "the receiver has asked")
        self.assertEqual(self.asked("generate-jitconfig"), [])

    def test_a_runner_whose_job_was_cancelled_waits_again(self):
        self.receiver()
        runner = self.waiting(self.runner(RUNNER_IDLE_LIMIT="1"))
        job = self.github.job(labels=["self-hosted"])
        job["labels"] = ["cannot-be-run"]  # so that the registered runner gets nothing
        self.until(lambda: len(self.github.names()) == 1, "it is registered")
        self.github.cancel(job)
        self.assertEqual(self.ended(runner), 0)
        self.until(lambda: self.github.names() == [], "its registration is removed")

    def test_restart_with_jobs_in_the_queue(self):
        first = self.receiver()
        job = self.github.job()
        first.process.send_signal(signal.SIGKILL)
        first.process.wait()
        self.receiver()
        self.assertEqual(self.figure("runner_jobs_queued"), 1)
        self.waiting(self.runner())
        self.done(job)

    def test_restart_while_a_job_runs(self):
        first = self.receiver()
        runner = self.waiting(self.runner())
        job = self.github.job("sleep 4")
        self.until(lambda: self.figure("runners_busy") == 1, "the job runs")
        first.process.send_signal(signal.SIGKILL)
        first.process.wait()
        self.receiver()
        self.until(lambda: self.figure("runners_busy") == 1, "the container has come back with its runner")
        self.assertEqual(self.done(job)["conclusion"], "success")
        self.assertEqual(self.ended(runner), 0)

    def test_a_receiver_that_is_away_is_waited_for(self):
        runner = self.runner()
        self.until(lambda: runner.said("gives no runner"), "the runner says so")
        self.assertFalse(self.healthy(runner))
        self.receiver()
        self.waiting(runner)
        self.done(self.github.job())

    def test_sigterm_while_waiting(self):
        self.receiver()
        runner = self.waiting(self.runner())
        began = time.monotonic()
        runner.process.terminate()
        self.assertEqual(self.ended(runner), 0)
        self.assertLess(time.monotonic() - began, 3)
        self.until(lambda: self.figure("runners_idle") == 0, "the receiver knows")

    def test_sigterm_lets_the_job_end(self):
        self.receiver()
        runner = self.waiting(self.runner())
        job = self.github.job("sleep 3; echo whole")
        self.until(lambda: self.state_of(runner) == "busy", "the job runs")
        runner.process.terminate()
        self.assertEqual(self.ended(runner), 0)
        self.assertEqual(job["conclusion"], "success")
        self.assertIn("whole", job["output"])

    def test_sigterm_ends_a_job_that_takes_too_long(self):
        self.receiver()
        runner = self.waiting(self.runner(RUNNER_STOP_GRACE="1"))
        job = self.github.job("sleep 60")
        self.until(lambda: self.state_of(runner) == "busy", "the job runs")
        runner.process.terminate()
        self.assertEqual(self.ended(runner), 0)
        self.assertEqual(job["conclusion"], "cancelled")
        self.until(lambda: self.github.names() == [], "its registration is gone")

    def test_sigterm_of_a_registered_runner_without_a_job(self):
        self.receiver()
        runner = self.waiting(self.runner())
        job = self.github.job()
        job["labels"] = ["cannot-be-run"]
        self.until(lambda: self.state_of(runner) == "registered", "it is registered")
        runner.process.terminate()
        self.assertEqual(self.ended(runner), 0)
        self.until(lambda: self.github.names() == [], "its registration is removed")

    def test_kill_9(self):
        self.receiver(CATCH_UP_SECONDS="1")
        runner = self.waiting(self.runner())
        job = self.github.job("sleep 60")
        self.until(lambda: self.state_of(runner) == "busy", "the job runs")
        runner.process.kill()
        self.until(lambda: self.processes[0].said("it is removed later"), "GitHub still thinks that it is busy")
        # It does not block the container: the next registration has another name.
        self.waiting(self.runner())
        self.done(self.github.job())
        with self.github.lock:
            next(iter(self.github.runners.values()))["busy"] = False
        self.until(lambda: self.github.names() == [], "it is removed when GitHub has noticed")
        self.assertEqual(job["conclusion"], None)

    def test_left_over_of_a_dead_machine(self):
        for name in ("test-runner-1-0123abcd", "test-runner-1-mine", "other-runner-1-0123abcd"):
            self.github.runner(name, ["self-hosted"])
        self.receiver()
        self.waiting(self.runner())
        self.until(lambda: len(self.github.names()) == 2, "the left-over one is removed")
        self.assertEqual(self.github.names(), ["other-runner-1-0123abcd", "test-runner-1-mine"])

    def test_a_lost_event(self):
        self.receiver(CATCH_UP_SECONDS="1")
        self.waiting(self.runner())
        self.done(self.github.job(deliver=False))
        self.assertTrue(self.processes[0].said("no delivery told of it"))
        self.until(lambda: len(self.asked("GET .*/actions/runs.status=queued")) > 3, "it is asked again")
        self.assertIn("If-None-Match", self.asked("GET .*/actions/runs.status=queued")[-1][2])

    def test_labels_that_do_not_match(self):
        self.receiver()
        for labels in (["ubuntu-latest"], ["self-hosted", "windows"], []):
            self.assertEqual(self.github.event("queued", self.github.job(labels=labels)), 202)
        self.assertEqual(self.figure("runner_jobs_queued"), 0)
        self.github.job(labels=["Self-Hosted", "UAT"])
        self.assertEqual(self.figure("runner_jobs_queued"), 1)

    def test_registration_tokens(self):
        self.receiver(RUNNER_REGISTRATION="token")
        runner = self.waiting(self.runner())
        job = self.done(self.github.job("env; tr '\\0' '\\n' < /proc/$PPID/cmdline"))
        for token in self.github.registration_tokens:
            self.assertNotIn(token, job["output"])
        self.assertEqual(self.ended(runner), 0)


class WhatIsRefused(Case):
    def post(self, path, body, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("POST", path, body, headers)
        return connection.getresponse().status

    def test_events(self):
        self.receiver()
        whole = {"action": "queued", "repository": {"full_name": "familycart/shop"},
                 "workflow_job": {"id": 1, "labels": ["self-hosted"], "name": "a", "runner_name": None}}

        def send(**changes):
            return self.github.send(json.dumps({**whole, **changes}).encode())

        job = whole["workflow_job"]
        self.assertEqual(send(repository={"full_name": "somebody/else"}), 202)
        for bad in ({"id": "1"}, {"id": True}, {"id": -1}, {"labels": "self-hosted"}, {"labels": [1]}, {"runner_name": 7}):
            self.assertEqual(send(workflow_job={**job, **bad}), 400, bad)
        self.assertEqual(send(repository={"full_name": "a/b/../c"}), 400)
        self.assertEqual(send(workflow_job=None), 400)
        for body in (b"", b"{", b"[]", b"\xff", b"[" * 100000):
            self.assertEqual(self.github.send(body), 400)
        self.assertEqual(self.github.send(b"x" * (2 << 20)), 413)
        self.assertEqual(self.github.send(b"{}", kind="push"), 202)
        self.assertEqual(self.github.send(b"{}", kind="ping"), 200)
        self.assertEqual(self.figure("runner_jobs_queued"), 0)
        self.assertEqual(send(), 200)

    def test_wrong_signatures(self):
        self.receiver()
        body = b'{"action":"queued"}'
        self.assertEqual(self.post("/github", body), 401)
        self.assertEqual(self.github.send(body, X_Hub_Signature_256="x"), 400)
        self.assertEqual(self.github.send(body, **{"X-Hub-Signature-256": "sha256=" + "0" * 64}), 401)
        self.assertTrue(self.processes[0].said("wrong signature"))

    def test_no_length_and_a_slow_sender(self):
        self.receiver()
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            connection.sendall(b"POST /github HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
            self.assertIn(b" 411 ", connection.recv(100))
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            connection.sendall(b"POST /github HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
            self.assertEqual(self.get("/health"), "ok\n", "one that is slow holds nobody up")

    def test_one_address_does_not_keep_the_others_out(self):
        self.receiver()
        held = [socket.create_connection(("127.0.0.2", self.port), source_address=("127.0.0.2", 0)) for _ in range(30)]
        time.sleep(0.5)
        self.assertEqual(self.get("/health"), "ok\n")
        self.assertEqual(self.github.event("queued", self.github.job(deliver=False) | {"deliver": True}), 200)
        for connection in held:
            connection.close()

    def test_a_full_queue(self):
        self.receiver(MAX_QUEUED_JOBS="2")
        for expected in (200, 200, 503):
            self.assertEqual(self.github.event("queued", self.github.job(deliver=False) | {"deliver": True}), expected)
        self.assertEqual(self.figure("runner_jobs_queued"), 2)

    def test_who_may_ask_for_a_runner(self):
        self.receiver()
        ask = json.dumps({"container": "runner-1"})
        self.assertEqual(self.post("/next", ask, **{"X-Forwarded-For": "192.0.2.1"}), 404, "not through the gateway")
        self.assertEqual(self.post("/next", json.dumps({"container": "elsewhere"})), 403, "not from another's address")
        self.assertEqual(self.post("/next", json.dumps({"container": "nobody"})), 400)
        self.assertEqual(self.post("/next", json.dumps({"container": "runner-1", "runner": "test-runner-2-01234567"})), 400)
        self.assertEqual(self.post("/next", "x" * 5000), 413)
        self.waiting(self.runner())
        self.assertEqual(self.post("/next", ask), 409, "a job gets no second runner for its container")

    def test_after_a_restart_a_job_cannot_take_its_containers_place(self):
        self.github.runner("test-runner-1-00000001", ["self-hosted"])["busy"] = True
        self.receiver()
        self.github.job()
        runner = self.waiting(self.runner())
        self.until(lambda: self.processes[0].said("runs a job"), "the receiver has looked")
        time.sleep(1)
        self.assertEqual(self.asked("generate-jitconfig"), [])
        self.github.runners.clear()
        self.done(list(self.github.jobs.values())[0])
        self.ended(runner)


class GitHubInTrouble(Case):
    def waits_and_then_runs(self, said, make_well=lambda: None):
        job = self.github.job()
        self.until(lambda: self.processes[0].said(said), f"the receiver says {said!r}", 90)
        make_well()
        self.assertEqual(self.done(job, 90)["conclusion"], "success")

    def test_an_expired_token_and_a_new_one(self):
        self.write("github_token", "github_pat_that_has_expired")
        self.receiver()
        self.waiting(self.runner())
        self.waits_and_then_runs(r"401: Bad credentials.*github_token has expired.*restart is not needed",
                                 lambda: self.write("github_token", TOKEN))
        self.assertGreater(self.figure("runner_github_errors_total"), 0)
        for line in self.processes[0].lines:
            self.assertNotIn("github_pat_that_has_expired", line)

    def test_a_missing_permission(self):
        refusal = (r"POST .*generate-jitconfig", 403, {"X_Accepted_GitHub_Permissions": "administration=write"},
                   {"message": "Resource not accessible by personal access token"})
        self.github.faults += [refusal]
        self.receiver()
        self.waiting(self.runner())
        self.waits_and_then_runs(r"lacks a permission. It needs: administration=write")

    def test_rate_limit_with_retry_after(self):
        for status in (403, 429):
            self.github.faults.append((r"POST .*generate-jitconfig", status, {"Retry_After": "2"}, {"message": "slow down"}))
        self.receiver()
        self.waiting(self.runner())
        began = time.monotonic()
        self.done(self.github.job())
        self.assertGreater(time.monotonic() - began, 4, "it has waited twice as long as it was told")
        self.assertEqual(len(self.asked("generate-jitconfig")), 3)

    def test_rate_limit_that_is_used_up(self):
        reset = int(time.time()) + 3
        self.github.faults.append((r"POST .*generate-jitconfig", 403, {"X_RateLimit_Remaining": "0", "X_RateLimit_Reset": reset},
                                   {"message": "API rate limit exceeded"}))
        self.receiver()
        self.waiting(self.runner())
        self.done(self.github.job())
        self.assertGreaterEqual(time.time(), reset)

    def test_a_long_rate_limit_keeps_the_job(self):
        reset = int(time.time()) + 3000
        self.github.faults.append((r"POST .*generate-jitconfig", 429, {"X_RateLimit_Remaining": "0", "X_RateLimit_Reset": reset}, {}))
        self.receiver()
        self.waiting(self.runner())
        self.github.job()
        self.until(lambda: self.processes[0].said("rate limit is used up; no request before .* UTC"), "it is said")
        asked = len(self.github.requests)
        time.sleep(3)
        self.assertEqual(len(self.github.requests), asked, "GitHub is left alone")
        self.assertEqual(self.figure("runner_jobs_queued"), 1)

    def test_errors_of_the_server_and_of_the_network(self):
        self.receiver()
        self.waiting(self.runner())
        for status in (500, 502, 0, 503):
            self.github.faults.append((r"POST .*generate-jitconfig", status, {}, {"message": "Server Error"}))
        self.done(self.github.job(), 60)

    def test_a_network_that_is_away(self):
        port = self.github.server_address[1]
        self.receiver(GITHUB_API_URL=f"http://127.0.0.1:{port + 1 if port < 65000 else port - 1}")
        self.waiting(self.runner())
        self.until(lambda: self.processes[0].said("cannot be reached: .*way to the internet"), "it is said", 90)

    def test_a_repository_that_has_moved(self):
        self.github.faults.append((r"POST .*generate-jitconfig", 307, {"Location": "http://127.0.0.1:1/"}, {"message": "Moved"}))
        self.receiver()
        self.waiting(self.runner())
        self.waits_and_then_runs(r"renamed or transferred: set GITHUB_OWNER")

    def test_many_runners_are_read_page_by_page(self):
        for number in range(250):
            self.github.runner(f"somebody-{number}", ["x"])
        self.github.runner("test-runner-1-deadbeef", ["self-hosted"])
        self.receiver()
        self.waiting(self.runner())
        self.until(lambda: "test-runner-1-deadbeef" not in self.github.names(), "the one on the third page is removed")
        self.assertEqual(len(self.github.names()), 250)

    @unittest.skipIf(not os.path.exists("/usr/bin/openssl"), "needs openssl")
    def test_a_github_app(self):
        key, public = os.path.join(self.folder, "key.pem"), os.path.join(self.folder, "public.pem")
        subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
        subprocess.run(["openssl", "rsa", "-in", key, "-pubout", "-out", public], check=True, capture_output=True)
        self.github.app_key = public
        self.github.tokens.clear()
        self.token_file = key
        self.receiver(GITHUB_APP_ID="4711", GITHUB_APP_INSTALLATION_ID="77")
        self.waiting(self.runner())
        self.done(self.github.job())
        self.assertEqual(len(self.asked("access_tokens")), 1, "one token for all requests of an hour")
        self.github.tokens.clear()  # revoked
        self.waiting(self.runner())
        self.done(self.github.job())
        self.assertEqual(len(self.asked("access_tokens")), 2)


if __name__ == "__main__":
    unittest.main()
