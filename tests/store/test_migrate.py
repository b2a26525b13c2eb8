"""Migrations: numbered, packaged, and what they make is what the code speaks of."""

import asyncio
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import create_async_engine

from passerelle.errors.refusals import Unavailable
from passerelle.store import schema
from passerelle.store.migrate import migrate
from passerelle.store.opening import open_store
from passerelle.store.postgresql.postgres_url import driver_url
from passerelle.store.revision import head

NAMES = [
    "0001 The first tables of the record (house section 3).",
    "0002 The index rows of composite search parameters and of places.",
    "0003 The order of all changes, and the floor that feeds have been read to.",
    "0004 The installed FHIR packages, and which resources of the record each brought.",
    "0005 The words of each resource, and how far the log was followed.",
    "0006 The search parameters that were added to the record.",
    "0007 The requests that are answered later, and what they were answered.",
    "0008 The bytes that were brought and may not be named by anything yet.",
    "0009 The answers that are given again to a request that comes again under one key.",
]

_COLUMNS = """
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attstorage,
    coalesce(co.collname, ''), coalesce(pg_get_expr(d.adbin, d.adrelid), '')
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
LEFT JOIN pg_collation co ON co.oid = a.attcollation
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0
    AND c.relname <> 'alembic_version' ORDER BY 1, a.attnum
"""
_INDEXES = """
SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public'
    AND tablename <> 'alembic_version' ORDER BY 1, 2
"""
_CONSTRAINTS = """
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text <> 'alembic_version'
ORDER BY 1, 2
"""


def sqlite_shape(path: Path) -> list[tuple[str, ...]]:
    connection = sqlite3.connect(path)
    try:
        found = connection.execute(
            "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE '%alembic%' "
            "ORDER BY type, name"
        ).fetchall()
    finally:
        connection.close()
    return [(row[0], row[1], "".join((row[2] or "").replace('"', "").split())) for row in found]


def test_the_migrated_file_is_what_the_code_speaks_of(tmp_path: Path) -> None:
    assert migrate(f"sqlite:///{tmp_path}/migrated.db") == NAMES
    engine = create_engine(f"sqlite:///{tmp_path}/made.db")
    schema.metadata.create_all(engine)
    engine.dispose()
    assert sqlite_shape(tmp_path / "migrated.db") == sqlite_shape(tmp_path / "made.db")


async def postgres_shape(url: str) -> list[list[tuple[Any, ...]]]:
    connection = await asyncpg.connect(url)
    try:
        queries = (_COLUMNS, _INDEXES, _CONSTRAINTS)
        return [[tuple(row) for row in await connection.fetch(query)] for query in queries]
    finally:
        await connection.close()


async def create_all(url: str) -> None:
    engine = create_async_engine(driver_url(url))
    async with engine.begin() as connection:
        await connection.run_sync(schema.metadata.create_all)
    await engine.dispose()


def test_the_migrated_server_is_what_the_code_speaks_of(
    empty_postgres_url: str, second_empty_postgres_url: str
) -> None:
    assert migrate(empty_postgres_url) == NAMES
    asyncio.run(create_all(second_empty_postgres_url))
    migrated = asyncio.run(postgres_shape(empty_postgres_url))
    assert all(migrated)
    assert migrated == asyncio.run(postgres_shape(second_empty_postgres_url))


def test_migrating_again_does_nothing(tmp_path: Path, empty_postgres_url: str) -> None:
    for url in (f"sqlite:///{tmp_path}/deep/in/record.db", empty_postgres_url):
        assert migrate(url) == NAMES
        assert migrate(url) == []


def test_gateways_that_start_at_once_migrate_once(tmp_path: Path, empty_postgres_url: str) -> None:
    for url in (f"sqlite:///{tmp_path}/record.db", empty_postgres_url):
        with ThreadPoolExecutor(4) as threads:
            done = list(threads.map(migrate, [url] * 4))
        assert sorted(done) == [[], [], [], NAMES]


@pytest.mark.anyio
async def test_it_runs_where_an_event_loop_runs(empty_postgres_url: str) -> None:
    assert migrate(empty_postgres_url) == NAMES


@pytest.mark.anyio
async def test_a_database_that_is_not_migrated_is_not_opened(
    tmp_path: Path, empty_postgres_url: str, clock: Any
) -> None:
    (tmp_path / "empty.db").touch()
    for url in (
        f"sqlite:///{tmp_path}/nothing.db",
        f"sqlite:///{tmp_path}/empty.db",
        empty_postgres_url,
    ):
        store = open_store(url, clock=clock)
        with pytest.raises(Unavailable) as refusal:
            await store.open()
        assert refusal.value.issues[0].rule == "record.not-migrated"
    assert not (tmp_path / "nothing.db").exists()


@pytest.mark.anyio
async def test_a_database_of_another_revision_is_not_opened(
    sqlite_database_url: str, clock: Any
) -> None:
    connection = sqlite3.connect(sqlite_database_url.removeprefix("sqlite:///"))
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    with pytest.raises(Unavailable):
        await open_store(sqlite_database_url, clock=clock).open()


def test_revisions_are_numbered_without_a_gap() -> None:
    folder = Path(schema.__file__).parent / "migrations" / "versions"
    numbers = sorted(path.name[:4] for path in folder.glob("[0-9]*.py"))
    assert numbers == [f"{number:04d}" for number in range(1, len(numbers) + 1)]
    assert head() == numbers[-1]


def test_opening_loads_neither_alembic_nor_the_other_driver() -> None:
    program = (
        "import sys\n"
        "from passerelle.store.opening import open_store\n"
        "store = open_store('sqlite:///x.db', clock=lambda: 0)\n"
        "print([name for name in ('alembic', 'asyncpg') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "url", ["", "sqlite://", "sqlite:///", "sqlite:///:memory:", "mysql://x/y", "record.db"]
)
def test_what_names_no_database_is_refused(url: str, clock: Any) -> None:
    with pytest.raises(ValueError, match="database URL"):
        open_store(url, clock=clock)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_record_that_was_not_migrated_opens_once_it_is(request, tmp_path, clock, kind):
    url = f"sqlite:///{tmp_path / 'new.db'}"
    if kind == "postgresql":
        url = request.getfixturevalue("empty_postgres_url")

    async def opened() -> bool:
        store = open_store(url, clock=clock)
        with pytest.raises(Unavailable):
            await store.open()
        await asyncio.to_thread(migrate, url)
        await store.open()
        ready = await store.ready()
        await store.close()
        return ready

    assert asyncio.run(opened())
