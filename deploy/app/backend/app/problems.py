"""Errors as problem+json (RFC 9457): what is wrong, and with the input, where."""

import logging

import psycopg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from psycopg_pool import PoolTimeout
from redis.exceptions import RedisError
from starlette.exceptions import HTTPException

log = logging.getLogger("app")


def problem(status: int, title: str, detail: str = "", headers: dict | None = None, **more) -> JSONResponse:
    said = {"type": "about:blank", "title": title, "status": status, "detail": detail} | more
    return JSONResponse(said, status, headers, media_type="application/problem+json")


def is_absent(error: psycopg.Error) -> bool:
    """Whether PostgreSQL is not there, as opposed to a statement that it refused."""
    return isinstance(error, (PoolTimeout, psycopg.OperationalError, psycopg.InterfaceError))


def install(app: FastAPI) -> None:
    @app.exception_handler(HTTPException)
    async def http(_: Request, error: HTTPException):
        return problem(error.status_code, str(error.detail), headers=error.headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError):
        errors = [{"at": ".".join(map(str, e["loc"])), "problem": e["msg"]} for e in error.errors()]
        return problem(422, "The input is not valid", errors=errors)

    @app.exception_handler(psycopg.Error)
    async def database(_: Request, error: psycopg.Error):
        if not is_absent(error):
            log.error("a statement failed", exc_info=error)
            return problem(500, "Something is wrong here", "It has been logged.")
        log.warning("PostgreSQL is away: %s", str(error).strip().replace("\n", "; "))
        return problem(503, "The database is not there", "Try again soon.", {"Retry-After": "2"})

    @app.exception_handler(RedisError)
    async def cache(_: Request, error: RedisError):
        log.warning("Redis is away: %s", error)
        return problem(503, "Redis is not there", "Nothing was changed; try again soon.", {"Retry-After": "2"})
