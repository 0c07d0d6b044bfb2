"""The jobs that wait for a runner and the runners that wait for a job. Kept on disk, bounded.

A job is not tied to a runner: GitHub gives a job to whichever registered runner fits, and all runners
here are alike. So what counts is how many: there are as many registered runners without a job as there
are jobs that wait, as far as there are containers.
"""

import json
import os
import threading
import time

# GitHub itself gives up a job that waited for a day.
LONGEST_WAIT = 24 * 3600
# Jobs that have begun or ended, remembered so that a `queued` that comes late is not taken for new.
REMEMBERED = 500


class Full(Exception):
    pass


class Lease:
    """A container that is there. It lasts as long as the container's connection."""

    def __init__(self, container):
        self.container = container
        self.runner = None  # the name it is registered by
        self.busy = False


class Jobs:
    def __init__(self, path, limit):
        self.path, self.limit = path, limit
        self.changed = threading.Condition()
        self.waiting = {}
        self.past = []
        self.leases = {}
        self._load()

    def _load(self):
        try:
            with open(self.path, encoding="utf-8") as file:
                kept = json.load(file)
            self.waiting = {int(number): job for number, job in kept["waiting"].items()}
            self.past = list(kept["past"])
        except FileNotFoundError:
            pass
        except (ValueError, KeyError, TypeError, AttributeError):
            # A half-written file cannot be, since it is renamed into place; somebody edited it.
            os.replace(self.path, self.path + ".unreadable")

    def _save(self):
        temporary = self.path + ".new"
        with open(temporary, "w", encoding="utf-8") as file:
            json.dump({"waiting": self.waiting, "past": self.past}, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, self.path)

    # What GitHub says.

    def queued(self, number, repository, name):
        """True if the job is new. On disk when this returns."""
        with self.changed:
            if number in self.waiting or number in self.past:
                return False
            if len(self.waiting) >= self.limit:
                raise Full
            self.waiting[number] = {"repository": repository, "name": name, "since": time.time()}
            try:
                self._save()
            except OSError:
                del self.waiting[number]
                raise
            self.changed.notify_all()
            return True

    def begun(self, number, runner):
        with self.changed:
            self._no_longer_waits(number)
            for lease in self.leases.values():
                if runner and lease.runner == runner:
                    lease.busy = True
            self.changed.notify_all()

    def ended(self, number):
        with self.changed:
            self._no_longer_waits(number)
            self.changed.notify_all()

    def _no_longer_waits(self, number):
        known = self.waiting.pop(number, None)
        if number not in self.past:
            self.past = (self.past + [number])[-REMEMBERED:]
        elif known is None:
            return
        self._save()

    def drop_old(self):
        with self.changed:
            old = [number for number, job in self.waiting.items() if time.time() - job["since"] > LONGEST_WAIT]
            for number in old:
                self._no_longer_waits(number)
            return old

    # What the containers do.

    def enter(self, container, runner=None, busy=False):
        """A lease, or None while the container has one: what a job in it asks for as well, it does not get.
        With the runner that it has already, if this receiver was started anew meanwhile."""
        with self.changed:
            if container in self.leases:
                return None
            lease = self.leases[container] = Lease(container)
            lease.runner, lease.busy = runner, busy
            self.changed.notify_all()
            return lease

    def leave(self, lease):
        with self.changed:
            if self.leases.get(lease.container) is lease:
                del self.leases[lease.container]
            self.changed.notify_all()

    def take(self, lease, runner, timeout):
        """Waits until one more runner is wanted; then the lease counts as that runner. The oldest job, or None."""
        with self.changed:
            if not self._wanted():
                self.changed.wait(timeout)
            if not self._wanted():
                return None
            lease.runner = runner
            # The runners that are ready will take the oldest ones.
            order = sorted(self.waiting.items(), key=lambda item: item[1]["since"])
            return order[self._ready() - 1]

    def give_back(self, lease):
        with self.changed:
            lease.runner = None
            self.changed.notify_all()

    def _ready(self):
        return sum(1 for lease in self.leases.values() if lease.runner and not lease.busy)

    def _wanted(self):
        return len(self.waiting) > self._ready()

    def names(self):
        with self.changed:
            return {lease.runner for lease in self.leases.values() if lease.runner}

    def figures(self):
        with self.changed:
            oldest = min((job["since"] for job in self.waiting.values()), default=None)
            return {
                "runner_jobs_queued": len(self.waiting),
                "runner_job_oldest_seconds": 0 if oldest is None else max(0, time.time() - oldest),
                "runners_idle": sum(1 for lease in self.leases.values() if not lease.busy),
                "runners_busy": sum(1 for lease in self.leases.values() if lease.busy),
            }
