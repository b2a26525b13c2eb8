"""Criteria as SQL conditions on a row of ``resource``.

A criterion can be written in two ways. To *drive*: the pids of all that satisfy it, from its own
index; one criterion of a search is written so, the most selective. To *probe*: whether this one
row satisfies it, looked up by its pid. https://www.sqlite.org/queryplanner.html
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Text,
    and_,
    exists,
    false,
    literal_column,
    not_,
    or_,
    select,
    tuple_,
    union,
    union_all,
)
from sqlalchemy.sql.selectable import FromClause

from passerelle.fhir.search.search_parameters import ANY, by_id
from passerelle.fhir.search.single_values import is_point
from passerelle.store.search_sql.search_driver import driver
from passerelle.store.search_sql.search_faces import SAID_ELSEWHERE, face_of
from passerelle.store.search_sql.search_hierarchies import within
from passerelle.store.search_sql.search_links import leads_back, leads_on, ways_from
from passerelle.store.search_sql.search_scope import Scope, of_parameters
from passerelle.store.search_sql.search_shape import (
    ChainShape,
    ClauseShape,
    CombinedShape,
    Group,
    Shape,
    TypeShape,
    denies,
)
from passerelle.store.search_sql.search_values import OF_THE_ROW, Columns

_TEXT = Text()


def _one_of(
    scope: Scope, key: Columns, asked: Sequence[tuple[ColumnElement[Any], ...]]
) -> ColumnElement[bool]:
    """Write that a key of several columns is one of those that are asked for."""
    if scope.dialect == "sqlite":
        # It takes a list of rows only from a query, and an index only for single columns.
        rows = tuple_(*key).in_(union_all(*(select(*places) for places in asked)))
        return and_(*(column.in_(p[n] for p in asked) for n, column in enumerate(key)), rows)
    return tuple_(*key).in_([tuple_(*places) for places in asked])


_YEAR = 366 * 86_400_000_000
"""Microseconds: no date is wider."""


def _from_a_year_before(
    scope: Scope, clause: ClauseShape, shape: Any, low: ColumnElement[Any]
) -> ColumnElement[bool] | None:
    """Write what follows from ``gt`` and ``ge`` where values are a year wide at most.

    It lets the index begin there. The end that is asked for is the next argument.
    """
    if shape not in ("gt", "ge") or not all(map(is_point, clause.params)):
        return None
    start = scope.place
    end = scope.bind(BigInteger())
    scope.place = start
    return low > end - literal_column(str(_YEAR))


def singles(clause: ClauseShape) -> list[ClauseShape]:
    """Part a criterion into its alternatives, in the order of their arguments."""
    each = [Group(group.shape, 1) for group in clause.groups for _ in range(group.size)]
    return [clause._replace(groups=(group,)) for group in each]


def _group(
    scope: Scope, clause: ClauseShape, group: Group, table: FromClause
) -> list[ColumnElement[bool]]:
    """Write alternatives of one shape, each by itself where no list of keys can hold them."""
    parameter = by_id(clause.params[0])
    face = face_of(parameter, clause.modifier)
    if face.key is None:
        write = face.condition
        if write is None:
            return [within(scope, table, group.shape, clause.modifier) for _ in range(group.size)]
        found = []
        for _ in range(group.size):
            near = None
            if face.table == "date":
                near = _from_a_year_before(scope, clause, group.shape, table.c.low)
            one = write(table, group.shape, clause.modifier, scope.bind, scope.dialect)
            found.append(one if near is None else and_(near, one))
        return found
    key = face.key(table, group.shape)
    asked = [tuple(scope.bind(_TEXT) for _ in key) for _ in range(group.size)]
    if len(asked) == 1:
        condition = and_(*(column == place for column, place in zip(key, asked[0], strict=True)))
    elif len(key) == 1:
        condition = key[0].in_([places[0] for places in asked])
    else:
        condition = _one_of(scope, key, asked)
    if face.table == "reference" and not group.shape and parameter.targets != (ANY,):
        # A bare id: one of the types that the reference may lead to.
        named: list[ColumnElement[Any]] = [
            literal_column(f"'{type}'") for type in parameter.targets
        ]
        condition = and_(table.c.type.in_(named), condition)
    return [condition]


def alternatives(scope: Scope, clause: ClauseShape, table: FromClause) -> list[ColumnElement[bool]]:
    """Write the alternatives of a criterion on one look at its index table."""
    face = face_of(by_id(clause.params[0]), clause.modifier)
    written: list[ColumnElement[bool]] = []
    for group in clause.groups:
        found = _group(scope, clause, group, table)
        if face.table not in ("resource", "full_text"):
            other = face.other_rows is not None and face.other_rows(group.shape)
            params = tuple(-param for param in clause.params) if other else clause.params
            found = [of_parameters(table, params) & one for one in found]
        written += found
    return written


def one_holds(written: Sequence[ColumnElement[bool]]) -> ColumnElement[bool]:
    """Write that one of several conditions holds."""
    return written[0] if len(written) == 1 else or_(*written)


def is_of_the_row(shape: Shape) -> bool:
    """Tell whether a criterion is on the row of the resource itself (`_id`, `_lastUpdated`)."""
    return isinstance(shape, ClauseShape) and by_id(shape.params[0]).code in OF_THE_ROW


def _missing(scope: Scope, clause: ClauseShape, resource: FromClause) -> ColumnElement[bool]:
    """Write whether one row has no value of a parameter, or has one."""
    name = face_of(by_id(clause.params[0])).table
    there: list[ColumnElement[bool]] = []
    for each in (name, SAID_ELSEWHERE.get(name)):
        if each is not None:
            table = scope.index(each)
            of = scope.of_parameters_by_pid if scope.is_driven else of_parameters
            own = of(table, clause.params)
            found = select(table.c.pid).where(table.c.pid == resource.c.pid, own)
            there.append(exists(scope.row_by_row(found)))
    return not_(one_holds(there)) if clause.missing else one_holds(there)


def _probe_leaf(scope: Scope, clause: ClauseShape, resource: FromClause) -> ColumnElement[bool]:
    """Write whether one row satisfies a criterion that is no chain."""
    if is_of_the_row(clause):
        return one_holds(alternatives(scope, clause, resource))
    face = face_of(by_id(clause.params[0]), clause.modifier)
    if clause.missing is not None:
        return _missing(scope, clause, resource)
    if denies(clause) and scope.dialect == "postgresql" and not scope.is_driven:
        # One at a time, so that each can be gathered by its own index and hashed.
        return and_(*(_denied(scope, one, resource) for one in singles(clause)))
    table = scope.index(face.table)
    found = select(table.c.pid).where(table.c.pid == resource.c.pid)
    found = found.where(one_holds(alternatives(scope, clause, table)))
    there = exists(scope.row_by_row(found))
    return not_(there) if denies(clause) else there


def _denied(scope: Scope, clause: ClauseShape, resource: FromClause) -> ColumnElement[bool]:
    """Write that one row satisfies none of the alternatives of a criterion."""
    table = scope.index(face_of(by_id(clause.params[0]), clause.modifier).table)
    held = one_holds(alternatives(scope, clause, table))
    return not_(exists().where(table.c.pid == resource.c.pid, held))


def probe(scope: Scope, shape: Shape, resource: FromClause) -> ColumnElement[bool]:
    """Write whether one row of ``resource`` satisfies a criterion."""
    if isinstance(shape, ClauseShape):
        return _probe_leaf(scope, shape, resource)
    if isinstance(shape, TypeShape):
        # The planner shall not gather a whole type to find one row.
        return scope.unindexed(resource.c.type) == literal_column(f"'{shape.type}'")
    if isinstance(shape, CombinedShape):
        parts = [probe(scope, part, resource) for part in shape.parts]
        if shape.operator == "not":
            return not_(parts[0])
        return and_(*parts) if shape.operator == "and" else or_(*parts)
    ways = ways_from(scope, shape, resource)
    led = (ways[0] if len(ways) == 1 else union_all(*ways)).subquery(scope.name())
    end = scope.look(scope.rows.resource)
    inside = probe(scope, shape.inner, end)
    there: Select[Any] = select(literal_column("1")).select_from(led).where(end.c.pid == led.c.pid)
    return exists(there.where(end.c.deleted.is_(false()), inside))


class Source(NamedTuple):
    """Where pids come from: the column that holds them, and what must hold; repeats may be."""

    pid: ColumnElement[Any]
    conditions: tuple[ColumnElement[bool], ...]


def _leaf_sources(scope: Scope, clause: ClauseShape) -> list[Source]:
    if is_of_the_row(clause):
        row = scope.look(scope.rows.resource)
        held = (row.c.deleted.is_(false()), one_holds(alternatives(scope, clause, row)))
        return [Source(row.c.pid, held)]
    face = face_of(by_id(clause.params[0]), clause.modifier)
    table = scope.index(face.table)
    # An index serves one alternative at a time.
    return [Source(table.c.pid, (one,)) for one in alternatives(scope, clause, table)]


def _narrowed(scope: Scope, shape: CombinedShape) -> list[Source]:
    """Write where the pids come from that satisfy several criteria: one drives, others probe."""
    chosen = driver(shape.parts)
    row = scope.look(scope.rows.resource)
    held: list[ColumnElement[bool]] = []
    sources: list[Source] = []
    for place, part in enumerate(shape.parts):
        if place == chosen:
            sources = sources_of(scope, part)
        else:
            held.append(probe(scope, part, row))
    return [
        Source(row.c.pid, (*source.conditions, row.c.pid == scope.unindexed(source.pid), *held))
        for source in sources
    ]


def sources_of(scope: Scope, shape: Shape) -> list[Source]:
    """Write where the pids of all that satisfy a criterion that has a rank come from.

    A chain is joined from its end: what is asked of its last link is what narrows it.
    """
    if isinstance(shape, ClauseShape):
        return _leaf_sources(scope, shape)
    if isinstance(shape, CombinedShape):
        if shape.operator == "and":
            return _narrowed(scope, shape)
        return [source for part in shape.parts for source in sources_of(scope, part)]
    assert isinstance(shape, ChainShape)
    lead = leads_on if shape.reverse else leads_back
    start = scope.place
    ends = _ends(scope, shape.inner)
    found: list[Source] = []
    for logical in (False, True) if shape.identifiers else (False,):
        if logical and isinstance(shape.inner, ClauseShape):
            scope.place = start
            ends = _ends(scope, shape.inner)
        for end in ends:
            pid, meet = lead(scope, shape, end.pid, logical=logical)
            found.append(Source(pid, (*end.conditions, *meet)))
    return found


def _ends(scope: Scope, inner: Shape) -> list[Source]:
    """Write where the pids at the other end of a link come from.

    What is more than one criterion is gathered first, since both kinds of reference look at it.
    """
    sources = sources_of(scope, inner)
    if isinstance(inner, ClauseShape):
        return sources
    selects = [select(source.pid.label("pid")).where(*source.conditions) for source in sources]
    gathered = selects[0].distinct() if len(selects) == 1 else union(*selects)
    return [Source(gathered.cte(scope.name()).c.pid, ())]


def drive(scope: Scope, shape: Shape, resource: FromClause) -> ColumnElement[bool]:
    """Write that the pid is among those of all that satisfy a criterion that has a rank."""
    if isinstance(shape, ClauseShape) and is_of_the_row(shape):
        return one_holds(alternatives(scope, shape, resource))
    selects = [
        select(source.pid.label("pid")).where(*source.conditions)
        for source in sources_of(scope, shape)
    ]
    pids = selects[0] if len(selects) == 1 else union_all(*selects)
    if scope.dialect == "postgresql":
        # Its planner thinks too little of what drives, and would look it up again and again.
        gathered = pids.cte(scope.name()).prefix_with("MATERIALIZED")
        return resource.c.pid.in_(select(gathered.c.pid))
    return resource.c.pid.in_(pids)
