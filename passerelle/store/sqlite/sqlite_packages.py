"""The tables of packages on SQLite: read like everything, written by the one writer."""

from collections.abc import Sequence
from typing import Any

from passerelle.store.sql.compiling import DialectName
from passerelle.store.sqlite.sqlite_batch import Batch
from passerelle.store.sqlite.sqlite_readers import SqliteReaders
from passerelle.store.sqlite.sqlite_writer import SqliteWriter


class SqliteRunner:
    """Runs the statements of :class:`passerelle.store.packages.Packages`."""

    dialect: DialectName = "sqlite"

    def __init__(self, readers: SqliteReaders, writer: SqliteWriter) -> None:
        self._readers = readers
        self._writer = writer

    async def rows(self, sql: str, args: tuple[Any, ...]) -> Sequence[Sequence[Any]]:
        """Give the rows of a reading."""
        return await self._readers.rows(sql, args)

    async def write(self, *steps: tuple[str, Sequence[tuple[Any, ...]]]) -> None:
        """Run the statements in the writer's transaction."""

        def work(batch: Batch) -> None:
            for sql, rows in steps:
                batch.connection.executemany(sql, rows)

        await self._writer.run(work)
