"""Changes of lists, told to every browser that looks, whichever process it is connected to.

Each process has one subscription at Redis and one queue for each WebSocket."""

import asyncio
import json
import logging
from collections import defaultdict

from redis.asyncio import Redis
from redis.exceptions import RedisError

from .measure import EVENTS

log = logging.getLogger("app.live")
# Whoever is this many changes behind is disconnected, and reads the list anew.
BACKLOG = 100


class Live:
    def __init__(self, redis: Redis):
        self.redis = redis
        self.queues: dict[int, set[asyncio.Queue]] = defaultdict(set)

    async def publish(self, list_id: int, kind: str, **what):
        """The change is stored already, so Redis being away fails no request: it is told of later,
        by `resync`."""
        try:
            await self.redis.publish(f"lists:{list_id}", json.dumps({"type": kind, "list": list_id} | what))
            EVENTS.labels("sent").inc()
        except RedisError as error:
            EVENTS.labels("lost").inc()
            log.warning("a change was not passed on: %s", error)

    def deliver(self, list_id: int, message: str):
        for queue in self.queues.get(list_id, ()):
            if queue.qsize() < BACKLOG:
                queue.put_nowait(message)
            elif queue.qsize() == BACKLOG:
                queue.put_nowait(None)

    async def listen(self, redis: Redis):
        """Reads what all processes publish, and comes back after Redis was away."""
        pause, lost = 0.5, False
        while True:
            try:
                async with redis.pubsub() as subscription:
                    await subscription.psubscribe("lists:*")
                    if lost:
                        log.info("subscribed again")
                        for list_id in list(self.queues):
                            self.deliver(list_id, json.dumps({"type": "resync", "list": list_id}))
                    pause, lost = 0.5, False
                    async for message in subscription.listen():
                        if message["type"] == "pmessage":
                            EVENTS.labels("received").inc()
                            self.deliver(int(message["channel"].split(":")[1]), message["data"])
            except (RedisError, OSError) as error:
                if not lost:
                    log.warning("the subscription at Redis ended: %s", error)
            lost = True
            await asyncio.sleep(pause)
            pause = min(pause * 2, 5)
