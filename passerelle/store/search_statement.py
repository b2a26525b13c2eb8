"""Whole searches composed with SQLAlchemy Core, compiled once per shape to the driver's text.

https://hl7.org/fhir/R4/search.html . Pages go on by key, never by OFFSET: the place after which a
page starts is a condition on (sort keys, pid). https://use-the-index-luke.com/no-offset
"""

from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    Text,
    and_,
    false,
    func,
    literal_column,
    or_,
    select,
)
from sqlalchemy.sql.elements import ClauseElement

from passerelle.fhir.search_parameters import by_id
from passerelle.store.caller import Caller
from passerelle.store.compiling import DialectName, compiled
from passerelle.store.rows import Rows
from passerelle.store.search_clauses import Scope, criteria
from passerelle.store.search_shape import QueryShape, SortShape
from passerelle.store.statements import version_columns

_TEXT, _BIG = Text(), BigInteger()

PLANS_MAX = 1000
"""Texts kept; past it the oldest goes."""

_SORTED_COLUMNS = {"date": ("low", _BIG), "string": ("norm", _TEXT), "token": ("value", _TEXT)}
_SORTED_OF_THE_ROW = {"_id": ("id", _TEXT), "_lastUpdated": ("updated", _BIG)}


class Plan(NamedTuple):
    """A text, and for each of its arguments its place among those of the search.

    ``fixed`` holds those that the text brings along (a place that is a string is its name).
    """

    sql: str
    places: tuple[int | str, ...]
    fixed: dict[str, Any]

    def args(self, arguments: list[Any]) -> tuple[Any, ...]:
        """Give the arguments in the order of the text."""
        return tuple(
            [
                arguments[place] if type(place) is int else self.fixed[place]  # type: ignore[index]
                for place in self.places
            ]
        )


class _Key(NamedTuple):
    """A sort key in SQL: its expression, its type, its direction."""

    column: ColumnElement[Any]
    type: Any
    descending: bool
    nullable: bool


def _sort_key(scope: Scope, key: SortShape, resource: FromClause) -> _Key:
    """Write what a resource is sorted by: its least value ascending, its greatest descending."""
    parameter = by_id(key.param)
    if parameter.code in _SORTED_OF_THE_ROW:
        name, type = _SORTED_OF_THE_ROW[parameter.code]
        return _Key(resource.c[name], type, key.descending, nullable=False)
    name, type = _SORTED_COLUMNS[parameter.kind]
    table = scope.index(parameter)
    extreme = (func.max if key.descending else func.min)(table.c[name])
    chosen = select(extreme).where(
        table.c.param == literal_column(str(parameter.id)), table.c.pid == resource.c.pid
    )
    return _Key(chosen.scalar_subquery(), type, key.descending, nullable=True)


def _after(
    scope: Scope, keys: list[_Key], nulls: tuple[bool, ...], pid: _Key
) -> ColumnElement[bool]:
    """Write what comes after a place; ``nulls`` tells which of its keys had no value.

    What has no value comes last: after a null there are only nulls, up to the pid.
    """
    if not keys:
        place = scope.bind(pid.type)
        return pid.column < place if pid.descending else pid.column > place
    key, rest = keys[0], keys[1:]
    if nulls[0]:
        return and_(key.column.is_(None), _after(scope, rest, nulls[1:], pid))
    place = scope.bind(key.type)
    beyond = key.column < place if key.descending else key.column > place
    if key.nullable:
        beyond = or_(beyond, key.column.is_(None))
    return or_(beyond, and_(key.column == place, _after(scope, rest, nulls[1:], pid)))


def _pid_key(keys: list[_Key], pid: ColumnElement[Any]) -> _Key:
    """Give the pid as the last key; it goes the way of the key before it, as the indexes do."""
    return _Key(pid, _BIG, descending=bool(keys) and keys[-1].descending, nullable=False)


def _order(keys: list[_Key], pid: _Key) -> list[ColumnElement[Any]]:
    """Write the order; only what may have no value needs NULLS LAST."""
    order: list[ColumnElement[Any]] = []
    for key in (*keys, pid):
        spelled = key.column.desc() if key.descending else key.column.asc()
        order.append(spelled.nulls_last() if key.nullable else spelled)
    return order


class _Matches(NamedTuple):
    """The rows of ``resource`` that a search finds, not yet what to say of them.

    ``ordered`` tells that they are read in the order of their pid as it is.
    """

    statement: Select[Any]
    resource: FromClause
    pid: ColumnElement[Any]
    ordered: bool


