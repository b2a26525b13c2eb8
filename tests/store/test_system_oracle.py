"""Searches of compartments and of several types, beside a look at every resource.

https://hl7.org/fhir/R4/compartmentdefinition.html , https://hl7.org/fhir/R4/http.html#vsearch . Who
is in a compartment is read here from R4's table alone: what refers to its resource by any of the
parameters that the table names, and the resource itself. As in ``test_search_oracle``, values are
those of a whole FHIRPath engine.
"""

import json
from collections import Counter
from dataclasses import replace
from importlib import resources
from random import Random

import pytest
from hypothesis import given

from passerelle.errors.refusals import Invalid
from passerelle.fhir.resource import Key
from passerelle.fhir.search.query import parse_compartment, parse_system
from tests.oracle.naive import Resource, World
from tests.oracle.plain_searches import TERMS
from tests.oracle.searches import Searches
from tests.oracle.world import world
from tests.store.search_records import Record, fill, records, through
from tests.store.test_search_oracle import LAW, Terms, pairs, seeds, settings

__all__ = ["records"]

TABLE = json.loads(
    (resources.files("passerelle.fhir.definitions") / "compartments.json").read_text("utf-8")
)
EXAMPLES, NIGHTLY = 6, 120
SEARCHES = 12


def is_in(known: World, resource: Resource, compartment: Resource) -> bool:
    """Tell whether a resource is in the compartment of another one."""
    if resource is compartment:
        return True
    type_, own = resource["resourceType"], compartment["resourceType"]
    address = f"{own}/{compartment['id']}"
    codes = TABLE[own].get(type_, ())
    return any(known.holds(resource, code, address) for code in codes)


def compare(stores: tuple[Record, ...], query: object, wanted: list[str], told: str) -> list[str]:
    """Give what a database finds otherwise."""
    asked = replace(query, count=3)  # type: ignore[type-var]
    found = [sorted(through(record, asked)) for record in stores]
    return [
        f"{record.dialect}: {told}\nfound {one}\nwanted {sorted(wanted)}"
        for record, one in zip(stores, found, strict=True)
        if one != sorted(wanted)
    ]


def compartments(
    stores: tuple[Record, ...], random: Random, known: World, counted: Counter[str]
) -> list[str]:
    """Search the compartments of a world: one type with criteria, or all types."""
    differing: list[str] = []
    owners = [each for each in known.alive if each["resourceType"] in TABLE]
    draw = Searches(random, known)
    for _ in range(SEARCHES if owners else 0):
        owner = random.choice(owners)
        key = Key(owner["resourceType"], owner["id"])
        inside = [each for each in known.alive if is_in(known, each, owner)]
        if random.random() < 0.3:
            query = parse_compartment(key, "*", [], strict=True)
            wanted = [each["id"] for each in inside]
            differing += compare(stores, query, wanted, f"{key}/*")
            counted["all types, found" if len(wanted) > 1 else "all types, alone"] += 1
            continue
        asked = draw.asked()
        query = parse_compartment(key, asked.type, pairs(asked), strict=True, terminology=Terms())
        if query is None:
            assert asked.type not in {key.type, *TABLE[key.type]}
            continue
        wanted = [
            each["id"]
            for each in inside
            if each["resourceType"] == asked.type
            and all(one.holds(known, each) for one in asked.criteria)
        ]
        differing += compare(stores, query, wanted, f"{key}/{asked.type}?{pairs(asked)}")
        counted["one type, found" if wanted else "one type, none"] += 1
    return differing


def several_types(
    stores: tuple[Record, ...], random: Random, known: World, counted: Counter[str]
) -> list[str]:
    """Search several types at once by what all of them have."""
    differing: list[str] = []
    draw = Searches(random, known)
    types = sorted({each["resourceType"] for each in known.alive})
    for _ in range(SEARCHES):
        chosen = sorted(random.sample(types, random.randint(1, min(4, len(types)))))
        one = draw.plain(random.choice(chosen))
        given_pairs = [("_type", ",".join(chosen)), (one.name, one.text)]
        try:
            query = parse_system(given_pairs, strict=True, terminology=Terms())
        except Invalid:
            counted["not of all types"] += 1
            continue
        wanted = [
            each["id"]
            for each in known.alive
            if each["resourceType"] in chosen and one.holds(known, each)
        ]
        differing += compare(stores, query, wanted, f"?{given_pairs}")
        counted["_type, found" if wanted else "_type, none"] += 1
    return differing


def check(stores: tuple[Record, ...], seed: int, counted: Counter[str]) -> list[str]:
    """Compare the searches of one world on each database; give what differs."""
    random = Random(seed)
    made = world(random)
    for record in stores:
        fill(record, made)
    known = World(made, TERMS)
    differing = compartments(stores, random, known, counted)
    return differing + several_types(stores, random, known, counted)


@settings(LAW, max_examples=EXAMPLES)
@given(seeds)
def test_compartments_and_several_types_hold_what_a_look_at_every_resource_finds(
    records: tuple[Record, ...], seed: int
) -> None:
    differing = check(records, seed, Counter())
    assert not differing, "\n\n".join(differing[:3])


@pytest.mark.nightly
def test_many_compartments_hold_what_a_look_at_every_resource_finds(
    records: tuple[Record, ...],
) -> None:
    counted: Counter[str] = Counter()
    differing: list[str] = []

    @settings(LAW, max_examples=NIGHTLY)
    @given(seeds)
    def law(seed: int) -> None:
        differing.extend(check(records, seed, counted))

    law()
    print(f"\n{dict(sorted(counted.items()))}")
    assert not differing, f"{len(differing)} differ\n\n" + "\n\n".join(differing[:5])
    wanted = ("all types, found", "one type, found", "_type, found")
    assert all(counted[each] for each in wanted), counted
