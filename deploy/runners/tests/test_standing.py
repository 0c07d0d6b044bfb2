"""Runners that register by themselves."""

import unittest

from harness import Case


class Standing(Case):
    def standing(self, **more):
        return self.runner(RUNNER_TOKEN_FILE=self.token_file, **more)

    def test_registers_runs_one_job_and_is_gone(self):
        for kind in ("jit", "token"):
            runner = self.standing(RUNNER_REGISTRATION=kind)
            self.until(lambda: len(self.github.names()) == 1, "it is registered")
            self.done(self.github.job())
            self.assertEqual(self.ended(runner), 0)
            self.assertEqual(self.github.names(), [])
            self.assertTrue(runner.said("WARNING: the jobs can read"))

    def test_sigterm_removes_the_registration(self):
        runner = self.standing()
        self.until(lambda: self.state_of(runner) == "registered", "it is registered")
        runner.process.terminate()
        self.assertEqual(self.ended(runner), 0)
        self.assertEqual(self.github.names(), [])

    def test_what_kill_9_left_is_removed_at_the_next_start(self):
        runner = self.standing()
        self.until(lambda: self.state_of(runner) == "registered", "it is registered")
        runner.process.kill()
        before = self.github.names()
        self.assertEqual(len(before), 1)
        again = self.standing()
        self.until(lambda: again.said("left over and is removed"), "the left-over one is removed")
        self.until(lambda: self.github.names() not in (before, []), "it is registered anew")

    def test_an_expired_token(self):
        self.write("github_token", "github_pat_that_has_expired")
        runner = self.standing()
        self.until(lambda: runner.said("401: Bad credentials.*has expired or was revoked"), "it is said")

    def test_network_loss_and_recovery(self):
        for _ in range(3):
            self.github.faults.append(("POST .*generate-jitconfig", 0, {}, {}))
        self.standing()
        self.done(self.github.job(), 40)


if __name__ == "__main__":
    unittest.main()
