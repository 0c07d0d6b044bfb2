"""A stand-in for Grafana in tests: its provisioning, health, login and the parts of its API that say
what was provisioned. The Dockerfile says what is missing."""

import base64
import binascii
import glob
import hashlib
import hmac
import json
import os
import secrets
import signal
import struct
import sys
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import yaml

# The first process of a container ends by SIGTERM only where it says so.
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))

VERSION = "12.1.0"
PROVISIONING = os.environ.get("GF_PATHS_PROVISIONING", "/etc/grafana/provisioning")
ROOT_URL = os.environ.get("GF_SERVER_ROOT_URL", "http://localhost:3000/")
USER = os.environ.get("GF_SECURITY_ADMIN_USER", "admin")
DATA = "/var/lib/grafana"


def log(level, message):
    print(json.dumps({"level": level, "logger": "stand-in", "msg": message}), flush=True)


def refuse(message):
    log("error", message)
    sys.exit(1)


def setting(name, default):
    """A setting by its variable, or by the file that the variable with __FILE names; not by both."""
    path = os.environ.get(name + "__FILE")
    if path and name in os.environ:
        refuse(f"both {name} and {name}__FILE are set")
    if not path:
        return os.environ.get(name, default)
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().strip()
    except OSError as error:
        return refuse(f"{name}__FILE: {error}")


def documents(folder):
    for path in sorted(glob.glob(f"{PROVISIONING}/{folder}/*.y*ml")):
        try:
            with open(path, encoding="utf-8") as file:
                document = yaml.safe_load(file)
        except (OSError, yaml.YAMLError) as error:
            refuse(f"provisioning {path}: {error}")
        if not isinstance(document, dict) or document.get("apiVersion") != 1:
            refuse(f"provisioning {path}: apiVersion must be 1")
        yield path, document


def datasources():
    found, default = {}, 0
    for path, document in documents("datasources"):
        for source in document.get("datasources") or []:
            for key in ("name", "type", "access"):
                if not source.get(key):
                    refuse(f"provisioning {path}: a data source without {key}")
            if source["access"] not in ("proxy", "direct"):
                refuse(f"provisioning {path}: access {source['access']!r} is neither proxy nor direct")
            if any(source["name"] == other["name"] for other in found.values()):
                refuse(f"provisioning {path}: two data sources are called {source['name']!r}")
            default += bool(source.get("isDefault"))
            found[source.get("uid") or secrets.token_hex(6)] = source
    if default > 1:
        refuse("provisioning: only one data source can be the default")
    return found


