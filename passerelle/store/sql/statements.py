"""The readings of the record, composed once per dialect and per what a caller may read.

All of them go through ``Rows(caller)``. A search composes its own (``search``).
https://hl7.org/fhir/R4/http.html#read, #vread and #history
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    Text,
    and_,
    bindparam,
    func,
    literal_column,
    select,
)

from passerelle.fhir.resource import Key
from passerelle.store.caller import SYSTEM, Caller
from passerelle.store.contract import Version
from passerelle.store.rows import Rows
from passerelle.store.sql.compiling import DialectName, ordered


class Readings(NamedTuple):
    """The texts of all fixed readings; the arguments of each stand in the order told.

    ``pairs`` is a JSON array of [type, id] on SQLite, two arrays (types, ids) on PostgreSQL.
    """

    read: str  # type, id
    read_many: str  # pairs
    vread: str  # type, id, version
    history: str  # type, id, before, count
    claimed: str  # type, system, value
    dossier: str  # dossier
    dossier_seq: str  # dossier
    by_seq: str  # seq


def version_columns(rows: Rows) -> tuple[ColumnElement[Any], ...]:
    """Give the columns of a :class:`Version` in the order that :func:`to_version` reads."""
    resource, version = rows.resource.c, rows.version.c
    return (
        resource.type,
        resource.id,
        version.version,
        version.seq,
        version.at,
        version.method,
        version.body,
        version.aside,
        version.blob,
        version.author,
        version.tx,
        version.pid,
    )


def to_version(row: Sequence[Any]) -> Version:
    """Make a Version of a row of :func:`version_columns`."""
    return Version(Key(row[0], row[1]), *row[2:12])


def readings(caller: Caller, dialect: DialectName) -> Readings:
    """Give the readings of what that caller may read; composed once per policy."""
    made = _COMPOSED.get((caller.kind, dialect))
    if made is None:
        made = _COMPOSED[caller.kind, dialect] = _compose(Rows(caller), dialect)
    return made


_COMPOSED: dict[tuple[str, DialectName], Readings] = {}


def _compose(rows: Rows, dialect: DialectName) -> Readings:
    resource, version = rows.resource.c, rows.version.c
    this = and_(
        resource.type == bindparam("type", type_=Text),
        resource.id == bindparam("id", type_=Text),
    )
    heads = _heads(rows)
    of_dossier = resource.dossier == bindparam("dossier", type_=Text)
    past = select(*version_columns(rows)).join_from(
        rows.resource, rows.version, version.pid == resource.pid
    )
    number = bindparam("version", type_=BigInteger)
    page = past.where(this, version.version < bindparam("before", type_=BigInteger))
    page = (
        page.order_by(version.version.desc())
        .limit(bindparam("count", type_=BigInteger))
        .offset(literal_column("0"))
    )
    in_dossier = heads.where(of_dossier, resource.deleted.is_(False)).order_by(resource.pid)
    pairs, pairs_order = _pairs(rows, dialect)
    holder = (
        select(resource.type, resource.id)
        .join_from(rows.claim, rows.resource, resource.pid == rows.claim.c.pid)
        .where(
            rows.claim.c.type == bindparam("type", type_=Text),
            rows.claim.c.system == bindparam("system", type_=Text),
            rows.claim.c.value == bindparam("value", type_=Text),
        )
    )
    return Readings(
        read=ordered(heads.where(this), dialect, ("type", "id")),
        read_many=ordered(pairs, dialect, pairs_order),
        vread=ordered(past.where(this, version.version == number), dialect, _THREE),
        history=ordered(page, dialect, ("type", "id", "before", "count")),
        claimed=ordered(holder, dialect, ("type", "system", "value")),
        dossier=ordered(in_dossier, dialect, ("dossier",)),
        dossier_seq=ordered(
            select(func.max(resource.seq)).where(of_dossier), dialect, ("dossier",)
        ),
        by_seq=ordered(
            past.where(version.seq == bindparam("seq", type_=BigInteger)), dialect, ("seq",)
        ),
    )


_THREE = ("type", "id", "version")


def _heads(rows: Rows) -> Select[Any]:
    return select(*version_columns(rows)).join_from(
        rows.resource, rows.version, rows.version.c.seq == rows.resource.c.seq
    )


def _pairs(rows: Rows, dialect: DialectName) -> tuple[Select[Any], tuple[str, ...]]:
    """Compose the heads of many keys: their types and ids come as arrays."""
    wanted, type_, id_, order = key_pairs(dialect)
    resource = rows.resource.c
    statement = (
        select(*version_columns(rows))
        .select_from(wanted)
        .join(rows.resource, and_(resource.type == type_, resource.id == id_))
        .join(rows.version, rows.version.c.seq == resource.seq)
    )
    return statement, order


def key_pairs(
    dialect: DialectName,
) -> tuple[FromClause, ColumnElement[str], ColumnElement[str], tuple[str, ...]]:
    """Give a table of the keys that come as arguments, its type and id, and the arguments."""
    if dialect == "sqlite":
        each = func.json_each(bindparam("pairs", type_=Text)).table_valued("value", name="wanted")
        return (
            each,
            each.c.value.op("->>")(literal_column("0")),
            each.c.value.op("->>")(literal_column("1")),
            ("pairs",),
        )
    each = func.unnest(
        bindparam("types", type_=ARRAY(Text)), bindparam("ids", type_=ARRAY(Text))
    ).table_valued("type", "id")
    wanted = each.render_derived(name="wanted")
    return wanted, wanted.c.type, wanted.c.id, ("types", "ids")


@cache
def heads_text(dialect: DialectName) -> str:
    """Compose the reading of heads by keys: type, id, the cells of a ``Head``, the dossier."""
    head = Rows(SYSTEM).resource
    cell = head.c
    wanted, type_, id_, order = key_pairs(dialect)
    cells = (cell.pid, cell.version, cell.seq, cell.updated, cell.deleted, cell.digest)
    statement = (
        select(cell.type, cell.id, *cells, cell.dossier)
        .select_from(wanted)
        .join(head, (cell.type == type_) & (cell.id == id_))
    )
    return ordered(statement, dialect, order)
