"""A page of a search, by the way that costs the least: what may drive is counted first.

Either a criterion leaves few, which are gathered and sorted; or all leave many, and the page is
looked for in its own order, among so many rows at most; or neither helps, and all matches of the
criterion that should drive by its kind are gathered. All ways have one order and one kind of place,
so that each page may take another. https://hl7.org/fhir/R4/http.html#paging
"""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

from passerelle.fhir.search.query import Query
from passerelle.store.caller import Caller
from passerelle.store.search_sql.cursor import Place, scope_of, unseal
from passerelle.store.search_sql.search_clauses import is_of_the_row as is_of_row
from passerelle.store.search_sql.search_driver import driver, is_one_key
from passerelle.store.search_sql.search_order import is_of_the_row, is_walkable, keys_walked
from passerelle.store.search_sql.search_page import walks
from passerelle.store.search_sql.search_ranges import KEYS, goes_along
from passerelle.store.search_sql.search_shape import (
    NOTHING,
    ClauseShape,
    Phase,
    QueryShape,
    query_shape,
    sort_shape,
)
from passerelle.store.search_sql.search_statement import Statement, made
from passerelle.store.search_sql.search_survey import least, places
from passerelle.store.search_sql.search_walks import bounds_the_walk
from passerelle.store.sql.compiling import DialectName

Run: TypeAlias = Callable[[str, tuple[Any, ...]], Awaitable[Sequence[Sequence[Any]]]]
"""Runs a reading text of the dialect with its arguments and gives all rows."""

Rows: TypeAlias = list[Sequence[Any]]


class Bounds(NamedTuple):
    """So many matches of a criterion are gathered at once; what leaves more is wide.

    ``walked``: as many rows are looked at in the order of a page before another way is taken.
    """

    gathered: int
    walked: int


_ALL = 1 << 40

BOUNDS = Bounds(1_000, 2_000)

_SIZES = (1, 2, 5, 10, 20, 30, 50, 100, 200, 500, 1_000)
"""Of pages; each has a text of its own."""


def spelled_limit(limit: int, dialect: DialectName) -> int:
    """Give the LIMIT that stands in the text, never less than what is asked; 0: it is an argument.

    PostgreSQL, which does not know an argument when it makes a plan to be kept, would plan for a
    tenth of all rows, or each time anew. A few more rows than asked may come.
    https://www.postgresql.org/docs/current/sql-prepare.html#SQL-PREPARE-NOTES
    """
    if dialect == "sqlite":
        return 0
    return next((size + 1 for size in _SIZES if limit <= size + 1), 0)


def bound_to(query: Query, caller: Caller) -> bytes:
    """Give what a cursor of a search is bound to; the size of the page may change on the way."""
    criteria = [(clause.name, clause.text) for clause in query.clauses]
    order = [str(key) for key in query.sort]
    asked = (query.type, query.address, query.types)
    return scope_of(asked, criteria, order, caller.kind, caller.subject)


class AskedPage(NamedTuple):
    """A page that is asked for: its shape, the arguments of its criteria, where it begins.

    It holds one match more than is given, to know whether there is a next page.
    """

    shape: QueryShape
    arguments: list[Any]
    place: Place
    size: int
    caller: Caller
    dialect: DialectName

    @property
    def after(self) -> tuple[bool, ...] | None:
        """Tell which keys of the place are null; None on the first page."""
        return tuple([value is None for value in self.place[:-1]]) if self.place else None

    def from_place(self, shape: QueryShape) -> Statement:
        """Give the statement of a shape that goes on from the place."""
        # Of a null key nothing is asked but that it is null, so that its argument falls away.
        given = [value for value in self.place if value is not None]
        shape = shape._replace(after=self.after)
        return made(shape, [*self.arguments, *given, self.size], self.caller, self.dialect)

    def from_start(self, shape: QueryShape) -> Statement:
        """Give the statement of a shape that begins at its beginning."""
        return made(shape, [*self.arguments, self.size], self.caller, self.dialect)


def asked_page(
    query: Query,
    caller: Caller,
    dialect: DialectName,
    *,
    secret: bytes,
    below: int | None = None,
) -> AskedPage:
    """Read where a page begins. Raises Invalid for a cursor that is not one of this search."""
    arguments: list[Any] = []
    sort = sort_shape(query.sort)
    size = query.count + 1
    shape = query_shape(query, "page", arguments, sort, below)
    shape = shape._replace(limit=spelled_limit(size, dialect))
    place: Place = ()
    if query.cursor is not None:
        keys = len(sort)
        if goes_along(shape):
            keys = KEYS
        elif len(sort) == 1 and is_walkable(sort[0]):
            keys = keys_walked(sort[0])
        place = unseal(secret, bound_to(query, caller), query.cursor, keys + 1)
    return AskedPage(shape, arguments, place, size, caller, dialect)


