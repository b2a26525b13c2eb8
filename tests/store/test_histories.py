"""Histories on each database: every page of every shape, and the plans they run by."""

import sqlite3
from collections.abc import Sequence
from typing import Any

import pytest

from passerelle.errors.refusals import Invalid
from passerelle.fhir.history_query import HistoryQuery
from passerelle.fhir.resource import Key
from passerelle.fhir.search.date_interval import Interval
from passerelle.store.caller import SYSTEM, Caller
from passerelle.store.contract import Delete, Mark, Put, Store, Unit, Version
from passerelle.store.sql.history_statements import HistoryShape, page_statement
from passerelle.store.sql.statements import to_version

pytestmark = pytest.mark.anyio


async def filled(store: Store, draft: Any) -> list[Version]:
    """Write some versions of some resources; give them in the order of the feed."""
    made: list[Version] = []
    for number in range(24):
        name, type_ = f"r{number % 5}", ("Patient", "Task", "Patient")[number % 3]
        writes: tuple[Any, ...] = (Put(draft(name, type=type_, number=number)),)
        if number % 7 == 6:
            writes = (Delete(Key(type_, name)), Put(draft(f"more{number}", type="Basic")))
        outcomes = await store.commit(Unit(writes=writes), SYSTEM)
        made += [each.version for each in outcomes if each.version and each.action != "absent"]
    unique = {version.seq: version for version in made}
    return sorted(unique.values(), key=lambda version: (version.at, version.seq))


async def all_pages(store: Store, query: HistoryQuery) -> list[Version]:
    """Follow a history to its end."""
    found: list[Version] = []
    cursor: str | None = None
    while True:
        page = await store.past(
            HistoryQuery(
                query.type,
                query.id,
                query.since,
                query.current,
                query.ascending,
                query.count,
                cursor=cursor,
            ),
            SYSTEM,
        )
        found += page.versions
        cursor = page.next
        if cursor is None:
            return found


def expected(made: Sequence[Version], query: HistoryQuery) -> list[int]:
    """Give the ``seq`` of what a history holds, by going through everything."""
    found = []
    for version in made:
        following = [
            v.at for v in made if v.key == version.key and v.version == version.version + 1
        ]
        low, high = query.current or (0, 1 << 62)
        if (
            query.type in (None, version.key.type)
            and query.id in (None, version.key.id)
            and version.at >= (query.since or 0)
            and version.at < high
            and all(at > low for at in following)
        ):
            found.append(version.seq)
    return found if query.ascending else found[::-1]


@pytest.mark.parametrize("count", [1, 3, 100])
async def test_every_shape_of_history_is_what_a_look_at_everything_gives(store, draft, count):
    made = await filled(store, draft)
    middle = made[len(made) // 2].at
    for type_, id_ in ((None, None), ("Patient", None), ("Task", None), ("Patient", "r0")):
        for since in (None, middle):
            for current in (None, Interval(middle, middle + 1), Interval(made[3].at, middle)):
                for ascending in (False, True):
                    query = HistoryQuery(type_, id_, since, current, ascending, count)
                    if count == 100:
                        page = await store.past(query, SYSTEM)
                        assert page.total == len(page.versions)
                    found = await all_pages(store, query)
                    assert [v.seq for v in found] == expected(made, query), query


async def test_the_feed_of_changes_goes_on_from_any_mark(store, draft):
    made = await filled(store, draft)
    for index, version in enumerate(made):
        mark = Mark(version.at, version.seq)
        found = await store.changes(SYSTEM, after=mark, limit=4)
        assert list(found) == made[index + 1 : index + 5]


async def test_a_cursor_is_of_one_history_and_one_caller(store, draft):
    await filled(store, draft)
    page = await store.past(HistoryQuery("Patient", count=1), SYSTEM)
    for query, caller in (
        (HistoryQuery("Task", cursor=page.next), SYSTEM),
        (HistoryQuery(cursor=page.next), SYSTEM),
        (HistoryQuery("Patient", ascending=True, cursor=page.next), SYSTEM),
        (HistoryQuery("Patient", "r0", cursor=page.next), SYSTEM),
        (HistoryQuery("Patient", cursor=page.next), Caller("another")),
        (HistoryQuery("Patient", cursor=f"{page.next}A"), SYSTEM),
    ):
        with pytest.raises(Invalid) as refusal:
            await store.past(query, caller)
        assert refusal.value.issues[0].rule == "search.cursor-invalid"


@pytest.fixture
def file(store, sqlite_database_url):
    connection = sqlite3.connect(sqlite_database_url.removeprefix("sqlite:///"))
    yield connection
    connection.close()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("ascending", [False, True])
@pytest.mark.parametrize("since", [False, True])
async def test_a_type_is_gathered_or_walked_with_one_outcome(store, draft, file, ascending, since):
    made = await filled(store, draft)
    found, plans = [], []
    for gathered in (False, True):
        shape = HistoryShape("type", gathered, ascending, since, after=True)
        statement = page_statement(SYSTEM, shape, "sqlite")
        place = made[0 if ascending else -1]
        args = statement.args(
            type="Patient", since=made[4].at, place=place.at, place_seq=place.seq, limit=9
        )
        found.append([to_version(row) for row in file.execute(statement.sql, args)])
        plan = file.execute("EXPLAIN QUERY PLAN " + statement.sql, args)
        plans.append(" ".join(row[3] for row in plan))
    assert found[0] == found[1] != []
    assert "version_at" in plans[0]
    assert "TEMP B-TREE" not in plans[0]
    assert "resource_type" in plans[1]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("level", ["system", "instance"])
@pytest.mark.parametrize("after", [False, True])
async def test_a_history_comes_in_its_order_without_being_sorted(store, file, level, after):
    statement = page_statement(SYSTEM, HistoryShape(level, after=after), "sqlite")
    given = {"type": "Patient", "id": "x", "place": 1, "place_seq": 1, "limit": 10}
    plan = file.execute("EXPLAIN QUERY PLAN " + statement.sql, statement.args(**given))
    told = " ".join(row[3] for row in plan)
    assert "TEMP B-TREE" not in told
    assert ("version_at" if level == "system" else "version_pid_version") in told
