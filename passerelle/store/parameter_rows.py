"""The statements on the table ``search_parameter``, the same on both databases."""

import re
from collections.abc import AsyncIterator
from functools import cache
from typing import Any, Literal, NamedTuple

from sqlalchemy import BigInteger, Text, bindparam, false, func, select

from passerelle.fhir.search.added_parameters import load
from passerelle.fhir.search.search_parameters import ANY, Parameter, added_id
from passerelle.store.caller import SYSTEM
from passerelle.store.rows import Rows
from passerelle.store.sql.compiling import Compiled, DialectName, compiled
from passerelle.store.upkeep.maintenance import Session

PAGE = 500
"""Definitions that are held at once."""

State = Literal["indexing", "ready", "clearing", "gone"]


class AddedRow(NamedTuple):
    """One parameter that was added. ``clearing``: it is no longer there, but rows of it are."""

    number: int
    type: str
    code: str
    kind: str
    url: str
    definition: bytes
    state: State
    place: int  # pid from which old resources are still to be indexed
    done: int
    total: int
    at: int  # when it was added, or ended: microseconds since 1970 UTC

    @property
    def percent(self) -> int:
        """Give how much of old data is indexed; 99 at most before it is ready."""
        if self.state == "ready":
            return 100
        return min(99, 100 * self.done // max(self.total, 1))


_STAMPS: dict[DialectName, str] = {
    "sqlite": "SELECT coalesce(sum(moves), 0) FROM search_parameter",
    "postgresql": "SELECT coalesce(pg_sequence_last_value('parameter_stamp'::regclass), 0)",
}
"""On PostgreSQL a sequence: its value is the one of now, whatever the snapshot of a statement."""

_BUMPS: dict[DialectName, str] = {
    "sqlite": "SELECT 1",  # the moves say it
    "postgresql": "SELECT nextval('parameter_stamp')",
}
_COLUMNS = ", ".join(AddedRow._fields)
_TEXTS = {
    "all": f"SELECT {_COLUMNS} FROM search_parameter ORDER BY number",
    "move": "UPDATE search_parameter SET state = :state, moves = moves + 1 WHERE number = :number",
    "end": "UPDATE search_parameter SET state = 'clearing', at = :at, moves = moves + 1 "
    "WHERE number = :number",
    "add": f"INSERT INTO search_parameter ({_COLUMNS}, moves) VALUES (:number, :type, :code, "
    ":kind, :url, :definition, 'indexing', :place, 0, :total, :at, 1)",
    "on": "UPDATE search_parameter SET place = :place, done = done + :done WHERE number = :number",
}
"""By name; arguments are spelled ``:name``."""


@cache
def text(name: str, dialect: DialectName) -> Compiled:
    """Give a statement of the table by its name."""
    sql = {"stamp": _STAMPS, "bump": _BUMPS}.get(name, {}).get(dialect) or _TEXTS[name]
    return spelled(sql, dialect)


def spelled(sql: str, dialect: DialectName) -> Compiled:
    """Give a text whose arguments are spelled ``:name`` as its driver wants it."""
    names: list[str] = []

    def mark(match: re.Match[str]) -> str:
        names.append(match[1])
        return "?" if dialect == "sqlite" else f"${len(names)}"

    marked = re.sub(r"(?<!:):([a-z]+)\b", mark, sql)
    return Compiled(marked, tuple(names), {})


async def run(session: Session, name: str, **values: Any) -> list[tuple[Any, ...]]:
    """Run a statement of the table in the transaction of a session."""
    return await session.rows(text(name, session.dialect), **values)


async def all_rows(session: Session) -> list[AddedRow]:
    """Give every row in the order of the numbers."""
    return [AddedRow(*row) for row in await run(session, "all")]


async def definitions(session: Session, type: str) -> AsyncIterator[tuple[str, bytes]]:
    """Give the ids and bodies of all resources of a type, not deleted, in the order of pids."""
    low = -(1 << 62)
    while True:
        page = await session.rows(_bodies(session.dialect), type=type, low=low, count=PAGE)
        for _, id, body in page:
            yield id, body
        if len(page) < PAGE:
            return
        low = page[-1][0]


async def total_of(session: Session, type: str) -> int:
    """Give how many resources there are of a type, or of all types."""
    found = await session.rows(_count(type == ANY, session.dialect), type=type)
    return int(found[0][0])


@cache
def _bodies(dialect: DialectName) -> Compiled:
    rows = Rows(SYSTEM)
    head, version = rows.resource.c, rows.version.c
    statement = (
        select(head.pid, head.id, version.body)
        .join_from(rows.resource, rows.version, version.seq == head.seq)
        .where(
            head.type == bindparam("type", type_=Text),
            head.deleted.is_(false()),
            head.pid > bindparam("low", type_=BigInteger),
        )
        .order_by(head.pid)
        .limit(bindparam("count", type_=BigInteger))
    )
    return compiled(statement, dialect)


@cache
def _count(every: bool, dialect: DialectName) -> Compiled:
    head = Rows(SYSTEM).resource
    statement = select(func.count()).select_from(head)
    if not every:
        statement = statement.where(head.c.type == bindparam("type", type_=Text))
    return compiled(statement, dialect)


def parameter_of(row: AddedRow) -> Parameter:
    """Give the parameter of a row, under the id of its number."""
    found = load(row.definition)
    return found._replace(id=added_id(row.number, found.kind))
