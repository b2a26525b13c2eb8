"""Feeds never miss and never repeat, whoever commits late and whatever the clocks say."""

import asyncio
import contextlib
import os
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from passerelle.fhir.history_query import HistoryQuery
from passerelle.fhir.resource import Key
from passerelle.store.caller import SYSTEM, Caller
from passerelle.store.contract import Mark, Put, Store, Unit, Version
from passerelle.store.migrate import migrate
from passerelle.store.opening import open_store
from passerelle.store.postgresql.postgres_url import plain_url

ROOT = Path(__file__).parents[2]
PROCESSES = 4
SKEWS = (0, 40_000, -40_000, 2_000_000)
"""Microseconds by which the clocks of the processes are wrong."""

DAWDLE = """
CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NEW.seq % {every} = 0 THEN PERFORM pg_sleep({seconds}); END IF; RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER dawdle AFTER INSERT ON version DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION dawdle()
"""
"""Some transactions take their time between their last statement and their end."""


def now() -> int:
    return time.time_ns() // 1000


def name_of(version: Version) -> tuple[str, str, int]:
    return (*version.key, version.version)


async def drained(store: Store, mark: Mark) -> list[Version]:
    """Give all that the feed has after a mark."""
    found: list[Version] = []
    while page := await store.changes(SYSTEM, after=mark, limit=50):
        found += page
        mark = Mark(page[-1].at, page[-1].seq)
    return found


@pytest.mark.anyio
@pytest.mark.parametrize("plain", [True, False], ids=["one statement", "a transaction"])
@pytest.mark.parametrize("skew", [0, 60_000_000, -60_000_000])
async def test_a_transaction_that_ends_late_never_appears_behind_a_reader(
    late_url: str, draft: Any, plain: bool, skew: int
) -> None:
    slow = open_store(late_url, clock=now)
    quick = open_store(late_url, clock=lambda: now() + skew)
    await slow.open()
    await quick.open()
    other = await asyncpg.connect(plain_url(late_url))
    await other.fetch("SELECT pg_advisory_lock(1)")
    put = Put(draft("late"), "POST", None, True) if plain else Put(draft("late"))
    await quick.commit(Unit(writes=(Put(draft("first")),)), SYSTEM)
    writing = asyncio.create_task(slow.commit(Unit(writes=(put,)), Caller("slow")))
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    while not await other.fetchval(waiting):
        pass
    await quick.commit(Unit(writes=(Put(draft("second")),)), SYSTEM)
    before = await drained(quick, Mark())
    page = await quick.past(HistoryQuery("Patient"), SYSTEM)
    assert {v.key.id for v in page.versions} == {v.key.id for v in before}
    assert "late" not in {version.key.id for version in before}
    await other.fetch("SELECT pg_advisory_unlock(1)")
    await writing
    mark = Mark(before[-1].at, before[-1].seq) if before else Mark()
    after = await drained(quick, mark)
    told = [version.key.id for version in (*before, *after)]
    assert sorted(told) == ["first", "late", "second"]
    since = before[-1].at if before else 0
    polled = await quick.past(HistoryQuery("Patient", since=since, ascending=True), SYSTEM)
    assert {v.key.id for v in (*before, *polled.versions)} == {"first", "late", "second"}
    for opened in (slow, quick):
        await opened.close()
    await other.close()


@pytest.mark.anyio
async def test_instants_go_on_from_what_a_process_with_another_clock_has_written(
    database_url: str, draft: Any
) -> None:
    ahead = open_store(database_url, clock=lambda: 2_000_000_000_000_000)
    behind = open_store(database_url, clock=lambda: 1_000_000_000_000_000)
    seen: list[Version] = []
    for store in (ahead, behind):
        await store.open()
    for number in range(6):
        store = (ahead, behind)[number % 2]
        await store.commit(
            Unit(writes=(Put(draft(f"p{number}"), "POST", None, bool(number % 3)),)), SYSTEM
        )
        mark = Mark(seen[-1].at, seen[-1].seq) if seen else Mark()
        seen += await drained(behind, mark)
    assert [version.key.id for version in seen] == [f"p{number}" for number in range(6)]
    for store in (ahead, behind):
        await store.close()


async def writers(url: str, units: int) -> list[tuple[str, str, int]]:
    """Let processes write; give what they were told is kept."""
    running = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.store.feed_writer", url, f"w{number}"),
            *(str(units // PROCESSES), str(SKEWS[number])),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
        )
        for number in range(PROCESSES)
    ]
    told = []
    for process, (out, _) in zip(
        running, await asyncio.gather(*(each.communicate() for each in running)), strict=True
    ):
        assert process.returncode == 0
        for line in out.decode().splitlines():
            type_, id_, version, *_ = line.split()
            told.append((type_, id_, int(version)))
    return told


