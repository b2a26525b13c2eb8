"""Tables beside the resources on PostgreSQL."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from passerelle.store.parameter_rows import text
from passerelle.store.postgresql.postgres_connections import Connections
from passerelle.store.postgresql.postgres_locks import EVERYTHING, LOCK
from passerelle.store.sql.compiling import DialectName
from passerelle.store.upkeep.maintenance import PostgresSession, Session

T = TypeVar("T")


class PostgresRunner:
    """Runs the statements of ``packages.Packages`` and of ``added_parameters.AddedParameters``."""

    dialect: DialectName = "postgresql"

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def rows(self, sql: str, args: tuple[Any, ...]) -> Sequence[Sequence[Any]]:
        """Give the rows of a reading."""
        async with self._connections.held() as connection:
            found: Sequence[Sequence[Any]] = await connection.fetch(sql, *args)
            return found

    async def write(self, *steps: tuple[str, Sequence[tuple[Any, ...]]]) -> None:
        """Run the statements in one transaction."""
        async with self._connections.held() as connection, connection.transaction():
            for sql, rows in steps:
                await connection.executemany(sql, rows)

    async def stamp(self) -> int:
        """Give the state of the added parameters."""
        async with self._connections.held() as connection:
            found: int = await connection.fetchval(text("stamp", "postgresql").sql)
            return found

    async def inside(
        self, work: Callable[[Session], Awaitable[T]], *, alone: bool | None = None
    ) -> T:
        """Do some work in one transaction, with the lock of everything that all writers share."""
        async with self._connections.held() as connection, connection.transaction():
            if alone is not None:
                held, shared = ([EVERYTHING], []) if alone else ([], [EVERYTHING])
                await connection.fetchrow(LOCK, held, [], [], shared)
            return await work(PostgresSession(connection))
