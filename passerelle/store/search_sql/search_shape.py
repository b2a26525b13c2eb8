"""The shape of a search, which its SQL text depends on, and its arguments, which it does not.

One text serves every search of one shape: ``identifier=a|b`` and ``identifier=c|d`` have the same.
"""

from collections.abc import Hashable
from typing import Any, Literal, NamedTuple, TypeAlias

from passerelle.fhir.search.query import Clause, Query, Sort
from passerelle.fhir.search.query_values import MissingValue
from passerelle.store.search_sql.search_values import face_of

Phase: TypeAlias = Literal["present", "absent"]
Purpose: TypeAlias = Literal["page", "ids", "count"]


class Group(NamedTuple):
    """So many alternatives of one shape."""

    shape: Hashable
    size: int


class ClauseShape(NamedTuple):
    """One criterion without its arguments; ``missing`` is what `:missing` asks, if it does."""

    param: int
    modifier: str
    groups: tuple[Group, ...]
    missing: bool | None = None
    chain: tuple["ClauseShape", ...] = ()


class SortShape(NamedTuple):
    """One sort key."""

    param: int
    descending: bool


class QueryShape(NamedTuple):
    """A whole search; ``after``, of a page that goes on: which keys of the place are null.

    ``phase``, of a page that goes through the index of its one sort key: those that have a value
    are present, and come first.
    """

    purpose: Purpose
    clauses: tuple[ClauseShape, ...]
    sort: tuple[SortShape, ...] = ()
    after: tuple[bool, ...] | None = None
    phase: Phase | None = None


def _groups(clause: Clause, arguments: list[Any]) -> tuple[Group, ...]:
    """Give the alternatives of a criterion by shape, and append their arguments.

    The last of a group is repeated up to a power of two, so that there are few shapes.
    """
    face, modifier = face_of(clause.parameter), clause.modifier
    if len(clause.values) == 1:
        value = clause.values[0]
        arguments.extend(face.arguments(value, modifier))
        return (Group(face.shape(value, modifier), 1),)
    found: dict[Hashable, list[tuple[Any, ...]]] = {}
    for value in clause.values:
        group = found.setdefault(face.shape(value, modifier), [])
        group.append(face.arguments(value, modifier))
    made = []
    for shape, group in found.items():
        size = 1 << (len(group) - 1).bit_length()
        for argument in (*group, *group[-1:] * (size - len(group))):
            arguments.extend(argument)
        made.append(Group(shape, size))
    return tuple(made)


def _clause(clause: Clause, arguments: list[Any]) -> ClauseShape:
    """Give the shape of a criterion and append its arguments, in the order of the conditions."""
    param = clause.parameter.id
    if clause.chain:
        links = []
        for type, inner in clause.chain:
            arguments.append(type)
            links.append(_clause(inner, arguments))
        return ClauseShape(param, clause.modifier, (), chain=tuple(links))
    first = clause.values[0]
    if isinstance(first, MissingValue):
        return ClauseShape(param, clause.modifier, (), missing=first.missing)
    return ClauseShape(param, clause.modifier, _groups(clause, arguments))


def clauses_shape(query: Query, arguments: list[Any]) -> tuple[ClauseShape, ...]:
    """Give the shapes of the criteria of a query and append their arguments."""
    return tuple([_clause(clause, arguments) for clause in query.clauses])


def sort_shape(sort: tuple[Sort, ...]) -> tuple[SortShape, ...]:
    """Give the shape of an order."""
    return tuple([SortShape(key.parameter.id, key.descending) for key in sort])
