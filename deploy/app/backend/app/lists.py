"""The application's routes: lists, their items, and the WebSocket that tells of changes."""

import asyncio
from contextlib import suppress
from typing import Annotated

import psycopg
from fastapi import APIRouter, HTTPException, Path, Query, Request, Response, WebSocket, WebSocketDisconnect
from fastapi.encoders import jsonable_encoder
from pydantic import BaseModel, ConfigDict, StringConstraints

from . import settings
from .measure import WEBSOCKETS
from .once import Key, once
from .problems import problem

router = APIRouter(prefix="/api/v1")

Id = Annotated[int, Path(ge=1, lt=2**63)]
# PostgreSQL keeps no NUL, and nobody can read other control characters.
READABLE = r"^[^\x00-\x1f\x7f]*$"


def text(most: int):
    return Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=most, pattern=READABLE)]


class Input(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewList(Input):
    name: text(100)


class NewItem(Input):
    name: text(200)


class Change(Input):
    done: bool


@router.get("/lists")
async def lists(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
    before: Annotated[int | None, Query(ge=1, lt=2**63)] = None,
):
    """The newest first; `next` is the `before` of the next page."""
    rows = await request.app.state.store.all(
        "SELECT * FROM lists WHERE %s::bigint IS NULL OR id < %s ORDER BY id DESC LIMIT %s", before, before, limit + 1
    )
    return {"lists": rows[:limit], "next": rows[limit - 1]["id"] if len(rows) > limit else None}


@router.post("/lists", status_code=201)
async def new_list(request: Request, new: NewList, key: Key = None):
    async def work():
        row = await request.app.state.store.one("INSERT INTO lists (name) VALUES (%s) RETURNING *", new.name)
        return 201, jsonable_encoder(row)

    return await once(request.app.state.redis, request, key, work)


@router.get("/lists/{list_id}")
async def one_list(request: Request, list_id: Id):
    store = request.app.state.store
    found = await store.one("SELECT * FROM lists WHERE id = %s", list_id)
    if found is None:
        raise HTTPException(404, "There is no such list")
    items = await store.all("SELECT * FROM items WHERE list_id = %s ORDER BY id LIMIT 1000", list_id)
    return found | {"items": items}


@router.delete("/lists/{list_id}", status_code=204)
async def no_list(request: Request, list_id: Id):
    if await request.app.state.store.one("DELETE FROM lists WHERE id = %s RETURNING id", list_id) is None:
        raise HTTPException(404, "There is no such list")
    await request.app.state.live.publish(list_id, "list_deleted")
    return Response(status_code=204)


@router.post("/lists/{list_id}/items", status_code=201)
async def new_item(request: Request, list_id: Id, new: NewItem, key: Key = None):
    async def work():
        async with request.app.state.store.cursor() as cursor:
            # The lock makes requests for one list wait for each other, so that the count holds.
            await cursor.execute("SELECT id FROM lists WHERE id = %s FOR UPDATE", [list_id])
            if await cursor.fetchone() is None:
                raise HTTPException(404, "There is no such list")
            await cursor.execute(
                "INSERT INTO items (list_id, name) SELECT %s, %s"
                " WHERE (SELECT count(*) FROM items WHERE list_id = %s) < 1000 RETURNING *",
                [list_id, new.name, list_id],
            )
            item = jsonable_encoder(await cursor.fetchone())
        if item is None:
            raise HTTPException(409, "The list is full: it has 1000 items")
        await request.app.state.live.publish(list_id, "item_added", item=item)
        return 201, item

    return await once(request.app.state.redis, request, key, work)


@router.patch("/lists/{list_id}/items/{item_id}")
async def tick(request: Request, list_id: Id, item_id: Id, change: Change):
    item = await request.app.state.store.one(
        "UPDATE items SET done = %s WHERE list_id = %s AND id = %s RETURNING *", change.done, list_id, item_id
    )
    if item is None:
        raise HTTPException(404, "There is no such item")
    item = jsonable_encoder(item)
    await request.app.state.live.publish(list_id, "item_changed", item=item)
    return item


@router.delete("/lists/{list_id}/items/{item_id}", status_code=204)
async def no_item(request: Request, list_id: Id, item_id: Id):
    gone = await request.app.state.store.one(
        "DELETE FROM items WHERE list_id = %s AND id = %s RETURNING id", list_id, item_id
    )
    if gone is None:
        raise HTTPException(404, "There is no such item")
    await request.app.state.live.publish(list_id, "item_deleted", item={"id": item_id})
    return Response(status_code=204)


@router.websocket("/ws/lists/{list_id}")
async def watch(socket: WebSocket, list_id: Id):
    """Sends changes and takes nothing: whatever a client says is read and dropped."""
    state = socket.app.state
    if state.open_websockets >= settings.MAX_WEBSOCKETS:
        return await socket.send_denial_response(problem(503, "Too many WebSockets are open", headers={"Retry-After": "10"}))
    try:
        found = await state.store.one("SELECT id FROM lists WHERE id = %s", list_id)
    except psycopg.Error:
        return await socket.send_denial_response(problem(503, "The database is not there", headers={"Retry-After": "2"}))
    if found is None:
        return await socket.send_denial_response(problem(404, "There is no such list"))

    queue: asyncio.Queue = asyncio.Queue()
    state.live.queues[list_id].add(queue)
    state.open_websockets += 1
    WEBSOCKETS.inc()

    async def send():
        while (message := await queue.get()) is not None:
            await socket.send_text(message)
        await socket.close(1013, "too far behind")

    async def drop():
        while (await socket.receive())["type"] != "websocket.disconnect":
            pass

    tasks = []
    try:
        await socket.accept()
        tasks = [asyncio.create_task(send()), asyncio.create_task(drop())]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError):
                await task
        WEBSOCKETS.dec()
        state.open_websockets -= 1
        state.live.queues[list_id].discard(queue)
        if not state.live.queues[list_id]:
            del state.live.queues[list_id]
