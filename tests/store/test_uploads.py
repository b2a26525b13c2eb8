"""Bytes that nothing came to name are deleted in time; no others ever are."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from passerelle.errors.refusals import NotFound, Unavailable
from passerelle.fhir.resource import Key
from passerelle.store.caller import SYSTEM
from passerelle.store.contract import Put, Store, Unit
from passerelle.store.opening import open_store
from passerelle.store.outbox import NewMessage
from passerelle.store.sql.parts import PART_BYTES
from passerelle.store.upkeep.check import check
from passerelle.store.uploads import PARTS_MAX, ROWS_MAX, Swept
from tests.databases import Clock
from tests.store.drafts import make_draft

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]
EVER = 1 << 62
SWEEPS = 40
"""By each of the two in a round of a race: no bytes can be taken away more often than that."""


async def stream(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def bring(store: Store, data: bytes) -> str:
    return (await store.put_blob(stream(data), size_max=len(data)))[0]


def binary(id_: str, digest: str) -> Put:
    return Put(make_draft(id_, type="Binary", blob=digest))


async def sweep(store: Store, before: int = EVER) -> Swept:
    """Sweep to the end."""
    done = Swept(more=True)
    while done.more:
        step = await store.uploads.sweep(before)
        sums = (a + b for a, b in zip(done[:3], step[:3], strict=True))
        done = Swept(*sums, more=step.more)
    return done


async def test_only_what_nothing_names_goes(store: Store, database_url: str, derived: Any) -> None:
    kept, sent, left = [await bring(store, name * 300_000) for name in (b"a", b"b", b"c")]
    letter = NewMessage("in", "mail", "box", "<1>", "1/1", sent, "kept")
    await store.commit(Unit((binary("1", kept),), messages=(letter,)), SYSTEM)
    told = await store.uploads.unnamed(EVER, limit=10)
    assert [(one.sha256, one.size) for one in told] == [(left, 300_000)]
    assert await sweep(store) == Swept(1, 300_000, 2)
    assert await store.blob_size(kept) == await store.blob_size(sent) == 300_000
    with pytest.raises(NotFound):
        await store.blob_size(left)
    assert await sweep(store) == Swept()
    assert (await check(database_url, derived, now=0)).findings == ()


async def test_what_a_past_version_names_stays(store: Store) -> None:
    first, second = await bring(store, b"first"), await bring(store, b"second")
    await store.commit(Unit((binary("1", first),)), SYSTEM)
    await store.commit(Unit((binary("1", second),)), SYSTEM)
    assert (await sweep(store)).deleted == 0
    assert await store.blob_size(first) == 5


async def test_what_was_brought_again_is_young_again(store: Store, clock: Clock) -> None:
    digest, old = await bring(store, b"twice"), await bring(store, b"once")
    clock.now += 10**9
    young = clock.now
    assert await bring(store, b"twice") == digest
    assert [one.sha256 for one in await store.uploads.unnamed(young, limit=9)] == [old]
    assert (await sweep(store, young)).deleted == 1
    assert await store.blob_size(digest) == 5


async def test_a_unit_that_names_what_is_not_there_is_refused_whole(store: Store) -> None:
    digest = await bring(store, bytes(3 * PART_BYTES))
    await sweep(store)
    for named in (digest, "0" * 64):
        with pytest.raises(Unavailable) as refusal:
            await store.commit(Unit((Put(make_draft("p")), binary("1", named))), SYSTEM)
        assert refusal.value.issues[0].rule == "record.bytes-missing"
    assert await store.read(Key("Patient", "p"), SYSTEM) is None
    assert await bring(store, bytes(3 * PART_BYTES)) == digest
    await store.commit(Unit((Put(make_draft("p")), binary("1", digest))), SYSTEM)
    assert await store.blob_size(digest) == 3 * PART_BYTES


async def test_a_unit_that_is_refused_for_its_bytes_harms_no_other(store: Store) -> None:
    digest = await bring(store, b"there")
    units = [Unit((binary(str(n), (digest, "0" * 64)[n % 2]),)) for n in range(6)]
    told = await asyncio.gather(
        *(store.commit(unit, SYSTEM) for unit in units), return_exceptions=True
    )
    assert [isinstance(one, Unavailable) for one in told] == [False, True] * 3


async def test_large_and_many_ones_go_step_by_step(store: Store, clock: Clock) -> None:
    large = bytes((PARTS_MAX + 3) * PART_BYTES)
    digest = await bring(store, large)
    first = await store.uploads.sweep(EVER)
    assert first == Swept(0, PARTS_MAX * PART_BYTES, more=True)
    assert await bring(store, large) == digest  # on the way out, and whole again
    assert await store.blob_size(digest) == len(large)
    assert await sweep(store) == Swept(1, len(large))
    data = b"x"
    digest = sha256(data).hexdigest()
    for number in range(3):
        await store.commit(Unit((binary(str(number), digest),), blobs=(data,)), SYSTEM)
    assert await sweep(store) == Swept(named=1)


async def test_more_than_one_step_of_names_are_forgotten(store: Store) -> None:
    pieces = [b"%d" % number for number in range(ROWS_MAX + 1)]
    names = [sha256(piece).hexdigest() for piece in pieces]
    writes = tuple(binary(f"n{number}", name) for number, name in enumerate(names))
    await store.commit(Unit(writes, blobs=tuple(pieces)), SYSTEM)
    assert await store.uploads.sweep(EVER) == Swept(named=ROWS_MAX, more=True)
    assert await store.uploads.sweep(EVER) == Swept(named=1)


async def test_what_stands_alone_without_a_note_is_noted(
    store: Any, database_url: str, derived: Any
) -> None:
    digest = await bring(store, b"of another release")
    await store.uploads._runner.write(("DELETE FROM upload", [()]))
    assert [one.rule for one in (await check(database_url, derived, now=0)).findings] == [
        "bytes-of-nobody"
    ]
    assert (await sweep(store)).deleted == 0
    await store.uploads.note_unnoted(7)
    assert [(one.sha256, one.at) for one in await store.uploads.unnamed(8, limit=9)] == [
        (digest, 7)
    ]
    assert (await sweep(store)).deleted == 1


async def run_race(store: Store, others: list[Store], *, seed: int, rounds: int) -> Counter[str]:
    """Bring, name and sweep at once, the sweep of whatever age; count what became of it.

    Each writer brings the bytes and then names them, in one of three ways, by chance again after a
    sweep has taken them; some name nothing. Few contents are shared by many writers.
    """
    rng, counted = random.Random(seed), Counter[str]()
    stores = [store, *others]
    named: set[str] = set()
    writing = 0

    async def write(number: int, data: bytes, way: int, by: Store) -> None:
        nonlocal writing
        writing += 1
        digest = sha256(data).hexdigest()
        letter = NewMessage("in", "mail", "box", f"<{number}>", "1/1", digest, "kept")
        units = (
            Unit((binary(f"b{number}", digest),)),
            Unit((binary(f"b{number}", digest),), blobs=(data,)),
            Unit(messages=(letter,), blobs=(data,) if number % 2 else ()),
        )
        try:
            for _ in range(2 * SWEEPS + 1):
                if way in (0, 3) or not units[way % 3].blobs:
                    await bring(by, data)
                if way == 3:
                    counted["left"] += 1
                    return
                try:
                    await by.commit(units[way], SYSTEM)
                except Unavailable as refusal:
                    counted["again" if str(refusal) == "record.bytes-missing" else "other"] += 1
                    continue
                named.add(digest)
                counted["named"] += 1
                return
            raise AssertionError("bytes are taken away again and again")
        finally:
            writing -= 1

    async def clean(by: Store) -> None:
        for _ in range(SWEEPS if writing else 0):  # so that in the end each writer comes through
            done = await by.uploads.sweep(EVER)
            counted["deleted"] += done.deleted
            counted["sweeps"] += 1
            for _ in range(rng.randrange(20)):
                await asyncio.sleep(0)

    for turn in range(rounds):
        contents = [b"%d/%d" % (turn, n) * rng.choice((1, 90_000)) for n in range(6)]
        tasks = [
            write(turn * 100 + n, rng.choice(contents), rng.randrange(4), rng.choice(stores))
            for n in range(24)
        ]
        await bring(store, b"never named, %d" % turn)
        begun = [asyncio.ensure_future(task) for task in tasks]
        await asyncio.sleep(0)
        await asyncio.gather(*begun, *(clean(one) for one in stores))
    counted["deleted"] += (await sweep(store)).deleted
    for digest in named:
        assert b"".join([part async for part in store.blob(digest)]), digest
    assert await store.uploads.unnamed(EVER, limit=10) == []
    return counted


async def race(database_url: str, store: Store, derived: Any, *, seed: int, rounds: int) -> None:
    other = open_store(database_url, clock=lambda: time.time_ns() // 1000)
    await other.open()
    counted = await run_race(store, [other], seed=seed, rounds=rounds)
    await other.close()
    print(f"{database_url.partition(':')[0]}, seed {seed}: {dict(sorted(counted.items()))}")
    assert counted["other"] == 0
    assert counted["named"] > rounds
    assert counted["deleted"] >= rounds
    report = await check(database_url, derived, now=0)
    assert report.findings == ()


async def test_no_sweep_takes_what_is_about_to_be_named(
    store: Store, database_url: str, derived: Any
) -> None:
    await race(database_url, store, derived, seed=1, rounds=4)


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(2, 6))
async def test_no_sweep_takes_what_is_about_to_be_named_in_the_long_run(
    store: Store, database_url: str, derived: Any, seed: int
) -> None:
    await race(database_url, store, derived, seed=seed, rounds=60)


def test_what_a_killed_process_leaves_between_bytes_and_version_is_swept(
    database_url: str, derived: Any
) -> None:
    """Killed with bytes half written, and with bytes whole that no version names yet."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.store.upload_writer", database_url],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process.stdout:
        told = [process.stdout.readline().split() for _ in range(12)]
        os.kill(process.pid, signal.SIGKILL)
        told += [line.split() for line in process.stdout if line.endswith("\n")]
    process.wait()
    done = [digest for step, digest in told if step == "named"]
    assert len(done) >= 3
    asyncio.run(_look(database_url, derived, done))


