"""Real processes on one record: two that write at once, one whose disk is full for a while."""

import asyncio
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from passerelle.errors.refusals import Unavailable
from passerelle.fhir.resource import Key
from passerelle.store.caller import SYSTEM
from passerelle.store.contract import Put, Unit
from passerelle.store.opening import open_store
from passerelle.store.postgresql.postgres_url import plain_url
from passerelle.store.upkeep.check import check
from tests.store.test_crash import look, write_until_killed

ROOT = Path(__file__).parents[2]


def test_two_processes_that_write_at_once_lose_nothing(database_url: str, derived: Any) -> None:
    with ThreadPoolExecutor(2) as threads:
        running = [threads.submit(write_until_killed, database_url, n, 800) for n in range(2)]
        told = {line for each in running for line in each.result()}
    asyncio.run(look(database_url, told, derived))


@pytest.mark.skipif(sys.platform != "linux", reason="left out: files are bounded as Linux does")
def test_a_file_that_cannot_grow_refuses_whole_units_then_goes_on(
    sqlite_database_url: str, derived: Any
) -> None:
    command = [sys.executable, "-m", "tests.store.full_disk", sqlite_database_url]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    told = dict(line.split() for line in done.stdout.splitlines())
    assert told["before"] == told["after"] == "kept"
    assert set(told.values()) - {"kept"} <= {"record.full", "record.unavailable"}
    assert len(set(told.values())) > 1, "the bound was never reached"

    async def seen() -> None:
        report = await check(sqlite_database_url, derived, now=time.time_ns() // 1000)
        assert report.findings == ()
        store = open_store(sqlite_database_url, clock=lambda: time.time_ns() // 1000)
        await store.open()
        for name, fate in told.items():
            pair = [await store.read(Key("Patient", f"{name}-{n}"), SYSTEM) for n in "ab"]
            jobs = await store.jobs(name)
            there = [found is not None for found in (*pair, *jobs)]
            assert there == ([True] * 3 if fate == "kept" else [False] * 2), name
        await store.close()

    asyncio.run(seen())


@pytest.mark.anyio
async def test_a_server_that_ends_its_sessions_tells_the_truth_of_every_write(
    postgres_database_url: str, clock: Any, draft: Any
) -> None:
    """What was answered is there, what was refused is not, and it goes on afterwards."""
    store = open_store(postgres_database_url, clock=clock)
    await store.open()
    fates: dict[str, bool] = {}
    ending, tried = asyncio.Event(), asyncio.Event()

    async def work(worker: int) -> None:
        number = 0
        while not ending.is_set():
            number += 1
            names = [f"w{worker}n{number}-{n}" for n in range(1 + worker % 2)]
            writes = tuple(Put(draft(name, own=name), "POST", None, True) for name in names)
            try:
                await store.commit(Unit(writes=writes), SYSTEM)
                fates.update(dict.fromkeys(names, True))
            except Unavailable:
                fates.update(dict.fromkeys(names, False))
            if number % 3 == 0:
                tried.set()

    async def end_sessions() -> None:
        other = await asyncpg.connect(plain_url(postgres_database_url))
        for _ in range(int(os.environ.get("PASSERELLE_KILLS", "40"))):
            tried.clear()
            await tried.wait()
            await other.fetch(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        await other.close()
        ending.set()

    await asyncio.gather(end_sessions(), *(work(worker) for worker in range(6)))
    for name, kept in fates.items():
        found = await store.read(Key("Patient", name), SYSTEM)
        assert (found is not None) is kept, name
    await store.commit(Unit(writes=(Put(draft("after")),)), SYSTEM)
    await store.close()
