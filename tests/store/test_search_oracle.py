"""Searches on real databases, beside the same looked up in every resource, one after another.

The other side (``tests/oracle``) takes its values from a whole FHIRPath engine and compares them by
a plain reading of https://hl7.org/fhir/R4/search.html . Each search is asked of both databases.
"""

import json
import os
from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from itertools import cycle
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from passerelle.errors.refusals import Invalid
from passerelle.fhir.search.query import Query, parse
from passerelle.fhir.search.search_parameters import parameters
from passerelle.store.search_sql.search_paging import BOUNDS, Bounds
from tests.oracle.counting import count, missing, report
from tests.oracle.criteria import Asked
from tests.oracle.naive import Resource, World
from tests.oracle.plain_searches import TERMS
from tests.oracle.searches import Searches
from tests.oracle.world import world
from tests.store.search_records import Record, fill, keep, records, through

__all__ = ["records"]

WAYS = (BOUNDS, Bounds(0, 1), Bounds(0, 4), Bounds(0, 100), Bounds(3, 2), Bounds(3, 100))
"""These records are small: what is wide here, and looked for row by row, is so by its bounds."""

Code = tuple[str, str]
Records = tuple[Record, ...]


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


def query_of(asked: Asked) -> Query:
    try:
        return parse(asked.type, pairs(asked), strict=True, terminology=Terms())
    except Invalid as refusal:
        raise AssertionError(f"refused: {asked.type}?{pairs(asked)}") from refusal


def keys_of(known: World, asked: Asked, found: list[str]) -> list[list[Any]]:
    """Give what each resource that was found is sorted by."""
    keys = [(parameters(asked.type)[code], descending) for code, descending in asked.sort]
    held = {r["id"]: r for r in known.alive if r["resourceType"] == asked.type}
    return [[known.sorted_by(held[id], *key) for key in keys] for id in found]


def in_order(asked: Asked, rows: list[list[Any]]) -> bool:
    """Tell whether what was found stands in the order that was asked for, missing values last."""
    ordered = list(rows)
    for place, (_, descending) in reversed(list(enumerate(asked.sort))):
        present = [row for row in ordered if row[place] is not None]
        present.sort(key=lambda row: row[place], reverse=descending)
        ordered = present + [row for row in ordered if row[place] is None]
    return ordered == rows


def difference(
    record: Record, known: World, asked: Asked, found: list[str], wanted: list[str]
) -> str:
    """Say what differs: the search, and the resources that one side alone gives."""
    apart = set(found) ^ set(wanted)
    address = f"{asked.type}?{pairs(asked)}"
    lines = [f"{record.dialect}: {address}", f"found {found}", f"wanted {wanted}"]
    for resource in known.alive:
        if resource["resourceType"] == asked.type and resource["id"] in apart:
            lines.append(json.dumps(resource, ensure_ascii=False))
    return "\n".join(lines)


def alike(known: World, asked: Asked) -> list[Resource]:
    return [r for r in known.alive if r["resourceType"] == asked.type]


def wanted_of(known: World, asked: Asked) -> list[str]:
    found = [r for r in alike(known, asked) if all(c.holds(known, r) for c in asked.criteria)]
    return [r["id"] for r in found]


def count_order(counted: Counter[str], asked: Asked, rows: list[list[Any]]) -> None:
    """Count an order that put something in its place."""
    if len(rows) < 2 or not asked.sort:
        return
    counted[f"_sort on {len(asked.sort)}"] += 1
    for place, (code, descending) in enumerate(asked.sort):
        kind = code if code in ("_id", "_lastUpdated") else parameters(asked.type)[code].kind
        counted[f"_sort by {kind}"] += 1
        counted["_sort descending" if descending else "_sort ascending"] += 1
        counted["_sort with missing values"] += any(row[place] is None for row in rows)


def check(records: Records, seed: int, searches: int, counted: Counter[str]) -> list[str]:
    """Compare the searches of one world on each database; give what differs."""
    random = Random(seed)
    resources = world(random)
    for record in records:
        fill(record, resources)
    known = World(resources, TERMS)
    draw = Searches(random, known)
    differing = []
    for _ in range(searches):
        asked = draw.asked()
        query = replace(query_of(asked), count=random.choice((2, 50)))
        counted[f"pages of {query.count}"] += 1
        of = alike(known, asked)
        wanted = wanted_of(known, asked)
        count(counted, asked, [sum(c.holds(known, r) for r in of) for c in asked.criteria], len(of))
        counted["searches that find something" if wanted else "searches that find nothing"] += 1
        count_order(counted, asked, keys_of(known, asked, wanted))
        drawn = [random.choice(WAYS) for _ in range(8)]
        for record in records:
            found = through(record, query, bounds=cycle(drawn).__next__)
            if sorted(found) != sorted(wanted) or not in_order(asked, keys_of(known, asked, found)):
                differing.append(difference(record, known, asked, found, wanted))
    return differing


