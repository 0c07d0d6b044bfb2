"""What the environment says. Secrets come from files, so that no process list shows them."""

import os
from pathlib import Path

VERSION = "0.1.0"


def secret(name: str) -> str | None:
    """The content of the file that NAME_FILE names."""
    path = os.environ.get(f"{name}_FILE")
    if not path:
        return None
    try:
        return Path(path).read_text().strip()
    except OSError as error:
        raise SystemExit(f"{name}_FILE: cannot read {path} ({error.strerror}); is the secret mounted?") from None


HOST = os.environ.get("HOST", "0.0.0.0")
PORT = int(os.environ.get("PORT", "8000"))
FORWARDED_ALLOW_IPS = os.environ.get("FORWARDED_ALLOW_IPS", "127.0.0.1")

POSTGRES = {
    "host": os.environ.get("POSTGRES_HOST", "localhost"),
    "port": int(os.environ.get("POSTGRES_PORT", "5432")),
    "dbname": os.environ.get("POSTGRES_DB", "app"),
    "user": os.environ.get("POSTGRES_USER", "app"),
    "password": secret("POSTGRES_PASSWORD"),
    "application_name": "reference-backend",
    "connect_timeout": 3,
    # A peer that has gone without a word is noticed in about 15 seconds and not after hours.
    "keepalives_idle": 5,
    "keepalives_interval": 5,
    "keepalives_count": 2,
}
POSTGRES_CONNECTIONS = int(os.environ.get("POSTGRES_CONNECTIONS", "10"))

REDIS = {
    "host": os.environ.get("REDIS_HOST", "localhost"),
    "port": int(os.environ.get("REDIS_PORT", "6379")),
    "password": secret("REDIS_PASSWORD"),
}

MAX_BODY = 64 * 1024
MAX_WEBSOCKETS = int(os.environ.get("MAX_WEBSOCKETS", "1000"))
