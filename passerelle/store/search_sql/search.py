"""Searches of the record: `GET [base]/[type]?…` to rows, a page at a time.

https://hl7.org/fhir/R4/http.html#search . The drivers are not known here: the store that runs a
search hands in the function that runs a text with its arguments.
"""

import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

from passerelle.errors.rules import issue
from passerelle.fhir.search.query import Clause, Combined, Criterion, Include, Query
from passerelle.store.caller import Caller
from passerelle.store.contract import Page, Version
from passerelle.store.search_sql.cursor import Place, scope_of, seal, unseal
from passerelle.store.search_sql.search_includes import INCLUDED_MAX, Direction, includes_plan
from passerelle.store.search_sql.search_order import keys_walked
from passerelle.store.search_sql.search_page import walks
from passerelle.store.search_sql.search_ranges import KEYS, goes_along
from passerelle.store.search_sql.search_shape import Purpose, QueryShape, query_shape, sort_shape
from passerelle.store.search_sql.search_statement import plan_of
from passerelle.store.sql.compiling import DialectName
from passerelle.store.sql.statements import to_version

Run: TypeAlias = Callable[[str, tuple[Any, ...]], Awaitable[Sequence[Sequence[Any]]]]
"""Runs a reading text of the dialect with its arguments and gives all rows."""

_VERSION_SIZE = 12
_LAST_UPDATED = "_lastUpdated"

ROUNDS_MAX = 6
"""How far `:iterate` follows: CareTeam, its members, their professionals, their organisations …"""


_SIZES = (1, 2, 5, 10, 20, 30, 50, 100, 200, 500, 1_000)
"""Of pages; each has a text of its own."""

_IDS_SPELLED = 3
"""So many ids are what conditions look for."""


def spelled_limit(limit: int, dialect: DialectName) -> int:
    """Give the LIMIT that stands in the text, never less than what is asked; 0: it is an argument.

    PostgreSQL, which does not know an argument when it makes a plan to be kept, would plan for a
    tenth of all rows, or each time anew. A few more rows than asked may come.
    https://www.postgresql.org/docs/current/sql-prepare.html#SQL-PREPARE-NOTES
    """
    if dialect == "sqlite":
        return 0
    return next((size + 1 for size in _SIZES if limit <= size + 1), 0)


class Statement(NamedTuple):
    """A text of the dialect and its arguments."""

    sql: str
    args: tuple[Any, ...]


def _made(
    shape: QueryShape, arguments: list[Any], caller: Caller, dialect: DialectName
) -> Statement:
    """Give the statement of a shape with its arguments."""
    plan = plan_of(shape, caller, dialect)
    return Statement(plan.sql, plan.args(arguments))


def _statement(
    purpose: Purpose,
    query: Query,
    caller: Caller,
    dialect: DialectName,
    *,
    limit: int | None = None,
    below: int | None = None,
) -> Statement:
    """Give a statement that is not a page: ids or a count."""
    arguments: list[Any] = []
    shape = query_shape(query, purpose, arguments, below=below)
    if limit is not None:
        if dialect == "postgresql" and limit <= _IDS_SPELLED:
            shape = shape._replace(limit=limit)
        arguments.append(limit)
    return _made(shape, arguments, caller, dialect)


def matching_statement(
    query: Query, caller: Caller, dialect: DialectName, *, limit: int
) -> Statement:
    """Give the statement of the ids of at most ``limit`` matches, one column, in pid order."""
    return _statement("ids", query, caller, dialect, limit=limit)


def count_statement(
    query: Query, caller: Caller, dialect: DialectName, *, below: int | None = None
) -> Statement:
    """Give the statement of the number of matches, one row of one column."""
    return _statement("count", query, caller, dialect, below=below)


def polls(query: Query) -> bool:
    """Tell whether a search looks at when resources were last changed, as one that polls does."""
    waiting: list[Criterion] = list(query.clauses)
    while waiting:
        criterion = waiting.pop()
        if isinstance(criterion, Combined):
            waiting += criterion.parts
        elif isinstance(criterion, Clause) and criterion.parameter.code == _LAST_UPDATED:
            return True
    return any(key.parameter.code == _LAST_UPDATED for key in query.sort)


def _bound_to(query: Query, caller: Caller) -> bytes:
    """Give what a cursor of a search is bound to; the size of the page may change on the way."""
    criteria = [(clause.name, clause.text) for clause in query.clauses]
    order = [str(key) for key in query.sort]
    asked = (query.type, query.address, query.types)
    return scope_of(asked, criteria, order, caller.kind, caller.subject)


