"""A search for what begins so, as a walk along its index: a page stops where it is full.

One beginning is one range of the index of a parameter of strings. No order being asked for, the
matches come in that of the range, so that a page costs no more than its size, however many begin
so. https://hl7.org/fhir/R4/search.html#string
"""

from typing import Literal, NamedTuple, TypeAlias

from sqlalchemy import BigInteger, ColumnElement, FromClause, Text, and_, select

from passerelle.fhir.search.search_parameters import by_id
from passerelle.store.search_sql.search_driver import driver
from passerelle.store.search_sql.search_order import SortKey, stands
from passerelle.store.search_sql.search_scope import Scope, of_parameters
from passerelle.store.search_sql.search_shape import ClauseShape, QueryShape, Shape

_TEXT, _BIG = Text(), BigInteger()
_KEY = ("norm", "exact")
"""What the rows of a parameter are ordered by, before their pid."""

KEYS = len(_KEY)
"""How many keys a place in a range has, its pid not counted."""


RangeWay: TypeAlias = Literal["whole", "on"]
"""A range is gone along whole, or on from the place where a page ended."""


class RangeWalk(NamedTuple):
    """The index table that is walked along, and what holds of its rows; each match comes once."""

    table: FromClause
    condition: ColumnElement[bool]


def is_range(shape: Shape) -> bool:
    """Tell whether a criterion is one beginning of one parameter of strings."""
    if not isinstance(shape, ClauseShape) or shape.missing is not None or shape.modifier:
        return False
    one = len(shape.params) == 1 and [group.size for group in shape.groups] == [1]
    return one and by_id(shape.params[0]).kind == "string"


def goes_along(shape: QueryShape) -> bool:
    """Tell whether a page can go along the range of the criterion that drives its search."""
    chosen = driver(shape.clauses)
    return (
        chosen is not None
        and is_range(shape.clauses[chosen])
        and not shape.sort
        and shape.types == 1
    )


def range_walk(scope: Scope, clause: ClauseShape, *, goes_on: bool) -> RangeWalk:
    """Write a range, whole or from a place in it on, which the page says.

    A resource may begin so with several of its values: it is met at the first of these.
    """
    table, other = scope.index("string"), scope.index("string")
    first, end = scope.unseen(scope.bind(_TEXT)), scope.unseen(scope.bind(_TEXT))
    # A place is within the range: its beginning would only lead the planner back there.
    begin = () if goes_on else (table.c.norm >= first,)
    earlier = select(other.c.pid).where(
        scope.of_parameter_by_pid(other, clause.params[0]),
        other.c.pid == table.c.pid,
        other.c.norm >= first,
        stands([other.c[name] for name in _KEY], [table.c[name] for name in _KEY], before=True),
    )
    own = of_parameters(table, clause.params)
    return RangeWalk(table, and_(own, *begin, table.c.norm < end, ~earlier.exists()))


def range_keys(table: FromClause) -> list[SortKey]:
    """Give the keys of the order of a range, its pid the last."""
    keys = [SortKey(table.c[name], _TEXT, descending=False, nullable=False) for name in _KEY]
    return [*keys, SortKey(table.c.pid, _BIG, descending=False, nullable=False)]
