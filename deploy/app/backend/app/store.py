"""The lists in PostgreSQL: connections, schema, statements."""

import asyncio
import logging
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from . import settings

log = logging.getLogger("app.store")
MIGRATIONS = Path(__file__).parent / "migrations"
# Any number will do, as long as nothing else in this database uses it.
MIGRATION_LOCK = 7261001


class Store:
    def __init__(self):
        self.migrated = False
        self.pool = AsyncConnectionPool(
            kwargs=settings.POSTGRES | {"row_factory": dict_row},
            open=False,
            min_size=1,
            max_size=settings.POSTGRES_CONNECTIONS,
            # A request waits this long for a connection, and is then told that there is none.
            timeout=3,
            max_waiting=100,
            # Failed attempts are given up soon and begun anew by the next request. The default lets
            # pauses grow to minutes, in which a database that is back would not be noticed.
            reconnect_timeout=2,
            check=AsyncConnectionPool.check_connection,
        )

    async def migrate_until_done(self):
        """Waits for the database at the start, however long it takes, and brings the schema up."""
        pause, said = 0.5, ""
        while True:
            try:
                await self.migrate()
                self.migrated = True
                return
            except psycopg.Error as error:
                now = str(error).strip().replace("\n", "; ")
                if now != said:
                    log.warning("the schema waits for PostgreSQL: %s", now)
                said = now
                await asyncio.sleep(pause)
                pause = min(pause * 2, 5)

    async def migrate(self):
        """Each file once, in the order of their numbers, and one process at a time."""
        async with self.pool.connection() as connection:
            await connection.execute("SELECT pg_advisory_xact_lock(%s)", [MIGRATION_LOCK])
            await connection.execute(
                "CREATE TABLE IF NOT EXISTS schema_migrations ("
                "number integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
            )
            rows = await (await connection.execute("SELECT number FROM schema_migrations")).fetchall()
            done = {row["number"] for row in rows}
            for file in sorted(MIGRATIONS.glob("*.sql")):
                number = int(file.name.split("_")[0])
                if number not in done:
                    await connection.execute(file.read_text())
                    await connection.execute("INSERT INTO schema_migrations VALUES (%s, %s)", [number, file.name])
                    log.info("migration applied: %s", file.name)

    @asynccontextmanager
    async def cursor(self):
        async with self.pool.connection() as connection, connection.cursor() as cursor:
            yield cursor

    async def one(self, statement: str, *values) -> dict | None:
        async with self.cursor() as cursor:
            await cursor.execute(statement, values)
            return await cursor.fetchone()

    async def all(self, statement: str, *values) -> list[dict]:
        async with self.cursor() as cursor:
            await cursor.execute(statement, values)
            return await cursor.fetchall()
