"""New resources that come at the same time, each decided on nothing else."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from passerelle.errors.refusals import Conflict
from passerelle.fhir.resource import Key
from passerelle.store.caller import SYSTEM
from passerelle.store.contract import Delete, Mark, Put, Store, Unit
from passerelle.store.upkeep.check import check

pytestmark = pytest.mark.anyio


def new(*drafts: Any) -> Unit:
    """Make the unit of plain creates."""
    return Unit(tuple(Put(draft, "POST", must_be_new=True) for draft in drafts))


async def together(store: Store, *units: Unit) -> list[Any]:
    """Commit units that come in one turn of the event loop."""
    commits = (store.commit(unit, SYSTEM) for unit in units)
    return list(await asyncio.gather(*commits, return_exceptions=True))


async def test_creates_that_come_together_are_each_what_they_are_alone(
    store: Store, draft: Any, database_url: str, derived: Any
) -> None:
    units = [
        new(
            *(
                draft(
                    f"p{unit}-{n}",
                    own=f"{unit}/{n}",
                    dossier=f"d|{n}",
                    name=[{"family": f'Le "{{{n}}}", \\ Noël'}],
                    birthDate=f"19{10 + unit}-01-02",
                    generalPractitioner=[{"reference": f"Practitioner/{n}"}],
                )
                for n in range(1 + unit % 3)
            )
        )
        for unit in range(12)
    ]
    told = await together(store, *units)
    made = [outcome for outcomes in told for outcome in outcomes]
    assert {outcome.action for outcome in made} == {"created"}
    assert len({outcome.version.pid for outcome in made}) == len(made)
    for unit, outcomes in zip(units, told, strict=True):
        for write, outcome in zip(unit.writes, outcomes, strict=True):
            assert isinstance(write, Put)
            assert outcome.version == await store.read(write.draft.key, SYSTEM)
            (claim,) = write.draft.claims
            assert await store.claimed("Patient", claim, SYSTEM) == write.draft.key
    given = await store.changes(SYSTEM, after=Mark(), limit=100)
    assert [one.seq for one in given] == sorted(outcome.version.seq for outcome in made)
    assert (await check(database_url, derived, now=0)).findings == ()


async def test_a_create_that_is_refused_harms_no_other_of_its_group(
    store: Store, draft: Any
) -> None:
    await together(store, new(draft("there", own="taken")), new(draft("gone")))
    await store.commit(Unit((Delete(Key("Patient", "gone")),)), SYSTEM)
    told = await together(
        store,
        new(draft("a")),
        new(draft("there")),
        new(draft("b"), draft("c", own="taken")),
        new(draft("d", own="twice"), draft("e", own="twice")),
        new(draft("gone", v=2)),
        new(draft("f"), draft("g")),
    )
    kinds = [type(one) for one in told]
    assert kinds == [tuple, Conflict, Conflict, Conflict, tuple, tuple]
    assert (told[4][0].action, told[4][0].version.version) == ("created", 3)
    assert [said.expression for said in told[2].issues] == ["writes[1]"]
    there = await store.read_many([Key("Patient", id_) for id_ in "abcdefg"], SYSTEM)
    assert sorted(key.id for key in there) == ["a", "f", "g"]


async def test_two_who_create_the_same_at_once_are_not_both_told_that_they_did(
    store: Store, draft: Any
) -> None:
    told = await together(
        store, *(new(draft("one", own="same")) for _ in range(4)), new(draft("two", own="same"))
    )
    assert sorted(type(one).__name__ for one in told) == ["Conflict"] * 4 + ["tuple"]


async def test_a_large_unit_of_creates_is_written_whole(store: Store, draft: Any) -> None:
    for size in (300, 1_200):
        (told,) = await together(store, new(*(draft(f"p{size}-{n}") for n in range(size))))
        assert len({outcome.version.seq for outcome in told}) == size
        last = told[-1].version
        assert last == await store.read(Key("Patient", f"p{size}-{size - 1}"), SYSTEM)


async def test_creates_made_by_other_parameters_than_there_are_are_stale(
    store: Store, draft: Any
) -> None:
    stamp = store.parameters.registry.stamp
    assert stamp is not None
    current, late = replace(draft("now"), stamp=stamp), replace(draft("late"), stamp=stamp + 1)
    told = await together(store, new(current), new(late), new(draft("any")))
    assert [type(one).__name__ for one in told] == ["tuple", "Outdated", "tuple"]
    assert await store.read(Key("Patient", "late"), SYSTEM) is None