async def _look(database_url: str, derived: Any, done: list[str]) -> None:
    store = open_store(database_url, clock=lambda: time.time_ns() // 1000)
    await store.open()
    left = await store.uploads.unnamed(EVER, limit=100)
    assert left, "whoever was killed had something under way"
    assert (await check(database_url, derived, now=0)).findings == ()
    swept = await sweep(store)
    assert swept.deleted == len(left)
    assert (await check(database_url, derived, now=0)).findings == ()
    for digest in done:
        assert await store.blob_size(digest) == 9 * PART_BYTES
    assert await store.uploads.unnamed(EVER, limit=100) == []
    await store.close()


def test_a_migrated_record_notes_what_stands_alone(sqlite_database_url: str) -> None:
    """Of what was there before, only bytes that nothing names are noted."""
    import sqlite3

    from passerelle.store.migrate import migrate

    path = sqlite_database_url.removeprefix("sqlite:///")

    async def fill() -> tuple[str, str]:
        store = open_store(sqlite_database_url, clock=Clock())
        await store.open()
        kept, left = await bring(store, b"kept"), await bring(store, b"left")
        await store.commit(Unit((binary("1", kept),)), SYSTEM)
        await store.close()
        return kept, left

    _, left = asyncio.run(fill())
    connection = sqlite3.connect(path)
    connection.executescript(
        "DROP TABLE kept_answer; DROP TABLE upload; "
        "DROP INDEX version_blob; DROP INDEX message_sha256; "
        "UPDATE alembic_version SET version_num = '0007'"
    )
    connection.close()
    assert next(iter(migrate(sqlite_database_url))).startswith("0008")
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT sha256, at FROM upload").fetchall()
    connection.close()
    assert [digest for digest, _ in rows] == [left]
    assert rows[0][1] > 1_700_000_000_000_000
