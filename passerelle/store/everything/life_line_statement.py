"""The statement of a life line, composed once per shape: what is about a person, by its date.

Whatever is about the person is found by the index of references, placed by that of dates, and
ordered by place and pid: pages go on by that key, and nothing is kept between them.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, Literal, NamedTuple

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    Text,
    and_,
    bindparam,
    false,
    func,
    literal_column,
    or_,
    select,
)

from passerelle.fhir.search.life_line_scope import (
    EVENTS,
    IN_ERROR,
    OBSERVATION,
    about,
    dates,
    statuses,
)
from passerelle.store.caller import Caller
from passerelle.store.rows import Rows
from passerelle.store.sql.compiling import Compiled, DialectName, compiled
from passerelle.store.sql.statements import version_columns

MOMENT = 12
"""Where the moment stands in a row: after the columns of a version."""


class Shape(NamedTuple):
    """What the statement depends on, less the values."""

    narrowed: bool  # to some kinds
    dated: bool
    latest_first: bool
    onward: bool  # from where a page ended


@cache
def statement(shape: Shape, policy: Literal["system", "nobody"], dialect: DialectName) -> Compiled:
    """Compose a page: arguments ``patients``, ``limit`` and, as far as the shape has them,
    ``kinds``, ``start``, ``end``, ``moment``, ``after``.
    """
    rows = Rows(Caller(policy, policy))
    resource, version = rows.resource, rows.version
    line = _line(rows, shape, dialect)
    order = [line.c.moment, resource.c.pid]
    page = (
        select(*version_columns(rows), line.c.moment)
        .select_from(line)
        .join(resource, resource.c.pid == line.c.pid)
        .join(version, version.c.seq == resource.c.seq)
        .where(resource.c.deleted.is_(false()), *_standing(rows), *_filters(rows, shape, dialect))
        .order_by(*(one.desc() if shape.latest_first else one for one in order))
        .limit(_number("limit"))
        .offset(literal_column("0"))
    )
    if shape.onward:
        page = page.where(_after(line.c.moment, resource.c.pid, shape))
    return compiled(page, dialect)


def _line(rows: Rows, shape: Shape, dialect: DialectName) -> FromClause:
    """Write pid and moment of all that is about the person and has a date in the period."""
    direct, date = rows.reference.alias("direct"), rows.date.alias("placed")
    member = (
        select(direct.c.pid)
        .where(
            direct.c.param.in_(_ids(about())),
            direct.c.type == _text("Patient"),
            _among(direct.c.id, "patients", dialect),
        )
        .distinct()
        .cte("member")
    )
    placed = (
        select(member.c.pid, func.max(date.c.low).label("moment"))
        .join(date, date.c.pid == member.c.pid)
        .where(date.c.param.in_(_ids(dates())))
        .group_by(member.c.pid)
    )
    if shape.dated:
        placed = placed.where(date.c.low < _number("end"), date.c.high > _number("start"))
    return placed.cte("line")


def _standing(rows: Rows) -> list[ColumnElement[bool]]:
    """Leave out what was entered in error, and Observations that are no events."""
    status, resource = rows.token.alias("status"), rows.resource.c
    in_error: Select[Any] = select(literal_column("1")).where(
        status.c.pid == resource.pid,
        status.c.param.in_(_ids(statuses())),
        status.c.value == _text(IN_ERROR),
    )
    event = or_(resource.type != _text(OBSERVATION), resource.element == _text(EVENTS))
    return [~in_error.exists(), event]


def _filters(rows: Rows, shape: Shape, dialect: DialectName) -> list[ColumnElement[bool]]:
    return [_among(rows.resource.c.element, "kinds", dialect)] if shape.narrowed else []


def _after(moment: Any, pid: Any, shape: Shape) -> ColumnElement[bool]:
    """Write that a row comes after the last one of the page before."""
    last, own = _number("moment"), _number("after")
    if shape.latest_first:
        return or_(moment < last, and_(moment == last, pid < own))
    return or_(moment > last, and_(moment == last, pid > own))


def _among(column: Any, name: str, dialect: DialectName) -> ColumnElement[bool]:
    """Write that a column is one of a list of texts that is given as one argument."""
    found: ColumnElement[bool]
    if dialect == "sqlite":
        listed = func.json_each(bindparam(name, type_=Text)).table_valued("value", name=name)
        found = column.in_(select(listed.c.value))
    else:
        found = column == func.any(bindparam(name, type_=ARRAY(Text)))
    return found


def _number(name: str) -> ColumnElement[int]:
    return bindparam(name, type_=BigInteger)


def _text(name: str) -> ColumnElement[Any]:
    """Write a code of our own into the text of a statement."""
    assert name.replace("-", "").isalpha()
    return literal_column(f"'{name}'", Text())


def _ids(numbers: Sequence[int]) -> list[ColumnElement[Any]]:
    return [literal_column(str(number)) for number in numbers]
