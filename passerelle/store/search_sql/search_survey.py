"""How many rows the criteria of a search would leave, counted up to a bound before one drives.

A status, a gender, all since a year: whether it leaves three or most of the record is not in its
shape. The count reads so many entries of an index at most, and is never out of date, as kept
statistics would be. https://www.sqlite.org/optoverview.html
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Text,
    case,
    func,
    literal_column,
    select,
    union_all,
)

from passerelle.fhir.search.search_parameters import by_id
from passerelle.store.search_sql.search_clauses import (
    alternatives,
    is_of_the_row,
    one_holds,
    probe,
    singles,
    sources_of,
)
from passerelle.store.search_sql.search_driver import (
    can_drive,
    driver,
    is_countable,
    is_narrow,
    is_one_key,
    rank,
)
from passerelle.store.search_sql.search_faces import face_of
from passerelle.store.search_sql.search_order import is_of_the_row as is_sorted_by_row
from passerelle.store.search_sql.search_ranges import goes_along
from passerelle.store.search_sql.search_scope import Scope, of_parameters
from passerelle.store.search_sql.search_shape import (
    ChainShape,
    ClauseShape,
    CombinedShape,
    QueryShape,
    Shape,
)

_TEXT, _BIG = Text(), BigInteger()


def places(shape: QueryShape) -> tuple[int, ...]:
    """Give the places of the criteria that are worth counting, none where the shape says enough."""
    if shape.types != 1 or goes_along(shape) or any(map(is_narrow, shape.clauses)):
        return ()
    able = tuple(
        [n for n, each in enumerate(shape.clauses) if can_drive(each) and is_countable(each)]
    )
    by_rank = driver(shape.clauses)
    if not shape.sort and by_rank is not None and len(able) == 1:
        return () if is_one_key(shape.clauses[by_rank]) else able
    ordered_by_row = len(shape.sort) == 1 and is_sorted_by_row(shape.sort[0])
    if by_rank is None and ordered_by_row:
        return ()  # the range of `_lastUpdated` lies in the order that is walked in
    return able


def survey_statement(scope: Scope, shape: QueryShape) -> Select[Any]:
    """Write one row: for each of :func:`places`, how many it leaves, counted up to the bound.

    Links are followed only from ends that are few themselves.
    """
    scope.budget = shape.budget
    type = scope.bind(_TEXT)
    if shape.below:
        scope.bind(_BIG)
    asked = places(shape)
    counts: list[ColumnElement[Any]] = []
    for place, clause in enumerate(shape.clauses):
        if place in asked:
            counts.append(_bounded(scope, clause, type).label(f"c{place}"))
        else:
            _pass_over(scope, clause)
    return select(*counts)


def _pass_over(scope: Scope, clause: Shape) -> None:
    """Let the arguments of a criterion go by that is not looked at."""
    probe(scope, clause, scope.rows.resource)


def _bounded(scope: Scope, shape: Shape, type: ColumnElement[Any] | None) -> ColumnElement[Any]:
    """Write how many rows a criterion leaves, counted up to the bound."""
    if isinstance(shape, CombinedShape):
        return _bounded_together(scope, shape)
    if isinstance(shape, ClauseShape) and is_of_the_row(shape):
        row = scope.look(scope.rows.resource)
        of_type = () if type is None else (row.c.type == type,)
        asked = one_holds(alternatives(scope, shape, row))
        return _count([select(literal_column("1")).where(asked, *of_type)], scope.budget)
    if not isinstance(shape, ChainShape):
        return _bounded_leaf(scope, shape)
    start = scope.place
    ends = _bounded(scope, shape.inner, None)
    scope.place = start
    most: ColumnElement[Any] = literal_column(str(scope.budget))
    led = _count(_selects(scope, shape), scope.budget)
    return case((ends > most, most + literal_column("1")), else_=led)


def _bounded_leaf(scope: Scope, shape: Shape) -> ColumnElement[Any]:
    """Write the same of a criterion on one parameter, by what an index serves of it at first."""
    if not isinstance(shape, ClauseShape):
        return _count(_selects(scope, shape), scope.budget)
    start = scope.place
    sure: list[Select[Any]] = []
    for one in singles(shape):
        face = face_of(by_id(one.params[0]), one.modifier)
        if face.surely is None:
            break
        table = scope.index(face.table)
        held = face.surely(table, one.groups[0].shape, scope.bind)
        sure.append(select(literal_column("1")).where(of_parameters(table, one.params), held))
    scope.place = start
    selects = [each for one in singles(shape) for each in _selects(scope, one)]
    if len(sure) < len(singles(shape)):
        return _count(selects, scope.budget)
    most: ColumnElement[Any] = literal_column(str(scope.budget))
    counted = _count(sure, scope.budget)
    return case((counted > most, most + literal_column("1")), else_=_count(selects, scope.budget))


def _bounded_together(scope: Scope, shape: CombinedShape) -> ColumnElement[Any]:
    """Write the same of criteria that are joined: of all it is the one that would drive."""
    if shape.operator == "or":
        counts = [_bounded(scope, part, None) for part in shape.parts]
        total = counts[0]
        for count in counts[1:]:
            total = total + count
        return total
    chosen = driver(shape.parts)
    found: ColumnElement[Any] | None = None
    for place, part in enumerate(shape.parts):
        if place == chosen:
            found = _bounded(scope, part, None)
        else:
            _pass_over(scope, part)
    assert found is not None  # what can drive has a part that can
    return found


def _selects(scope: Scope, shape: Shape) -> list[Select[Any]]:
    return [
        select(literal_column("1")).where(*source.conditions) for source in sources_of(scope, shape)
    ]


def _count(selects: Sequence[Select[Any]], most: int) -> ColumnElement[Any]:
    bound: ColumnElement[Any] = literal_column(str(most + 1))
    rows: Any = selects[0] if len(selects) == 1 else union_all(*selects)
    bounded = rows.limit(bound).offset(literal_column("0")).subquery("counted")
    return select(func.count()).select_from(bounded).scalar_subquery()


class Found(NamedTuple):
    """The criterion that should drive, and how much it leaves; the least first."""

    leaves: int
    rank: int
    place: int


_RANK_OF_THE_ROW = 10


def least(shape: QueryShape, counts: Sequence[int]) -> Found:
    """Give the criterion that leaves the least, by what was counted of each of :func:`places`."""
    found = []
    for place, count in zip(places(shape), counts, strict=True):
        ranked = rank(shape.clauses[place])
        found.append(Found(count, _RANK_OF_THE_ROW if ranked is None else ranked, place))
    return min(found)
