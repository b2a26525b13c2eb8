"""References into a hierarchy as SQL: all that lies above or below a resource, by recursion.

https://hl7.org/fhir/R4/search.html#recursive . What was met is not gone from again, so that a
circle ends, and what is walked is at most the resources of one type. Of a canonical what lies below
is its versions.
"""

from collections.abc import Hashable
from typing import Any

from sqlalchemy import CTE, ColumnElement, Text, and_, collate, false, literal_column, or_, select
from sqlalchemy.sql.selectable import FromClause

from passerelle.fhir.search.language.hierarchies import hierarchy
from passerelle.fhir.search.query_values import ReferenceValue
from passerelle.store.search_sql.search_scope import Scope, of_parameters
from passerelle.store.search_sql.search_values import Arguments, Face

_TEXT = Text()


def version_bounds(address: str) -> Arguments:
    """Give a canonical, and where the versions begin and end that are parts of its own."""
    return (address, address + "-", address + "/") if "|" in address else (address,)


def _shape(value: ReferenceValue, modifier: str) -> Hashable:
    return value.type, not value.type and "|" in value.id


def _arguments(value: ReferenceValue, modifier: str) -> Arguments:
    return (value.id,) if value.type else version_bounds(value.id)


def is_version(
    scope: Scope, address: ColumnElement[Any], *, versioned: bool
) -> ColumnElement[bool]:
    """Write that an address is a canonical, or a part of its version: ``|1.2`` of ``|1``.

    One that is kept has a row without its version as well.
    """
    same = address == scope.bind(_TEXT)
    if not versioned:
        return same
    return or_(same, and_(address >= scope.bind(_TEXT), address < scope.bind(_TEXT)))


def within(scope: Scope, table: FromClause, shape: Any, modifier: str) -> ColumnElement[bool]:
    """Write that a row of ``reference`` leads to a resource, or to one above or below it."""
    type, versioned = shape
    named = table.c.type == literal_column(f"'{type}'", _TEXT)
    if not type:
        return and_(named, is_version(scope, table.c.id, versioned=versioned))
    walked = _walked(scope, type, up=modifier == "above")
    return and_(named, table.c.id.in_(select(walked.c.id)))


def _walked(scope: Scope, type: str, *, up: bool) -> CTE:
    """Write the ids of a resource and of all above or below it."""
    parameter = hierarchy(type)
    assert parameter is not None  # the language refuses other types
    start: ColumnElement[Any] = scope.bind(_TEXT)
    if scope.dialect == "postgresql":
        # Both sides of the recursion shall be in one order.
        start = collate(start, "C")
    walked = select(start.label("id")).cte(scope.name(), recursive=True)
    link, resource = scope.index("reference"), scope.look(scope.rows.resource)
    named = literal_column(f"'{type}'", _TEXT)
    if up:
        step = select(link.c.id).where(
            resource.c.type == named,
            resource.c.id == walked.c.id,
            link.c.pid == resource.c.pid,
            scope.of_parameter_by_pid(link, parameter.id),
            scope.unindexed(link.c.type) == named,
        )
    else:
        step = select(resource.c.id).where(
            of_parameters(link, (parameter.id,)),
            link.c.type == named,
            link.c.id == walked.c.id,
            resource.c.pid == link.c.pid,
        )
    return walked.union(step.where(resource.c.deleted == false()))


HIERARCHY = Face("reference", _shape, _arguments)
"""Its condition is :func:`within`, which reads more than the rows of one table."""
