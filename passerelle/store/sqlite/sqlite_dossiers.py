"""The readings of many dossiers on SQLite: instants never go back there, so there is no horizon."""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar, cast

from passerelle.store.search_sql.search_paging import Run
from passerelle.store.sql.compiling import DialectName
from passerelle.store.sqlite.sqlite_readers import SqliteReaders, without_waiting

T = TypeVar("T")


class SqliteDossierReader:
    """A :class:`passerelle.store.dossier_readings.Reader` of one file."""

    dialect: DialectName = "sqlite"

    def __init__(self, readers: SqliteReaders, secret: Callable[[], bytes]) -> None:
        self._readers = readers
        self._secret = secret

    @property
    def secret(self) -> bytes:
        """Give what seals the cursors."""
        return self._secret()

    async def read(
        self, reading: Callable[[Run, int | None], Awaitable[T]], *, polled: bool = False
    ) -> T:
        """Do a reading in one snapshot."""

        def work(connection: Any) -> T:
            async def run(sql: str, args: tuple[Any, ...]) -> list[Any]:
                found: list[Any] = connection.execute(sql, args).fetchall()
                return found

            return without_waiting(cast(Coroutine[Any, Any, T], reading(run, None)))

        return await self._readers.run(work)
