"""A record made before the search parameters grew is upgraded, and says that it must be indexed."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from passerelle.fhir.search.query import parse_criteria
from passerelle.store.caller import SYSTEM
from passerelle.store.contract import Put, Store, Unit
from passerelle.store.migrate import migrate
from passerelle.store.new_record import create
from passerelle.store.opening import open_store
from passerelle.store.sql.compiling import Compiled
from passerelle.store.upkeep.check import check
from passerelle.store.upkeep.findings import Finding
from passerelle.store.upkeep.index_state import NAME, index_is_outdated
from passerelle.store.upkeep.maintenance import session
from passerelle.store.upkeep.reindex import reindex
from tests.databases import Clock
from tests.store.drafts import derive, make_draft

OUTDATED = Finding("index-outdated", NAME)


def test_a_new_record_is_not_to_be_indexed_again(tmp_path: Path, empty_postgres_url: str) -> None:
    made = f"sqlite:///{tmp_path}/made.db"
    create(made)
    for url in (f"sqlite:///{tmp_path}/migrated.db", empty_postgres_url):
        migrate(url)
        assert not asyncio.run(index_is_outdated(url))
    assert not asyncio.run(index_is_outdated(made))


@pytest.mark.anyio
async def test_indexing_again_is_asked_for_until_it_is_done(
    database_url: str, store: Store
) -> None:
    await store.commit(Unit((Put(make_draft("1", shared="s")),)), SYSTEM)
    async with session(database_url) as opened:
        await opened.begin(write=True)
        await opened.rows(Compiled(f"DELETE FROM setting WHERE name = '{NAME}'", (), {}))
        await opened.end()
    assert await index_is_outdated(database_url)
    assert OUTDATED in (await check(database_url, derive, now=0)).findings
    await reindex(database_url, derive)
    assert not await index_is_outdated(database_url)
    assert OUTDATED not in (await check(database_url, derive, now=0)).findings


@pytest.mark.anyio
async def test_a_record_of_the_first_migration_is_upgraded_and_indexed(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/record.db"
    migrate(url)
    store = open_store(url, clock=Clock())
    await store.open()
    await store.commit(Unit((Put(make_draft("1", shared="s")),)), SYSTEM)
    await store.close()
    _as_the_first_migration_left_it(tmp_path / "record.db")
    applied = migrate(url)
    assert applied[0][:4] == "0002"
    assert await index_is_outdated(url)
    await reindex(url, derive)
    assert (await check(url, derive, now=0)).clean
    await store.open()
    query = parse_criteria("Patient", "identifier=urn:shared|s")
    assert await store.matching(query, SYSTEM, limit=2) == ("1",)
    await store.close()


def _as_the_first_migration_left_it(path: Path) -> None:
    """Take away what came after: the tables of later migrations, rows and the digest."""
    fresh = path.with_name("first.db")
    first = sqlite3.connect(fresh)
    _first_migration(first)
    known = {row[0] for row in first.execute("SELECT name FROM sqlite_master")}
    first.close()
    connection = sqlite3.connect(path)
    found: list[tuple[Any, ...]] = connection.execute(
        "SELECT type, name FROM sqlite_master WHERE name NOT LIKE 'sqlite%'"
    ).fetchall()
    for kind, name in sorted(found, key=lambda row: row[0] == "table"):
        if name.startswith("full_text_"):
            continue  # it goes with the table of FTS5 that it holds the words of
        if name not in known and name != "alembic_version":
            connection.execute(f'DROP {kind} "{name}"')
    for table in ("token", "string", "uri", "setting"):
        connection.execute(f'DELETE FROM "{table}"')
    connection.execute("INSERT INTO setting (name, bytes) VALUES ('cursor', X'00')")
    connection.execute("UPDATE alembic_version SET version_num = '0001'")
    connection.commit()
    connection.close()


def _first_migration(connection: sqlite3.Connection) -> None:
    """Run the first migration alone."""
    import importlib

    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext
    from sqlalchemy import create_engine, pool

    engine = create_engine("sqlite://", creator=lambda: connection, poolclass=pool.StaticPool)
    module = importlib.import_module("passerelle.store.migrations.versions.0001_record")
    with engine.begin() as opened, Operations.context(MigrationContext.configure(opened)):
        module.upgrade()
