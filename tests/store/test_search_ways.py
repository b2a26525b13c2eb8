"""The ways to a page of a wide search: what is counted, walked and gathered, on both databases.

3,000 patients are more than are gathered at once: a wide criterion is one here.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from passerelle.fhir.search.search_parameters import parameters
from passerelle.fhir.search.single_values import is_point, is_single_date
from passerelle.store.caller import SYSTEM
from passerelle.store.search_sql.search import Statement
from passerelle.store.search_sql.search_paging import BOUNDS, Bounds, asked_page, page_rows
from tests.store.search_records import Record, ask, clear, record
from tests.store.test_search_scans import filled, scans

__all__ = ["record"]

GATHERED = Bounds(1 << 40, 1)
"""All that satisfies what drives is gathered, always."""

WIDE = [
    ("Patient", (("gender", "male"), ("_sort", "family"))),
    ("Patient", (("gender", "male"), ("_sort", "-birthdate"))),
    ("Patient", (("gender", "male"), ("_sort", "-_lastUpdated"))),
    ("Patient", (("gender", "male,female"),)),
    ("Patient", (("gender", "male,female"), ("_sort", "-birthdate"))),
    ("Patient", (("family", "dup1,dup2"),)),
    ("Patient", (("family", "dup1,dup2"), ("_sort", "birthdate"))),
    ("Patient", (("birthdate", "ge1960"),)),
    ("Patient", (("birthdate", "ge1960"), ("_sort", "family"))),
    ("Patient", (("birthdate", "ge1960"), ("_sort", "birthdate"))),
    ("Patient", (("birthdate", "ge1960"), ("gender", "male"), ("_sort", "-birthdate"))),
    ("Patient", (("gender", "male"), ("_sort", "death-date"))),
    ("Patient", (("_has:Task:patient:status", "requested"),)),
    ("Patient", (("_has:Task:patient:status", "requested"), ("_sort", "birthdate"))),
    ("Task", (("patient.gender", "male"),)),
    ("Task", (("patient.family", "dup"), ("_sort", "_lastUpdated"))),
    ("Task", (("_lastUpdated", "ge1969"),)),
]
FEW = [
    ("Patient", (("gender", "female"), ("birthdate", "1970-02-01"), ("_sort", "-family"))),
    ("Patient", (("gender", "other"), ("_sort", "family"))),
    ("Task", (("_lastUpdated", "gt2030"), ("status", "requested"))),
]


@pytest.fixture(scope="module")
def large(record: Record) -> Iterator[Record]:
    filled(record)
    yield record
    clear(record)


def page_of(
    record: Record, asked: tuple[str, tuple[tuple[str, str], ...]], bounds: Bounds
) -> tuple[list[Any], list[Statement]]:
    """Give the ids of the first ten matches, and the statements that found them."""
    type, pairs = asked
    page = asked_page(ask(type, *pairs, ("_count", "10")), SYSTEM, record.dialect, secret=b"s")
    done: list[Statement] = []

    async def run(sql: str, args: tuple[Any, ...]) -> Sequence[Sequence[Any]]:
        done.append(Statement(sql, args))
        return record.rows(sql, args)

    work = page_rows(run, page, bounds)
    try:
        work.send(None)
    except StopIteration as end:
        return [row[1] for row in end.value][:10], done
    raise AssertionError("the search waited for something else than its statements")


@pytest.mark.parametrize("asked", WIDE)
def test_a_wide_search_is_looked_for_in_its_order_and_gathers_nothing(
    large: Record, asked: tuple[str, tuple[tuple[str, str], ...]]
) -> None:
    found, statements = page_of(large, asked, BOUNDS)
    assert len(found) == 10
    assert " AS walk" in statements[-1].sql
    for statement in statements:
        assert [step for step in scans(large, statement) if not is_made(step)] == []
    assert found == page_of(large, asked, GATHERED)[0]


@pytest.mark.parametrize("asked", FEW)
def test_what_leaves_few_is_gathered_once_it_was_counted(
    large: Record, asked: tuple[str, tuple[tuple[str, str], ...]]
) -> None:
    found, statements = page_of(large, asked, BOUNDS)
    assert len(statements) == 2
    assert " AS walk" not in statements[-1].sql
    assert found == page_of(large, asked, GATHERED)[0]


def test_a_walk_that_meets_too_few_gives_way_to_what_is_gathered(large: Record) -> None:
    asked = ("Patient", (("gender", "male"), ("identifier", "urn:a|"), ("_sort", "family")))
    found, statements = page_of(large, asked, Bounds(10, 5))
    assert len(statements) == 4
    assert found == page_of(large, asked, GATHERED)[0]


def test_one_patient_or_an_identifier_is_not_counted(large: Record) -> None:
    for type, pairs in (
        ("Task", (("patient", "Patient/p7"), ("_sort", "-authored-on"))),
        ("Patient", (("identifier", "urn:a|7"), ("_sort", "family"))),
        ("Patient", (("_id", "p7"), ("gender", "male"))),
        ("Task", (("patient.identifier", "urn:a|7"), ("status", "requested"))),
    ):
        assert len(page_of(large, (type, pairs), BOUNDS)[1]) == 1


def is_made(step: str) -> bool:
    """Tell whether a step of SQLite goes through what the statement has gathered, bounded."""
    return step in ("SCAN walk", "SCAN counted", "SCAN CONSTANT ROW")


def test_what_r4_says_of_elements_tells_which_dates_are_one() -> None:
    of = {type: parameters(type) for type in ("Patient", "Encounter", "Observation", "CareTeam")}
    assert is_point(of["Patient"]["birthdate"].id)
    assert is_single_date(of["Encounter"]["date"].id)
    assert not is_point(of["Encounter"]["date"].id)
    assert is_single_date(of["Observation"]["date"].id)
    assert not is_single_date(of["Encounter"]["location-period"].id)
    assert not is_single_date(of["Patient"]["family"].id)
    assert not is_single_date(of["Patient"]["death-date"].id)
