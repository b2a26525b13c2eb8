"""Tables beside the resources on SQLite: read like everything, written by the one writer."""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeVar, cast

from passerelle.store.parameter_rows import text
from passerelle.store.sql.compiling import DialectName
from passerelle.store.sqlite.sqlite_batch import Batch
from passerelle.store.sqlite.sqlite_readers import SqliteReaders, without_waiting
from passerelle.store.sqlite.sqlite_writer import SqliteWriter
from passerelle.store.upkeep.maintenance import Session, SqliteSession

T = TypeVar("T")


class SqliteRunner:
    """Runs the statements of ``packages.Packages`` and of ``added_parameters.AddedParameters``."""

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

    async def stamp(self) -> int:
        """Give the state of the added parameters."""
        found: int = self._readers.one(text("stamp", "sqlite").sql, ())[0]
        return found

    async def inside(
        self, work: Callable[[Session], Awaitable[T]], *, alone: bool | None = None
    ) -> T:
        """Do some work in the writer's transaction, which is alone always."""

        def done(batch: Batch) -> T:
            batch.flush()
            session = SqliteSession(batch.connection)
            return without_waiting(cast(Coroutine[Any, Any, T], work(session)))

        return await self._writer.run(done)