def dashboards():
    found = {}
    for path, document in documents("dashboards"):
        for provider in document.get("providers") or []:
            folder = (provider.get("options") or {}).get("path")
            if provider.get("type", "file") != "file" or not folder or not os.path.isdir(folder):
                refuse(f"provisioning {path}: provider {provider.get('name')!r} has no folder {folder!r}")
            for name in sorted(glob.glob(f"{folder}/**/*.json", recursive=True)):
                try:
                    with open(name, encoding="utf-8") as file:
                        dashboard = json.load(file)
                except (OSError, ValueError) as error:
                    refuse(f"dashboard {name}: {error}")
                if not dashboard.get("title"):
                    refuse(f"dashboard {name}: Dashboard title cannot be empty")
                uid = dashboard.get("uid") or hashlib.sha1(name.encode()).hexdigest()[:14]
                if uid in found:
                    refuse(f"dashboard {name}: the uid {uid} is taken")
                found[uid] = (provider.get("folder", ""), name, dashboard)
    return found


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "stand-in"

    def log_message(self, *args):
        pass

    def answer(self, status, body, kind="application/json", headers=()):
        if not isinstance(body, (str, bytes)):
            body = json.dumps(body)
        body = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def known(self):
        kind, _, value = (self.headers.get("Authorization") or "").partition(" ")
        if kind.lower() == "basic":
            try:
                user, _, password = base64.b64decode(value).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                return False
            return user == USER and hmac.compare_digest(password.encode(), PASSWORD.encode())
        cookies = dict(part.strip().partition("=")[::2] for part in (self.headers.get("Cookie") or "").split(";"))
        return cookies.get("grafana_session") in SESSIONS

    def do_HEAD(self):
        self.do_GET()

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path != "/login":
            return self.answer(404, {"message": "Not found"})
        try:
            asked = json.loads(body)
            good = asked["user"] == USER and hmac.compare_digest(asked["password"].encode(), PASSWORD.encode())
        except (ValueError, KeyError, TypeError, AttributeError):
            return self.answer(400, {"message": "bad login data"})
        if not good:
            return self.answer(401, {"message": "Invalid username or password"})
        session = secrets.token_hex(16)
        SESSIONS.add(session)
        secure = "; Secure" if os.environ.get("GF_SECURITY_COOKIE_SECURE") == "true" else ""
        cookie = ("Set-Cookie", f"grafana_session={session}; Path=/; HttpOnly; SameSite=Lax{secure}")
        return self.answer(200, {"message": "Logged in"}, headers=[cookie])

    def do_GET(self):
        path = urllib.parse.urlsplit(self.path).path
        if path == "/api/health":
            return self.answer(200, {"database": "ok", "version": VERSION})
        if path == "/metrics":
            return self.answer(200, f'grafana_build_info{{version="{VERSION}",edition="oss"}} 1\n'
                               f"grafana_stat_totals_dashboard {len(DASHBOARDS)}\n"
                               f"grafana_stat_totals_datasource {len(DATASOURCES)}\n", "text/plain; version=0.0.4")
        if path == "/login":
            return self.answer(200, "<!DOCTYPE html><title>Grafana</title><p>A stand-in for tests.\n", "text/html")
        if not self.known():
            if path.startswith("/api/"):
                return self.answer(401, {"message": "Unauthorized"})
            return self.answer(302, "", headers=[("Location", "/login")])
        if path == "/api/live/ws":
            return self.websocket()
        if path == "/api/datasources":
            return self.answer(200, [{"uid": uid, **{key: source.get(key) for key in ("name", "type", "url", "isDefault")},
                                      "readOnly": not source.get("editable")} for uid, source in DATASOURCES.items()])
        if path == "/api/search":
            return self.answer(200, [{"uid": uid, "title": dashboard["title"], "type": "dash-db", "folderTitle": folder}
                                     for uid, (folder, _, dashboard) in DASHBOARDS.items()])
        if path.startswith("/api/dashboards/uid/") and path.rpartition("/")[2] in DASHBOARDS:
            folder, name, dashboard = DASHBOARDS[path.rpartition("/")[2]]
            meta = {"provisioned": True, "provisionedExternalId": os.path.basename(name), "folderTitle": folder}
            return self.answer(200, {"meta": meta, "dashboard": dashboard})
        if path.startswith("/api/"):
            return self.answer(404, {"message": "Not found"})
        return self.answer(200, "<!DOCTYPE html><title>Grafana</title><p>A stand-in for tests.\n", "text/html")

    def websocket(self):
        key = self.headers.get("Sec-WebSocket-Key")
        if not key or "websocket" not in (self.headers.get("Upgrade") or "").lower():
            return self.answer(400, {"message": "Bad Request"})
        origin = self.headers.get("Origin")
        if origin and urllib.parse.urlsplit(origin).netloc not in (urllib.parse.urlsplit(ROOT_URL).netloc, self.headers.get("Host")):
            return self.answer(403, {"message": "origin is not allowed"})
        accept = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(accept).decode())
        self.end_headers()
        self.close_connection = True
        while head := self.rfile.read(2):
            kind, length = head[0] & 0x0F, head[1] & 0x7F
            if length > 125:
                length = struct.unpack(*((">H", self.rfile.read(2)) if length == 126 else (">Q", self.rfile.read(8))))[0]
            mask = self.rfile.read(4)
            data = bytes(byte ^ mask[i % 4] for i, byte in enumerate(self.rfile.read(min(length, 1 << 20))))
            # A ping is answered with a pong, all else with itself.
            size = bytes([len(data)]) if len(data) < 126 else struct.pack(">BH", 126, len(data) & 0xFFFF)
            self.wfile.write(bytes([0x80 | (10 if kind == 9 else kind)]) + size + data)
            if kind == 8:
                return None
        return None


PASSWORD = setting("GF_SECURITY_ADMIN_PASSWORD", "admin")
if not PASSWORD:
    refuse("the admin's password is empty")
if not os.access(DATA, os.W_OK):
    refuse(f"GF_PATHS_DATA='{DATA}' is not writable.")
SESSIONS = set()
DATASOURCES, DASHBOARDS = datasources(), dashboards()
log("info", f"{len(DATASOURCES)} data sources and {len(DASHBOARDS)} dashboards provisioned; HTTP Server Listen on :3000")
ThreadingHTTPServer(("", 3000), Handler).serve_forever()
