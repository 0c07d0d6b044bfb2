#!/usr/bin/python3
"""A stand-in for cAdvisor in tests: what it says of control groups when it has no Docker socket."""

import os
import signal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# The first process of a container ends by SIGTERM only where it says so.
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))

ROOT = "/sys/fs/cgroup"
STARTS = {}
V2 = os.path.exists(f"{ROOT}/cgroup.controllers")

HELP = {
    "container_memory_usage_bytes": ("gauge", "Current memory usage in bytes, including all memory regardless of when it was accessed"),
    "container_memory_working_set_bytes": ("gauge", "Current working set in bytes."),
    "container_spec_memory_limit_bytes": ("gauge", "Memory limit for the container."),
    "container_cpu_usage_seconds_total": ("counter", "Cumulative cpu time consumed in seconds."),
    "container_start_time_seconds": ("gauge", "Start time of the container since unix epoch in seconds."),
    "container_last_seen": ("gauge", "Last time a container was seen by the exporter"),
}


def read(path):
    try:
        with open(path, encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


def number(path):
    text = read(path)
    return int(text) if text.isdigit() else 0


def keyed(path):
    return dict(line.split(" ", 1) for line in read(path).splitlines() if " " in line)


def measured(memory, cpu):
    """The values of one control group; `memory` and `cpu` are its folders, the same in version 2."""
    if V2:
        usage, limit = number(f"{memory}/memory.current"), number(f"{memory}/memory.max")
        inactive = keyed(f"{memory}/memory.stat").get("inactive_file", 0)
        seconds = int(keyed(f"{cpu}/cpu.stat").get("usage_usec", 0)) / 1e6
    else:
        usage, limit = number(f"{memory}/memory.usage_in_bytes"), number(f"{memory}/memory.limit_in_bytes")
        inactive = keyed(f"{memory}/memory.stat").get("total_inactive_file", 0)
        seconds = number(f"{cpu}/cpuacct.usage") / 1e9
    # No limit is a number that no machine has; cAdvisor says 0 then.
    limit = 0 if limit > 1 << 60 else limit
    yield "container_memory_usage_bytes", usage
    yield "container_memory_working_set_bytes", max(0, usage - int(inactive))
    yield "container_spec_memory_limit_bytes", limit
    yield "container_cpu_usage_seconds_total", seconds
    # The kernel makes a folder's times anew when it has forgotten it for a while. cAdvisor watches the
    # folders, which keeps them from being forgotten; here, the first time that was seen counts.
    status = os.stat(memory)
    yield "container_start_time_seconds", STARTS.setdefault((memory, status.st_ino), int(status.st_mtime))


def metrics():
    values = {name: [] for name in HELP}
    top = ROOT if V2 else f"{ROOT}/memory"
    for folder, _, _ in os.walk(top):
        group = folder[len(top):] or "/"
        try:
            for name, value in measured(folder, folder if V2 else f"{ROOT}/cpuacct{group}"):
                values[name].append(f'{name}{{id="{group}"}} {value}')
        except OSError:
            pass  # It ended while it was looked at.
    lines = [f'cadvisor_version_info{{cadvisorVersion="stand-in"}} 1']
    for name, (kind, text) in HELP.items():
        lines += [f"# HELP {name} {text}", f"# TYPE {name} {kind}", *values[name]]
    return "\n".join(lines) + "\n"


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_GET(self):
        known = {"/healthz": lambda: "ok", "/metrics": metrics}
        body = known.get(self.path, lambda: "not found\n")().encode()
        self.send_response(200 if self.path in known else 404)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


ThreadingHTTPServer(("", 8080), Handler).serve_forever()