Write = tuple[int, Resource]


def writes(random: Random, resources: list[Resource], type: str) -> list[Write]:
    """Draw what others write meanwhile: new resources, other contents, deletions."""
    own = [(pid, r) for pid, r in enumerate(resources, 1) if r["resourceType"] == type]
    found: list[Write] = []
    for number in range(3):
        found.append((len(resources) + 1 + number, {**random.choice(own)[1], "id": f"n{number}"}))
    (pid, first), (gone, second) = random.choice(own), random.choice(own)
    found.append((pid, {**random.choice(own)[1], "id": first["id"]}))
    found.append((gone, {**second, "deleted": True}))
    random.shuffle(found)
    return found


def check_pages(records: Records, seed: int, counted: Counter[str]) -> list[str]:
    """Follow the pages of one search while others write.

    What nobody writes to, and matches all the time, is found once; nothing is found that never
    matches.
    """
    random = Random(seed)
    resources = world(random)
    known = World(resources, TERMS)
    asked = Searches(random, known).asked()
    done = writes(random, resources, asked.type)
    states, now = [wanted_of(known, asked)], {n: r for n, r in enumerate(resources, 1)}
    for pid, resource in done:
        now[pid] = resource
        state = World([now[n] for n in sorted(now)], TERMS, known.nodes)
        states.append(wanted_of(state, asked))
    touched = {resource["id"] for _, resource in done}
    differing = []
    for record in records:
        fill(record, resources)
        left = list(done)

        def write(record: Record = record, left: list[Write] = left) -> None:
            if left:
                keep(record, *left.pop(0))

        drawn = cycle([WAYS[(seed >> n) % len(WAYS)] for n in range(8)])
        query = replace(query_of(asked), count=1)
        found = through(record, query, write, bounds=drawn.__next__)
        met = states[: len(done) - len(left) + 1]
        always, ever = set(met[0]).intersection(*met), set(met[0]).union(*met)
        counted["pages while others write"] += len(done) - len(left)
        once = [id for id in found if id not in touched]
        if len(set(once)) < len(once) or always - touched - set(once) or set(found) - ever:
            differing.append(difference(record, known, asked, found, sorted(always)))
    return differing


EXAMPLES = 8
SEARCHES = 38
"""Of one world: 304 searches on each database."""

NIGHTLY_WORLDS = int(os.environ.get("PASSERELLE_ORACLE_WORLDS", "250"))
NIGHTLY_SEARCHES = 40
"""Of one world: 10,000 searches, each on both databases."""

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
def test_a_search_finds_what_a_look_at_every_resource_finds(records: Records, seed: int) -> None:
    differing = check(records, seed, SEARCHES, Counter())
    assert not differing, "\n\n".join(differing[:3])


@settings(LAW, max_examples=EXAMPLES)
@given(seeds)
def test_the_pages_of_a_search_miss_nothing_while_others_write(records: Records, seed: int) -> None:
    differing = check_pages(records, seed, Counter())
    assert not differing, "\n\n".join(differing[:3])


@pytest.mark.nightly
def test_many_searches_find_what_a_look_at_every_resource_finds(records: Records) -> None:
    """All that differs is told at the end, with what was asked how often."""
    counted: Counter[str] = Counter()
    differing: list[str] = []

    @settings(LAW, max_examples=NIGHTLY_WORLDS)
    @given(seeds)
    def law(seed: int) -> None:
        differing.extend(check(records, seed, NIGHTLY_SEARCHES, counted))
        differing.extend(check_pages(records, seed, counted))

    law()
    hits, empty = (counted[f"searches that find {it}"] for it in ("something", "nothing"))
    print(f"\n{hits + empty} searches on each of {len(records)} databases\n{report(counted)}")
    assert not differing, f"{len(differing)} differ\n\n" + "\n\n".join(differing[:5])
    assert hits > HITS_MIN * (hits + empty)
    assert not missing(counted), "never asked so that something is found: " + ", ".join(
        missing(counted)
    )
