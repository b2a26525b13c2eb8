"""The feed of changes of all dossiers: in the order of the commits, none missed, none repeated."""

import asyncio
import json
import time
from typing import Any

import asyncpg
import pytest
from anyio.lowlevel import checkpoint

from passerelle.dossiers.exchange import dossier_feed
from passerelle.dossiers.exchange.dossier_feed import FeedPage, feed
from passerelle.dossiers.exchange.dossier_record import read_record, root_keys
from passerelle.dossiers.gateway import Gateway, InsPolicy
from passerelle.dossiers.repository import Repository
from passerelle.errors.refusals import Invalid
from passerelle.fhir.resource import Key
from passerelle.fhir.urls import DOSSIER_TAG
from passerelle.store.caller import NOBODY, SYSTEM, Caller
from passerelle.store.migrate import migrate
from passerelle.store.opening import open_store
from passerelle.store.postgresql.postgres_url import plain_url
from tests.dossiers.many_dossiers import push, small, tag_of

pytestmark = pytest.mark.anyio


async def followed(gateway: Gateway, cursor: str = "start", limit: int = 100) -> list[FeedPage]:
    """Read the feed to its end."""
    pages = [await feed(gateway, SYSTEM, cursor=cursor, limit=limit)]
    while pages[-1].more:
        pages.append(await feed(gateway, SYSTEM, cursor=pages[-1].next, limit=limit))
    return pages


def told(pages: list[FeedPage]) -> list[dict[str, Any]]:
    return [line.as_json() for page in pages for line in page.lines]


def names(pages: list[FeedPage]) -> list[str]:
    return [line["dossier"].rpartition("|")[2] for line in told(pages)]


async def test_a_line_names_the_dossier_its_version_its_status_and_its_sections(gateway, sample):
    receipt = await push(gateway, dict(sample.content))
    (line,) = told(await followed(gateway))
    assert line.pop("at") > "2026-01-12T09:00:00"
    assert line == {
        "dossier": sample.tag,
        "change": "changed",
        "version": receipt.etag,
        "status": "active",
        "sections": ["appointments", "circle", "documents", "dossier", "person", "tasks"],
    }


async def test_only_what_came_since_is_told_and_in_the_order_of_the_last_change(gateway):
    for number in (1, 2, 3):
        await push(gateway, small(number))
    first = await followed(gateway)
    assert names(first) == ["N-00001", "N-00002", "N-00003"]
    assert names(await followed(gateway, first[-1].next)) == []
    await push(gateway, small(2, status="suspended"))
    await push(gateway, small(1))  # says nothing new
    again = await followed(gateway, first[-1].next)
    assert names(again) == ["N-00002"]
    assert told(again)[0]["status"] == "suspended"
    assert names(await followed(gateway)) == ["N-00001", "N-00003", "N-00002"]


async def test_from_now_on_nothing_of_before_is_told(gateway):
    await push(gateway, small(1))
    page = await feed(gateway, SYSTEM, cursor="now", limit=10)
    assert (page.lines, page.more) == ((), False)
    await push(gateway, small(2))
    assert names(await followed(gateway, page.next)) == ["N-00002"]


@pytest.mark.parametrize("limit", [1, 3])
@pytest.mark.parametrize("window", [3, 500])
async def test_pages_of_any_size_tell_the_same(gateway, monkeypatch, limit, window):
    monkeypatch.setattr(dossier_feed, "WINDOW", window)
    monkeypatch.setattr(dossier_feed, "WINDOWS_MAX", 2)
    for number in range(1, 6):
        await push(gateway, small(number))
    pages = await followed(gateway, limit=limit)
    assert all(len(page.lines) <= limit for page in pages)
    last = list(dict.fromkeys(reversed(names(pages))))[::-1]
    assert last == [f"N-{number:05}" for number in range(1, 6)]
    if window > 3:  # a transaction that is longer than the window is told in parts
        assert names(pages) == last
    final = {line["dossier"]: line["version"] for line in told(pages)}
    for tag, version in final.items():
        assert version == (await read_record(gateway, SYSTEM, tag)).etag


async def test_a_change_of_what_dossiers_share_is_told_of_each_in_pages_that_fit(gateway):
    for number in range(1, 8):
        await push(gateway, small(number))
    begun = (await feed(gateway, SYSTEM, cursor="now", limit=10)).next
    record = await read_record(gateway, SYSTEM, tag_of(small(1)))
    doctor = next(v for v in record.shared if v.key.type == "Practitioner")
    changed = {**json.loads(doctor.body), "active": False}
    await Repository(gateway, SYSTEM).update(doctor.key, changed)
    pages = await followed(gateway, begun, limit=3)
    assert [len(page.lines) for page in pages] == [3, 3, 1]
    assert names(pages) == [f"N-{number:05}" for number in range(1, 8)]
    assert {tuple(line["sections"]) for line in told(pages)} == {("circle",)}


async def test_a_change_of_the_identity_is_told_of_the_dossiers_of_the_person(gateway):
    await push(gateway, small(1))
    await push(gateway, small(2))
    begun = (await feed(gateway, SYSTEM, cursor="now", limit=10)).next
    record = await read_record(gateway, SYSTEM, tag_of(small(2)))
    person = next(v for v in record.versions if v.key.type == "Patient")
    await Repository(gateway, SYSTEM).update(
        person.key, {**json.loads(person.body), "maritalStatus": {"text": "veuve"}}
    )
    pages = await followed(gateway, begun)
    assert names(pages) == ["N-00002"]
    assert told(pages)[0]["sections"] == ["person"]


