"""What a page brings along: `_include` and `_revinclude`, one statement each.

https://hl7.org/fhir/R4/search.html#revinclude
"""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Select,
    Text,
    and_,
    bindparam,
    column,
    false,
    func,
    literal_column,
    select,
    union_all,
)
from sqlalchemy.sql.elements import ClauseElement

from passerelle.fhir.search.query import Include
from passerelle.store.caller import Caller
from passerelle.store.rows import Rows
from passerelle.store.search_sql.search_scope import Scope, of_parameters
from passerelle.store.search_sql.search_statement import Plan, keep, kept, to_plan
from passerelle.store.sql.compiling import DialectName
from passerelle.store.sql.statements import version_columns

INCLUDED_MAX = 1000
"""Resources that one page brings along."""

Direction: TypeAlias = Literal["along", "against"]


class IncludeShape(NamedTuple):
    """One inclusion without the name of its target."""

    params: tuple[int, ...]
    targeted: bool


class IncludesShape(NamedTuple):
    """All inclusions of one direction."""

    direction: Direction
    includes: tuple[IncludeShape, ...]


def _page(dialect: DialectName) -> Select[Any]:
    """Write the pids of the page, which come as one argument, the first."""
    if dialect == "sqlite":
        listed = func.json_each(bindparam("a0", type_=Text())).table_valued(column("value"))
        return select(listed.c.value)
    return select(func.unnest(bindparam("a0", type_=ARRAY(BigInteger()))))


def _one(scope: Scope, include: IncludeShape, direction: Direction) -> Select[Any]:
    """Write the pids that one inclusion leads to."""
    reference = scope.look(scope.rows.reference)
    target = scope.look(scope.rows.resource)
    free = scope.unindexed if direction == "against" else lambda column: column
    page = _page(scope.dialect)
    meet: list[ColumnElement[bool]] = [
        of_parameters(reference, include.params),
        and_(reference.c.type == free(target.c.type), reference.c.id == free(target.c.id)),
    ]
    if include.targeted:
        meet.append(reference.c.type == scope.bind(Text()))
    if direction == "along":
        return select(target.c.pid).where(*meet, reference.c.pid.in_(page))
    return select(reference.c.pid).where(*meet, target.c.pid.in_(page))


def _compose(scope: Scope, shape: IncludesShape) -> ClauseElement:
    """Write the resources that the inclusions lead to, less those of the page itself."""
    scope.bind(Text())  # a0 is the page
    resource, version = scope.rows.resource, scope.rows.version
    selects = [_one(scope, include, shape.direction) for include in shape.includes]
    found = selects[0] if len(selects) == 1 else union_all(*selects)
    page = _page(scope.dialect)
    return (
        select(*version_columns(scope.rows))
        .join_from(resource, version, version.c.seq == resource.c.seq)
        .where(
            resource.c.pid.in_(found),
            resource.c.pid.not_in(page),
            resource.c.deleted.is_(false()),
        )
        .order_by(resource.c.pid)
        .limit(literal_column(str(INCLUDED_MAX + 1)))
        .offset(literal_column("0"))
    )


def includes_plan(
    includes: Sequence[Include], direction: Direction, caller: Caller, dialect: DialectName
) -> tuple[Plan, list[Any]]:
    """Give the text of some inclusions, and its arguments after the first, which is the page.

    The page comes as a JSON array of pids on SQLite, as an array on PostgreSQL.
    """
    shape = IncludesShape(
        direction,
        tuple(
            IncludeShape(tuple(each.id for each in include.parameters), include.target is not None)
            for include in includes
        ),
    )
    key = (shape, dialect, caller.kind)
    plan = kept(key)
    if plan is None:
        plan = keep(key, to_plan(_compose(Scope(Rows(caller), dialect), shape), dialect))
    return plan, [include.target for include in includes if include.target is not None]
