"""The application: what is alive, what is ready, what is measured; `lists` has the rest."""

import asyncio
import logging
import os
import platform
import socket
import time
from contextlib import asynccontextmanager, suppress

import fastapi
import psutil
import psycopg
from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from . import lists, problems, settings
from .live import Live
from .measure import UP, Measure
from .store import Store

log = logging.getLogger("app")
STARTED = time.time()


@asynccontextmanager
async def lifespan(app: FastAPI):
    """Nothing waits here: the process serves at once, and /ready says what it still lacks."""
    state = app.state
    state.open_websockets = 0
    state.store = Store()
    # Tried once more, since a connection that has been idle may be one to a Redis that was restarted.
    state.redis = Redis(
        **settings.REDIS, decode_responses=True, socket_connect_timeout=1, socket_timeout=2, retry=Retry(NoBackoff(), 1)
    )
    # Silent for as long as nothing changes, which no time-out may end. It is not to connect anew by
    # itself: what was published meanwhile would be missed without a word.
    subscriber = Redis(
        **settings.REDIS,
        decode_responses=True,
        socket_connect_timeout=2,
        socket_timeout=None,
        retry=Retry(NoBackoff(), 0),
        # Without a time-out it is the kernel that notices a Redis that has gone without a word.
        socket_keepalive=True,
        socket_keepalive_options={socket.TCP_KEEPIDLE: 5, socket.TCP_KEEPINTVL: 5, socket.TCP_KEEPCNT: 2},
    )
    state.live = Live(state.redis)
    await state.store.pool.open(wait=False)
    tasks = [
        asyncio.create_task(state.store.migrate_until_done()),
        asyncio.create_task(state.live.listen(subscriber)),
        asyncio.create_task(keep_asking()),
    ]
    log.info("started", extra={"fields": {"version": settings.VERSION}})
    yield
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    await subscriber.aclose()
    await state.redis.aclose()
    await state.store.pool.close()
    log.info("stopped")


app = FastAPI(
    title="Shopping lists",
    version=settings.VERSION,
    lifespan=lifespan,
    docs_url="/api/docs",
    openapi_url="/api/openapi.json",
    redoc_url=None,
)
app.add_middleware(Measure)
app.include_router(lists.router)
problems.install(app)


@app.get("/health")
async def health():
    """The process is alive. A restart would not bring a database back, so none is asked."""
    return {"status": "ok"}


async def missing() -> dict[str, str]:
    """What does not answer, and why."""

    async def postgres():
        if not app.state.store.migrated:
            return "the schema is not there yet"
        await app.state.store.one("SELECT 1")

    async def redis():
        await app.state.redis.ping()

    async def ask(name, question):
        try:
            problem = await asyncio.wait_for(question(), 4)
        except (psycopg.Error, RedisError, OSError, TimeoutError) as error:
            problem = type(error).__name__
        UP.labels(name).set(problem is None)
        return name, problem

    asked = await asyncio.gather(ask("postgres", postgres), ask("redis", redis))
    return {name: problem for name, problem in asked if problem}


async def keep_asking():
    """For the metrics, which nobody should have to ask /ready for."""
    while True:
        await missing()
        await asyncio.sleep(10)


@app.get("/ready")
async def ready():
    if absent := await missing():
        return problems.problem(503, "Not ready", "Missing: " + ", ".join(absent), missing=absent)
    return {"status": "ready"}


@app.get("/metrics")
async def metrics():
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


@app.get("/api/v1/system/info")
async def system_info():
    """Of the machine; a container's own limits are not what psutil sees."""
    memory, process = psutil.virtual_memory(), psutil.Process()
    return {
        "version": settings.VERSION,
        "python": platform.python_version(),
        "fastapi": fastapi.__version__,
        "cpu": {"count": psutil.cpu_count(), "percent": psutil.cpu_percent(), "load": os.getloadavg()},
        "memory": {"total": memory.total, "available": memory.available, "percent": memory.percent},
        "process": {"memory": process.memory_info().rss, "uptime": round(time.time() - STARTED)},
        "uptime": round(time.time() - psutil.boot_time()),
    }
