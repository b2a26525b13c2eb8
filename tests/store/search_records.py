"""Records to search, filled row by row, on each database."""

import asyncio
import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

import pytest
from sqlalchemy import create_engine
from sqlalchemy.dialects.postgresql.asyncpg import dialect as postgresql_dialect
from sqlalchemy.schema import CreateIndex, CreateTable

from passerelle.fhir import json_text
from passerelle.fhir.search.extraction import extract
from passerelle.fhir.search.query import Query, parse
from passerelle.store import schema
from passerelle.store.caller import SYSTEM, Caller
from passerelle.store.contract import Page
from passerelle.store.search_sql.search import search
from passerelle.store.search_sql.search_paging import BOUNDS, Bounds

SECRET = b"a secret of the test"
_INDEX_TABLES = (
    (schema.token, "tokens", ("param", "system", "value")),
    (schema.string, "texts", ("param", "norm", "exact")),
    (schema.reference, "links", ("param", "type", "id")),
    (schema.date, "spans", ("param", "low", "high")),
    (schema.uri, "uris", ("param", "value")),
    (schema.number, "numbers", ("param", "low", "high")),
    (schema.quantity, "quantities", ("param", "system", "code", "low", "high")),
    (
        schema.composite,
        "composites",
        ("param", "head", "head_system", "tail", "tail_system", "low", "high", "low2", "high2"),
    ),
    (schema.position, "positions", ("param", "latitude", "longitude")),
)
_NAMES = (
    "resource",
    "version",
    "token",
    "string",
    "reference",
    "date",
    "number",
    "quantity",
    "uri",
    "composite",
    "position",
)


class Record(Protocol):
    """A database to search."""

    dialect: Any

    def execute(self, sql: str, rows: Sequence[tuple[Any, ...]]) -> None: ...
    def rows(self, sql: str, args: tuple[Any, ...]) -> Sequence[Sequence[Any]]: ...


class SqliteRecord:
    dialect = "sqlite"

    def __init__(self, path: Path) -> None:
        engine = create_engine(f"sqlite:///{path}")
        schema.metadata.create_all(engine)
        engine.dispose()
        self.connection = sqlite3.connect(path, isolation_level=None)
        self.connection.execute("PRAGMA synchronous=OFF")
        self.connection.execute("PRAGMA journal_mode=MEMORY")

    def execute(self, sql: str, rows: Sequence[tuple[Any, ...]]) -> None:
        self.connection.execute("BEGIN")
        self.connection.executemany(sql, rows)
        self.connection.execute("COMMIT")

    def rows(self, sql: str, args: tuple[Any, ...]) -> Sequence[Sequence[Any]]:
        return self.connection.execute(sql, args).fetchall()


class PostgresRecord:
    dialect = "postgresql"

    def __init__(self, url: str) -> None:
        import asyncpg

        self.loop = asyncio.new_event_loop()
        self.connection = self._wait(asyncpg.connect(url))
        dialect = postgresql_dialect()  # type: ignore[no-untyped-call]
        self._wait(self.connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public"))
        for table in schema.metadata.sorted_tables:
            self._wait(self.connection.execute(str(CreateTable(table).compile(dialect=dialect))))
            for index in table.indexes:
                self._wait(
                    self.connection.execute(str(CreateIndex(index).compile(dialect=dialect)))
                )

    def _wait(self, work: Any) -> Any:
        return self.loop.run_until_complete(work)

    def execute(self, sql: str, rows: Sequence[tuple[Any, ...]]) -> None:
        for place in range(sql.count("?")):
            sql = sql.replace("?", f"${place + 1}", 1)
        self._wait(self.connection.executemany(sql, rows))

    def rows(self, sql: str, args: tuple[Any, ...]) -> Sequence[Sequence[Any]]:
        return [tuple(row) for row in self._wait(self.connection.fetch(sql, *args))]

    def close(self) -> None:
        self._wait(self.connection.close())
        self.loop.close()


@contextmanager
def record_on(
    dialect: str, request: pytest.FixtureRequest, factory: pytest.TempPathFactory
) -> Iterator[Record]:
    """Open an empty record."""
    if dialect == "sqlite":
        made = SqliteRecord(factory.mktemp("search") / "record.db")
        yield made
        made.connection.close()
        return
    postgres = PostgresRecord(request.getfixturevalue("postgres_url"))
    yield postgres
    postgres.close()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def record(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Record]:
    """A record on each database, one after the other."""
    with record_on(request.param, request, tmp_path_factory) as made:
        yield made


@pytest.fixture(scope="module")
def records(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Record, ...]]:
    """A record on each database, both at once."""
    with (
        record_on("sqlite", request, tmp_path_factory) as one,
        record_on("postgresql", request, tmp_path_factory) as other,
    ):
        yield one, other


