"""What is particular to the embedded record."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from passerelle.fhir.resource import Key
from passerelle.store.caller import SYSTEM
from passerelle.store.contract import Put, Unit
from passerelle.store.opening import open_store
from passerelle.store.sqlite.sqlite_connection import connect_writer, path_of
from passerelle.store.sqlite.sqlite_readers import SqliteReaders, without_waiting

pytestmark = pytest.mark.anyio

LONG = (
    "WITH RECURSIVE counted (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < 300000) "
    "SELECT count(*), max(n) FROM counted"
)


async def test_a_long_reading_moves_to_a_thread_and_is_answered(sqlite_database_url: str) -> None:
    readers = SqliteReaders(path_of(sqlite_database_url))
    readers.start()
    assert await readers.rows(LONG, ()) == [(300_000, 300_000)]
    assert len(readers._far) == 1
    assert await readers.rows("SELECT 1", ()) == [(1,)]
    assert len(readers._far) == 1
    await readers.stop()


async def test_many_short_readings_never_outrun_the_budget(sqlite_database_url: str) -> None:
    readers = SqliteReaders(path_of(sqlite_database_url))
    readers.start()
    short = LONG.replace("300000", "1000")
    for _ in range(100):
        assert await readers.rows(short, ()) == [(1000, 1000)]
        assert readers.one("SELECT 1", ()) == (1,)
    assert readers._far == []
    await readers.stop()


async def test_a_reader_cannot_write(sqlite_database_url: str) -> None:
    readers = SqliteReaders(path_of(sqlite_database_url))
    readers.start()
    with pytest.raises(Exception, match=r"readonly|record"):
        await readers.rows("DELETE FROM job", ())
    await readers.stop()


async def test_commits_are_on_the_disk_before_they_are_answered(sqlite_database_url: str) -> None:
    connection = connect_writer(path_of(sqlite_database_url))
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA foreign_keys").fetchone() == (1,)
    connection.close()


def files_beside(path: Path) -> list[str]:
    return [one.name for one in path.parent.glob("record.db*")]


async def test_closing_leaves_one_file(sqlite_database_url: str, clock: Any, draft: Any) -> None:
    store = open_store(sqlite_database_url, clock=clock)
    await store.open()
    await store.commit(Unit((Put(draft("1")),)), SYSTEM)
    await store.close()
    assert files_beside(path_of(sqlite_database_url)) == ["record.db"]


async def test_a_file_copied_after_closing_holds_everything(
    sqlite_database_url: str, clock: Any, draft: Any, tmp_path: Path
) -> None:
    store = open_store(sqlite_database_url, clock=clock)
    await store.open()
    for number in range(20):
        await store.commit(Unit((Put(draft(str(number))),)), SYSTEM)
    await store.close()
    copy = tmp_path / "a folder with % and é"
    copy.mkdir()
    (copy / "r.db").write_bytes(path_of(sqlite_database_url).read_bytes())
    other = open_store(f"sqlite:///{copy}/r.db".replace("%", "%25"), clock=clock)
    await other.open()
    assert await other.read(Key("Patient", "19"), SYSTEM) is not None
    await other.close()


async def test_a_reading_that_waits_is_a_fault_of_ours() -> None:
    import asyncio

    async def waits() -> None:
        await asyncio.sleep(0)

    with pytest.raises(AssertionError):
        without_waiting(waits())


def test_the_tables_are_strict(sqlite_database_url: str) -> None:
    connection = sqlite3.connect(path_of(sqlite_database_url))
    found = connection.execute("SELECT name FROM pragma_table_list WHERE strict = 0").fetchall()
    connection.close()
    # FTS5 makes its own.
    assert {name for (name,) in found if not name.startswith("full_text")} == {
        "alembic_version",
        "sqlite_schema",
        "sqlite_sequence",
        "sqlite_temp_schema",
    }
