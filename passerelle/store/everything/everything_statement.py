"""The statements of `$everything`, composed once per shape.

Two phases, each in the order of the pids: the members (what is about the patient, the encounter,
the episode), then what these refer to. https://hl7.org/fhir/R4/patient-operation-everything.html
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, Literal, NamedTuple, TypeAlias

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
    union,
)

from passerelle.fhir.search.any_reference import ANY_REFERENCE
from passerelle.fhir.search.everything_scope import (
    care_dates,
    compartment,
    compartment_types,
    shared_types,
)
from passerelle.store.caller import Caller
from passerelle.store.rows import Rows
from passerelle.store.sql.compiling import Compiled, DialectName, compiled
from passerelle.store.sql.statements import version_columns

Phase: TypeAlias = Literal["members", "along"]

DEPTH_MAX = 4
"""How far references are followed: a role, its organisation, what that is part of, its endpoint."""

_ONE: ColumnElement[int] = literal_column("1")


class Shape(NamedTuple):
    """What a statement depends on, less the values."""

    focus: str
    one: bool  # of one resource, not of all of that type
    typed: bool
    dated: bool
    since: bool
    phase: Phase


@cache
def statement(shape: Shape, policy: Literal["system", "nobody"], dialect: DialectName) -> Compiled:
    """Compose a page: arguments ``id``, ``after``, ``limit``, ``types``, ``start``, ``end``,
    ``since``, as far as the shape has them.
    """
    rows = Rows(Caller(policy, policy))
    resource, version = rows.resource, rows.version
    member = _members(rows, shape, dialect) if shape.one else None
    if shape.phase == "members":
        belongs = _is_member(rows, shape, member, dialect)
    else:
        belongs = _is_along(rows, shape, member, dialect)
    asked = [belongs, resource.c.deleted.is_(false()), resource.c.pid > _bind("after")]
    asked += _filters(rows, shape, dialect)
    page = (
        select(*version_columns(rows))
        .join_from(resource, version, version.c.seq == resource.c.seq)
        .where(*asked)
        .order_by(resource.c.pid)
        .limit(_bind("limit"))
        .offset(literal_column("0"))
    )
    return compiled(page, dialect)


def _bind(name: str) -> ColumnElement[int]:
    return bindparam(name, type_=BigInteger)


def _ids(numbers: Sequence[int]) -> list[ColumnElement[Any]]:
    return [literal_column(str(number)) for number in numbers] or [literal_column("-1")]


def _texts(names: Sequence[str]) -> list[ColumnElement[Any]]:
    """Write names of types, which are letters only, into the text of a statement."""
    assert all(name.isalpha() for name in names)
    return [literal_column(f"'{name}'") for name in names]


def _filters(rows: Rows, shape: Shape, dialect: DialectName) -> list[ColumnElement[bool]]:
    """Write what the request narrows the answer to."""
    resource, found = rows.resource.c, list[ColumnElement[bool]]()
    if shape.typed and dialect == "sqlite":
        listed = func.json_each(bindparam("types", type_=Text)).table_valued("value", name="asked")
        found.append(resource.type.in_(select(listed.c.value)))
    elif shape.typed:
        found.append(resource.type == func.any(bindparam("types", type_=ARRAY(Text))))
    if shape.since:
        found.append(resource.updated >= _bind("since"))
    if shape.dated and shape.phase == "members":
        found.append(_in_period(rows, rows.resource.c.pid))
    return found


def _in_period(rows: Rows, pid: ColumnElement[int]) -> ColumnElement[bool]:
    """Write that the care took place in the period, or has no date."""
    date = rows.date.alias("care")
    told = select(_ONE).where(date.c.pid == pid, date.c.param.in_(_ids(care_dates())))
    within = told.where(date.c.low < _bind("end"), date.c.high > _bind("start"))
    return or_(~told.exists(), within.exists())


def _members(rows: Rows, shape: Shape, dialect: DialectName) -> FromClause:
    """Write the pids of all that is about one resource, itself included.

    A page of members asks the indexes only for those after the page before.
    """
    focus = rows.resource.alias("focus")
    of_type = _texts([shape.focus])[0]
    id_ = bindparam("id", type_=Text)
    itself = select(focus.c.pid).where(focus.c.type == of_type, focus.c.id == id_)
    direct = rows.reference.alias("direct")
    named = and_(
        direct.c.param.in_(_ids(compartment(shape.focus))),
        direct.c.type == of_type,
        direct.c.id == id_,
    )
    parts = [itself, select(direct.c.pid).where(named)]
    if shape.focus == "EpisodeOfCare":
        parts.append(_of_encounters(rows, select(direct.c.pid).where(named), dialect))
    if shape.phase == "members":
        parts = [part.where(part.selected_columns.pid > _bind("after")) for part in parts]
    return union(*parts).cte("member")


def _of_encounters(rows: Rows, direct: Select[Any], dialect: DialectName) -> Select[Any]:
    """Write the pids of what is about the Encounters among some resources."""
    encounter, about = rows.resource.alias("encounter"), rows.reference.alias("about")
    found = select(encounter.c.id).where(
        encounter.c.pid.in_(direct),
        _walked(encounter.c.type, dialect) == _texts(["Encounter"])[0],
    )
    return select(about.c.pid).where(
        about.c.param.in_(_ids(compartment("Encounter"))),
        about.c.type == _texts(["Encounter"])[0],
        about.c.id.in_(found),
    )


def _walked(of_type: ColumnElement[str], dialect: DialectName) -> ColumnElement[str]:
    """Keep SQLite from the index by type, so that resources are walked in the order of their pid.

    https://www.sqlite.org/optoverview.html
    """
    return of_type + literal_column("''", Text()) if dialect == "sqlite" else of_type


def _is_member(
    rows: Rows, shape: Shape, member: FromClause | None, dialect: DialectName
) -> ColumnElement[bool]:
    resource = rows.resource.c
    if member is not None:
        return resource.pid.in_(select(member.c.pid))
    about = rows.reference.alias("about")
    refers = select(_ONE).where(
        about.c.pid == resource.pid,
        about.c.param.in_(_ids(compartment(shape.focus))),
        about.c.type == _texts([shape.focus])[0],
    )
    of_focus = resource.type == _texts([shape.focus])[0]
    return and_(
        _walked(resource.type, dialect).in_(_texts(compartment_types())),
        or_(of_focus, refers.exists()),
    )


def _is_along(
    rows: Rows, shape: Shape, member: FromClause | None, dialect: DialectName
) -> ColumnElement[bool]:
    resource = rows.resource.c
    if member is None:
        to_it = rows.reference.alias("to_it")
        refers = select(_ONE).where(
            to_it.c.param == literal_column(str(ANY_REFERENCE)),
            to_it.c.type == resource.type,
            to_it.c.id == resource.id,
        )
        return and_(_walked(resource.type, dialect).in_(_texts(shared_types())), refers.exists())
    reached = _reached(rows, shape, member)
    found = resource.pid.in_(select(reached.c.pid))
    return and_(found, resource.pid.not_in(select(member.c.pid)))


def _reached(rows: Rows, shape: Shape, member: FromClause) -> FromClause:
    """Write the pids that references lead to from the members, and on from there.

    Only to what is shared; but what an encounter or an episode itself names is brought along
    whatever it is (its patient, its team, its conditions).
    """
    link, target = rows.reference.alias("link"), rows.resource.alias("target")
    meet = and_(target.c.type == link.c.type, target.c.id == link.c.id)
    allowed: ColumnElement[bool] = target.c.type.in_(_texts(shared_types()))
    first = (
        select(target.c.pid, literal_column("1").label("depth"))
        .select_from(member)
        .join(link, link.c.pid == member.c.pid)
        .join(target, meet)
    )
    if shape.dated:
        first = first.where(_in_period(rows, member.c.pid))
    if shape.focus != "Patient":
        focus = rows.resource.alias("named")
        of_focus = select(focus.c.pid).where(
            focus.c.type == _texts([shape.focus])[0], focus.c.id == bindparam("id", type_=Text)
        )
        first = first.where(
            or_(allowed, and_(link.c.pid.in_(of_focus), target.c.type != _texts(["Binary"])[0]))
        )
    else:
        first = first.where(allowed)
    reached = first.cte("reached", recursive=True)
    onward, next_ = rows.reference.alias("onward"), rows.resource.alias("next")
    further = (
        select(next_.c.pid, (reached.c.depth + literal_column("1")).label("depth"))
        .select_from(reached)
        .join(onward, onward.c.pid == reached.c.pid)
        .join(next_, and_(next_.c.type == onward.c.type, next_.c.id == onward.c.id))
        .where(
            reached.c.depth < literal_column(str(DEPTH_MAX)),
            next_.c.type.in_(_texts(shared_types())),
        )
    )
    return reached.union(further)
