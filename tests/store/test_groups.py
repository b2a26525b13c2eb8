"""Units that come at the same time are committed together on PostgreSQL, and as if alone."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import asyncpg
import pytest

from passerelle.errors.refusals import Conflict, PreconditionFailed, Unavailable
from passerelle.fhir.resource import Key
from passerelle.store.caller import SYSTEM
from passerelle.store.contract import Delete, Outcome, Put, Stale, Store, Unit
from passerelle.store.opening import open_store
from passerelle.store.postgresql import postgres_groups
from passerelle.store.postgresql.postgres_url import plain_url

pytestmark = pytest.mark.anyio


@pytest.fixture
def database_url(postgres_database_url: str) -> str:
    """SQLite has one writer thread, which is tested beside its batches."""
    return postgres_database_url


async def together(store: Store, *units: Unit) -> list[Any]:
    """Commit units that come in one turn of the event loop."""
    commits = (store.commit(unit, SYSTEM) for unit in units)
    return list(await asyncio.gather(*commits, return_exceptions=True))


def transactions(told: Sequence[tuple[Outcome, ...]]) -> list[int]:
    return [outcome.version.tx for outcomes in told for outcome in outcomes if outcome.version]


async def test_units_that_come_together_are_one_transaction(store: Store, draft: Any) -> None:
    await together(store, *(Unit((Put(draft(f"p{n}", own=f"{n}")),)) for n in range(0, 20, 2)))
    told = await together(
        store, *(Unit((Put(draft(f"p{n}", own=f"{n}", v=2)),)) for n in range(20))
    )
    assert [one[0].action for one in told] == ["updated", "created"] * 10
    assert len(set(transactions(told))) == 1
    for number, (outcome,) in enumerate(told):
        assert outcome.version == await store.read(Key("Patient", f"p{number}"), SYSTEM)
        assert await store.claimed("Patient", ("urn:own", f"{number}"), SYSTEM) is not None


async def test_a_refused_unit_harms_no_other_of_its_group(store: Store, draft: Any) -> None:
    await together(store, Unit((Put(draft("there", own="taken")),)))
    told = await together(
        store,
        Unit((Put(draft("a")),)),
        Unit((Put(draft("b", own="taken")), Put(draft("never")))),
        Unit((Put(draft("there", v=2), if_match=7),)),
        Unit((Put(draft("c")),), present=(Key("Patient", "nobody"),)),
        Unit((Delete(Key("Patient", "nobody")), Put(draft("d")))),
    )
    kinds = (tuple, Conflict, PreconditionFailed, Stale, tuple)
    assert all(isinstance(one, kind) for one, kind in zip(told, kinds, strict=True))
    there = await store.read_many([Key("Patient", id_) for id_ in ("a", "d", "never")], SYSTEM)
    assert sorted(key.id for key in there) == ["a", "d"]


async def test_a_unit_that_the_database_cannot_take_harms_no_other_of_its_group(
    store: Store, draft: Any
) -> None:
    spoiler = Put(replace(draft("spoiler"), blob="\x00"))
    told = await together(
        store, Unit((Put(draft("a")),)), Unit((spoiler,)), Unit((Put(draft("b")),))
    )
    assert isinstance(told[1], asyncpg.exceptions.CharacterNotInRepertoireError)
    assert [told[0][0].action, told[2][0].action] == ["created", "created"]
    assert await store.read(Key("Patient", "spoiler"), SYSTEM) is None


async def test_units_that_meet_follow_one_another_in_their_order(store: Store, draft: Any) -> None:
    told = await together(
        store, *(Unit((Put(draft("one", v=n)), Put(draft(f"p{n}")))) for n in range(12))
    )
    assert [outcomes[0].version.version for outcomes in told] == list(range(1, 13))
    found = await store.read(Key("Patient", "one"), SYSTEM)
    assert found is not None
    assert found.version == 12
    assert found.body is not None
    assert b'"v": 11' in found.body


async def test_what_touches_one_dossier_is_never_one_transaction(store: Store, draft: Any) -> None:
    await together(store, Unit((Put(draft("old", dossier="urn:d|1")),)))
    told = await together(
        store,
        Unit((Delete(Key("Patient", "old")),)),
        Unit((Put(draft("new", dossier="urn:d|1")),)),
        Unit((Put(draft("other")),)),
    )
    assert len(set(transactions(told))) >= 2
    assert told[0][0].version.tx != told[1][0].version.tx


async def test_a_unit_that_waits_for_another_process_does_not_hold_up_the_others(
    database_url: str, store: Store, draft: Any
) -> None:
    other = await asyncpg.connect(plain_url(database_url))
    lock = "hashtextextended('key Patient/held', 0)"
    await other.execute(f"SELECT pg_advisory_lock({lock})")
    held = asyncio.create_task(store.commit(Unit((Put(draft("held")),)), SYSTEM))
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    while not await other.fetchval(waiting):
        pass
    told = await together(store, *(Unit((Put(draft(f"p{n}")),)) for n in range(8)))
    assert [one[0].action for one in told] == ["created"] * 8
    assert not held.done()
    await other.execute(f"SELECT pg_advisory_unlock({lock})")
    assert (await held)[0].action == "created"
    await other.close()


async def test_what_waits_too_long_for_its_turn_is_refused(
    database_url: str, clock: Any, draft: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_groups, "WAIT_SECONDS", 0.0)
    monkeypatch.setattr(postgres_groups, "GROUPS_MAX", 1)
    opened = open_store(database_url, clock=clock)
    await opened.open()
    met = [opened.commit(Unit((Put(draft("one", v=n)),)), SYSTEM) for n in range(3)]
    told = await asyncio.gather(*met, return_exceptions=True)
    refused = [one for one in told if isinstance(one, Unavailable)]
    assert {one.issues[0].rule for one in refused} == {"record.busy"}
    found = await opened.read(Key("Patient", "one"), SYSTEM)
    assert (0 if found is None else found.version) == 3 - len(refused)
    await opened.close()


async def test_a_large_unit_goes_alone(store: Store, draft: Any) -> None:
    many = Unit(tuple(Put(draft(f"m{n}")) for n in range(60)))
    assert postgres_groups.goes_alone(many)
    assert not postgres_groups.goes_alone(Unit(many.writes[:20]))
    assert postgres_groups.goes_alone(Unit((Put(draft("large", text="x" * 500_000)),)))
    assert postgres_groups.goes_alone(Unit(many.writes[:1], blobs=(b"x",)))
    told = await together(store, many, Unit((Put(draft("small")),)))
    assert len(set(transactions(told))) == 2
