"""`Idempotency-Key`: a POST that is sent twice, because the answer was lost, is done once.

The first answer is kept in Redis for a day and given again. Without Redis the promise cannot be kept,
so a request with a key is refused then; one without a key is served."""

import hashlib
import json
from typing import Annotated

from fastapi import Header, Request
from fastapi.responses import JSONResponse
from redis.asyncio import Redis

from .problems import problem

DAY = 24 * 3600
# Longer than any request takes: a process that dies in the middle blocks its keys for this long.
PENDING = 60

Key = Annotated[str | None, Header(alias="Idempotency-Key", min_length=1, max_length=128)]


async def once(redis: Redis, request: Request, key: str | None, work) -> JSONResponse:
    """The answer of `work`, a coroutine function that gives a status and a body."""
    if key is None:
        status, body = await work()
        return JSONResponse(body, status)
    name = "once:" + hashlib.sha256(f"{request.url.path}\n{key}".encode()).hexdigest()
    asked = hashlib.sha256(await request.body()).hexdigest()
    if not await redis.set(name, json.dumps({"asked": asked}), nx=True, ex=PENDING):
        kept = json.loads(await redis.get(name) or "{}")
        if kept and kept["asked"] != asked:
            return problem(422, "The Idempotency-Key was used for another request")
        if "status" not in kept:
            return problem(409, "The first request with this Idempotency-Key is not done", headers={"Retry-After": "1"})
        return JSONResponse(kept["body"], kept["status"], {"Idempotency-Replayed": "true"})
    try:
        status, body = await work()
    except BaseException:
        await redis.delete(name)
        raise
    await redis.set(name, json.dumps({"asked": asked, "status": status, "body": body}), ex=DAY)
    return JSONResponse(body, status)
