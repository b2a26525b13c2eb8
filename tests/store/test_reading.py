"""Reading the record: heads, versions, histories, dossiers."""

import json
from typing import Any

import pytest

from passerelle.fhir.instants import parse_instant
from passerelle.fhir.resource import Key
from passerelle.store.caller import NOBODY, SYSTEM
from passerelle.store.contract import Claim, Delete, Put, Store, Unit

pytestmark = pytest.mark.anyio


async def put(store: Store, *drafts: Any) -> Any:
    return await store.commit(Unit(writes=tuple(Put(draft) for draft in drafts)), SYSTEM)


async def test_what_was_never_there_is_none(store: Store) -> None:
    key = Key("Patient", "nobody")
    assert await store.read(key, SYSTEM) is None
    assert await store.vread(key, 1, SYSTEM) is None
    assert await store.history(key, SYSTEM, count=10) == []
    assert await store.read_many([key], SYSTEM) == {}
    assert await store.read_many([], SYSTEM) == {}
    assert await store.claimed("Patient", Claim("urn:own", "1"), SYSTEM) is None
    assert await store.dossier("d", SYSTEM) == []
    assert await store.dossier_seq("d", SYSTEM) is None


async def test_the_head_is_what_the_commit_answered(store: Store, draft: Any) -> None:
    (made,) = await put(store, draft("1", name=[{"family": "Élan"}]))
    head = await store.read(Key("Patient", "1"), SYSTEM)
    assert made.action == "created"
    assert head == made.version
    assert head is not None
    assert head.body is not None
    assert (head.version, head.method, head.author) == (1, "PUT", "system")
    meta = json.loads(head.body)["meta"]
    assert meta["versionId"] == "1"
    assert parse_instant(meta["lastUpdated"]) == head.at
    assert meta["lastUpdated"].endswith("Z")
    assert len(meta["lastUpdated"]) == len("2026-01-12T09:00:00.000000Z")


async def test_history_gives_pages_newest_first(store: Store, draft: Any) -> None:
    key = Key("Patient", "1")
    for number in range(1, 6):
        await put(store, draft("1", language=str(number)))
    await store.commit(Unit(writes=(Delete(key),)), SYSTEM)
    first = await store.history(key, SYSTEM, count=4)
    second = await store.history(key, SYSTEM, count=4, before=first[-1].version)
    assert [version.version for version in (*first, *second)] == [6, 5, 4, 3, 2, 1]
    assert first[0].body is None
    assert first[0].method == "DELETE"
    for version in (*first, *second):
        assert await store.vread(key, version.version, SYSTEM) == version


async def test_many_are_read_at_once_deletions_included(store: Store, draft: Any) -> None:
    await put(store, *(draft(str(number)) for number in range(30)))
    await store.commit(Unit(writes=(Delete(Key("Patient", "3")),)), SYSTEM)
    keys = [Key("Patient", str(number)) for number in (3, 29, 31, 5, 5)]
    found = await store.read_many(keys, SYSTEM)
    assert set(found) == {Key("Patient", "3"), Key("Patient", "29"), Key("Patient", "5")}
    assert found[Key("Patient", "3")].body is None
    assert found[Key("Patient", "5")] == await store.read(Key("Patient", "5"), SYSTEM)


async def test_a_dossier_is_read_in_the_order_of_its_making(store: Store, draft: Any) -> None:
    await put(
        store, draft("b", dossier="s|1"), draft("a", dossier="s|1"), draft("x", dossier="s|2")
    )
    await put(store, draft("b", dossier="s|1", language="fr"), draft("c", dossier="s|1"))
    heads = await store.dossier("s|1", SYSTEM)
    assert [head.key.id for head in heads] == ["b", "a", "c"]
    assert await store.dossier_seq("s|1", SYSTEM) == max(head.seq for head in heads)


async def test_a_deletion_leaves_the_dossier_but_moves_its_seq(store: Store, draft: Any) -> None:
    await put(store, draft("a", dossier="s|1"), draft("b", dossier="s|1"))
    before = await store.dossier_seq("s|1", SYSTEM)
    await store.commit(Unit(writes=(Delete(Key("Patient", "a")),)), SYSTEM)
    after = await store.dossier_seq("s|1", SYSTEM)
    assert before is not None
    assert after is not None
    assert after > before
    assert [head.key.id for head in await store.dossier("s|1", SYSTEM)] == ["b"]


async def test_nobody_sees_nothing(store: Store, draft: Any) -> None:
    key = Key("Patient", "1")
    await put(store, draft("1", own="1", dossier="d"))
    assert await store.read(key, NOBODY) is None
    assert await store.read_many([key], NOBODY) == {}
    assert await store.vread(key, 1, NOBODY) is None
    assert await store.history(key, NOBODY, count=10) == []
    assert await store.claimed("Patient", Claim("urn:own", "1"), NOBODY) is None
    assert await store.dossier("d", NOBODY) == []
    assert await store.dossier_seq("d", NOBODY) is None
    assert await store.claimed("Patient", Claim("urn:own", "1"), SYSTEM) == key


async def test_a_store_that_is_open_is_ready(store: Store) -> None:
    assert await store.ready()


async def test_a_store_that_is_closed_is_not_ready(store: Store) -> None:
    await store.close()
    assert not await store.ready()
