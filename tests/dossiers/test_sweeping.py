"""The sweep beside the requests: what was refused goes after its time, what was kept stays."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from passerelle.dossiers.gateway import Gateway
from passerelle.dossiers.repository import Repository
from passerelle.dossiers.sweeping import Sweeper, note_unnoted, sweep, sweepable
from passerelle.errors.refusals import PreconditionFailed
from passerelle.fhir.resource import Key
from passerelle.store.caller import SYSTEM
from tests.databases import Clock

pytestmark = pytest.mark.anyio

DAY = 86_400_000_000


async def stream(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def upload(gateway: Gateway, data: bytes, if_match: int | None = None) -> None:
    binary = {"resourceType": "Binary", "id": "b", "contentType": "application/pdf"}
    await Repository(gateway, SYSTEM).update_binary(
        Key("Binary", "b"), binary, stream(data), size_max=100, if_match=if_match
    )


async def test_a_refused_upload_is_swept_after_a_day(gateway: Gateway, clock: Clock) -> None:
    await upload(gateway, b"kept")
    with pytest.raises(PreconditionFailed):
        await upload(gateway, b"refused", if_match=7)
    assert await sweepable(gateway, limit=9) == []
    assert (await sweep(gateway)).deleted == 0
    clock.now += DAY
    assert [one.size for one in await sweepable(gateway, limit=9)] == [7]
    done = await sweep(gateway)
    assert (done.deleted, done.size, done.more) == (1, 7, False)
    found: Any = await gateway.store.read(Key("Binary", "b"), SYSTEM)
    assert await gateway.store.blob_size(found.blob) == 4


async def test_the_sweeper_sweeps_until_it_is_stopped(gateway: Gateway, clock: Clock) -> None:
    with pytest.raises(PreconditionFailed):
        await upload(gateway, b"refused", if_match=7)
    clock.now += DAY
    sweeper = Sweeper(gateway, idle_seconds=0)
    running = asyncio.create_task(sweeper.run())
    while await sweepable(gateway, limit=9):  # noqa: ASYNC110
        await asyncio.sleep(0)
    sweeper.stop()
    await running


async def test_a_sweep_that_is_stopped_leaves_the_rest(gateway: Gateway, clock: Clock) -> None:
    for data in (b"one", b"two"):
        with pytest.raises(PreconditionFailed):
            await upload(gateway, data, if_match=7)
    stopped = asyncio.Event()
    stopped.set()
    kept_no_time = replace(gateway, uploads_kept_seconds=0)
    clock.now += DAY
    assert (await sweep(kept_no_time, until=stopped)).more
    assert len(await sweepable(kept_no_time, limit=1)) == 1
    await note_unnoted(gateway)
    assert (await sweep(kept_no_time)).deleted == 2
