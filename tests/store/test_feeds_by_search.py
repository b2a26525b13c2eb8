"""Whoever polls by a search of what was changed misses nothing either."""

import asyncio
import time
from typing import Any

import asyncpg
import pytest

from passerelle.fhir.instants import dump_instant
from passerelle.fhir.search.query import parse
from passerelle.store.caller import SYSTEM, Caller
from passerelle.store.contract import Put, Store, Unit
from passerelle.store.opening import open_store
from passerelle.store.postgresql.postgres_url import plain_url


def now() -> int:
    return time.time_ns() // 1000


async def polled(store: Store, since: int, *more: tuple[str, str]) -> dict[str, int]:
    """Give id and instant of what a search finds that was changed then or later."""
    pairs = [("_lastUpdated", f"ge{dump_instant(since)}"), *more]
    page = await store.search(parse("Patient", pairs, strict=True), SYSTEM)
    return {version.key.id: version.at for version in page.matches}


@pytest.mark.anyio
@pytest.mark.parametrize("plain", [True, False], ids=["one statement", "a transaction"])
@pytest.mark.parametrize(
    "more", [(), (("_sort", "_lastUpdated"),), (("_total", "accurate"),)], ids=str
)
async def test_a_search_of_what_was_changed_is_not_overtaken(
    late_url: str, draft: Any, plain: bool, more: tuple[tuple[str, str], ...]
) -> None:
    slow, quick = open_store(late_url, clock=now), open_store(late_url, clock=now)
    for store in (slow, quick):
        await store.open()
    other = await asyncpg.connect(plain_url(late_url))
    await other.fetch("SELECT pg_advisory_lock(1)")
    await quick.commit(Unit(writes=(Put(draft("first")),)), SYSTEM)
    put = Put(draft("late"), "POST", None, True) if plain else Put(draft("late"))
    writing = asyncio.create_task(slow.commit(Unit(writes=(put,)), Caller("slow")))
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    while not await other.fetchval(waiting):
        pass
    await quick.commit(Unit(writes=(Put(draft("second")),)), SYSTEM)
    before = await polled(quick, 0, *more)
    assert set(before) == {"first"}
    await other.fetch("SELECT pg_advisory_unlock(1)")
    await writing
    after = await polled(quick, before["first"], *more)
    assert set(after) == {"first", "late", "second"}
    for store in (slow, quick):
        await store.close()
    await other.close()
