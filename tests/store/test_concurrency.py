"""Many at once: exactly one wins, no update is lost, no duplicate is made."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from passerelle.dossiers.conditions import expect
from passerelle.errors.refusals import Conflict, PreconditionFailed
from passerelle.fhir.resource import Key
from passerelle.fhir.search.query import parse_criteria
from passerelle.store.caller import SYSTEM
from passerelle.store.contract import (
    Delete,
    DossierExpectation,
    Expectation,
    Put,
    Stale,
    Store,
    Unit,
)
from passerelle.store.opening import open_store

pytestmark = pytest.mark.anyio

MANY = 64
SPELT = ("urn:shared|a", "a", "urn:local|b", "nobody,b", "urn:shared|a&language:missing=true")
"""Conditions that all designate the one Patient that has both identifiers."""


@asynccontextmanager
async def two_stores(database_url: str, clock: Any) -> AsyncIterator[tuple[Store, Store]]:
    """Two gateways on one database."""
    one, other = (open_store(database_url, clock=clock) for _ in range(2))
    await one.open()
    await other.open()
    try:
        yield one, other
    finally:
        await one.close()
        await other.close()


async def try_commit(store: Store, unit: Unit) -> str:
    try:
        outcomes = await store.commit(unit, SYSTEM)
    except (Stale, Conflict, PreconditionFailed) as refusal:
        return type(refusal).__name__
    return outcomes[0].action


async def test_one_of_many_equal_conditional_creates_wins(
    database_url: str, clock: Any, draft: Any
) -> None:
    query = parse_criteria("Patient", "identifier=urn:shared|a")
    none = Expectation(query, (), lock="Patient?identifier=urn:shared|a")
    async with two_stores(database_url, clock) as stores:
        units = [
            Unit((Put(draft(f"p{n}", shared="a"), "POST", None, True),), (none,))
            for n in range(MANY)
        ]
        said = await asyncio.gather(*(try_commit(stores[n % 2], u) for n, u in enumerate(units)))
        assert Counter(said) == {"created": 1, "Stale": MANY - 1}
        assert len(await stores[0].matching(query, SYSTEM, limit=MANY)) == 1


async def test_conditions_on_several_identifiers_of_one_resource_exclude_each_other(
    database_url: str, clock: Any, draft: Any
) -> None:
    asked = [parse_criteria("Patient", f"identifier={value}") for value in SPELT]
    async with two_stores(database_url, clock) as stores:
        units = [
            Unit(
                (Put(draft(f"p{n}", shared="a", local="b"), "POST", None, True),),
                (expect(asked[n % len(asked)], ()),),
            )
            for n in range(MANY)
        ]
        said = await asyncio.gather(*(try_commit(stores[n % 2], u) for n, u in enumerate(units)))
        assert Counter(said) == {"created": 1, "Stale": MANY - 1}


async def test_one_of_many_creates_of_an_identifier_wins(
    database_url: str, clock: Any, draft: Any
) -> None:
    async with two_stores(database_url, clock) as stores:
        units = [Unit((Put(draft(f"p{n}", own="a"), must_be_new=n % 3 == 0),)) for n in range(MANY)]
        said = await asyncio.gather(*(try_commit(stores[n % 2], u) for n, u in enumerate(units)))
        assert Counter(said) == {"created": 1, "Conflict": MANY - 1}


async def test_one_of_many_creates_of_a_key_wins(database_url: str, clock: Any, draft: Any) -> None:
    async with two_stores(database_url, clock) as stores:
        units = [Unit((Put(draft("1", language=str(n)), must_be_new=True),)) for n in range(MANY)]
        said = await asyncio.gather(*(try_commit(stores[n % 2], u) for n, u in enumerate(units)))
        assert Counter(said) == {"created": 1, "Conflict": MANY - 1}


async def test_one_of_many_pushes_of_a_dossier_wins(
    database_url: str, clock: Any, draft: Any
) -> None:
    async with two_stores(database_url, clock) as stores:
        await stores[0].commit(Unit((Put(draft("0", dossier="d")),)), SYSTEM)
        seen = DossierExpectation("d", await stores[0].dossier_seq("d", SYSTEM))
        units = [Unit((Put(draft(f"p{n}", dossier="d")),), dossiers=(seen,)) for n in range(MANY)]
        said = await asyncio.gather(*(try_commit(stores[n % 2], u) for n, u in enumerate(units)))
        assert Counter(said) == {"created": 1, "Stale": MANY - 1}


async def test_no_update_under_if_match_is_lost(database_url: str, clock: Any, draft: Any) -> None:
    """Each adds one to a number it has read; the sum and the versions tell every one of them."""
    key, workers, rounds = Key("Patient", "1"), 8, 12

    async def work(store: Store) -> None:
        done = 0
        while done < rounds:
            head = await store.read(key, SYSTEM)
            assert head is not None
            write = Put(draft("1", language=str(head.version)), if_match=head.version)
            done += await try_commit(store, Unit((write,))) == "updated"

    async with two_stores(database_url, clock) as stores:
        await stores[0].commit(Unit((Put(draft("1", language="0")),)), SYSTEM)
        await asyncio.gather(*(work(stores[n % 2]) for n in range(workers)))
        history = await stores[1].history(key, SYSTEM, count=1000)
        wanted = list(range(workers * rounds + 1, 0, -1))
        assert [version.version for version in history] == wanted
        assert [v.at for v in history] == sorted((v.at for v in history), reverse=True)


async def test_units_over_the_same_keys_in_any_order_all_end(
    database_url: str, clock: Any, draft: Any
) -> None:
    """Crossed orders of keys, claims and dossiers: nobody waits for ever, nothing is lost."""
    names = ["a", "b", "c", "d"]

    def unit(number: int) -> Unit:
        order = names[number % 4 :] + names[: number % 4]
        if number % 2:
            order.reverse()
        writes = tuple(
            Delete(Key("Patient", name))
            if (number + at) % 5 == 0
            else Put(draft(name, language=str(number), own=name, dossier=f"d{(number + at) % 3}"))
            for at, name in enumerate(order)
        )
        return Unit(writes)

    async with two_stores(database_url, clock) as stores:
        said = await asyncio.gather(*(stores[n % 2].commit(unit(n), SYSTEM) for n in range(MANY)))
        written = Counter(
            outcome.version.key.id
            for outcomes in said
            for outcome in outcomes
            if outcome.action in ("created", "updated") and outcome.version
        )
        for name in names:
            history = await stores[0].history(Key("Patient", name), SYSTEM, count=1000)
            numbers = [version.version for version in history]
            assert numbers == list(range(len(history), 0, -1))
            assert written[name] == sum(version.body is not None for version in history)