async def pace(ended: asyncio.Event) -> None:
    """Leave the processors to the writers for a moment."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(ended.wait(), 0.01)


async def polled_by_mark(store: Store, ended: asyncio.Event) -> list[Version]:
    """Follow the feed of changes to its end."""
    found: list[Version] = []
    while True:
        last = ended.is_set()
        fresh = await drained(store, Mark(found[-1].at, found[-1].seq) if found else Mark())
        found += fresh
        if last:
            return found
        await pace(ended)


async def polled_by_since(store: Store, ended: asyncio.Event) -> list[Version]:
    """Ask a history again and again for what came since the last instant that was seen.

    All pages are asked for with the one ``_since``, as their links have it.
    """
    found: dict[tuple[str, str, int], Version] = {}
    since = latest = 0
    while True:
        last = ended.is_set()
        cursor: str | None = None
        while True:
            query = HistoryQuery(since=since, ascending=True, count=40, cursor=cursor)
            page = await store.past(query, SYSTEM)
            found.update((name_of(version), version) for version in page.versions)
            latest = max([latest, *(version.at for version in page.versions)])
            cursor = page.next
            if cursor is None:
                break
        since = latest
        if last:
            return list(found.values())
        await pace(ended)


async def read_again_and_again(store: Store, ended: asyncio.Event) -> int:
    """Read resources that are written to; what is read never goes back."""
    highest: Counter[str] = Counter()
    readings = 0
    while not ended.is_set():
        for number in range(20):
            found = await store.read(Key("Patient", f"shared-{number}"), SYSTEM)
            if found is not None:
                assert found.version >= highest[found.key.id], "a reading went back"
                highest[found.key.id] = found.version
                readings += 1
        await pace(ended)
    return readings


async def nothing_is_missed(url: str, units: int) -> None:
    """Write and read at once, then compare what was read with what was written."""
    store = open_store(url, clock=now)
    await store.open()
    ended = asyncio.Event()

    async def write() -> list[tuple[str, str, int]]:
        told = await writers(url, units)
        ended.set()
        return told

    told, marked, since, readings = await asyncio.gather(
        write(),
        polled_by_mark(store, ended),
        polled_by_since(store, ended),
        read_again_and_again(store, ended),
    )
    names = [name_of(version) for version in marked]
    assert max(Counter(names).values()) == 1, "a change came twice"
    assert set(names) == set(told), "a change was missed"
    assert {name_of(version) for version in since} == set(told), "a poll missed a change"
    places = [(version.at, version.seq) for version in marked]
    assert places == sorted(set(places))
    versions: dict[Key, list[int]] = {}
    for version in marked:
        versions.setdefault(version.key, []).append(version.version)
    assert all(found == list(range(1, len(found) + 1)) for found in versions.values())
    print(f"\n{url.split(':')[0]}: {len(told)} changes, 0 missed, 0 repeated, {readings} readings")
    await store.close()


async def dawdling(url: str, every: int, seconds: float) -> None:
    connection = await asyncpg.connect(plain_url(url))
    await connection.execute(DAWDLE.format(every=every, seconds=seconds))
    await connection.close()


@pytest.mark.anyio
async def test_no_change_is_missed_or_repeated_while_four_processes_write_to_a_server(
    empty_postgres_url: str,
) -> None:
    await asyncio.to_thread(migrate, empty_postgres_url)
    await dawdling(empty_postgres_url, 16, 0.01)
    await nothing_is_missed(empty_postgres_url, 160)


@pytest.mark.anyio
async def test_no_change_is_missed_or_repeated_while_four_processes_write_to_a_file(
    sqlite_database_url: str,
) -> None:
    await nothing_is_missed(sqlite_database_url, 160)


@pytest.mark.nightly
@pytest.mark.anyio
async def test_no_change_of_a_hundred_thousand_is_missed_on_a_server(
    empty_postgres_url: str,
) -> None:
    await asyncio.to_thread(migrate, empty_postgres_url)
    await dawdling(empty_postgres_url, 64, 0.02)
    await nothing_is_missed(empty_postgres_url, int(os.environ.get("PASSERELLE_CHANGES", "60000")))


@pytest.mark.nightly
@pytest.mark.anyio
async def test_no_change_of_a_hundred_thousand_is_missed_in_a_file(
    sqlite_database_url: str,
) -> None:
    await nothing_is_missed(sqlite_database_url, int(os.environ.get("PASSERELLE_CHANGES", "60000")))