def page_statements(
    query: Query,
    caller: Caller,
    dialect: DialectName,
    *,
    secret: bytes,
    below: int | None = None,
) -> tuple[Statement, ...]:
    """Give the statement of a page, and the one that goes on where its rows end, if there is one.

    Each is for one match more than the page holds, to know whether there is a next page. Its
    columns are those of a version, then the sort keys. Raises Invalid for a cursor that is not one
    of this search and this caller.
    """
    arguments: list[Any] = []
    sort = sort_shape(query.sort)
    limit = query.count + 1
    whole = query_shape(query, "page", arguments, sort, below)
    whole = whole._replace(limit=spelled_limit(limit, dialect))
    after: tuple[bool, ...] | None = None
    place: Place = ()
    along = goes_along(whole)
    walked = bool(sort) and walks(whole.clauses, sort)
    if query.cursor is not None:
        keys = KEYS if along else keys_walked(sort[0]) if walked else len(sort)
        place = unseal(secret, _bound_to(query, caller), query.cursor, keys + 1)
        after = tuple([value is None for value in place[:-1]])
    # Of a null key nothing is asked but that it is null, so that its argument falls away.
    given = [*arguments, *[value for value in place if value is not None], limit]
    if along:
        return (_made(whole._replace(after=after, phase="range"), given, caller, dialect),)
    if not walked:
        shape = whole if after is None else whole._replace(after=after)
        return (_made(shape, given, caller, dialect),)
    if after is not None and after[0]:
        shape = whole._replace(after=after, phase="absent")
        return (_made(shape, given, caller, dialect),)
    present = whole._replace(after=after, phase="present")
    absent = whole._replace(phase="absent")
    return (
        _made(present, given, caller, dialect),
        _made(absent, [*arguments, limit], caller, dialect),
    )


def includes_statement(
    includes: Sequence[Include],
    direction: Direction,
    page: Sequence[int],
    caller: Caller,
    dialect: DialectName,
) -> Statement:
    """Give the statement of what the matches of a page, by their pids, bring along."""
    plan, targets = includes_plan(includes, direction, caller, dialect)
    pids = json.dumps(list(page)) if dialect == "sqlite" else list(page)
    return Statement(plan.sql, plan.args([pids, *targets]))


async def _included(
    run: Run, query: Query, page: Sequence[Version], caller: Caller, dialect: DialectName
) -> tuple[tuple[Version, ...], bool]:
    """Give what a page brings along, without repeats, and whether some of it was left out.

    What iterates is followed from what the round before has brought, so many rounds at most.
    """
    wanted: tuple[tuple[Direction, tuple[Include, ...]], ...] = (
        ("along", query.includes),
        ("against", query.rev_includes),
    )
    seen = {version.pid for version in page}
    found: dict[int, Version] = {}
    latest, bounded = sorted(seen), False
    for turn in range(ROUNDS_MAX + 1):
        rows: list[Sequence[Any]] = []
        for direction, includes in wanted:
            if includes and latest:
                rows += await run(*includes_statement(includes, direction, latest, caller, dialect))
        brought = {version.pid: version for version in map(to_version, rows)}
        fresh = [pid for pid in brought if pid not in seen]
        left = INCLUDED_MAX - len(found) if turn < ROUNDS_MAX else 0
        bounded = bounded or len(fresh) > left
        latest = fresh[:left]
        if not latest:
            break
        found.update({pid: brought[pid] for pid in latest})
        seen.update(latest)
        wanted = tuple((way, tuple(i for i in given if i.iterate)) for way, given in wanted)
    return tuple(found.values()), bounded


async def search(
    run: Run,
    query: Query,
    caller: Caller,
    dialect: DialectName,
    *,
    secret: bytes,
    below: int | None = None,
) -> Page:
    """Give one page of the matches of a query, with what it asks to include.

    ``secret`` seals the cursors. ``below``: of matches changed before that instant only, so that
    one that polls (:func:`polls`) misses nothing of what is being committed. Raises Invalid for a
    cursor that is not one of this search and this caller, and whatever ``run`` raises.
    """
    total: int | None = None
    if query.only_count or query.total == "accurate":
        total = int((await run(*count_statement(query, caller, dialect, below=below)))[0][0])
    if query.only_count:
        return Page((), total=total)
    rows: list[Sequence[Any]] = []
    for statement in page_statements(query, caller, dialect, secret=secret, below=below):
        if len(rows) <= query.count:
            rows += await run(*statement)
    matches = tuple([to_version(row) for row in rows[: query.count]])
    following: str | None = None
    if len(rows) > query.count:
        last = rows[query.count - 1]
        place = (*last[_VERSION_SIZE:], matches[-1].pid)
        following = seal(secret, _bound_to(query, caller), place)
    if not query.includes and not query.rev_includes:
        return Page(matches, total=total, next=following)
    included, bounded = await _included(run, query, matches, caller, dialect)
    issues = (issue("search.included-bounded", limit=INCLUDED_MAX),) if bounded else ()
    return Page(matches, included, total, following, issues)
