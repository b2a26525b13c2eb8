"""A page looked for row by row in its own order, among so many rows at most.

Where all criteria are wide, the first few hundred rows in the order of a page hold its matches, and
to gather all matches first would cost what they are. Where they do not, the page is not full, and
another way is taken (``search_paging``). https://use-the-index-luke.com/sql/partial-results/top-n-queries
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
    literal_column,
    select,
)

from passerelle.fhir.search.search_parameters import ANY, by_id
from passerelle.fhir.search.single_values import is_single_date
from passerelle.store.search_sql.search_clauses import alternatives, one_holds, probe
from passerelle.store.search_sql.search_clauses import is_of_the_row as is_of_row
from passerelle.store.search_sql.search_matches import limited
from passerelle.store.search_sql.search_order import (
    SortKey,
    after,
    is_of_the_row,
    keys_of_row,
    keys_walked,
    order,
    pid_key,
    walked,
)
from passerelle.store.search_sql.search_scope import Scope, of_parameters
from passerelle.store.search_sql.search_shape import ClauseShape, QueryShape, Shape, denies
from passerelle.store.sql.statements import version_columns

_TEXT, _BIG = Text(), BigInteger()


class _Way(NamedTuple):
    """What is walked along: a table, what holds of its rows, and the keys of their order."""

    table: FromClause
    conditions: tuple[ColumnElement[bool], ...]
    keys: list[SortKey]
    names: tuple[str, ...]


def _way(scope: Scope, shape: QueryShape, type: ColumnElement[Any]) -> _Way:
    """Write what is walked along: the index of what is sorted by, or the rows of the type."""
    sort = shape.sort[0] if shape.sort else None
    if sort is not None and shape.phase == "present":
        table = scope.index(by_id(sort.param).kind)
        keys, _ = walked(scope, sort, table)
        names = tuple(key.column.name for key in keys)
        keys.append(pid_key(keys, table.c.pid))
        return _Way(table, (of_parameters(table, (sort.param,)),), keys, names)
    table = scope.look(scope.rows.resource)
    of_type = (table.c.type == type,)
    if sort is None:
        return _Way(table, of_type, [pid_key([], table.c.pid)], ())
    if shape.phase == "absent":
        key = SortKey(table.c.pid, _BIG, sort.descending, nullable=False)
        return _Way(table, of_type, [key], ())
    keys = keys_of_row(sort, table)
    return _Way(
        table, of_type, [*keys, pid_key(keys, table.c.pid)], tuple(k.column.name for k in keys)
    )


def budgeted_page(scope: Scope, shape: QueryShape) -> Select[Any]:
    """Write a page of one type that looks at ``shape.budget`` rows at most, from its place on."""
    resource, version = scope.rows.resource, scope.rows.version
    type = scope.bind(_TEXT)
    way = _way(scope, shape, type)
    rows = select(*(way.table.c[name] for name in way.names), way.table.c.pid)
    rows = rows.where(*way.conditions)
    found: list[ColumnElement[bool]] = []
    if shape.below:
        found.append(resource.c.updated < scope.bind(_BIG))
    for clause in shape.clauses:
        if bounds_the_walk(shape, clause):
            rows = rows.where(_of_walked(scope, clause, way.table))
        else:
            found.append(probe(scope, clause, resource))
    if shape.after is not None:
        rows = rows.where(after(scope, way.keys, ()))
    bounded = rows.order_by(*order(way.keys)).limit(literal_column(str(shape.budget)))
    walk = bounded.offset(literal_column("0")).subquery("walk")
    keys = [
        key._replace(column=walk.c[name])
        for key, name in zip(way.keys, (*way.names, "pid"), strict=True)
    ]
    if shape.phase == "present":
        found.append(walked(scope, shape.sort[0], walk)[1])
    if shape.phase == "absent":
        found.append(_has_no_value(scope, shape, walk))
    if shape.phase != "present" or by_id(shape.sort[0].param).type == ANY:
        found.append(scope.unindexed(resource.c.type) == type)
    said: list[ColumnElement[Any]] = [key.column for key in keys[:-1]]
    if shape.phase == "absent":
        nothing: ColumnElement[Any] = literal_column("NULL")
        said = [nothing.label(f"k{n}") for n in range(keys_walked(shape.sort[0]))]
    page = (
        select(*version_columns(scope.rows), *said)
        .select_from(walk)
        .where(
            resource.c.pid == scope.unindexed(walk.c.pid),
            version.c.seq == resource.c.seq,
            resource.c.deleted.is_(false()),
            *found,
        )
    )
    if scope.dialect == "postgresql":
        page = page.order_by(*order(keys))
    # SQLite goes through the walk as it comes, and would go through all of it to sort it again.
    return limited(scope, shape, page)


def bounds_the_walk(shape: QueryShape, clause: Shape) -> bool:
    """Tell whether a criterion is on what is walked along: it bounds the very order of the walk.

    It is on the row of the resource that is sorted by, or on a date that it has only one of.
    """
    if not shape.sort or not isinstance(clause, ClauseShape):
        return False
    sort = shape.sort[0]
    if is_of_the_row(sort):
        return is_of_row(clause)
    if shape.phase != "present" or denies(clause) or clause.missing is not None:
        return False
    return clause.params == (sort.param,) and is_single_date(sort.param)


def _of_walked(scope: Scope, clause: Shape, table: FromClause) -> ColumnElement[bool]:
    assert isinstance(clause, ClauseShape)
    return one_holds(alternatives(scope, clause, table))


def _has_no_value(scope: Scope, shape: QueryShape, walk: FromClause) -> ColumnElement[bool]:
    """Write that a resource has no value to be sorted by."""
    param = shape.sort[0].param
    table = scope.index(by_id(param).kind)
    held = select(table.c.pid).where(
        scope.of_parameter_by_pid(table, param), table.c.pid == walk.c.pid
    )
    return ~exists(scope.row_by_row(held))


def beyond_statement(scope: Scope, shape: QueryShape) -> Select[Any]:
    """Write whether there are more rows to walk along than the budget: one row, or none."""
    type = scope.bind(_TEXT)
    if shape.below:
        scope.bind(_BIG)
    way = _way(scope, shape, type)
    rows: Select[Any] = select(literal_column("1")).select_from(way.table).where(*way.conditions)
    for clause in shape.clauses:
        if bounds_the_walk(shape, clause):
            rows = rows.where(_of_walked(scope, clause, way.table))
        else:
            probe(scope, clause, scope.rows.resource)  # its arguments are passed over
    if shape.after is not None:
        rows = rows.where(after(scope, way.keys, ()))
    return rows.limit(literal_column("1")).offset(literal_column(str(shape.budget)))