async def test_what_is_no_dossier_any_more_leaves_a_tombstone(gateway):
    for number in (1, 2):
        await push(gateway, small(number))
    begun = (await feed(gateway, SYSTEM, cursor="now", limit=10)).next
    await push(gateway, small(1, status="entered-in-error"))
    for key in root_keys(tag_of(small(2))):
        await Repository(gateway, SYSTEM).delete(key)
    first, second = told(await followed(gateway, begun))
    assert (first["dossier"], first["change"]) == (tag_of(small(1)), "removed")
    assert first["reason"] == "entered-in-error"
    assert second["reason"] == "deleted"
    assert second["dossier"] == tag_of(small(2))
    assert "version" not in second


def basic(tag: str) -> dict[str, Any]:
    """Give a resource of a dossier that refers to nothing."""
    meta = {"tag": [{"system": DOSSIER_TAG, "code": tag}]}
    return {"resourceType": "Basic", "id": "1", "meta": meta, "code": {"text": "x"}}


async def test_what_bears_the_name_of_a_dossier_that_never_was_is_not_told(gateway):
    await Repository(gateway, SYSTEM).update(Key("Basic", "1"), basic("u|1"))
    page = await feed(gateway, SYSTEM, cursor="start", limit=10)
    assert (page.lines, page.more) == ((), False)


async def test_a_dossier_whose_name_is_longer_than_an_index_holds_is_told_by_its_whole_name(
    gateway,
):
    dossier = small(1)
    dossier["id"] = {"system": f"https://a.example/{'s' * 200}", "value": "L" * 100}
    await push(gateway, dossier)
    assert [line["dossier"] for line in told(await followed(gateway))] == [tag_of(dossier)]


async def test_a_cursor_is_taken_back_from_its_caller_alone_and_unchanged(gateway):
    page = await feed(gateway, SYSTEM, cursor="start", limit=10)
    for caller, cursor in ((Caller("other"), page.next), (SYSTEM, page.next[:-2] + "AA")):
        with pytest.raises(Invalid) as refusal:
            await feed(gateway, caller, cursor=cursor, limit=10)
        assert refusal.value.issues[0].rule == "search.cursor-invalid"
        assert refusal.value.issues[0].expression == "cursor"
    assert (await feed(gateway, NOBODY, cursor="start", limit=10)).lines == ()


def now() -> int:
    return time.time_ns() // 1000


def gateway_of(url: str, skew: int = 0) -> Gateway:
    store = open_store(url, clock=lambda: now() + skew)
    return Gateway(
        store=store,
        clock=now,
        new_id=str,
        base_url="http://127.0.0.1:8080/fhir",
        ins=InsPolicy(allow_test=True),
    )


async def test_a_push_that_ends_late_never_appears_behind_a_reader(late_url):
    slow, quick = gateway_of(late_url), gateway_of(late_url, 60_000_000)
    for one in (slow, quick):
        await one.store.open()
    other = await asyncpg.connect(plain_url(late_url))
    await push(quick, small(1))
    await other.fetch("SELECT pg_advisory_lock(1)")
    writing = asyncio.create_task(_push_as(slow, "slow", small(2)))
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    while not await other.fetchval(waiting):
        assert not writing.done()
    await Repository(quick, SYSTEM).update(Key("Basic", "1"), basic(tag_of(small(1))))
    before = await followed(quick)
    assert names(before) == ["N-00001"]
    await other.fetch("SELECT pg_advisory_unlock(1)")
    await writing
    after = await followed(quick, before[-1].next)
    assert set(names(after)) == {"N-00001", "N-00002"}
    for one in (slow, quick):
        await one.store.close()
    await other.close()


async def _push_as(gateway: Gateway, subject: str, dossier: dict[str, Any]) -> None:
    from passerelle.dossiers.exchange.reception import receive

    body = json.dumps(dossier).encode()
    await receive(
        gateway,
        Caller(subject),
        tag_of(dossier),
        body,
        if_match=None,
        strict=True,
        dry_run=False,
    )


@pytest.mark.parametrize("rounds", [3, pytest.param(60, marks=pytest.mark.nightly)])
async def test_who_follows_while_two_gateways_write_holds_the_last_version_of_each(
    database_url, rounds
):
    await asyncio.to_thread(migrate, database_url)
    writers = (gateway_of(database_url), gateway_of(database_url, -40_000))
    for one in writers:
        await one.store.open()
    ended = asyncio.Event()

    async def write(gateway: Gateway, first: int) -> None:
        for turn in range(rounds):
            for number in range(first, first + 4):
                await push(
                    gateway,
                    small(number % 6, updatedAt=f"2026-01-{turn % 28 + 1:02}T00:00:0{number % 6}Z"),
                )

    async def follow() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        cursor = "start"
        while True:
            last = ended.is_set()
            pages = await followed(writers[1], cursor, limit=2)
            found += told(pages)
            cursor = pages[-1].next
            if last:
                return found
            await checkpoint()

    async def both() -> None:
        await asyncio.gather(write(writers[0], 0), write(writers[1], 2))
        ended.set()

    lines, _ = await asyncio.gather(follow(), both())
    held = {line["dossier"]: line["version"] for line in lines}
    assert len(held) == 6
    for tag, version in held.items():
        assert version == (await read_record(writers[0], SYSTEM, tag)).etag
    for one in writers:
        await one.store.close()
