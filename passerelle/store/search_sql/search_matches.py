"""The resources that a search finds, before it is said what of them is wanted."""

from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    Text,
    false,
    literal_column,
    select,
)

from passerelle.store.search_sql.search_criteria import criteria
from passerelle.store.search_sql.search_driver import driving
from passerelle.store.search_sql.search_ranges import RangeWay
from passerelle.store.search_sql.search_scope import Scope
from passerelle.store.search_sql.search_shape import QueryShape

_TEXT, _BIG = Text(), BigInteger()


class Matches(NamedTuple):
    """The rows of ``resource`` that a search finds, not yet what to say of them.

    ``gathered`` tells that they do not come in the order of their pid as it is.
    """

    statement: Select[Any]
    resource: FromClause
    source: FromClause
    pid: ColumnElement[Any]
    gathered: bool


def of_its_types(
    scope: Scope, shape: QueryShape, resource: FromClause, places: list[ColumnElement[Any]]
) -> tuple[ColumnElement[bool], ...]:
    """Write of which types the resources are; several are not looked up in the order of pids."""
    if not places:
        return ()
    if shape.types == 1:
        return (resource.c.type == places[0],)
    return (scope.unindexed(resource.c.type).in_(places),)


def _way(shape: QueryShape) -> RangeWay | None:
    """Tell how the range of what drives is gone along, if it is."""
    if shape.phase != "range":
        return None
    return "whole" if shape.after is None else "on"


def matches(scope: Scope, shape: QueryShape) -> Matches:
    """Write the resources of some types, not deleted, that satisfy the criteria."""
    resource = scope.rows.resource
    types = [scope.bind(_TEXT) for _ in range(shape.types)]
    committed = (resource.c.updated < scope.bind(_BIG),) if shape.below else ()
    scope.is_driven = driving(shape) is not None
    found = criteria(scope, shape.clauses, resource, driving(shape), _way(shape))
    source = resource
    pid: ColumnElement[Any] = resource.c.pid
    of_types = of_its_types(scope, shape, resource, types)
    if found.joined is not None:
        source, pid = found.joined, found.joined.c.pid
    if found.joined is not None and shape.types == 1 and found.of_one_type:
        of_types = ()
    elif found.driven_by in ("key", "range", "list") and shape.types == 1:
        of_types = (scope.unindexed(resource.c.type) == types[0],)
    if found.driven_by in ("list", "id"):
        pid = scope.unindexed(pid)
    statement = (
        select()
        .select_from(source)
        .where(*of_types, *committed, resource.c.deleted.is_(false()), *found.written)
    )
    return Matches(statement, resource, source, pid, gathered=found.driven_by in ("list", "id"))


def limited(scope: Scope, shape: QueryShape, statement: Select[Any]) -> Select[Any]:
    """Bound a statement by the last argument, or by a number in its text."""
    most = scope.bind(_BIG)
    if shape.limit:
        most = literal_column(str(shape.limit))
    return statement.limit(most).offset(literal_column("0"))
