"""Around every request: its id, its size limit, its metrics, its line in the log."""

import logging
import platform
import re
import time
import uuid

from prometheus_client import Counter, Gauge, Histogram, Info
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException

from . import logs, settings

REQUESTS = Counter("backend_http_requests", "Requests that were answered.", ["method", "route", "status"])
DURATION = Histogram(
    "backend_http_request_duration_seconds", "From the request's head to the answer's end.", ["method", "route"]
)
WEBSOCKETS = Gauge("backend_websocket_clients", "WebSockets that are open.")
EVENTS = Counter("backend_live_events", "Changes that were passed between processes.", ["direction"])
UP = Gauge("backend_dependency_up", "Whether it answered when last asked.", ["dependency"])
Info("backend_build", "What runs.").info({"version": settings.VERSION, "python": platform.python_version()})

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
log = logging.getLogger("app.access")


class Measure:
    """Labels are route templates and never paths, so that no client can make new series."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        given = Headers(scope=scope).get("x-request-id", "")
        identity = given if re.fullmatch(r"[A-Za-z0-9._:-]{1,128}", given) else str(uuid.uuid4())
        token = logs.request_id.set(identity)
        began, status, received = time.perf_counter(), 500, 0

        async def limited():
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > settings.MAX_BODY:
                raise HTTPException(413, f"The body is larger than {settings.MAX_BODY} bytes")
            return message

        async def marked(message):
            nonlocal status
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-Id"] = identity
            elif message["type"] == "websocket.accept":
                status = 101
            await send(message)

        try:
            await self.app(scope, limited if scope["type"] == "http" else receive, marked)
        finally:
            method = scope.get("method", "GET")
            method = method if method in METHODS else "other"
            route = getattr(scope.get("route"), "path", "none")
            seconds = time.perf_counter() - began
            REQUESTS.labels(method, route, status).inc()
            # A WebSocket lasts as long as somebody looks at the page, which says nothing about speed.
            if scope["type"] == "http":
                DURATION.labels(method, route).observe(seconds)
            client = (scope.get("client") or ["unknown"])[0]
            fields = {"method": method, "path": scope["path"], "status": status}
            fields |= {"seconds": round(seconds, 4), "client": client}
            # Probes come every few seconds and say nothing while all is well.
            if route not in ("/health", "/ready", "/metrics") or status >= 400:
                log.info("request", extra={"fields": fields})
            logs.request_id.reset(token)
