"""The statements of :mod:`passerelle.store.dossier_readings`.

A state of the past is read by what each resource's last version was at a place of the feed:
versions are never changed (house section 1.2).
"""

import json
from collections.abc import Sequence
from functools import cache
from typing import Any, Literal, TypeAlias

from sqlalchemy import (
    ARRAY,
    BigInteger,
    BindParameter,
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
    tuple_,
)

from passerelle.fhir.search.any_reference import ANY_REFERENCE
from passerelle.store.caller import Caller
from passerelle.store.rows import Rows
from passerelle.store.sql.compiling import Compiled, DialectName, compiled, ordered
from passerelle.store.sql.statements import key_pairs, version_columns

CallerKind: TypeAlias = Literal["system", "nobody"]


def _big(name: str) -> BindParameter[int]:
    return bindparam(name, type_=BigInteger)


def _text(name: str) -> BindParameter[str]:
    return bindparam(name, type_=Text)


def _limited(statement: Select[Any]) -> Select[Any]:
    return statement.limit(_big("limit")).offset(literal_column("0"))


def array(values: Sequence[str], dialect: DialectName) -> Any:
    """Give texts as the argument of :func:`counts`."""
    return json.dumps(list(values)) if dialect == "sqlite" else list(values)


@cache
def changes(kind: CallerKind, dialect: DialectName, *, below: bool) -> Compiled:
    """Compose the versions after a place, without bodies: the cells of a ``Change``.

    Arguments: place, place_seq, below where there is a horizon, limit. The window is taken before
    anything is asked of the resources: its cost does not depend on what they are.
    """
    rows = Rows(Caller("", kind))
    version = rows.version.c
    here, place = tuple_(version.at, version.seq), tuple_(_big("place"), _big("place_seq"))
    wanted = [here > place, *([version.at < _big("below")] if below else [])]
    cells = (version.at, version.seq, version.tx, version.version, version.pid)
    window = _limited(
        select(*cells, version.body.is_(None).label("gone"))
        .where(*wanted)
        .order_by(version.at, version.seq)
    ).subquery("window")
    seen, resource = window.c, rows.resource.c
    statement = (
        select(
            *(seen.at, seen.seq, seen.tx, resource.type, resource.id, seen.version, seen.gone),
            *(resource.element, resource.dossier),
        )
        .join_from(window, rows.resource, resource.pid == seen.pid)
        .order_by(seen.at, seen.seq)
    )
    return compiled(statement, dialect)


@cache
def newest(kind: CallerKind, dialect: DialectName, *, below: bool) -> Compiled:
    """Compose the place of the newest version below the horizon."""
    version = Rows(Caller("", kind)).version.c
    wanted = [version.at < _big("below")] if below else []
    last = select(version.at, version.seq).where(*wanted)
    return compiled(last.order_by(version.at.desc(), version.seq.desc()).limit(1), dialect)


@cache
def of_shared(kind: CallerKind, dialect: DialectName) -> str:
    """Compose the dossiers of which a resource refers to type and id, unless that was written
    behind the place at, seq; then after, limit."""
    rows = Rows(Caller("", kind))
    resource, reference = rows.resource.c, rows.reference.c
    statement = (
        select(resource.dossier)
        .join_from(rows.reference, rows.resource, resource.pid == reference.pid)
        .where(
            reference.param == literal_column(str(ANY_REFERENCE)),
            reference.type == _text("type"),
            reference.id == _text("id"),
            resource.deleted.is_(false()),
            tuple_(resource.updated, resource.seq) <= tuple_(_big("at"), _big("seq")),
            resource.dossier > _text("after"),
        )
        .distinct()
        .order_by(resource.dossier)
    )
    return ordered(_limited(statement), dialect, ("type", "id", "at", "seq", "after", "limit"))


def _as_it_was(rows: Rows, source: FromClause) -> Select[Any]:
    """Write the version that each resource of a source had at the place ``at``, ``seq``."""
    resource, version = rows.resource.c, rows.version.c
    other = rows.version.alias("other").c
    earlier: ColumnElement[bool] = or_(
        other.at < _big("at"), and_(other.at == _big("at"), other.seq <= _big("seq"))
    )
    last = select(func.max(other.version)).where(other.pid == resource.pid, earlier)
    return (
        select(*version_columns(rows))
        .select_from(source)
        .join(rows.version, version.pid == resource.pid)
        .where(version.version == last.scalar_subquery())
    )


@cache
def as_of(kind: CallerKind, dialect: DialectName) -> Compiled:
    """Compose the versions that the resources of ``dossier`` had at ``at``, ``seq``."""
    rows = Rows(Caller("", kind))
    resource = rows.resource.c
    found = _as_it_was(rows, rows.resource).where(resource.dossier == _text("dossier"))
    return compiled(found.order_by(resource.pid), dialect)


@cache
def many_as_of(kind: CallerKind, dialect: DialectName) -> Compiled:
    """Compose the versions that resources, by their keys, had at ``at``, ``seq``."""
    rows = Rows(Caller("", kind))
    wanted, type_, id_, _ = key_pairs(dialect)
    resource = rows.resource.c
    source = wanted.join(rows.resource, and_(resource.type == type_, resource.id == id_))
    return compiled(_as_it_was(rows, source), dialect)


def _grouped(rows: Rows, source: FromClause) -> Select[Any]:
    """Write the last transactions that wrote the resources of a source."""
    version = rows.version.c
    statement = (
        select(version.at, func.max(version.seq).label("seq"), version.tx)
        .select_from(source)
        .join(rows.version, version.pid == rows.resource.c.pid)
        .group_by(version.at, version.tx)
        .order_by(version.at.desc(), version.tx.desc())
    )
    return _limited(statement)


@cache
def steps(kind: CallerKind, dialect: DialectName) -> Compiled:
    """Compose the transactions that wrote the resources of ``dossier``: at, seq, tx."""
    rows = Rows(Caller("", kind))
    own = _grouped(rows, rows.resource).where(rows.resource.c.dossier == _text("dossier"))
    return compiled(own, dialect)


@cache
def steps_of_many(kind: CallerKind, dialect: DialectName) -> Compiled:
    """Compose the transactions that wrote resources by their keys: at, seq, tx."""
    rows = Rows(Caller("", kind))
    wanted, type_, id_, _ = key_pairs(dialect)
    resource = rows.resource.c
    source = wanted.join(rows.resource, and_(resource.type == type_, resource.id == id_))
    return compiled(_grouped(rows, source), dialect)


@cache
def counts(kind: CallerKind, dialect: DialectName) -> Compiled:
    """Compose dossier, type, element and number of the resources of ``dossiers`` that there are."""
    rows = Rows(Caller("", kind))
    resource = rows.resource.c
    given: ColumnElement[bool]
    if dialect == "sqlite":
        each = func.json_each(_text("dossiers")).table_valued("value", name="each")
        given = resource.dossier.in_(select(each.c.value))
    else:
        given = resource.dossier == func.any(bindparam("dossiers", type_=ARRAY(Text)))
    statement = (
        select(resource.dossier, resource.type, resource.element, func.count())
        .where(given, resource.deleted.is_(false()))
        .group_by(resource.dossier, resource.type, resource.element)
    )
    return compiled(statement, dialect)
