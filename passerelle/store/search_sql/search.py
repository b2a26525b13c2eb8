"""Searches of the record: `GET [base]/[type]?…` to rows, a page at a time.

https://hl7.org/fhir/R4/http.html#search . The drivers are not known here: the store that runs a
search hands in the function that runs a text with its arguments.
"""

import json
from collections.abc import Sequence
from typing import Any

from passerelle.errors.rules import issue
from passerelle.fhir.search.query import Clause, Combined, Criterion, Include, Query
from passerelle.store.caller import Caller
from passerelle.store.contract import Page, Version
from passerelle.store.search_sql.cursor import seal
from passerelle.store.search_sql.search_includes import INCLUDED_MAX, Direction, includes_plan
from passerelle.store.search_sql.search_paging import (
    BOUNDS,
    Bounds,
    Run,
    asked_page,
    bound_to,
    page_rows,
)
from passerelle.store.search_sql.search_shape import Purpose, query_shape
from passerelle.store.search_sql.search_statement import Statement, made
from passerelle.store.sql.compiling import DialectName
from passerelle.store.sql.statements import to_version

_VERSION_SIZE = 12
_LAST_UPDATED = "_lastUpdated"

ROUNDS_MAX = 6
"""How far `:iterate` follows: CareTeam, its members, their professionals, their organisations …"""


_IDS_SPELLED = 3
"""So many ids are what conditions look for."""


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
    return made(shape, arguments, caller, dialect)


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
    bounds: Bounds = BOUNDS,
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
    asked = asked_page(query, caller, dialect, secret=secret, below=below)
    rows = await page_rows(run, asked, bounds)
    matches = tuple([to_version(row) for row in rows[: query.count]])
    following: str | None = None
    if len(rows) > query.count:
        last = rows[query.count - 1]
        place = (*last[_VERSION_SIZE:], matches[-1].pid)
        following = seal(secret, bound_to(query, caller), place)
    if not query.includes and not query.rev_includes:
        return Page(matches, total=total, next=following)
    included, bounded = await _included(run, query, matches, caller, dialect)
    issues = (issue("search.included-bounded", limit=INCLUDED_MAX),) if bounded else ()
    return Page(matches, included, total, following, issues)
