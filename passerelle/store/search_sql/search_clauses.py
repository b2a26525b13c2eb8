"""Criteria as SQL conditions on a row of ``resource``.

A criterion can be written in two ways. To *drive*: the pids of all that satisfy it, from its own
index; one criterion of a search is written so, the most selective. To *probe*: whether this one
row satisfies it, looked up by its pid. https://www.sqlite.org/queryplanner.html
"""

from collections.abc import Sequence
from itertools import count
from typing import Any, Literal, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Text,
    and_,
    bindparam,
    exists,
    false,
    literal_column,
    not_,
    or_,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.sql.selectable import FromClause
from sqlalchemy.types import TypeEngine

from passerelle.fhir.search.search_parameters import ANY, Parameter, by_id
from passerelle.store.rows import Rows
from passerelle.store.search_sql.search_driver import driver, is_one_key, rank
from passerelle.store.search_sql.search_shape import ClauseShape, Group
from passerelle.store.search_sql.search_values import OF_THE_ROW, Columns, face_of
from passerelle.store.sql.compiling import DialectName

_TEXT, _BIG = Text(), BigInteger()


class Scope:
    """What a statement is written with: rows, dialect, places of arguments, names of aliases."""

    def __init__(self, rows: Rows, dialect: DialectName) -> None:
        """Start a statement."""
        self.rows = rows
        self.dialect = dialect
        self._places = count()
        self._aliases = count()

    def bind(self, type: TypeEngine[Any]) -> ColumnElement[Any]:
        """Give the place of the next argument."""
        return bindparam(f"a{next(self._places)}", type_=type)

    def unindexed(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """Keep the planner of SQLite, which has no statistics, from using an index on a column."""
        if self.dialect != "sqlite":
            return column
        nothing = "0" if isinstance(column.type, Integer) else "''"
        return column + literal_column(nothing, column.type)

    def look(self, table: FromClause) -> FromClause:
        """Give one more look at a table."""
        return table.alias(f"t{next(self._aliases)}")

    def index(self, parameter: Parameter) -> FromClause:
        """Give one more look at the index table of a parameter."""
        return self.look(getattr(self.rows, parameter.kind))


def of_parameter(table: FromClause, parameter: Parameter) -> ColumnElement[bool]:
    """Say that an index row is of a parameter; the id stands in the text, for the planner."""
    return table.c.param == literal_column(str(parameter.id))


def _one_of(
    scope: Scope, key: Columns, asked: Sequence[tuple[ColumnElement[Any], ...]]
) -> ColumnElement[bool]:
    """Write that a key of several columns is one of those that are asked for."""
    if scope.dialect == "sqlite":
        # It takes a list of rows only from a query, and an index only for single columns.
        rows = tuple_(*key).in_(union_all(*(select(*places) for places in asked)))
        return and_(*(column.in_(p[n] for p in asked) for n, column in enumerate(key)), rows)
    return tuple_(*key).in_([tuple_(*places) for places in asked])


def _group(
    scope: Scope, clause: ClauseShape, group: Group, table: FromClause
) -> list[ColumnElement[bool]]:
    """Write alternatives of one shape, each by itself where no list of keys can hold them."""
    parameter = by_id(clause.param)
    face = face_of(parameter)
    if face.key is None:
        write = face.condition
        assert write is not None
        return [
            write(table, group.shape, clause.modifier, scope.bind, scope.dialect)
            for _ in range(group.size)
        ]
    key = face.key(table, group.shape)
    asked = [tuple(scope.bind(_TEXT) for _ in key) for _ in range(group.size)]
    if len(asked) == 1:
        condition = and_(*(column == place for column, place in zip(key, asked[0], strict=True)))
    elif len(key) == 1:
        condition = key[0].in_([places[0] for places in asked])
    else:
        condition = _one_of(scope, key, asked)
    if parameter.kind == "reference" and not group.shape and parameter.targets != (ANY,):
        # A bare id: one of the types that the reference may lead to.
        named: list[ColumnElement[Any]] = [
            literal_column(f"'{type}'") for type in parameter.targets
        ]
        condition = and_(table.c.type.in_(named), condition)
    return [condition]


def _alternatives(
    scope: Scope, clause: ClauseShape, table: FromClause
) -> list[ColumnElement[bool]]:
    """Write the alternatives of a criterion on one look at its index table."""
    return [one for group in clause.groups for one in _group(scope, clause, group, table)]


def _values(scope: Scope, clause: ClauseShape, table: FromClause) -> ColumnElement[bool]:
    """Write that one of the alternatives of a criterion holds."""
    written = _alternatives(scope, clause, table)
    return written[0] if len(written) == 1 else or_(*written)


def _on_the_row(
    scope: Scope, clause: ClauseShape, resource: FromClause
) -> ColumnElement[bool] | None:
    """Write what the resource's own row answers (`_id`, `_lastUpdated`); None for the others."""
    if by_id(clause.param).code not in OF_THE_ROW:
        return None
    return _values(scope, clause, resource)


def _step(
    scope: Scope, clause: ClauseShape, target: FromClause, *, from_target: bool
) -> tuple[FromClause, ColumnElement[bool]]:
    """Write the step of a chain: the reference rows and how they meet ``target``.

    ``from_target`` tells that the target is what is known first, of the two.
    """
    free = scope.unindexed if from_target else lambda column: column
    parameter = by_id(clause.param)
    reference = scope.index(parameter)
    meet = (
        of_parameter(reference, parameter)
        & (reference.c.type == free(target.c.type))
        & (reference.c.id == free(target.c.id))
        & (free(target.c.type) == scope.bind(_TEXT))
        & target.c.deleted.is_(false())
    )
    return reference, meet


def probe(scope: Scope, clause: ClauseShape, resource: FromClause) -> ColumnElement[bool]:
    """Write whether one row of ``resource`` satisfies a criterion."""
    own = _on_the_row(scope, clause, resource)
    if own is not None:
        return own
    if clause.chain:
        found = []
        for inner in clause.chain:
            target = scope.look(scope.rows.resource)
            reference, meet = _step(scope, clause, target, from_target=False)
            inside = probe(scope, inner, target)
            found.append(exists().where(reference.c.pid == resource.c.pid, meet, inside))
        return or_(*found)
    parameter = by_id(clause.param)
    table = scope.index(parameter)
    there = exists().where(table.c.pid == resource.c.pid, of_parameter(table, parameter))
    if clause.missing is not None:
        return not_(there) if clause.missing else there
    there = there.where(_values(scope, clause, table))
    return not_(there) if clause.modifier == "not" else there


class _Source(NamedTuple):
    """Where pids come from: the column that holds them, and what must hold; repeats may be."""

    pid: ColumnElement[Any]
    conditions: tuple[ColumnElement[bool], ...]


def _sources(scope: Scope, clause: ClauseShape) -> list[_Source]:
    """Write where the pids of all that satisfy a criterion come from, the alternatives of a chain.

    A chain is joined from its end: what is asked of its last link is what narrows it.
    """
    parameter = by_id(clause.param)
    if not clause.chain:
        table = scope.index(parameter)
        there = of_parameter(table, parameter)
        if clause.missing is False:
            return [_Source(table.c.pid, (there,))]
        # An index serves one alternative at a time.
        return [_Source(table.c.pid, (there, one)) for one in _alternatives(scope, clause, table)]
    found: list[_Source] = []
    for inner in clause.chain:
        target = scope.look(scope.rows.resource)
        on_target = rank(inner) is None or by_id(inner.param).code in OF_THE_ROW
        reference, meet = _step(scope, clause, target, from_target=not on_target)
        if on_target:
            found.append(_Source(reference.c.pid, (meet, probe(scope, inner, target))))
            continue
        for source in _sources(scope, inner):
            led = (*source.conditions, target.c.pid == scope.unindexed(source.pid), meet)
            found.append(_Source(reference.c.pid, led))
    return found


def drive(scope: Scope, clause: ClauseShape, resource: FromClause) -> ColumnElement[bool]:
    """Write that the pid is among those of all that satisfy a criterion that has a rank."""
    own = _on_the_row(scope, clause, resource)
    if own is not None:
        return own
    selects = [select(source.pid).where(*source.conditions) for source in _sources(scope, clause)]
    return resource.c.pid.in_(selects[0] if len(selects) == 1 else union_all(*selects))


class Criteria(NamedTuple):
    """All criteria of a search in SQL, and what drives.

    ``nothing``: the rows of the type are gone through in the order of their pid. ``key``: one whole
    key of the index table ``joined``, to be read along; its pids come in order, and a page costs no
    more than its size. ``list``: the pids of a criterion, gathered first. ``id``: ids.
    """

    written: tuple[ColumnElement[bool], ...]
    driven_by: Literal["nothing", "key", "list", "id"] = "nothing"
    joined: FromClause | None = None


def criteria(scope: Scope, clauses: Sequence[ClauseShape], resource: FromClause) -> Criteria:
    """Write all criteria of a search, in their order."""
    chosen = driver(clauses)
    joined: FromClause | None = None
    written: list[ColumnElement[bool]] = []
    for place, clause in enumerate(clauses):
        if place != chosen:
            written.append(probe(scope, clause, resource))
        elif is_one_key(clause):
            parameter = by_id(clause.param)
            joined = scope.index(parameter)
            meet = joined.c.pid == resource.c.pid
            written.append(of_parameter(joined, parameter) & _values(scope, clause, joined) & meet)
        else:
            written.append(drive(scope, clause, resource))
    if joined is not None:
        return Criteria(tuple(written), "key", joined)
    if chosen is None:
        return Criteria(tuple(written))
    of_the_row = by_id(clauses[chosen].param).code in OF_THE_ROW
    return Criteria(tuple(written), "id" if of_the_row else "list")
