"""Indexing old resources by parameters that were added, some at a time; clearing those of others.

A step is one transaction that keeps the writers of its resources away; where it ended is noted in
the same transaction, so a step that was cut off is done again and one that was done is not.
"""

from functools import cache
from typing import Any, Literal

from sqlalchemy import BigInteger, FromClause, Select, Text, bindparam, func, select

from passerelle.fhir import json_text
from passerelle.fhir.resource import Key
from passerelle.fhir.search.extraction import extract_added
from passerelle.fhir.search.registry import Added, Registry
from passerelle.fhir.search.search_parameters import ANY
from passerelle.store.caller import SYSTEM
from passerelle.store.parameter_rows import AddedRow, all_rows, parameter_of, run, spelled
from passerelle.store.rows import Rows
from passerelle.store.sql.compiling import Compiled, DialectName, compiled
from passerelle.store.sql.index_tables import INDEX_TABLES, cells_by_table
from passerelle.store.upkeep.maintenance import Session

PID_MIN = -(1 << 62)
PID_MAX = 1 << 62
"""The place of what has been gone through."""

REST_MICROSECONDS = 60_000_000
"""Rows of what has ended stay so long: another process may not have heard of it yet."""

BYTES_MAX = 4_000_000
"""Bodies that are read in one step, unless the first one alone is larger."""

CLEARED = 1_000
"""Resources whose rows of a parameter are cleared in one step."""

Done = Literal["nothing", "more", "finish"]


async def step(session: Session, count: int, now: int) -> Done:
    """Do the next step: of indexing first, then of clearing. ``finish``: all is gone through."""
    rows = await all_rows(session)
    indexing = [row for row in rows if row.state == "indexing"]
    behind = [row for row in indexing if row.place < PID_MAX]
    if behind:
        first = behind[0]
        # Those that were added together go together.
        alike = [row for row in behind if (row.type, row.place) == (first.type, first.place)]
        await _index(session, alike, count)
        return "more"
    if indexing:
        return "finish"
    for row in rows:
        if row.state == "clearing" and row.at + REST_MICROSECONDS <= now:
            await _clear(session, row)
            return "more"
    return "nothing"


async def finish(session: Session) -> bool:
    """Make ready what has been gone through; tell whether anything was. To be done alone."""
    done = [
        row for row in await all_rows(session) if row.state == "indexing" and row.place == PID_MAX
    ]
    for row in done:
        await run(session, "move", state="ready", number=row.number)
    return bool(done)


async def _index(session: Session, rows: list[AddedRow], count: int) -> None:
    """Index the next resources of the type by some parameters that stand at one place."""
    low, every = rows[0].place, rows[0].type == ANY
    asked = {"type": rows[0].type, "low": low, "count": count}
    found = await session.rows(_keys(every, session.dialect), **asked)
    heads = _within(found)
    if heads:
        await session.hold([Key(type, id) for _, type, id, _ in heads])
        asked["count"] = len(heads)
        registry = Registry(added=[Added(parameter_of(row), ready=False) for row in rows])
        made = {
            pid: extract_added(json_text.decode(body), registry)
            for pid, body in await session.rows(_bodies(every, session.dialect), **asked)
            if body is not None
        }
        for kind, cells in cells_by_table(made):
            await session.insert(kind.table.name, (*kind.columns, "pid"), cells)
    ended = len(found) < count and len(heads) == len(found)
    place = PID_MAX if ended else heads[-1][0] + 1
    for row in rows:
        await run(session, "on", place=place, done=len(heads), number=row.number)


def _within(heads: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Give the first of them, whose bodies are not too much together."""
    total = 0
    for number, (*_, size) in enumerate(heads):
        total += size or 0
        if total > BYTES_MAX and number:
            return heads[:number]
    return heads


async def _clear(session: Session, row: AddedRow) -> None:
    """Clear some rows of a parameter; when none are left it is gone."""
    param = parameter_of(row).id
    left = False
    for kind in INDEX_TABLES:
        for one in (param, -param):
            found = await session.rows(_next(kind.table.name, session.dialect), param=one)
            if found:
                left = True
                pids = sorted({pid for (pid,) in found})
                await _delete(session, kind.table.name, one, pids)
    if not left:
        await run(session, "move", state="gone", number=row.number)


async def _delete(session: Session, table: str, param: int, pids: list[int]) -> None:
    sql = f'DELETE FROM "{table}" WHERE param = :param AND pid = :pid'
    statement = spelled(sql, session.dialect)
    for pid in pids:
        await session.rows(statement, param=param, pid=pid)


@cache
def _next(table: str, dialect: DialectName) -> Compiled:
    sql = f'SELECT pid FROM "{table}" WHERE param = :param LIMIT {CLEARED}'
    return spelled(sql, dialect)


@cache
def _keys(every: bool, dialect: DialectName) -> Compiled:
    """Give pid, type, id, size of the next resources of a type, deleted ones included."""
    rows = Rows(SYSTEM)
    head, version = rows.resource, rows.version
    size = (
        func.octet_length(version.c.body)
        if dialect == "postgresql"
        else func.length(version.c.body)
    )
    statement = select(head.c.pid, head.c.type, head.c.id, size).join_from(
        head, version, version.c.seq == head.c.seq
    )
    return compiled(_from(statement, head, every), dialect)


@cache
def _bodies(every: bool, dialect: DialectName) -> Compiled:
    rows = Rows(SYSTEM)
    statement = select(rows.resource.c.pid, rows.version.c.body).join_from(
        rows.resource, rows.version, rows.version.c.seq == rows.resource.c.seq
    )
    return compiled(_from(statement, rows.resource, every), dialect)


def _from(statement: Select[Any], head: FromClause, every: bool) -> Select[Any]:
    """Bound a statement to the next resources in the order of their pids."""
    if not every:
        statement = statement.where(head.c.type == bindparam("type", type_=Text))
    return (
        statement.where(head.c.pid >= bindparam("low", type_=BigInteger))
        .order_by(head.c.pid)
        .limit(bindparam("count", type_=BigInteger))
    )
