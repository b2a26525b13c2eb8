"""Searches on real databases, beside the same looked up in every resource, one after another.

The other side (``tests/oracle``) takes its values from a whole FHIRPath engine and compares them by
a plain reading of https://hl7.org/fhir/R4/search.html .
"""

import json
import os
from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from passerelle.fhir.search.query import parse
from passerelle.fhir.search.search_parameters import parameters
from tests.oracle.naive import World
from tests.oracle.searches import TERMS, Asked, Searches
from tests.oracle.world import world
from tests.store.search_records import Record, fill, record, through

__all__ = ["record"]

Code = tuple[str, str]


class Terms:
    """The terminology that both sides know."""

    def expansion(self, value_set: str) -> Collection[Code] | None:
        return TERMS.get(f"in:{value_set}")

    def above(self, system: str, code: str) -> Collection[Code] | None:
        return TERMS.get(f"above:{system}|{code}")

    def below(self, system: str, code: str) -> Collection[Code] | None:
        return TERMS.get(f"below:{system}|{code}")


def pairs(asked: Asked) -> list[tuple[str, str]]:
    found = [(each.name, each.text) for each in asked.criteria]
    if asked.sort:
        spelled = ",".join("-" * descending + code for code, descending in asked.sort)
        found.append(("_sort", spelled))
    return found


def in_order(known: World, asked: Asked, found: list[str]) -> bool:
    """Tell whether what was found stands in the order that was asked for, missing values last."""
    keys = [(parameters(asked.type)[code], descending) for code, descending in asked.sort]
    held = {r["id"]: r for r in known.alive if r["resourceType"] == asked.type}
    rows = [[known.sorted_by(held[id], *key) for key in keys] for id in found]
    ordered = list(rows)
    for place in reversed(range(len(keys))):
        present = [row for row in ordered if row[place] is not None]
        present.sort(key=lambda row: row[place], reverse=keys[place][1])
        ordered = present + [row for row in ordered if row[place] is None]
    return ordered == rows


def difference(known: World, asked: Asked, found: list[str], wanted: list[str]) -> str:
    """Say what differs: the search, and the resources that one side alone gives."""
    apart = set(found) ^ set(wanted)
    lines = [f"{asked.type}?{pairs(asked)}", f"found {found}", f"wanted {wanted}"]
    for resource in known.alive:
        if resource["resourceType"] == asked.type and resource["id"] in apart:
            lines.append(json.dumps(resource, ensure_ascii=False))
    return "\n".join(lines)


def check(record: Record, seed: int, searches: int, counted: Counter[str]) -> list[str]:
    """Compare the searches of one world; give what differs."""
    random = Random(seed)
    resources = world(random)
    fill(record, resources)
    known = World(resources, TERMS)
    draw = Searches(random, known)
    differing = []
    for _ in range(searches):
        asked = draw.asked()
        query = parse(asked.type, pairs(asked), strict=True, terminology=Terms())
        found = through(record, replace(query, count=random.choice((2, 50))))
        alike = [r for r in known.alive if r["resourceType"] == asked.type]
        wanted = [r["id"] for r in alike if all(c.holds(known, r) for c in asked.criteria)]
        for each in asked.criteria:
            held = sum(each.holds(known, r) for r in alike)
            sort = "none" if not held else "all" if held == len(alike) else "some"
            counted[f"{each.label} {sort}"] += 1
        counted["hits" if wanted else "empty"] += 1
        if sorted(found) != sorted(wanted) or not in_order(known, asked, found):
            differing.append(difference(known, asked, found, wanted))
    return differing


KINDS = ("token", "string", "reference", "date", "number", "quantity", "uri", "composite")
EXAMPLES = 8
SEARCHES = 38
"""Of one world: 304 searches on each database."""

NIGHTLY_WORLDS = int(os.environ.get("PASSERELLE_ORACLE_WORLDS", "250"))
HITS_MIN = 0.3
"""The share of searches that must find something: one that never does proves nothing."""

LAW = settings(
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
seeds = st.integers(0, 2**32 - 1)


@settings(LAW, max_examples=EXAMPLES)
@given(seeds)
def test_a_search_finds_what_a_look_at_every_resource_finds(record: Record, seed: int) -> None:
    differing = check(record, seed, SEARCHES, Counter())
    assert not differing, "\n\n".join(differing[:3])


@pytest.mark.nightly
def test_many_searches_find_what_a_look_at_every_resource_finds(record: Record) -> None:
    counted: Counter[str] = Counter()

    @settings(LAW, max_examples=NIGHTLY_WORLDS)
    @given(seeds)
    def law(seed: int) -> None:
        differing = check(record, seed, 40, counted)
        assert not differing, "\n\n".join(differing[:3])

    law()
    pairs_seen = counted["hits"] + counted["empty"]
    labels = sorted({key.rpartition(" ")[0] for key in counted if " " in key})
    print(f"\n{record.dialect}: {pairs_seen} searches, {counted['hits']} found something")
    print("criterion                      none  some   all")
    for label in labels:
        print(
            f"{label:30}" + "".join(f"{counted[f'{label} {n}']:6}" for n in ("none", "some", "all"))
        )
    assert counted["hits"] > HITS_MIN * pairs_seen
    for kind in KINDS:
        assert sum(counted[f"{each} some"] for each in labels if each.startswith(kind)) > 0, kind