def _matches(scope: Scope, shape: QueryShape) -> _Matches:
    """Write the resources of a type, not deleted, that satisfy the criteria."""
    resource = scope.rows.resource
    type = scope.bind(_TEXT)
    found = criteria(scope, shape.clauses, resource)
    source = resource
    pid: ColumnElement[Any] = resource.c.pid
    of_type: ColumnElement[Any] = resource.c.type
    if found.joined is not None:
        source, pid = found.joined, found.joined.c.pid
    if found.driven_by in ("key", "list"):
        of_type = scope.unindexed(of_type)
    if found.driven_by in ("list", "id"):
        pid = scope.unindexed(pid)
    statement = (
        select()
        .select_from(source)
        .where(of_type == type, resource.c.deleted.is_(false()), *found.written)
    )
    return _Matches(statement, resource, pid, ordered=found.driven_by in ("nothing", "key"))


def _ids(scope: Scope, shape: QueryShape) -> Select[Any]:
    """Write the ids of the matches, in pid order, so many at most."""
    found = _matches(scope, shape)
    ids = found.statement.add_columns(found.resource.c.id).order_by(found.pid)
    return _limited(scope, ids)


def _count(scope: Scope, shape: QueryShape) -> Select[Any]:
    """Write how many matches there are."""
    return _matches(scope, shape).statement.add_columns(func.count())


def _limited(scope: Scope, statement: Select[Any]) -> Select[Any]:
    return statement.limit(scope.bind(_BIG)).offset(literal_column("0"))


def _page(scope: Scope, shape: QueryShape) -> Select[Any]:
    """Write a page: the columns of a version, then the sort keys.

    Where the matches do not come in the order that is asked for, the page is chosen first and its
    bodies are joined afterwards, so that no body goes through a large sort.
    """
    found = _matches(scope, shape)
    keys = [_sort_key(scope, key, found.resource) for key in shape.sort]
    if found.ordered and not any(key.nullable for key in keys):
        return _page_as_it_comes(scope, shape, found, keys)
    keyed = found.statement.add_columns(
        found.pid.label("pid"), *(key.column.label(f"k{n}") for n, key in enumerate(keys))
    ).subquery("keyed")
    keys = [key._replace(column=keyed.c[f"k{n}"]) for n, key in enumerate(keys)]
    pid = _pid_key(keys, keyed.c.pid)
    chosen = select(keyed)
    if shape.after is not None:
        chosen = chosen.where(_after(scope, keys, shape.after, pid))
    first = _limited(scope, chosen.order_by(*_order(keys, pid))).subquery("page")
    keys = [key._replace(column=first.c[f"k{n}"]) for n, key in enumerate(keys)]
    head, version = scope.rows.resource.alias("head"), scope.rows.version
    return (
        select(
            head.c.type,
            head.c.id,
            *version_columns(scope.rows)[2:],
            *(key.column for key in keys),
        )
        .select_from(first)
        .join(head, head.c.pid == first.c.pid)
        .join(version, version.c.seq == head.c.seq)
        .order_by(*_order(keys, _pid_key(keys, first.c.pid)))
    )


def _page_as_it_comes(
    scope: Scope, shape: QueryShape, found: _Matches, keys: list[_Key]
) -> Select[Any]:
    """Write a page whose matches come in the order that is asked for, bodies and all."""
    version = scope.rows.version
    pid = _pid_key(keys, found.pid)
    page = found.statement.add_columns(
        *version_columns(scope.rows), *(key.column for key in keys)
    ).where(version.c.seq == found.resource.c.seq)
    if shape.after is not None:
        page = page.where(_after(scope, keys, shape.after, pid))
    return _limited(scope, page.order_by(*_order(keys, pid)))


_PURPOSES = {"page": _page, "ids": _ids, "count": _count}

_PLANS: dict[tuple[Any, DialectName, str], Plan] = {}


def to_plan(statement: ClauseElement, dialect: DialectName) -> Plan:
    """Compile a statement whose arguments are named ``a0``, ``a1`` …"""
    text = compiled(statement, dialect)
    places = tuple(
        int(name[1:]) if name[0] == "a" and name[1:].isdigit() else name for name in text.order
    )
    return Plan(text.sql, places, dict(text.fixed))


def kept(key: tuple[Any, DialectName, str]) -> Plan | None:
    """Give the plan kept under a shape, a dialect and a policy."""
    return _PLANS.get(key)


def keep(key: tuple[Any, DialectName, str], plan: Plan) -> Plan:
    """Keep a plan, and let the oldest go when there are too many."""
    if len(_PLANS) >= PLANS_MAX:
        _PLANS.pop(next(iter(_PLANS)), None)
    _PLANS[key] = plan
    return plan


def plan_of(shape: QueryShape, caller: Caller, dialect: DialectName) -> Plan:
    """Give the compiled text of a shape of search, for what that caller may read."""
    key = (shape, dialect, caller.kind)
    plan = kept(key)
    if plan is None:
        scope = Scope(Rows(caller), dialect)
        plan = keep(key, to_plan(_PURPOSES[shape.purpose](scope, shape), dialect))
    return plan