def clear(record: Record) -> None:
    for name in reversed(_NAMES):
        record.execute(f'DELETE FROM "{name}"', [()])


def fill(record: Record, resources: Sequence[dict[str, Any]]) -> None:
    """Keep the resources with pids from 1 on, each changed at pid seconds."""
    clear(record)
    _insert(record, list(enumerate(resources, 1)))


def keep(record: Record, pid: int, resource: dict[str, Any]) -> None:
    """Keep one resource more, or another content of the one that has the pid."""
    for name in reversed(_NAMES):
        record.execute(f'DELETE FROM "{name}" WHERE pid = ?', [(pid,)])
    _insert(record, [(pid, resource)])


def _insert(record: Record, resources: Sequence[tuple[int, dict[str, Any]]]) -> None:
    heads, bodies = [], []
    rows: dict[str, list[tuple[Any, ...]]] = {table.name: [] for table, _, _ in _INDEX_TABLES}
    for pid, resource in resources:
        at = pid * 1_000_000
        deleted = resource.get("deleted", False)
        heads.append((pid, resource["resourceType"], resource["id"], 1, pid, at, deleted, b""))
        bodies.append((pid, pid, 1, "PUT", at, 1, "test", json.dumps(resource).encode()))
        if deleted:
            continue
        extracted = extract(json_text.decode(json.dumps(resource).encode()))
        for table, kind, _ in _INDEX_TABLES:
            rows[table.name] += [(*map(plain, row), pid) for row in getattr(extracted, kind)]
    record.execute("INSERT INTO resource (pid, type, id, version, seq, updated, deleted, digest)"
                   " VALUES (?,?,?,?,?,?,?,?)", heads)  # fmt: skip
    record.execute("INSERT INTO version (seq, pid, version, method, at, tx, author, body)"
                   " VALUES (?,?,?,?,?,?,?,?)", bodies)  # fmt: skip
    for table, _, names in _INDEX_TABLES:
        if rows[table.name]:
            places = ",".join("?" * (len(names) + 1))
            columns = ",".join((*names, "pid"))
            sql = f"INSERT INTO {table.name} ({columns}) VALUES ({places})"
            record.execute(sql, rows[table.name])


def plain(value: Any) -> Any:
    """Give a number as a database takes it."""
    return float(value) if isinstance(value, Decimal) else value


def find(record: Record, query: Query, caller: Caller = SYSTEM, bounds: Bounds = BOUNDS) -> Page:
    async def run(sql: str, args: tuple[Any, ...]) -> Sequence[Sequence[Any]]:
        return record.rows(sql, args)

    work = search(run, query, caller, record.dialect, secret=SECRET, bounds=bounds)
    try:
        work.send(None)
    except StopIteration as end:
        page: Page = end.value
        return page
    raise AssertionError("the search waited for something else than its statements")


def ask(type: str, *pairs: tuple[str, str]) -> Query:
    return parse(type, pairs, strict=True)


def ids(page: Page) -> list[str]:
    return [version.key.id for version in page.matches]


def through(
    record: Record,
    query: Query,
    between: Callable[[], None] = lambda: None,
    bounds: Callable[[], Bounds] = lambda: BOUNDS,
) -> list[str]:
    """Follow the pages to the end; ``between`` is called after each page but the last.

    ``bounds`` tells of each page when which way is taken to it.
    """
    found: list[str] = []
    for _ in range(200):
        page = find(record, query, bounds=bounds())
        assert len(page.matches) <= query.count
        found += ids(page)
        if page.next is None:
            return found
        query = replace(query, cursor=page.next)
        between()
    raise AssertionError("the pages do not end")
