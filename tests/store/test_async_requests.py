"""Requests that are answered later, as the store keeps them."""

import asyncio
import sqlite3
from typing import Any

import asyncpg
import pytest

from passerelle.store.async_requests import Part
from passerelle.store.caller import Caller
from passerelle.store.contract import Store, Unit
from passerelle.store.outbox import NewJob

pytestmark = pytest.mark.anyio
ANNE, BEN = Caller("anne"), Caller("ben")


async def begun(store: Store, id: str, caller: Caller = ANNE, **more: Any) -> bool:
    limits = {"now": 10, "expires": 100, "unfinished_max": 2, "kept_max": 3} | more
    job = NewJob("answer", id, b"{}", due=10)
    return await store.async_requests.begin(id, caller, b'{"a":1}', job, **limits)


async def settled(store: Store, id: str, run: int = 1, **more: Any) -> None:
    values: dict[str, Any] = {"status": 200, "answer": b"{}", "expires": 200} | more
    await store.async_requests.settle(id, run, "done", **values)


async def test_a_request_is_kept_with_its_caller_and_answered_once(store: Store) -> None:
    requests = store.async_requests
    assert await begun(store, "a")
    row = await requests.find("a")
    assert row is not None
    assert (row.caller, row.state, row.created, row.answer) == (ANNE, "waiting", 10, None)
    assert await requests.asked("a") == b'{"a":1}'
    await requests.gathered("a", 1, [Part(0, 0, b"one")], pages=1, resources=7)
    await requests.gathered("a", 2, [Part(0, 0, b"two"), Part(0, 1, b"!")], pages=2, resources=9)
    await settled(store, "a", 2, answer=b"second")
    await settled(store, "a", 1, answer=b"first")
    row = await requests.find("a")
    assert row is not None
    assert (row.state, row.run, row.answer, row.expires) == ("done", 2, b"second", 200)
    assert (row.pages, row.resources) == (2, 9)
    assert await requests.asked("a") == b""
    assert [await requests.part("a", 2, 0, number) for number in range(3)] == [b"two", b"!", None]
    assert await requests.part("a", 1, 0, 0) is None


async def test_a_caller_has_no_more_requests_than_allowed_and_others_have_theirs(
    store: Store,
) -> None:
    assert [await begun(store, id) for id in "abc"] == [True, True, False]
    assert await begun(store, "d", BEN)
    await settled(store, "a")
    assert await begun(store, "e")
    await settled(store, "b")
    await settled(store, "e")
    assert not await begun(store, "f"), "three are kept, though none is unfinished"
    assert await begun(store, "f", now=300, expires=400), "what is over does not count"


async def test_a_request_comes_with_its_job_or_not_at_all(store: Store) -> None:
    assert [await begun(store, id) for id in "abc"] == [True, True, False]
    (job,) = await store.jobs("a")
    assert (job["kind"], job["state"], job["due"], job["created"]) == ("answer", "waiting", 10, 10)
    assert await store.job_counts() == {("answer", "waiting"): 2}
    assert await store.job_added(60), "whoever waits for jobs is told"
    no_job: Any = NewJob("answer", "d", b"{}", due=None)  # type: ignore[arg-type]
    limits = {"now": 10, "expires": 100, "unfinished_max": 9, "kept_max": 9}
    with pytest.raises((sqlite3.IntegrityError, asyncpg.NotNullViolationError)):
        await store.async_requests.begin("d", ANNE, b"{}", no_job, **limits)
    assert await store.async_requests.find("d") is None


async def test_requests_that_come_at_once_are_counted_one_after_another(store: Store) -> None:
    done = await asyncio.gather(*(begun(store, f"r{number}") for number in range(12)))
    assert sum(done) == 2


async def test_what_is_forgotten_takes_no_more_parts(store: Store) -> None:
    requests = store.async_requests
    await begun(store, "a")
    await requests.gathered("a", 1, [Part(0, 0, b"one")], pages=1, resources=1)
    await requests.forget("a")
    await requests.gathered("a", 1, [Part(0, 1, b"late")], pages=2, resources=2)
    await settled(store, "a")
    assert await requests.find("a") is None
    assert await requests.part("a", 1, 0, 0) is None
    assert await requests.part("a", 1, 0, 1) is None
    assert await requests.asked("a") == b""


async def test_a_job_is_held_on_by_who_has_it_and_by_nobody_else(store: Store) -> None:
    await store.commit(Unit(jobs=(NewJob("async.answer", "a", b"{}", due=1),)), ANNE)

    async def claimed(holder: str, now: int) -> list[int]:
        jobs = await store.claim_jobs(
            ["async.answer"], holder=holder, now=now, lease_until=now + 10, limit=1
        )
        return [job.id for job in jobs]

    (job,) = await claimed("w1", 10)
    await store.async_requests.hold(job, "w2", 500)
    await store.async_requests.hold(job, "w1", 50)
    assert await claimed("w2", 49) == []
    assert await claimed("w2", 50) == [job]


async def test_sweeping_forgets_what_is_over_and_nothing_else(store: Store) -> None:
    requests = store.async_requests
    for id, expires in (("old", 100), ("new", 101)):
        await begun(store, id, expires=expires)
        await requests.gathered(id, 1, [Part(0, 0, b"x")], pages=1, resources=1)
    await requests.sweep(100)
    assert await requests.find("old") is None
    assert await requests.part("old", 1, 0, 0) is None
    assert await requests.find("new") is not None
    assert await requests.part("new", 1, 0, 0) == b"x"
