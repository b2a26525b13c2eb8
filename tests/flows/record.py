"""What stands in a record, looked at beside the gateway: for tests that nothing was written."""

import asyncio
import sqlite3
from typing import Any

import asyncpg

WRITTEN = ("version", "resource", "claim", "blob", "job", "message")
"""The tables that a request may write; what is derived stands in others."""


def counts(database_url: str) -> dict[str, int]:
    """Give how many rows each table has."""
    each = (f"SELECT '{table}' AS name, count(*) AS rows FROM {table}" for table in WRITTEN)
    return dict(rows(database_url, " UNION ALL ".join(each)))


def rows(database_url: str, statement: str) -> list[tuple[Any, ...]]:
    """Give what a statement reads."""
    if database_url.startswith("sqlite"):
        path = database_url.removeprefix("sqlite:///")
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        try:
            return connection.execute(statement).fetchall()
        finally:
            connection.close()

    async def read() -> list[tuple[Any, ...]]:
        connection = await asyncpg.connect(database_url)
        try:
            return [tuple(row) for row in await connection.fetch(statement)]
        finally:
            await connection.close()

    with asyncio.Runner() as runner:
        return runner.run(read())