def page_statements(asked: AskedPage) -> Iterator[Statement]:
    """Give the statements of a page by the shape alone, each where the rows of the last one end.

    The columns of each are those of a version, then the sort keys.
    """
    shape = asked.shape
    if goes_along(shape):
        yield asked.from_place(shape._replace(phase="range"))
    elif not walks(shape.clauses, shape.sort):
        yield asked.from_place(shape)
    else:
        absent = shape._replace(phase="absent")
        if asked.after is not None and asked.after[0]:
            yield asked.from_place(absent)
        else:
            yield asked.from_place(shape._replace(phase="present"))
            yield asked.from_start(absent)


async def page_rows(run: Run, asked: AskedPage, bounds: Bounds) -> Rows:
    """Give the rows of a page, one more than it holds at least where there are."""
    found: Rows | None = None
    if places(asked.shape) and _begins_in_a_range(asked.shape):
        found = await _by_walking(run, asked, bounds._replace(walked=bounds.walked // 10))
    if found is not None:
        return found
    if places(asked.shape):
        found = await _by_counting(run, asked, bounds)
    elif asked.dialect == "postgresql" and _may_gather_all(asked.shape):
        found = await _by_walking(run, asked, bounds)
    if found is not None:
        return found
    rows: Rows = []
    for statement in page_statements(asked):
        if len(rows) < asked.size:
            rows += await run(*statement)
    return rows


def _begins_in_a_range(shape: QueryShape) -> bool:
    """Tell whether a criterion says where in its own order a page begins."""
    if len(shape.sort) != 1 or not is_walkable(shape.sort[0]):
        return False
    return any(bounds_the_walk(shape._replace(phase="present"), each) for each in shape.clauses)


def _may_gather_all(shape: QueryShape) -> bool:
    """Tell whether PostgreSQL might gather all that is denied or sorted by to find a few."""
    if shape.types != 1 or driver(shape.clauses) is not None:
        return False
    sorted_by_index = len(shape.sort) == 1 and is_walkable(shape.sort[0])
    if shape.sort and not sorted_by_index:
        return False
    return sorted_by_index or not all(map(is_of_row, shape.clauses))


async def _by_counting(run: Run, asked: AskedPage, bounds: Bounds) -> Rows | None:
    """Give the rows of a page by what its criteria leave; None where that tells nothing."""
    shape = asked.shape
    bare = QueryShape("survey", shape.clauses, shape.sort, below=shape.below)
    bare = bare._replace(budget=bounds.gathered)
    counts = (await run(*made(bare, asked.arguments, asked.caller, asked.dialect)))[0]
    chosen = least(shape, counts)
    if chosen.leaves <= bounds.gathered:
        return list(await run(*asked.from_place(shape._replace(chosen=chosen.place))))
    return await _by_walking(run, asked, bounds) if _is_worth_walking(shape) else None


def _is_worth_walking(shape: QueryShape) -> bool:
    """Tell whether a page can be looked for in its order, where it is not so by its shape."""
    by_rank = driver(shape.clauses)
    if not shape.sort:
        return by_rank is None or not is_one_key(shape.clauses[by_rank])
    if len(shape.sort) > 1 or by_rank is None:
        return False
    sort = shape.sort[0]
    if is_of_the_row(sort):
        return True
    present = shape._replace(phase="present")
    # What is asked of the very key, of one that may be many, lies all in one part of its order.
    own = any(
        isinstance(clause, ClauseShape)
        and sort.param in clause.params
        and not bounds_the_walk(present, clause)
        for clause in shape.clauses
    )
    return is_walkable(sort) and not own


async def _by_walking(run: Run, asked: AskedPage, bounds: Bounds) -> Rows | None:
    """Give the rows of a page looked for in its order; None when the budget was not enough."""
    whole = asked.shape._replace(chosen=NOTHING, budget=bounds.walked)
    after = asked.after
    steps: list[tuple[Phase | None, bool]] = [(None, True)]
    if asked.shape.sort and is_walkable(asked.shape.sort[0]):
        past = after is not None and after[0]
        steps = [("absent", True)] if past else [("present", True), ("absent", False)]
    rows: Rows = []
    for phase, goes_on in steps:
        shape = whole._replace(phase=phase)
        make = asked.from_place if goes_on else asked.from_start
        met = await run(*make(shape))
        if len(rows) + len(met) >= asked.size:
            return [*rows, *met]
        if await run(*make(shape._replace(purpose="beyond"))):
            return None
        if asked.dialect == "postgresql":
            # Others may have written between the two: what is left is few, and is read at once.
            met = await run(*make(shape._replace(budget=_ALL)))
        rows += met
        if any(bounds_the_walk(shape, clause) for clause in shape.clauses):
            return rows  # what has no value to sort by does not match
    return rows
