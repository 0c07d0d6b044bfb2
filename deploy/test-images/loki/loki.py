#!/usr/bin/python3
"""A stand-in for Loki in tests: push, query_range, labels. The Dockerfile says what is missing."""

import json
import os
import re
import signal
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import yaml

# The first process of a container ends by SIGTERM only where it says so.
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))

FILE = "/loki/stand-in.jsonl"
SELECTOR = re.compile(r'\s*([a-zA-Z_]\w*)\s*(=~|!~|!=|=)\s*("(?:[^"\\]|\\.)*"|`[^`]*`)\s*,?')
FILTER = re.compile(r'\s*(\|=|!=|\|~|!~)\s*("(?:[^"\\]|\\.)*"|`[^`]*`)')
STREAMS = {}
LOCK = threading.Lock()


def expanded(text):
    """${NAME} and ${NAME:-default}, as -config.expand-env=true reads them."""
    return re.sub(r"\$\{(\w+)(?::-([^}]*))?\}", lambda m: os.environ.get(m[1]) or m[2] or "", text)


def configuration():
    path = next((arg.partition("=")[2] for arg in sys.argv if arg.lstrip("-").startswith("config.file=")), "")
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
        config = yaml.safe_load(expanded(text) if any("expand-env=true" in arg for arg in sys.argv) else text)
        retention = config["limits_config"]["retention_period"]
        if not re.fullmatch(r"\d+[hdw]", retention):
            raise ValueError(f"limits_config.retention_period: {retention!r} is not a duration")
        compactor = config["compactor"]
        if compactor["retention_enabled"] and not compactor.get("delete_request_store"):
            raise ValueError("compactor.delete-request-store should be configured when retention is enabled")
        config["schema_config"]["configs"][0]["schema"]
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        sys.exit(f"failed parsing config: {path}: {error}")


def unquoted(text):
    return text[1:-1] if text[0] == "`" else json.loads(text)


def parsed(query):
    """What a log query asks of a stream's labels, and of its lines."""
    if not query.strip().startswith("{"):
        raise ValueError("the stand-in understands log queries only")
    rest, labels, filters = query.strip()[1:], [], []
    while match := SELECTOR.match(rest):
        labels.append((match[1], match[2], unquoted(match[3])))
        rest = rest[match.end():]
    if not labels or not rest.lstrip().startswith("}"):
        raise ValueError("parse error: a query begins with {label=\"value\"}")
    rest = rest.lstrip()[1:]
    while match := FILTER.match(rest):
        filters.append((match[1], unquoted(match[2])))
        rest = rest[match.end():]
    return labels, filters


def holds(operator, wanted, text, whole):
    if operator in ("=", "!=") and whole:
        found = text == wanted
    elif operator in ("|=", "!="):
        found = wanted in text
    else:
        found = bool(re.fullmatch(wanted, text) if whole else re.search(wanted, text))
    return found != operator.startswith("!")


def select(asked):
    labels, filters = parsed(asked.get("query", ""))
    now = time.time_ns()
    start, end = (int(asked.get(key, default)) for key, default in (("start", now - 3600 * 10**9), ("end", now + 10**9)))
    left, result = int(asked.get("limit", 100)), []
    for key, lines in list(STREAMS.items()):
        stream = dict(key)
        if not all(holds(operator, value, stream.get(name, ""), True) for name, operator, value in labels):
            continue
        found = [[str(at), line] for at, line in lines
                 if start <= at < end and all(holds(op, value, line, False) for op, value in filters)]
        found = sorted(found, key=lambda entry: int(entry[0]), reverse=asked.get("direction") != "forward")[:left]
        left -= len(found)
        if found:
            result.append({"stream": stream, "values": found})
    return {"resultType": "streams", "result": result, "stats": {}}


def take(body, kept):
    for stream in body["streams"]:
        key = tuple(sorted(stream["stream"].items()))
        for at, line, *_ in stream["values"]:
            STREAMS.setdefault(key, set()).add((int(at), line))
    if kept:
        with open(FILE, "a", encoding="utf-8") as file:
            file.write(json.dumps(body) + "\n")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, body, kind="application/json"):
        body = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path != "/loki/api/v1/push" or "json" not in self.headers.get("Content-Type", ""):
            return self.answer(400, "the stand-in takes JSON at /loki/api/v1/push\n", "text/plain")
        try:
            with LOCK:
                take(json.loads(body), True)
        except (ValueError, KeyError, TypeError) as error:
            return self.answer(400, f"{error}\n", "text/plain")
        self.send_response(204)
        return self.end_headers()

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        asked = dict(urllib.parse.parse_qsl(url.query))
        with LOCK:
            labels = {}
            for name, value in (pair for key in STREAMS for pair in key):
                labels.setdefault(name, set()).add(value)
            if url.path == "/ready":
                return self.answer(200, "ready\n", "text/plain")
            if url.path == "/metrics":
                lines = sum(map(len, STREAMS.values()))
                return self.answer(200, "loki_build_info{version=\"stand-in\"} 1\n"
                                   f"loki_distributor_lines_received_total{{tenant=\"fake\"}} {lines}\n", "text/plain")
            if url.path == "/loki/api/v1/labels":
                return self.answer(200, {"status": "success", "data": sorted(labels)})
            if match := re.fullmatch(r"/loki/api/v1/label/(\w+)/values", url.path):
                return self.answer(200, {"status": "success", "data": sorted(labels.get(match[1], ()))})
            if url.path == "/loki/api/v1/query_range":
                try:
                    return self.answer(200, {"status": "success", "data": select(asked)})
                except (ValueError, re.error) as error:
                    return self.answer(400, f"{error}\n", "text/plain")
        return self.answer(404, "404 page not found\n", "text/plain")


configuration()
if os.path.exists(FILE):
    with open(FILE, encoding="utf-8") as kept:
        for row in kept:
            take(json.loads(row), False)
ThreadingHTTPServer(("", 3100), Handler).serve_forever()
