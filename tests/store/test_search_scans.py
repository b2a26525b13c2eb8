"""No search goes through a table that may be large: both databases are asked how they would.

Left out, since no index can help: what is denied or missing alone, words within a text
(``:contains``), dates open at their end, and what comes last in a sorted search because it has no
value to sort by. They are bounded by the type, and by the time a statement may take.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from passerelle.fhir.search.search_parameters import parameters
from passerelle.store.caller import SYSTEM
from passerelle.store.search_sql.search import (
    Statement,
    count_statement,
    includes_statement,
    matching_statement,
)
from passerelle.store.search_sql.search_paging import asked_page, page_statements
from tests.store.search_records import Record, ask, clear, record

__all__ = ["record"]

PATIENTS = 3_000
DAY = 86_400_000_000
LARGE = ("resource", "version", "token", "string", "reference", "date")
SHAPES = [
    ("Patient", ()),
    ("Patient", (("_sort", "-_lastUpdated"),)),
    ("Patient", (("_lastUpdated", "gt2026-01-01"), ("_sort", "_lastUpdated"))),
    ("Patient", (("_id", "p7"),)),
    ("Patient", (("_id", "p7,p8,p9"),)),
    ("Patient", (("identifier", "urn:a|7"),)),
    ("Patient", (("identifier", "urn:a|7,urn:a|8"),)),
    ("Patient", (("identifier", "7"),)),
    ("Patient", (("family", "dup"),)),
    ("Patient", (("family", "dup"), ("gender", "male"))),
    ("Patient", (("family:exact", "Dup7"),)),
    ("Patient", (("gender", "male"),)),
    ("Patient", (("birthdate", "1950-01-07"),)),
    ("Patient", (("birthdate", "1950-01-07"), ("gender", "male"), ("_sort", "birthdate"))),
    ("Patient", (("identifier", "urn:a|7"), ("_sort", "family"))),
    ("Patient", (("_sort", "family"),)),
    ("Patient", (("_sort", "-birthdate"),)),
    ("Patient", (("_has:Task:patient:identifier", "urn:t|7"),)),
    ("Task", (("patient", "Patient/p7"),)),
    ("Task", (("patient", "p7"),)),
    ("Task", (("patient.identifier", "urn:a|7"),)),
    ("Task", (("patient.family", "dup7"),)),
    ("Task", (("patient", "Patient/p7"), ("status", "requested"))),
]


def filled(record: Record) -> None:
    """Keep patients, each with a task."""
    clear(record)
    of, task = parameters("Patient"), parameters("Task")
    every = range(1, PATIENTS + 1)
    pairs = [(n, "Patient", f"p{n}") for n in every]
    pairs += [(PATIENTS + n, "Task", f"t{n}") for n in every]
    deleted: Any = 0 if record.dialect == "sqlite" else False
    record.execute(
        "INSERT INTO resource (pid, type, id, version, seq, updated, deleted, digest)"
        " VALUES (?, ?, ?, 1, ?, ?, ?, ?)",
        [(pid, type, id, pid, pid, deleted, b"") for pid, type, id in pairs],
    )
    record.execute(
        "INSERT INTO version (seq, pid, version, method, at, tx, author, body)"
        " VALUES (?, ?, 1, 'PUT', ?, 1, '', ?)",
        [(pid, pid, pid, b"{}" * 500) for pid, _, _ in pairs],
    )
    identifiers = [(of["identifier"].id, str(n), "urn:a", n) for n in every]
    identifiers += [(task["identifier"].id, str(n), "urn:t", PATIENTS + n) for n in every]
    genders = [(of["gender"].id, ("male", "female")[n % 2], "", n) for n in every]
    states = [(task["status"].id, "requested", "", PATIENTS + n) for n in every]
    tokens = identifiers + genders + states
    record.execute("INSERT INTO token (param, value, system, pid) VALUES (?, ?, ?, ?)", tokens)
    names = [
        (of[code].id, f"dup{n}", f"Dup{n}", n)
        for code in ("family", "name", "given")
        for n in every
    ]
    record.execute("INSERT INTO string (param, norm, exact, pid) VALUES (?, ?, ?, ?)", names)
    days = [(of["birthdate"].id, n * DAY, n * DAY + DAY, n) for n in every]
    record.execute("INSERT INTO date (param, low, high, pid) VALUES (?, ?, ?, ?)", days)
    links = [(task["patient"].id, "Patient", f"p{n}", PATIENTS + n) for n in every]
    record.execute("INSERT INTO reference (param, type, id, pid) VALUES (?, ?, ?, ?)", links)
    if record.dialect == "postgresql":
        for table in LARGE:
            record.rows(f'ANALYZE "{table}"', ())


@pytest.fixture(scope="module")
def large(record: Record) -> Iterator[Record]:
    filled(record)
    yield record
    clear(record)


def scans(record: Record, statement: Statement) -> list[str]:
    """Give the steps by which a statement would go through a table from one end to the other."""
    if record.dialect == "sqlite":
        sql, args = statement
        steps = [row[3] for row in record.rows("EXPLAIN QUERY PLAN " + sql, args)]
        return [
            step
            for step in steps
            if step.startswith("SCAN") and "VIRTUAL TABLE" not in step and step not in MADE
        ]
    return unbounded(plan_on_postgresql(record, statement))


MADE = ("SCAN page", "SCAN keyed", "SCAN CONSTANT ROW")
"""What a statement has gathered by itself."""


def plan_on_postgresql(record: Record, statement: Statement) -> dict[str, Any]:
    """Give the plan that is kept for a statement.

    These tables are small: going through them is made dear, so that it is done where there is no
    other way.
    """
    nulls = ", ".join("NULL" for _ in statement.args)
    record.rows("SET plan_cache_mode = force_generic_plan", ())
    record.rows("SET enable_seqscan = off", ())
    record.rows(f"PREPARE asked AS {statement.sql}", ())
    call = f"EXECUTE asked({nulls})" if nulls else "EXECUTE asked"
    try:
        found = json.loads(record.rows(f"EXPLAIN (FORMAT JSON) {call}", ())[0][0])
    finally:
        record.rows("DEALLOCATE asked", ())
    plan: dict[str, Any] = found[0]["Plan"]
    return plan


def unbounded(plan: dict[str, Any]) -> list[str]:
    """Give the scans of whole tables, and those of whole indexes that no LIMIT stops."""
    waiting: list[tuple[dict[str, Any], bool]] = [(plan, False)]
    seen = []
    while waiting:
        node, stops = waiting.pop()
        kind = node["Node Type"]
        stops = (stops or kind == "Limit") and kind not in ("Sort", "Hash", "Aggregate")
        waiting += [(inner, stops) for inner in node.get("Plans", ())]
        whole = kind in ("Index Scan", "Index Only Scan") and "Index Cond" not in node
        if kind == "Seq Scan" or (whole and not stops):
            seen.append(f"{kind} {node['Relation Name']}")
    return seen


@pytest.mark.parametrize(("type", "pairs"), SHAPES)
def test_a_search_goes_through_no_large_table(
    large: Record, type: str, pairs: tuple[tuple[str, str], ...]
) -> None:
    query = ask(type, *pairs, ("_count", "10"))
    statement = next(page_statements(asked_page(query, SYSTEM, large.dialect, secret=b"s")))
    assert scans(large, statement) == []
    assert scans(large, matching_statement(query, SYSTEM, large.dialect, limit=2)) == []
    if pairs and "_sort" not in dict(pairs):
        count = count_statement(query, SYSTEM, large.dialect)
        assert scans(large, count) == []


def test_inclusions_go_through_no_large_table(large: Record) -> None:
    along = ask("Task", ("_include", "Task:patient")).includes
    against = ask("Patient", ("_revinclude", "Task:patient")).rev_includes
    statement = includes_statement(along, "along", [1], SYSTEM, large.dialect)
    assert scans(large, statement) == []
    statement = includes_statement(against, "against", [1], SYSTEM, large.dialect)
    assert scans(large, statement) == []
