"""The tables of packages on PostgreSQL."""

from collections.abc import Sequence
from typing import Any

from passerelle.store.postgresql.postgres_connections import Connections
from passerelle.store.sql.compiling import DialectName


class PostgresRunner:
    """Runs the statements of :class:`passerelle.store.packages.Packages`."""

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
