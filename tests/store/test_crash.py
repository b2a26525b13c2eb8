"""Killed at any point, nothing acknowledged is lost, nothing is half there."""

import asyncio
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from passerelle.fhir.resource import Key
from passerelle.store.caller import SYSTEM
from passerelle.store.opening import open_store
from passerelle.store.upkeep.check import check

ROOT = Path(__file__).parents[2]


def write_until_killed(database_url: str, round: int, lines: int) -> list[tuple[Key, int]]:
    """Let a process write until it has told so many lines, kill it, give what it told."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.store.crash_writer", database_url, str(round)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    told: list[str] = []
    assert process.stdout is not None
    with process.stdout:
        for line in process.stdout:
            told.append(line)
            if len(told) == lines:
                process.kill()
    process.wait()
    assert len(told) >= lines, "the writer ended by itself"
    whole = [line.split() for line in told if line.endswith("\n")]
    return [(Key(type_, id_), int(version)) for type_, id_, version in whole]


async def look(database_url: str, told: set[tuple[Key, int]], derived: Any) -> int:
    """Check the record, and that all that was told is there; give how many versions it has."""
    report = await check(database_url, derived, now=time.time_ns() // 1000)
    assert report.findings == ()
    store = open_store(database_url, clock=lambda: time.time_ns() // 1000)
    await store.open()
    for key, version in told:
        assert await store.vread(key, version, SYSTEM) is not None, (key, version)
    for number in range(0, 50):  # transactions are there whole or not at all
        await _whole(store, number)
    await store.close()
    return report.versions


async def _whole(store: Any, number: int) -> None:
    for worker in range(8):
        name = f"r0w{worker}n{number * 5 + 2}"
        heads = await store.dossier(name, SYSTEM)
        jobs = await store.jobs(name)
        assert (len(heads), len(jobs)) in ((4, 1), (0, 0)), name


def kill_and_look(database_url: str, derived: Any, kills: int, seed: int) -> None:
    rng = random.Random(seed)
    told: set[tuple[Key, int]] = set()
    for round in range(kills):
        told.update(write_until_killed(database_url, round, rng.randrange(5, 400)))
        if round % 20 == 19 or round == kills - 1:
            versions = asyncio.run(look(database_url, told, derived))
            print(f"{round + 1} kills, {len(told)} acknowledged versions, {versions} kept")


def test_nothing_acknowledged_is_lost_by_kills(database_url: str, derived: Any) -> None:
    kill_and_look(database_url, derived, 5, 1)


@pytest.mark.nightly
def test_nothing_acknowledged_is_lost_by_many_kills(database_url: str, derived: Any) -> None:
    kill_and_look(database_url, derived, int(os.environ.get("PASSERELLE_KILLS", "100")), 2)
