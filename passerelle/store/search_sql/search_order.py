"""The order of a search, and the place after which a page starts.

https://hl7.org/fhir/R4/search.html#sort . Pages go on by key, never by OFFSET: a place is the sort
keys of the last match and its pid. https://use-the-index-luke.com/no-offset
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Float,
    FromClause,
    Text,
    and_,
    func,
    literal_column,
    or_,
    select,
    tuple_,
)

from passerelle.fhir.search.search_parameters import by_id
from passerelle.store.search_sql.search_scope import Scope
from passerelle.store.search_sql.search_shape import SortShape
from passerelle.store.search_sql.search_values import as_written

_TEXT, _BIG, _FLOAT = Text(), BigInteger(), Float()

_COLUMNS = {
    "date": (("low", "high"), _BIG),
    "string": (("norm", "exact"), _TEXT),
    "token": (("value", "system"), _TEXT),
    "number": (("low", "high"), _FLOAT),
    "uri": (("value",), _TEXT),
}
"""By kind: the column of the index table that is sorted by, then the one that tells ties apart.

The index goes through these in their order, then by pid, and so do the pages: those with one value
are as many as they like. A reference and a quantity are looked up.
"""

_OF_THE_ROW = {"_id": ("id", _TEXT), "_lastUpdated": ("updated", _BIG)}


class SortKey(NamedTuple):
    """A sort key in SQL: its expression, its type, its direction, whether it may be missing."""

    column: ColumnElement[Any]
    type: Any
    descending: bool
    nullable: bool


def is_of_the_row(key: SortShape) -> bool:
    """Tell whether a sort key is a column of ``resource``, never missing and with an index."""
    return by_id(key.param).code in _OF_THE_ROW


def keys_of_row(key: SortShape, resource: FromClause) -> list[SortKey]:
    """Give a sort key that is a column of ``resource``."""
    name, type = _OF_THE_ROW[by_id(key.param).code]
    return [SortKey(resource.c[name], type, key.descending, nullable=False)]


def is_walkable(key: SortShape) -> bool:
    """Tell whether the index of a sort key can be gone through in its order."""
    return not is_of_the_row(key) and by_id(key.param).kind in _COLUMNS


def _sorted_by(kind: str, table: FromClause) -> tuple[ColumnElement[Any], Any]:
    """Give what the rows of a kind are sorted by, and its type."""
    if kind == "reference":
        return table.c.type + literal_column("'/'", _TEXT) + table.c.id, _TEXT
    if kind == "quantity":
        return table.c.low, _FLOAT
    (name, *_), type = _COLUMNS[kind]
    return table.c[name], type


def looked_up(scope: Scope, key: SortShape, resource: FromClause) -> SortKey:
    """Write what a resource is sorted by: its least value ascending, its greatest descending."""
    parameter = by_id(key.param)
    if is_of_the_row(key):
        return keys_of_row(key, resource)[0]
    table = scope.index(parameter.kind)
    column, type = _sorted_by(parameter.kind, table)
    extreme = (func.max if key.descending else func.min)(column)
    own = [scope.of_parameter_by_pid(table, key.param), table.c.pid == resource.c.pid]
    if parameter.kind == "quantity":
        own.append(as_written(table.c.system))
    chosen = select(extreme).where(*own)
    return SortKey(chosen.scalar_subquery(), type, key.descending, nullable=True)


def keys_looked_up(
    scope: Scope, key: SortShape, resource: FromClause
) -> tuple[list[SortKey], FromClause | None]:
    """Write what a resource is sorted by as going through the index of the key would meet it.

    A page that is gathered goes on where one that was walked to has ended, and the other way. What
    PostgreSQL joins to each resource for it is given as well.
    """
    kind = by_id(key.param).kind
    if not is_walkable(key) or len(_COLUMNS[kind][0]) == 1:
        return [looked_up(scope, key, resource)], None
    names, type = _COLUMNS[kind]
    table = scope.index(kind)
    own = (scope.of_parameter_by_pid(table, key.param), table.c.pid == resource.c.pid)
    met = [table.c[name].desc() if key.descending else table.c[name].asc() for name in names]
    one: ColumnElement[Any] = literal_column("1")
    if scope.dialect == "postgresql":
        row = select(*(table.c[name] for name in names)).where(*own).order_by(*met).limit(one)
        joined = row.correlate(resource).lateral(scope.name())
        return [SortKey(joined.c[n], type, key.descending, nullable=True) for n in names], joined
    second = select(table.c[names[1]]).where(*own).order_by(*met).limit(one)
    chosen = second.offset(literal_column("0")).scalar_subquery()
    first = looked_up(scope, key, resource)
    return [first, SortKey(chosen, type, key.descending, nullable=True)], None


def keys_walked(key: SortShape) -> int:
    """Give how many keys a place has in the index of a sort key, its pid not counted."""
    return len(_COLUMNS[by_id(key.param).kind][0])


def walked(
    scope: Scope, key: SortShape, table: FromClause
) -> tuple[list[SortKey], ColumnElement[bool]]:
    """Write a sort key as it is met going through its own index, and that it is met once.

    Of the values of a resource only the least is met, or the greatest when descending.
    """
    parameter = by_id(key.param)
    names, type = _COLUMNS[parameter.kind]
    other = scope.index(parameter.kind)
    earlier = select(other.c.pid).where(
        scope.of_parameter_by_pid(other, key.param),
        other.c.pid == table.c.pid,
        stands(_named(other, names), _named(table, names), before=not key.descending),
    )
    keys = [SortKey(table.c[name], type, key.descending, nullable=False) for name in names]
    return keys, ~earlier.exists()


def _named(table: FromClause, names: Sequence[str]) -> list[ColumnElement[Any]]:
    return [table.c[name] for name in names]


def stands(
    columns: Sequence[ColumnElement[Any]], place: Sequence[ColumnElement[Any]], *, before: bool
) -> ColumnElement[bool]:
    """Write that a row stands before a place, or behind it, in the order of some columns.

    It is one comparison of rows, so that an index begins at the very place and not at all that has
    its first value (https://www.sqlite.org/rowvalue.html).
    """
    if len(columns) == 1:
        return columns[0] < place[0] if before else columns[0] > place[0]
    row, other = tuple_(*columns), tuple_(*place)
    return row < other if before else row > other


def pid_key(keys: list[SortKey], pid: ColumnElement[Any]) -> SortKey:
    """Give the pid as the last key; it goes the way of the key before it, as the indexes do."""
    return SortKey(pid, _BIG, descending=bool(keys) and keys[-1].descending, nullable=False)


def order(keys: list[SortKey]) -> list[ColumnElement[Any]]:
    """Write the order; only what may have no value needs NULLS LAST."""
    written: list[ColumnElement[Any]] = []
    for key in keys:
        spelled = key.column.desc() if key.descending else key.column.asc()
        written.append(spelled.nulls_last() if key.nullable else spelled)
    return written


def after(scope: Scope, keys: list[SortKey], nulls: tuple[bool, ...]) -> ColumnElement[bool]:
    """Write what comes after a place; ``nulls`` tells which of its keys had no value.

    The last key is the pid. What has no value comes last: after a null there are only nulls.
    """
    if not any(key.nullable for key in keys) and len({key.descending for key in keys}) == 1:
        columns = [key.column for key in keys]
        places = [scope.bind(key.type) for key in keys]
        return stands(columns, places, before=keys[0].descending)
    key, rest = keys[0], keys[1:]
    if rest and nulls[0]:
        return and_(key.column.is_(None), after(scope, rest, nulls[1:]))
    place = scope.bind(key.type)
    beyond = key.column < place if key.descending else key.column > place
    if not rest:
        return beyond
    following = or_(beyond, and_(key.column == place, after(scope, rest, nulls[1:])))
    if key.nullable:
        return or_(following, key.column.is_(None))
    # It follows from the rest, and lets an index begin at the place.
    from_place = key.column <= place if key.descending else key.column >= place
    return and_(from_place, following)
