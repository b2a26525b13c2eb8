"""Histories of the record, a page at a time, and the feed of all changes.

https://hl7.org/fhir/R4/http.html#history . The drivers are not known here: the store that runs a
history hands in the function that runs a text with its arguments, and the commit horizon.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias

from passerelle.fhir.history_query import HistoryQuery
from passerelle.store.caller import Caller
from passerelle.store.contract import HistoryPage, Mark, Version
from passerelle.store.search_sql.cursor import scope_of, seal, unseal
from passerelle.store.sql.compiling import Compiled, DialectName
from passerelle.store.sql.history_statements import (
    GATHERED_MAX,
    HistoryShape,
    count_statement,
    page_statement,
    place_names,
    resources_statement,
)
from passerelle.store.sql.statements import to_version

Run: TypeAlias = Callable[[str, tuple[Any, ...]], Awaitable[Sequence[Sequence[Any]]]]
"""Runs a reading text of the dialect with its arguments and gives all rows."""


def polls(query: HistoryQuery) -> bool:
    """Tell whether a page must stay below the commit horizon.

    The versions of one resource follow one another, and what comes after a place going back in
    time has been below it already.
    """
    return query.level != "instance" and (query.ascending or query.cursor is None)


async def history(
    run: Run,
    query: HistoryQuery,
    caller: Caller,
    dialect: DialectName,
    *,
    secret: bytes,
    below: int | None = None,
) -> HistoryPage:
    """Give one page of a history.

    The total is said of a resource, when it alone is asked for, and when the page is all there is.
    Raises Invalid for a cursor that is not one of this history and this caller.
    """
    arguments = _arguments(query, below)
    place: Sequence[Any] = ()
    if query.cursor is not None:
        size = 1 if query.level == "instance" else 2
        place = unseal(secret, _bound_to(query, caller), query.cursor, size)
    shape = await _shape(run, query, caller, dialect, below is not None)
    total: int | None = None
    if query.only_count or query.level == "instance":
        counting = count_statement(caller, shape, dialect)
        total = int((await run(counting.sql, counting.args(**arguments)))[0][0])
    if query.only_count:
        return HistoryPage((), total)
    found = await _page(run, caller, dialect, shape, place, arguments, query.count + 1)
    versions = tuple(found[: query.count])
    if len(found) > query.count:
        last = versions[-1]
        end = (last.version,) if query.level == "instance" else (last.at, last.seq)
        return HistoryPage(versions, total, seal(secret, _bound_to(query, caller), end))
    return HistoryPage(versions, len(versions) if query.cursor is None else total)


async def changes(
    run: Run,
    caller: Caller,
    dialect: DialectName,
    *,
    after: Mark,
    limit: int,
    below: int | None = None,
) -> Sequence[Version]:
    """Give at most so many changes after a mark, oldest first."""
    shape = HistoryShape("system", ascending=True, below=below is not None)
    return await _page(run, caller, dialect, shape, after, {"below": below}, limit)


async def _page(
    run: Run,
    caller: Caller,
    dialect: DialectName,
    shape: HistoryShape,
    place: Sequence[Any],
    arguments: dict[str, Any],
    limit: int,
) -> list[Version]:
    """Give at most ``limit`` versions after a place."""
    statement: Compiled = page_statement(caller, shape._replace(after=bool(place)), dialect)
    given = statement.args(**arguments, **place_names(place), limit=limit)
    return [to_version(row) for row in await run(statement.sql, given)]


def _arguments(query: HistoryQuery, below: int | None) -> dict[str, Any]:
    low, high = query.current or (None, None)
    return {
        "type": query.type,
        "id": query.id,
        "since": query.since,
        "low": low,
        "high": high,
        "below": below,
    }


async def _shape(
    run: Run, query: HistoryQuery, caller: Caller, dialect: DialectName, below: bool
) -> HistoryShape:
    """Give the shape of a history; of a type, it depends on how many resources there are."""
    gathered = False
    if query.level == "type":
        counting = resources_statement(caller, dialect)
        rows = await run(counting.sql, counting.args(type=query.type, limit=GATHERED_MAX + 1))
        gathered = rows[0][0] <= GATHERED_MAX
    return HistoryShape(
        query.level,
        gathered=gathered,
        ascending=query.ascending,
        since=query.since is not None,
        current=query.current is not None,
        below=below,
    )


def _bound_to(query: HistoryQuery, caller: Caller) -> bytes:
    """Give what a cursor is bound to; the size of the page may change on the way."""
    return scope_of(
        "history",
        query.type,
        query.id,
        query.since,
        query.current,
        query.ascending,
        caller.kind,
        caller.subject,
    )
