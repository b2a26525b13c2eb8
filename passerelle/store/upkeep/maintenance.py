"""A session of one's own on either database, for ``passerelle check`` and ``passerelle reindex``.

It stands apart from the connections that serve: no time limits, one transaction at a time.
"""

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol

from passerelle.fhir.resource import Key
from passerelle.store.postgresql.postgres_url import is_postgres, plain_url
from passerelle.store.sql.compiling import Compiled, DialectName
from passerelle.store.sql.index_tables import INDEX_TABLES
from passerelle.store.sqlite import sqlite_inserts
from passerelle.store.sqlite.sqlite_connection import connect_writer, path_of

CLEARED = tuple(kind.table.name for kind in INDEX_TABLES)


class Session(Protocol):
    """What both databases are asked for by the maintenance."""

    @property
    def dialect(self) -> DialectName:
        """Name the dialect that statements are compiled for."""

    async def begin(self, *, write: bool) -> None:
        """Begin a transaction: one snapshot to read, or the next write."""

    async def hold(self, keys: Sequence[Key]) -> None:
        """Keep the writers of those keys away until the end of the transaction."""

    async def end(self) -> None:
        """Commit."""

    async def rows(self, statement: Compiled, **values: Any) -> list[tuple[Any, ...]]:
        """Give the rows of a statement."""

    async def clear(self, pids: Sequence[int]) -> None:
        """Delete the index rows of those resources."""

    async def insert(
        self, table: str, columns: tuple[str, ...], rows: Sequence[Sequence[Any]]
    ) -> None:
        """Insert rows; those whose key is taken are left out."""

    async def update(
        self, table: str, columns: tuple[str, ...], rows: Sequence[Sequence[Any]]
    ) -> None:
        """Set columns by pid, which is the last cell of each row."""

    async def delete_claims(self, claims: Sequence[tuple[str, str, str]]) -> None:
        """Delete claims by type, system and value."""

    async def faults(self) -> list[str]:
        """Give what the database itself finds wrong with its files."""


class SqliteSession:
    """On the file."""

    dialect: DialectName = "sqlite"

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def begin(self, *, write: bool) -> None:
        """Begin; a write takes the file at once."""
        self._connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")

    async def hold(self, keys: Sequence[Key]) -> None:
        """There is one writer at a time already."""

    async def end(self) -> None:
        """Commit."""
        self._connection.execute("COMMIT")

    async def rows(self, statement: Compiled, **values: Any) -> list[tuple[Any, ...]]:
        """Give the rows of a statement."""
        return self._connection.execute(statement.sql, statement.args(**values)).fetchall()

    async def clear(self, pids: Sequence[int]) -> None:
        """Delete the index rows of those resources."""
        sqlite_inserts.delete_of(self._connection, CLEARED, pids)

    async def insert(
        self, table: str, columns: tuple[str, ...], rows: Sequence[Sequence[Any]]
    ) -> None:
        """Insert rows that are not there."""
        tail = "ON CONFLICT DO NOTHING"
        sqlite_inserts.insert(self._connection, table, columns, rows, tail)

    async def update(
        self, table: str, columns: tuple[str, ...], rows: Sequence[Sequence[Any]]
    ) -> None:
        """Set columns by pid."""
        cells = ", ".join(f'"{column}" = ?' for column in columns)
        self._connection.executemany(f'UPDATE "{table}" SET {cells} WHERE pid = ?', rows)

    async def delete_claims(self, claims: Sequence[tuple[str, str, str]]) -> None:
        """Delete claims."""
        sql = "DELETE FROM claim WHERE type = ? AND system = ? AND value = ?"
        self._connection.executemany(sql, claims)

    async def faults(self) -> list[str]:
        """Ask SQLite (https://www.sqlite.org/pragma.html#pragma_integrity_check)."""
        try:
            found = self._connection.execute("PRAGMA integrity_check(100)").fetchall()
            found += self._connection.execute("PRAGMA foreign_key_check").fetchall()
        except sqlite3.DatabaseError as fault:
            return [str(fault)]
        return [str(row[0]) for row in found if row[0] != "ok"]


class PostgresSession:
    """On the server."""

    dialect: DialectName = "postgresql"

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def begin(self, *, write: bool) -> None:
        """Begin; readings see one snapshot."""
        mode = "READ COMMITTED" if write else "REPEATABLE READ READ ONLY"
        await self._connection.execute(f"BEGIN ISOLATION LEVEL {mode}")

    async def hold(self, keys: Sequence[Key]) -> None:
        """Take the locks that writers take."""
        from passerelle.store.postgresql.postgres_locks import EVERYTHING, LOCK, key_lock

        names = [key_lock(key) for key in keys]
        await self._connection.fetchrow(LOCK, names, [], [], [EVERYTHING])

    async def end(self) -> None:
        """Commit."""
        await self._connection.execute("COMMIT")

    async def rows(self, statement: Compiled, **values: Any) -> list[tuple[Any, ...]]:
        """Give the rows of a statement."""
        found = await self._connection.fetch(statement.sql, *statement.args(**values))
        return [tuple(row) for row in found]

    async def clear(self, pids: Sequence[int]) -> None:
        """Delete the index rows of those resources."""
        for table in CLEARED:
            await self._connection.execute(f'DELETE FROM "{table}" WHERE pid = ANY($1)', list(pids))

    async def insert(
        self, table: str, columns: tuple[str, ...], rows: Sequence[Sequence[Any]]
    ) -> None:
        """Insert rows that are not there."""
        from passerelle.store.postgresql.postgres_arrays import array_marks, arrays_of, insert_of

        if rows:
            sql = insert_of(table, columns, array_marks(table, columns, 1))
            args = arrays_of(table, columns, rows)
            await self._connection.execute(f"{sql} ON CONFLICT DO NOTHING", *args)

    async def update(
        self, table: str, columns: tuple[str, ...], rows: Sequence[Sequence[Any]]
    ) -> None:
        """Set columns by pid."""
        cells = ", ".join(f'"{column}" = ${n}' for n, column in enumerate(columns, 1))
        sql = f'UPDATE "{table}" SET {cells} WHERE pid = ${len(columns) + 1}'
        await self._connection.executemany(sql, rows)

    async def delete_claims(self, claims: Sequence[tuple[str, str, str]]) -> None:
        """Delete claims."""
        sql = "DELETE FROM claim WHERE type = $1 AND system = $2 AND value = $3"
        await self._connection.executemany(sql, claims)

    async def faults(self) -> list[str]:
        """The server checks its pages as it reads them."""
        return []


@asynccontextmanager
async def session(database_url: str) -> AsyncIterator[Session]:
    """Open a session on a database. Raises what its driver raises when it cannot be reached."""
    if is_postgres(database_url):
        import asyncpg

        connection = await asyncpg.connect(plain_url(database_url))
        try:
            yield PostgresSession(connection)
        finally:
            await connection.close()
        return
    path = path_of(database_url)
    if not path.is_file():
        raise FileNotFoundError(path)
    file = connect_writer(path)
    try:
        yield SqliteSession(file)
    finally:
        file.close()
