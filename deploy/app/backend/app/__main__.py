"""Starts the server: one process, as many containers as are wanted."""

import signal
import sys

import uvicorn

from . import logs, settings
from .main import app

logs.begin()
# uvicorn raises the signal once more when it has stopped. To have stopped as asked is no failure.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
uvicorn.run(
    app,
    host=settings.HOST,
    port=settings.PORT,
    # What X-Forwarded-* says is believed from these addresses only: the gateway's network.
    proxy_headers=True,
    forwarded_allow_ips=settings.FORWARDED_ALLOW_IPS,
    # Said by our own log instead, as JSON and with the request's id.
    access_log=False,
    log_config=None,
    server_header=False,
    ws="websockets-sansio",
    ws_max_size=4096,
    # Requests have this long to end after SIGTERM; WebSockets are told 1012 (restart) at once.
    timeout_graceful_shutdown=20,
)
