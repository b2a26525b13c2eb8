"""Jobs and messages: written with their cause, leased once, ended by their holder only."""

import asyncio
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from passerelle.errors.refusals import Conflict
from passerelle.fhir.resource import Key
from passerelle.store.caller import SYSTEM
from passerelle.store.contract import Put, Stale, Store, Unit
from passerelle.store.opening import open_store
from passerelle.store.outbox import Job, JobEnd, MessageChange, NewJob, NewMessage

pytestmark = pytest.mark.anyio

LETTER = NewMessage("in", "mail", "box@mss", "<1@x>", "7/1", sha256(b"raw").hexdigest(), "kept")


async def add(store: Store, *jobs: NewJob) -> None:
    await store.commit(Unit(jobs=jobs), SYSTEM)


async def claim(
    store: Store, *, holder: str = "w", now: int = 100, lease: int = 50, limit: int = 10
) -> list[Job]:
    found = await store.claim_jobs(
        ("send", "other"), holder=holder, now=now, lease_until=now + lease, limit=limit
    )
    return list(found)


def job(subject: str, due: int = 0, kind: str = "send") -> NewJob:
    return NewJob(kind, subject, b'{"a":1}', due)


async def test_a_job_is_written_with_its_cause(store: Store, draft: Any) -> None:
    await store.commit(Unit((Put(draft("1")),), jobs=(job("Patient/1"),)), SYSTEM)
    (row,) = await store.jobs("Patient/1")
    assert (row["state"], row["attempts"], row["payload"]) == ("waiting", 0, b'{"a":1}')


async def test_due_jobs_are_leased_oldest_first(store: Store) -> None:
    await add(store, job("c", 30), job("a", 10), job("later", 101), job("b", 20), job("x", 0, "no"))
    found = await claim(store, limit=2)
    assert [one.subject for one in found] == ["a", "b"]
    assert [(one.attempts, one.holder, one.payload) for one in found] == [(1, "w", b'{"a":1}')] * 2
    assert [one.subject for one in await claim(store)] == ["c"]
    assert await claim(store) == []


async def test_a_lease_that_ran_out_is_given_again(store: Store) -> None:
    await add(store, job("a"))
    (first,) = await claim(store, holder="one")
    assert await claim(store, holder="two", now=149) == []
    (second,) = await claim(store, holder="two", now=150)
    assert (second.id, second.attempts, second.holder) == (first.id, 2, "two")


async def test_only_the_holder_ends_a_job(store: Store, draft: Any) -> None:
    await add(store, job("a"))
    (first,) = await claim(store, holder="one")
    (second,) = await claim(store, holder="two", now=200)
    lost = Unit((Put(draft("1")),), job_ends=(JobEnd(first.id, "one", "done"),))
    with pytest.raises(Stale):
        await store.commit(lost, SYSTEM)
    assert await store.read(Key("Patient", "1"), SYSTEM) is None
    done = Unit((Put(draft("1")),), job_ends=(JobEnd(second.id, "two", "done"),))
    await store.commit(done, SYSTEM)
    (row,) = await store.jobs("a")
    assert (row["state"], row["holder"], row["lease"]) == ("done", None, None)
    assert row["finished"] is not None
    with pytest.raises(Stale):
        await store.commit(done, SYSTEM)


async def test_a_job_waits_again_until_it_is_due(store: Store) -> None:
    await add(store, job("a"))
    (leased,) = await claim(store)
    end = JobEnd(leased.id, "w", "waiting", due=500, error="mss.refused")
    await store.commit(Unit(job_ends=(end,)), SYSTEM)
    assert await claim(store, now=499) == []
    (row,) = await store.jobs("a")
    assert (row["error"], row["finished"]) == ("mss.refused", None)
    (again,) = await claim(store, now=500)
    assert again.attempts == 2


async def test_a_dead_job_is_never_leased(store: Store) -> None:
    await add(store, job("a"))
    (leased,) = await claim(store)
    dead = JobEnd(leased.id, "w", "dead", error="mss.refused")
    await store.commit(Unit(job_ends=(dead,)), SYSTEM)
    assert await claim(store, now=10_000) == []
    assert await store.next_due(("send",)) is None


async def test_one_lost_lease_undoes_the_ends_of_the_others(store: Store) -> None:
    await add(store, job("a"), job("b"))
    first, second = await claim(store)
    ends = (JobEnd(first.id, "w", "done"), JobEnd(second.id, "thief", "done"))
    with pytest.raises(Stale):
        await store.commit(Unit(job_ends=ends, jobs=(job("c"),)), SYSTEM)
    (row,) = await store.jobs("a")
    assert row["state"] == "leased"
    assert await store.jobs("c") == []


