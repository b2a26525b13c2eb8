"""The statements of a search: a page, the ids of matches, their number.

https://hl7.org/fhir/R4/search.html
"""

from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    Text,
    exists,
    false,
    func,
    literal_column,
    null,
    select,
)

from passerelle.fhir.search.search_parameters import by_id
from passerelle.store.search_sql.search_clauses import criteria
from passerelle.store.search_sql.search_driver import driver
from passerelle.store.search_sql.search_order import (
    SortKey,
    after,
    is_walkable,
    keys_walked,
    looked_up,
    order,
    pid_key,
    walked,
)
from passerelle.store.search_sql.search_ranges import RangeWay, range_keys
from passerelle.store.search_sql.search_scope import Scope, of_parameters
from passerelle.store.search_sql.search_shape import QueryShape, Shape, SortShape
from passerelle.store.sql.statements import version_columns

_TEXT, _BIG = Text(), BigInteger()


class _Matches(NamedTuple):
    """The rows of ``resource`` that a search finds, not yet what to say of them.

    ``gathered`` tells that they do not come in the order of their pid as it is.
    """

    statement: Select[Any]
    resource: FromClause
    source: FromClause
    pid: ColumnElement[Any]
    gathered: bool


def _of_types(
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


def _matches(scope: Scope, shape: QueryShape) -> _Matches:
    """Write the resources of some types, not deleted, that satisfy the criteria."""
    resource = scope.rows.resource
    types = [scope.bind(_TEXT) for _ in range(shape.types)]
    committed = (resource.c.updated < scope.bind(_BIG),) if shape.below else ()
    found = criteria(scope, shape.clauses, resource, _way(shape))
    source = resource
    pid: ColumnElement[Any] = resource.c.pid
    of_types = _of_types(scope, shape, resource, types)
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
    return _Matches(statement, resource, source, pid, gathered=found.driven_by in ("list", "id"))


def ids_statement(scope: Scope, shape: QueryShape) -> Select[Any]:
    """Write the ids of the matches, in pid order, so many at most."""
    found = _matches(scope, shape)
    ids = found.statement.add_columns(found.resource.c.id).order_by(found.pid)
    return _limited(scope, shape, ids)


def count_statement(scope: Scope, shape: QueryShape) -> Select[Any]:
    """Write how many matches there are."""
    return _matches(scope, shape).statement.add_columns(func.count())


def _limited(scope: Scope, shape: QueryShape, statement: Select[Any]) -> Select[Any]:
    """Bound a statement by the last argument, or by a number in its text."""
    most = scope.bind(_BIG)
    if shape.limit:
        most = literal_column(str(shape.limit))
    return statement.limit(most).offset(literal_column("0"))


def walks(clauses: tuple[Shape, ...], sort: tuple[SortShape, ...]) -> bool:
    """Tell whether the index of the one sort key is gone through in its order.

    It is when no criterion drives. The resources without a value then come in a second phase.
    """
    return len(sort) == 1 and is_walkable(sort[0]) and driver(clauses) is None


def page_statement(scope: Scope, shape: QueryShape) -> Select[Any]:
    """Write a page: the columns of a version, then the sort keys.

    Where the matches do not come in the order that is asked for, the page is chosen first and its
    bodies are joined afterwards, so that no body goes through a large sort.
    """
    if shape.phase == "present":
        return _walked_page(scope, shape)
    found = _matches(scope, shape)
    if shape.phase == "range":
        return _page_as_it_comes(scope, shape, found, range_keys(found.source))
    if shape.phase == "absent":
        return _page_without_value(scope, shape, found)
    keys = [looked_up(scope, key, found.resource) for key in shape.sort]
    undriven = driver(shape.clauses) is None and shape.types == 1
    alone = undriven and len(keys) == 1 and not keys[0].nullable
    if not found.gathered and (not keys or alone):
        return _page_as_it_comes(scope, shape, found, [*keys, pid_key(keys, found.pid)])
    keyed = found.statement.add_columns(
        found.pid.label("pid"), *(key.column.label(f"k{n}") for n, key in enumerate(keys))
    ).subquery("keyed")
    keys = [key._replace(column=keyed.c[f"k{n}"]) for n, key in enumerate(keys)]
    return _with_bodies(scope, shape, select(keyed), [*keys, pid_key(keys, keyed.c.pid)])


def _with_bodies(
    scope: Scope, shape: QueryShape, chosen: Select[Any], keys: list[SortKey]
) -> Select[Any]:
    """Choose a page among rows of ``pid``, ``k0``, ``k1`` …, then join what a version holds."""
    if shape.after is not None:
        chosen = chosen.where(after(scope, keys, shape.after))
    first = _limited(scope, shape, chosen.order_by(*order(keys))).subquery("page")
    names = [*(f"k{n}" for n in range(len(keys) - 1)), "pid"]
    keys = [key._replace(column=first.c[name]) for key, name in zip(keys, names, strict=True)]
    head, version = scope.rows.resource.alias("head"), scope.rows.version
    columns = version_columns(scope.rows)[2:]
    return (
        select(head.c.type, head.c.id, *columns, *(key.column for key in keys[:-1]))
        .select_from(first)
        .join(head, head.c.pid == first.c.pid)
        .join(version, version.c.seq == head.c.seq)
        .order_by(*order(keys))
    )


def _page_as_it_comes(
    scope: Scope, shape: QueryShape, found: _Matches, keys: list[SortKey]
) -> Select[Any]:
    """Write a page whose matches come in the order of its keys, bodies and all; the last is pid."""
    version = scope.rows.version
    page = found.statement.add_columns(
        *version_columns(scope.rows), *(key.column for key in keys[:-1])
    ).where(version.c.seq == found.resource.c.seq)
    if shape.after is not None:
        page = page.where(after(scope, keys, shape.after))
    return _limited(scope, shape, page.order_by(*order(keys)))


def _walked_page(scope: Scope, shape: QueryShape) -> Select[Any]:
    """Write a page that goes through the index of its one sort key."""
    found = _matches(scope, shape)
    table = scope.index(by_id(shape.sort[0].param).kind)
    keys, once = walked(scope, shape.sort[0], table)
    statement = found.statement.where(
        of_parameters(table, (shape.sort[0].param,)),
        scope.unindexed(table.c.pid) == found.resource.c.pid,
        once,
    )
    keys.append(pid_key(keys, table.c.pid))
    return _page_as_it_comes(scope, shape, found._replace(statement=statement), keys)


def _page_without_value(scope: Scope, shape: QueryShape, found: _Matches) -> Select[Any]:
    """Write a page of those that have no value to sort by, in the order of their pids."""
    sort = shape.sort[0]
    table = scope.index(by_id(sort.param).kind)
    there = exists().where(scope.of_parameter_by_pid(table, sort.param), table.c.pid == found.pid)
    key = SortKey(null(), _TEXT, sort.descending, nullable=True)
    last = pid_key([key], found.pid)
    version = scope.rows.version
    nothing: ColumnElement[Any] = literal_column("NULL")
    nulls = [nothing.label(f"k{place}") for place in range(keys_walked(sort))]
    page = found.statement.add_columns(*version_columns(scope.rows), *nulls).where(
        version.c.seq == found.resource.c.seq, ~there
    )
    if shape.after is not None:
        page = page.where(after(scope, [last], ()))
    return _limited(scope, shape, page.order_by(*order([last])))
