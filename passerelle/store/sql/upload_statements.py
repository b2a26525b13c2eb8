"""The statements about bytes that were brought and may not be named by anything yet.

https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-ROWS : the row of an upload is
locked by whoever is about to name its bytes, and by whoever is about to delete them.
"""

from functools import cache

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Text,
    bindparam,
    cast,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
)

from passerelle.store import schema
from passerelle.store.caller import SYSTEM
from passerelle.store.rows import Rows
from passerelle.store.sql.compiling import Compiled, DialectName, compiled

_UPLOAD, _BLOB, _MESSAGE = schema.upload.c, schema.blob.c, schema.message.c
_DIGEST = bindparam("sha256", type_=Text)
_BEFORE = bindparam("before", type_=BigInteger)
_COUNT = bindparam("count", type_=BigInteger)

TOUCH_SQLITE = (
    "INSERT INTO upload (sha256, at) VALUES (?, ?) "
    "ON CONFLICT (sha256) DO UPDATE SET at = max(at, excluded.at)"
)
_TOUCHED = "ON CONFLICT (sha256) DO UPDATE SET at = greatest(upload.at, excluded.at)"
TOUCH_POSTGRESQL = (
    "INSERT INTO upload (sha256, at) SELECT digest, $2::bigint "
    f"FROM unnest($1::text[]) AS digest ORDER BY digest {_TOUCHED}"
)
"""Those of one unit, or of one group of units, in one order: no two wait for each other."""

PART_POSTGRESQL = (
    f"WITH touched AS (INSERT INTO upload (sha256, at) VALUES ($1, $5) {_TOUCHED} RETURNING 1) "
    "INSERT INTO blob (sha256, part, bytes, size) "
    "SELECT $1, $2::int, $3::bytea, $4::bigint FROM touched ON CONFLICT (sha256, part) DO NOTHING"
)
"""A part, and the upload it is of: bytes that nothing names are noted as long as they are there."""

PARTS_POSTGRESQL = (
    "SELECT sha256, count(*), max(size) FROM blob WHERE sha256 = ANY($1::text[]) GROUP BY sha256"
)


@cache
def due(dialect: DialectName) -> Compiled:
    """Give, and lock, ``count`` uploads from ``before``; those that somebody holds are left."""
    oldest = select(_UPLOAD.sha256).where(_UPLOAD.at < _BEFORE).order_by(_UPLOAD.at, _UPLOAD.sha256)
    return compiled(oldest.limit(_COUNT).with_for_update(skip_locked=True), dialect)


@cache
def named(dialect: DialectName) -> Compiled:
    """Tell whether anything names the bytes of ``sha256``."""
    return compiled(select(_names(_DIGEST)), dialect)


@cache
def last_part(dialect: DialectName) -> Compiled:
    """Give the number of the last part that is there of ``sha256``."""
    return compiled(select(func.max(_BLOB.part)).where(_BLOB.sha256 == _DIGEST), dialect)


@cache
def cut(dialect: DialectName) -> Compiled:
    """Delete the parts of ``sha256`` from ``first`` on; give how long each was."""
    first = bindparam("first", type_=BigInteger)
    gone = delete(schema.blob).where(_BLOB.sha256 == _DIGEST, _BLOB.part >= first)
    return compiled(gone.returning(func.length(_BLOB.bytes)), dialect)


@cache
def let_go(dialect: DialectName) -> Compiled:
    """Forget the upload of ``sha256``."""
    return compiled(delete(schema.upload).where(_UPLOAD.sha256 == _DIGEST), dialect)


@cache
def unnamed(dialect: DialectName) -> Compiled:
    """Give ``count`` uploads from ``before`` that nothing names: digest, instant, size so far."""
    size = func.coalesce(func.sum(func.length(_BLOB.bytes)), 0)
    statement = (
        select(_UPLOAD.sha256, _UPLOAD.at, cast(size, BigInteger))
        .join_from(schema.upload, schema.blob, _BLOB.sha256 == _UPLOAD.sha256, isouter=True)
        .where(_UPLOAD.at < _BEFORE, ~_names(_UPLOAD.sha256))
        .group_by(_UPLOAD.sha256, _UPLOAD.at)
        .order_by(_UPLOAD.at, _UPLOAD.sha256)
        .limit(_COUNT)
    )
    return compiled(statement, dialect)


@cache
def unnoted(dialect: DialectName) -> Compiled:
    """Give the digests of bytes that nothing names and no upload tells of."""
    return compiled(_unnoted(), dialect)


@cache
def note(dialect: DialectName) -> Compiled:
    """Note these as uploads of ``at``."""
    alone = _unnoted().subquery()
    at = cast(bindparam("at", type_=BigInteger), BigInteger)
    noted = insert(schema.upload).from_select(["sha256", "at"], select(alone.c.sha256, at))
    return compiled(noted, dialect)


def _unnoted() -> Select[tuple[str]]:
    noted = exists(select(_UPLOAD.sha256).where(_UPLOAD.sha256 == _BLOB.sha256))
    return select(_BLOB.sha256).where(~noted, ~_names(_BLOB.sha256)).distinct()


def _names(digest: ColumnElement[str]) -> ColumnElement[bool]:
    """Compose whether a version or a message names some bytes."""
    version = Rows(SYSTEM).version.c
    return or_(
        exists(select(version.blob).where(version.blob == digest)),
        exists(select(_MESSAGE.sha256).where(_MESSAGE.sha256 == digest)),
    )