async def test_jobs_are_counted_by_kind_and_state(store: Store) -> None:
    assert await store.job_counts() == {}
    await add(store, job("a"), job("b"), job("c"), job("d", 5, "no"))
    await claim(store, now=40, limit=1)
    assert await store.job_counts() == {
        ("send", "waiting"): 2,
        ("send", "leased"): 1,
        ("no", "waiting"): 1,
    }


async def test_the_next_due_is_the_first_to_come(store: Store) -> None:
    assert await store.next_due(("send",)) is None
    await add(store, job("a", 70), job("b", 40), job("c", 5, "no"))
    assert await store.next_due(("send", "other")) == 40
    await claim(store, now=40)
    assert await store.next_due(("send",)) == 70
    await claim(store, now=80, lease=1000)
    assert await store.next_due(("send",)) == 90


async def test_no_job_is_leased_twice_by_workers_at_once(database_url: str, clock: Any) -> None:
    stores = [open_store(database_url, clock=clock) for _ in range(2)]
    for store in stores:
        await store.open()
    await add(stores[0], *(job(f"s{number}") for number in range(100)))

    async def work(number: int) -> list[int]:
        got: list[int] = []
        while found := await claim(stores[number % 2], holder=f"w{number}", limit=3):
            got += [one.id for one in found]
        return got

    got = [id for ids in await asyncio.gather(*(work(n) for n in range(6))) for id in ids]
    assert len(got) == len(set(got)) == 100
    for store in stores:
        await store.close()


async def test_a_job_added_wakes_who_waits(store: Store) -> None:
    assert not await store.job_added(0.01)
    waiting = asyncio.ensure_future(store.job_added(30))
    await add(store, job("a"))
    assert await waiting


async def test_a_job_added_before_is_not_missed(store: Store) -> None:
    await add(store, job("a"))
    assert await store.job_added(30)


async def test_a_job_added_by_another_process_wakes_on_postgresql(
    postgres_database_url: str, clock: Any
) -> None:
    mine, other = (open_store(postgres_database_url, clock=clock) for _ in range(2))
    await mine.open()
    await other.open()
    await mine.listening()  # type: ignore[attr-defined]
    await add(other, job("a"))
    assert await mine.job_added(30)
    await mine.close()
    await other.close()


async def test_a_message_is_kept_once(store: Store) -> None:
    await store.commit(Unit(messages=(LETTER,), blobs=(b"raw",), jobs=(job("m"),)), SYSTEM)
    with pytest.raises(Conflict) as refusal:
        await store.commit(Unit(messages=(LETTER,), jobs=(job("m"),)), SYSTEM)
    assert refusal.value.issues[0].rule == "record.message-known"
    assert len(await store.jobs("m")) == 1
    (kept,) = await store.messages()
    assert (kept.identifier, kept.state, kept.subject) == ("<1@x>", "kept", None)
    assert b"".join([part async for part in store.blob(kept.sha256)]) == b"raw"


async def test_a_message_changes_state_and_keeps_its_subject(store: Store) -> None:
    await store.commit(Unit(messages=(LETTER,), blobs=(b"raw",)), SYSTEM)
    (kept,) = await store.messages()
    settled = MessageChange(kept.id, "settled", "Communication/1")
    await store.commit(Unit(message_changes=(settled,)), SYSTEM)
    aside = MessageChange(kept.id, "aside", reason="mss.unknown")
    await store.commit(Unit(message_changes=(aside,)), SYSTEM)
    (now,) = await store.messages(subject="Communication/1", state="aside")
    assert now.reason == "mss.unknown"
    with pytest.raises(LookupError):
        await store.commit(Unit(message_changes=(MessageChange(10**9, "x"),)), SYSTEM)


async def test_messages_are_found_by_what_is_asked(store: Store) -> None:
    letters = tuple(_letter(n) for n in range(6))
    for letter in letters:
        await store.commit(Unit(messages=(letter,), blobs=(b"raw",)), SYSTEM)
    assert [m.place for m in await store.messages(limit=2)] == ["7/5", "7/4"]
    assert [m.place for m in await store.messages(identifier="<3@x>")] == ["7/3"]
    assert [m.place for m in await store.messages(direction="out")] == []
    found = await store.messages(direction="in", state="settled")
    assert [m.place for m in found] == ["7/4", "7/2", "7/0"]


def _letter(number: int) -> NewMessage:
    state = "kept" if number % 2 else "settled"
    return replace(LETTER, identifier=f"<{number}@x>", place=f"7/{number}", state=state)
