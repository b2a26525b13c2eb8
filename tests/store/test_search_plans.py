"""The indexes that searches use on SQLite, and the texts that are kept."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from passerelle.fhir.search.query import Query, parse
from passerelle.store import schema
from passerelle.store.caller import SYSTEM
from passerelle.store.search_sql.search import Statement, includes_statement
from passerelle.store.search_sql.search_paging import asked_page, page_statements
from passerelle.store.search_sql.search_shape import (
    ClauseShape,
    Group,
    QueryShape,
    query_shape,
)
from passerelle.store.search_sql.search_statement import PLANS_MAX, plan_of


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    path: Path = tmp_path_factory.mktemp("plans") / "record.db"
    engine = create_engine(f"sqlite:///{path}")
    schema.metadata.create_all(engine)
    engine.dispose()
    opened = sqlite3.connect(path)
    yield opened
    opened.close()


def ask(type: str, *pairs: tuple[str, str]) -> Query:
    return parse(type, pairs, strict=True)


def explained(connection: sqlite3.Connection, sql: str, args: tuple[object, ...]) -> list[str]:
    return [row[3] for row in connection.execute("EXPLAIN QUERY PLAN " + sql, args)]


def statement(query: Query) -> Statement:
    return next(page_statements(asked_page(query, SYSTEM, "sqlite", secret=b"s")))


def plan(connection: sqlite3.Connection, query: Query) -> list[str]:
    return explained(connection, *statement(query))


BY_KEY = "SEARCH resource USING INTEGER PRIMARY KEY (rowid=?)"
BODY = "SEARCH version USING INTEGER PRIMARY KEY (rowid=?)"


def test_a_whole_key_goes_from_its_index_to_the_body_without_a_sort(
    connection: sqlite3.Connection,
) -> None:
    token = "SEARCH t0 USING PRIMARY KEY (param=? AND value=? AND system=?)"
    assert plan(connection, ask("Patient", ("identifier", "a|b"))) == [token, BY_KEY, BODY]
    assert plan(connection, ask("Patient", ("gender", "male"))) == [token, BY_KEY, BODY]
    assert plan(connection, ask("CareTeam", ("patient", "Patient/1"))) == [
        "SEARCH t0 USING PRIMARY KEY (param=? AND type=? AND id=?)",
        BY_KEY,
        BODY,
    ]


def test_a_type_alone_is_gone_through_in_the_order_of_pids(connection: sqlite3.Connection) -> None:
    assert plan(connection, ask("Patient")) == [
        "SEARCH resource USING INDEX resource_type_pid (type=?)",
        BODY,
    ]
    assert plan(connection, ask("Patient", ("_sort", "-_lastUpdated"))) == [
        "SEARCH resource USING INDEX resource_type_updated (type=?)",
        BODY,
    ]


@pytest.mark.parametrize(
    ("type", "name", "text", "key"),
    [
        ("Patient", "identifier", "b", "param=? AND value=?"),
        ("Patient", "identifier", "a|b,c|d", "param=? AND value=? AND system=?"),
        ("Patient", "identifier", "a|b,c", "param=? AND value=? AND system=?"),
        ("Patient", "family", "dup", "param=? AND norm>? AND norm<?"),
        ("Patient", "family", "dup,mar", "param=? AND norm>? AND norm<?"),
        ("Patient", "family:exact", "D", "param=? AND norm=? AND exact=?"),
        ("Patient", "birthdate", "1979", "param=? AND low>? AND low<?"),
        ("Patient", "birthdate", "1979,ge2000", "param=? AND low>? AND low<?"),
        ("Task", "subject", "Patient/1,Patient/2", "param=? AND type=? AND id=?"),
        ("Patient", "general-practitioner", "1", "param=? AND type=? AND id=?"),
    ],
)
def test_what_is_asked_is_looked_up_in_its_index(
    connection: sqlite3.Connection, type: str, name: str, text: str, key: str
) -> None:
    steps = plan(connection, ask(type, (name, text)))
    assert any(step.endswith(f"USING PRIMARY KEY ({key})") for step in steps), steps
    assert {step for step in steps if step.startswith("SCAN")} <= {"SCAN page", "SCAN CONSTANT ROW"}


def test_a_beginning_is_gone_along_in_the_order_of_its_index_and_on_from_a_place(
    connection: sqlite3.Connection,
) -> None:
    shape = query_shape(ask("Patient", ("family", "dup"), ("gender", "male")), "page", [])
    for after, key in (
        (None, "param=? AND norm>? AND norm<?"),
        ((False, False), "param=? AND (norm,exact,pid)>(?,?,?) AND norm<?"),
    ):
        made = plan_of(shape._replace(phase="range", after=after), SYSTEM, "sqlite")
        steps = explained(connection, made.sql, ("1",) * len(made.places))
        of_range = [step for step in steps if step.startswith("SEARCH t0")]
        assert of_range == [f"SEARCH t0 USING PRIMARY KEY ({key})"]
        assert not [step for step in steps if "ORDER BY" in step]


def test_a_year_drives_rather_than_a_gender_and_a_gender_rather_than_all_since_a_year(
    connection: sqlite3.Connection,
) -> None:
    year = plan(connection, ask("Patient", ("gender", "male"), ("birthdate", "1979")))
    assert any(step.endswith("USING PRIMARY KEY (param=? AND low>? AND low<?)") for step in year)
    since = plan(connection, ask("Patient", ("birthdate", "ge1979"), ("gender", "male")))
    assert any(step.endswith("PRIMARY KEY (param=? AND value=? AND system=?)") for step in since)
    assert not [step for step in since if "ORDER BY" in step]


def test_ids_are_looked_up_by_type_and_id(connection: sqlite3.Connection) -> None:
    step = "SEARCH resource USING INDEX resource_type_id (type=? AND id=?)"
    assert step in plan(connection, ask("Patient", ("_id", "1")))
    assert step in plan(connection, ask("Patient", ("_id", "1,2")))


def test_a_second_criterion_is_looked_up_by_pid(connection: sqlite3.Connection) -> None:
    steps = plan(connection, ask("Patient", ("identifier", "a|b"), ("gender", "male")))
    assert (
        "SEARCH t1 USING COVERING INDEX token_pid (pid=? AND param=? AND value=? AND system=?)"
        in steps
    )


def test_a_chain_is_followed_from_its_end(connection: sqlite3.Connection) -> None:
    steps = plan(connection, ask("CareTeam", ("patient.identifier", "a|b")))
    end = steps.index("SEARCH t0 USING PRIMARY KEY (param=? AND value=? AND system=?)")
    assert steps[end + 1 : end + 3] == [
        "SEARCH t2 USING INTEGER PRIMARY KEY (rowid=?)",
        "SEARCH t1 USING PRIMARY KEY (param=? AND type=? AND id=?)",
    ]


def test_inclusions_are_looked_up_from_the_page(connection: sqlite3.Connection) -> None:
    along = ask("Task", ("_include", "Task:patient")).includes
    against = ask("Patient", ("_revinclude", "Task:patient")).rev_includes
    steps = explained(connection, *includes_statement(along, "along", [1], SYSTEM, "sqlite"))
    assert "SEARCH t0 USING COVERING INDEX reference_pid (pid=? AND param=?)" in steps
    steps = explained(connection, *includes_statement(against, "against", [1], SYSTEM, "sqlite"))
    assert "SEARCH t0 USING PRIMARY KEY (param=? AND type=? AND id=?)" in steps


def test_one_text_serves_all_searches_of_a_shape() -> None:
    one = statement(ask("Patient", ("identifier", "a|b")))
    other = statement(ask("Patient", ("identifier", "c|d"), ("_count", "3")))
    assert one.sql is other.sql
    assert one.args != other.args
    three = statement(ask("Patient", ("_id", "1,2,3")))
    four = statement(ask("Patient", ("_id", "1,2,3,4")))
    assert three.sql is four.sql


def test_the_texts_that_are_kept_are_bounded() -> None:
    from passerelle.store.search_sql import search_statement

    for size in range(PLANS_MAX + 10):
        search_statement.keep((size, "sqlite", "test"), search_statement.Plan("", (), {}))
    assert len(search_statement._PLANS) <= PLANS_MAX
    shape = QueryShape("count", (ClauseShape((111,), "", (Group((True, True), 1),)),))
    assert plan_of(shape, SYSTEM, "sqlite").sql
