"""The links between resources in SQL: literal references, and logical ones by an identifier.

https://hl7.org/fhir/R4/references.html#logical : a reference that carries an identifier only leads
to the resource that carries the same identifier. A link has an end that refers (its rows are of the
parameter) and an end that is referred to; it can be followed from either.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, false, literal_column, select
from sqlalchemy.sql.selectable import FromClause

from passerelle.store.search_sql.search_scope import Scope, of_parameters
from passerelle.store.search_sql.search_shape import ChainShape

Pid = ColumnElement[Any]
Conditions = tuple[ColumnElement[bool], ...]


def _of_types(column: ColumnElement[Any], types: Sequence[str]) -> Conditions:
    """Say that a type is one of some; the names are those of the table, and stand in the text."""
    if not types:
        return ()
    named: list[ColumnElement[Any]] = [literal_column(f"'{type}'") for type in types]
    return (column == named[0],) if len(named) == 1 else (column.in_(named),)


def _literal(
    scope: Scope, shape: ChainShape, *, from_target: bool
) -> tuple[FromClause, FromClause, Conditions]:
    """Write a literal reference: its row, the resource it names, and how they meet.

    ``from_target`` tells that the resource is what is known first, of the two.
    """
    reference = scope.index("reference")
    target = scope.look(scope.rows.resource)

    def free(column: ColumnElement[Any]) -> ColumnElement[Any]:
        return scope.unindexed(column) if from_target else column

    meet = (
        of_parameters(reference, shape.params),
        reference.c.type == free(target.c.type),
        reference.c.id == free(target.c.id),
        *_of_types(free(target.c.type), shape.types),
        target.c.deleted.is_(false()),
    )
    return reference, target, meet


def _logical(scope: Scope, shape: ChainShape) -> tuple[FromClause, FromClause, Conditions]:
    """Write a logical reference: its row, the row of the identifier it names, how they meet."""
    reference, identifier = scope.index("token"), scope.index("token")
    meet = (
        of_parameters(reference, shape.params),
        of_parameters(identifier, shape.identifiers),
        reference.c.value == identifier.c.value,
        reference.c.system == identifier.c.system,
        # Without a system an identifier names nobody.
        scope.unindexed(reference.c.system) != literal_column("''"),
    )
    return reference, identifier, meet


def ways_from(scope: Scope, shape: ChainShape, resource: FromClause) -> list[Select[Any]]:
    """Write the pids that the link leads to from one row, one selection a kind of reference."""
    if shape.reverse:
        reference = scope.index("reference")
        there = select(reference.c.pid.label("pid")).where(
            of_parameters(reference, shape.params),
            reference.c.type == scope.unindexed(resource.c.type),
            reference.c.id == scope.unindexed(resource.c.id),
        )
    else:
        reference, target, meet = _literal(scope, shape, from_target=False)
        there = select(target.c.pid.label("pid")).where(reference.c.pid == resource.c.pid, *meet)
    ways = [there]
    if shape.identifiers:
        known, named, also = _logical(scope, shape)
        near, far = (named, known) if shape.reverse else (known, named)
        ways.append(select(far.c.pid.label("pid")).where(near.c.pid == resource.c.pid, *also))
    return [way.correlate(resource) for way in ways]


def leads_back(
    scope: Scope, shape: ChainShape, end: Pid, *, logical: bool
) -> tuple[Pid, Conditions]:
    """Write the pids of what refers to ``end``, the pid of what is referred to."""
    if logical:
        reference, identifier, meet = _logical(scope, shape)
        return reference.c.pid, (identifier.c.pid == scope.unindexed(end), *meet)
    reference, target, meet = _literal(scope, shape, from_target=True)
    return reference.c.pid, (target.c.pid == scope.unindexed(end), *meet)


def leads_on(scope: Scope, shape: ChainShape, end: Pid, *, logical: bool) -> tuple[Pid, Conditions]:
    """Write the pids of what ``end`` refers to, ``end`` being the pid of what refers."""
    if logical:
        reference, identifier, meet = _logical(scope, shape)
        return identifier.c.pid, (reference.c.pid == scope.unindexed(end), *meet)
    reference, target, meet = _literal(scope, shape, from_target=False)
    return target.c.pid, (reference.c.pid == scope.unindexed(end), *meet)
