"""The readings of many dossiers on PostgreSQL, below the commit horizon where they are polled."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeVar

import asyncpg

from passerelle.store.postgresql.postgres_horizon import horizon
from passerelle.store.search_sql.search_paging import Run
from passerelle.store.sql.compiling import DialectName

T = TypeVar("T")


class Reading(Protocol):
    """Does a reading on a held connection; once more when that had gone away unnoticed."""

    async def __call__(self, read: Callable[[asyncpg.Connection], Awaitable[T]], /) -> T:
        """Give what the reading gives. Raises Unavailable."""


class PostgresDossierReader:
    """A :class:`passerelle.store.dossier_readings.Reader` of one database."""

    dialect: DialectName = "postgresql"

    def __init__(self, reading: Reading, secret: Callable[[], bytes]) -> None:
        self._reading = reading
        self._secret = secret

    @property
    def secret(self) -> bytes:
        """Give what seals the cursors."""
        return self._secret()

    async def read(
        self, reading: Callable[[Run, int | None], Awaitable[T]], *, polled: bool = False
    ) -> T:
        """Do a reading; the horizon is asked for before it, outside any transaction."""

        async def work(connection: asyncpg.Connection) -> T:
            async def run(sql: str, args: tuple[Any, ...]) -> Sequence[Sequence[Any]]:
                found: Sequence[Sequence[Any]] = await connection.fetch(sql, *args)
                return found

            return await reading(run, await horizon(connection) if polled else None)

        return await self._reading(work)
