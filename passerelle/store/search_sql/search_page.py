"""The statements of a search: a page, the ids of matches, their number.

https://hl7.org/fhir/R4/search.html
"""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    Text,
    exists,
    func,
    literal_column,
    null,
    select,
    true,
)

from passerelle.fhir.search.search_parameters import ANY, by_id
from passerelle.store.search_sql.search_clauses import (
    alternatives,
    is_of_the_row,
    one_holds,
    probe,
)
from passerelle.store.search_sql.search_driver import driver, driving, is_one_key
from passerelle.store.search_sql.search_faces import face_of
from passerelle.store.search_sql.search_matches import Matches, limited, matches
from passerelle.store.search_sql.search_order import (
    SortKey,
    after,
    is_walkable,
    keys_looked_up,
    keys_walked,
    looked_up,
    order,
    pid_key,
    walked,
)
from passerelle.store.search_sql.search_ranges import range_keys
from passerelle.store.search_sql.search_scope import Scope, of_parameters
from passerelle.store.search_sql.search_shape import ClauseShape, QueryShape, Shape, SortShape
from passerelle.store.search_sql.search_walks import budgeted_page
from passerelle.store.sql.statements import version_columns

_TEXT = Text()


def ids_statement(scope: Scope, shape: QueryShape) -> Select[Any]:
    """Write the ids of the matches, in pid order, so many at most."""
    found = matches(scope, shape)
    ids = found.statement.add_columns(found.resource.c.id).order_by(found.pid)
    return limited(scope, shape, ids)


def count_statement(scope: Scope, shape: QueryShape) -> Select[Any]:
    """Write how many matches there are.

    What is deleted has no index rows, so that those of one key of one type are counted alone.
    """
    chosen = driver(shape.clauses)
    if chosen is None or not _is_of_index_rows(shape, shape.clauses[chosen]):
        return matches(scope, shape).statement.add_columns(func.count())
    scope.bind(_TEXT)  # the type, which the parameter says
    key = shape.clauses[chosen]
    assert isinstance(key, ClauseShape)
    rows = scope.index(face_of(by_id(key.params[0])).table)
    held = [
        one_holds(alternatives(scope, key, rows)) if place == chosen else probe(scope, clause, rows)
        for place, clause in enumerate(shape.clauses)
    ]
    return select(func.count()).select_from(rows).where(*held)


def _is_of_index_rows(shape: QueryShape, driving: Shape) -> bool:
    """Tell whether index rows alone say which resources match, one row of what drives for each."""
    if shape.types != 1 or shape.below or not is_one_key(driving):
        return False
    leaves = [clause for clause in shape.clauses if isinstance(clause, ClauseShape)]
    if len(leaves) < len(shape.clauses) or any(map(is_of_the_row, leaves)):
        return False
    assert isinstance(driving, ClauseShape)
    return by_id(driving.params[0]).type != ANY


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
    if shape.budget:
        return budgeted_page(scope, shape)
    if shape.phase == "present":
        return _walked_page(scope, shape)
    found = matches(scope, shape)
    if shape.phase == "range":
        return _page_as_it_comes(scope, shape, found, range_keys(found.source))
    if shape.phase == "absent":
        return _page_without_value(scope, shape, found)
    joined: FromClause | None = None
    if len(shape.sort) == 1:
        keys, joined = keys_looked_up(scope, shape.sort[0], found.resource)
    else:
        keys = [looked_up(scope, key, found.resource) for key in shape.sort]
    undriven = driving(shape) is None and shape.types == 1
    alone = undriven and len(keys) == 1 and not keys[0].nullable
    if not found.gathered and (not keys or alone):
        return _page_as_it_comes(scope, shape, found, [*keys, pid_key(keys, found.pid)])
    matching = found.statement
    if joined is not None:
        matching = matching.outerjoin_from(found.resource, joined, true())
    keyed = matching.add_columns(
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
    first = limited(scope, shape, chosen.order_by(*order(keys))).subquery("page")
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
    scope: Scope, shape: QueryShape, found: Matches, keys: list[SortKey]
) -> Select[Any]:
    """Write a page whose matches come in the order of its keys, bodies and all; the last is pid."""
    version = scope.rows.version
    page = found.statement.add_columns(
        *version_columns(scope.rows), *(key.column for key in keys[:-1])
    ).where(version.c.seq == found.resource.c.seq)
    if shape.after is not None:
        page = page.where(after(scope, keys, shape.after))
    return limited(scope, shape, page.order_by(*order(keys)))


def _walked_page(scope: Scope, shape: QueryShape) -> Select[Any]:
    """Write a page that goes through the index of its one sort key."""
    found = matches(scope, shape)
    table = scope.index(by_id(shape.sort[0].param).kind)
    keys, once = walked(scope, shape.sort[0], table)
    statement = found.statement.where(
        of_parameters(table, (shape.sort[0].param,)),
        scope.unindexed(table.c.pid) == found.resource.c.pid,
        once,
    )
    keys.append(pid_key(keys, table.c.pid))
    return _page_as_it_comes(scope, shape, found._replace(statement=statement), keys)


def _page_without_value(scope: Scope, shape: QueryShape, found: Matches) -> Select[Any]:
    """Write a page of those that have no value to sort by, in the order of their pids."""
    sort = shape.sort[0]
    table = scope.index(by_id(sort.param).kind)
    # All of them are asked for: PostgreSQL may gather those that have a value first.
    there = exists().where(of_parameters(table, (sort.param,)), table.c.pid == found.pid)
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
    return limited(scope, shape, page.order_by(*order([last])))
