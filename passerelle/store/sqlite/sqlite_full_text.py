"""The words of the full text on SQLite: written by the one writer, into a table of FTS5.

https://www.sqlite.org/fts5.html
"""

from collections.abc import Sequence
from typing import Any

from passerelle.errors.refusals import Unavailable
from passerelle.store.contract import Mark
from passerelle.store.full_text import NAME, Kept
from passerelle.store.sql.compiling import DialectName
from passerelle.store.sqlite.sqlite_batch import Batch
from passerelle.store.sqlite.sqlite_readers import SqliteReaders
from passerelle.store.sqlite.sqlite_writer import SqliteWriter

_FIND = "SELECT at, seq FROM follower WHERE name = ?"
_MOVE = (
    "INSERT INTO follower (name, at, seq) VALUES (?, ?, ?) "
    "ON CONFLICT (name) DO UPDATE SET at = excluded.at, seq = excluded.seq"
)
_CLEAR = "DELETE FROM full_text WHERE rowid = ?"
_KEEP = "INSERT INTO full_text (rowid, narrative, content) VALUES (?, ?, ?)"


class SqliteShelf:
    """Keeps what :class:`passerelle.store.full_text.FullText` gathers."""

    dialect: DialectName = "sqlite"

    def __init__(self, readers: SqliteReaders, writer: SqliteWriter) -> None:
        self._readers = readers
        self._writer = writer

    def is_there(self) -> bool:
        """Tell whether the table is there and this SQLite can read it."""
        there = "SELECT 1 FROM sqlite_master WHERE name = 'full_text'"
        known = "SELECT 1 FROM pragma_module_list WHERE name = 'fts5'"
        try:
            return all(self._readers.one(sql, ()) is not None for sql in (there, known))
        except Unavailable:
            return False

    async def rows(self, sql: str, args: tuple[Any, ...]) -> Sequence[Sequence[Any]]:
        """Give the rows of a reading."""
        return await self._readers.rows(sql, args)

    async def move(
        self, before: Mark, after: Mark, pids: Sequence[int], kept: Sequence[Kept]
    ) -> bool:
        """Replace words and go on to a mark, unless it was moved meanwhile."""

        def work(batch: Batch) -> bool:
            connection = batch.connection
            found = connection.execute(_FIND, (NAME,)).fetchone()
            if Mark(*(found or ())) != before:
                return False
            connection.execute(_MOVE, (NAME, *after))
            connection.executemany(_CLEAR, [(pid,) for pid in pids])
            connection.executemany(_KEEP, [(each.pid, *each.words) for each in kept])
            return True

        return await self._writer.run(work)
