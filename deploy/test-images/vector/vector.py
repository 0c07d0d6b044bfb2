#!/usr/bin/env python3
"""A stand-in for Vector in tests. The Dockerfile says what is real in it and what is missing."""

import datetime
import glob
import json
import os
import re
import signal
import sys
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import yaml
from vrl_python import VRLRuntime

# The first process of a container ends by SIGTERM only where it says so.
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))

LABEL = re.compile(r"\{\{\s*(\w+)\s*\}\}")
BATCH = 500
COUNTS = {}
OWN = {"vector_component_errors_total": {}, "vector_component_discarded_events_total": {},
       "vector_component_sent_events_total": {}}


def only(parts, kind):
    found = [(name, part) for name, part in parts.items() if part.get("type") == kind]
    if len(found) != 1:
        sys.exit(f"the stand-in needs exactly one {kind}, and the configuration has {len(found)}")
    return found[0]


def filled(template, event):
    """A template with fields of the event; None where one is missing, as the label then is left out."""
    names = LABEL.findall(template)
    if any(event.get(name) is None for name in names):
        return None
    return LABEL.sub(lambda match: str(event[match[1]]), template)


def count(name, component, by=1):
    OWN[name][component] = OWN[name].get(component, 0) + by


class Files:
    """Reads files on from where they were read to, by their inode, also after a restart."""

    def __init__(self, patterns, kept):
        self.patterns, self.kept = patterns, kept
        try:
            with open(kept, encoding="ascii") as file:
                self.offsets = {tuple(map(int, key.split(":"))): at for key, at in json.load(file).items()}
        except (OSError, ValueError):
            self.offsets = {}

    def lines(self):
        for path in sorted(path for pattern in self.patterns for path in glob.glob(pattern)):
            try:
                with open(path, "rb") as file:
                    status = os.fstat(file.fileno())
                    key = (status.st_dev, status.st_ino)
                    at = self.offsets.get(key, 0)
                    file.seek(at if at <= status.st_size else 0)
                    while (line := file.readline()).endswith(b"\n"):
                        # Said before the line is handed on: the batch is kept until it is delivered.
                        self.offsets[key] = file.tell()
                        yield {"file": path, "message": line.decode(errors="replace").rstrip("\n")}
            except FileNotFoundError:
                continue

    def keep(self):
        with open(self.kept + ".new", "w", encoding="ascii") as file:
            json.dump({f"{device}:{inode}": at for (device, inode), at in self.offsets.items()}, file)
        os.replace(self.kept + ".new", self.kept)


def nanoseconds(text):
    whole, _, part = text.removesuffix(" UTC").rstrip("Z").partition(".")
    at = datetime.datetime.fromisoformat(whole.replace(" ", "T") + "+00:00")
    return int(at.timestamp()) * 10**9 + int((part or "0").ljust(9, "0")[:9])


def push(endpoint, labels, events, component):
    streams = {}
    for event in events:
        pairs = {name: filled(template, event) for name, template in labels.items()}
        key = tuple(sorted((name, value) for name, value in pairs.items() if value is not None))
        streams.setdefault(key, []).append([str(nanoseconds(str(event["timestamp"]))), event["message"]])
    body = json.dumps({"streams": [{"stream": dict(key), "values": values} for key, values in streams.items()]})
    request = urllib.request.Request(endpoint + "/loki/api/v1/push", body.encode(), {"Content-Type": "application/json"})
    while True:
        try:
            urllib.request.urlopen(request, timeout=10).close()
            return count("vector_component_sent_events_total", component, len(events))
        except urllib.error.HTTPError as error:
            if error.code < 500:
                print(f"ERROR loki refused events: {error}", flush=True)
                return count("vector_component_errors_total", component)
        except OSError as error:
            print(f"WARN loki cannot be reached, trying again: {error}", flush=True)
        count("vector_component_errors_total", component)
        time.sleep(2)


def collect(config):
    _, source = only(config["sources"], "file")
    remap, transform = only(config["transforms"], "remap")
    _, counter = only(config["transforms"], "log_to_metric")
    loki, sink = only(config["sinks"], "loki")
    flaw = VRLRuntime.check_syntax(transform["source"])
    if flaw is not None:
        sys.exit(f"transform {remap}: {flaw.formatted_message}")
    runtime = VRLRuntime("UTC")
    files = Files(source["include"], os.path.join(config["data_dir"], "stand-in.json"))
    while True:
        batch = []
        for line in files.lines():
            batch.append(line)
            if len(batch) == BATCH:
                break
        events = run(runtime, transform["source"], batch, remap)
        for event in events:
            for metric in counter["metrics"]:
                tags = tuple((tag, filled(template, event)) for tag, template in metric["tags"].items())
                COUNTS[metric["name"], tags] = COUNTS.get((metric["name"], tags), 0) + 1
        if events:
            push(sink["endpoint"], sink["labels"], events, loki)
            files.keep()
        if len(batch) < BATCH:
            time.sleep(1)


def run(runtime, program, batch, component):
    """The events that come out of the program. One that it aborts is discarded, and no other with it."""
    events = []
    for event in batch:
        try:
            events.append(runtime.execute(program, event).processed_event)
        except Exception:  # `abort`, or an error of the program: either way the event goes no further.
            count("vector_component_discarded_events_total", component)
    return events


def metrics():
    lines = []
    for name, values in OWN.items():
        lines.append(f"# TYPE {name} counter")
        lines += [f'{name}{{component_id="{component}"}} {value}' for component, value in list(values.items())]
    for name in {name for name, _ in COUNTS}:
        lines.append(f"# TYPE {name} counter")
    for (name, tags), value in list(COUNTS.items()):
        lines.append(name + "{" + ",".join(f'{tag}="{text}"' for tag, text in tags) + f"}} {value}")
    return "\n".join(lines) + "\n"


def serve(address, answers):
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args):
            pass

        def do_GET(self):
            body = answers.get(self.path, lambda: "not found\n")().encode()
            self.send_response(200 if self.path in answers else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    host, _, port = address.rpartition(":")
    server = ThreadingHTTPServer((host, int(port)), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def main():
    path = sys.argv[sys.argv.index("--config") + 1] if "--config" in sys.argv else "/etc/vector/vector.yaml"
    with open(path, encoding="utf-8") as file:
        config = yaml.safe_load(file)
    if config["api"]["enabled"]:
        serve(config["api"]["address"], {"/health": lambda: '{"ok":true}'})
    serve(only(config["sinks"], "prometheus_exporter")[1]["address"], {"/metrics": metrics})
    collect(config)


main()
