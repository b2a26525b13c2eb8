"""The tables of the record (house section 3). Alembic's first migration creates exactly these.

``version`` is the append-only truth. Everything else, but ``blob``, ``job`` and ``message``, can be
rebuilt from it (``passerelle reindex``).
"""

from typing import Any

from sqlalchemy import (
    DDL,
    REAL,
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Sequence,
    Table,
    Text,
    event,
    text,
)
from sqlalchemy.types import TypeEngine

from passerelle.store import async_tables, kept_answer_tables, upload_tables
from passerelle.store.full_text_tables import make_tables

metadata = MetaData()

feed_floor = Sequence("feed_floor", metadata=metadata)
"""PostgreSQL only; its value is an instant: see ``postgres_horizon``."""

parameter_stamp = Sequence("parameter_stamp", metadata=metadata)
"""PostgreSQL only; it moves on whenever the table ``search_parameter`` changes its meaning."""

_BIG = BigInteger().with_variant(Integer, "sqlite")
"""64 bits on both; SQLite wants the word INTEGER for a row id."""

_C = Text().with_variant(Text(collation="C"), "postgresql")
"""Text compared byte by byte on both databases, so that prefixes use the index."""

_BOOL = Boolean().with_variant(Integer(), "sqlite")
_DOUBLE: TypeEngine[float] = Double().with_variant(REAL(), "sqlite")
"""Spelled as STRICT tables want it (https://www.sqlite.org/stricttables.html)."""

_SQLITE: dict[str, Any] = {"sqlite_strict": True}
_CLUSTERED: dict[str, Any] = {"sqlite_strict": True, "sqlite_with_rowid": False}

resource = Table(
    "resource",
    metadata,
    Column("pid", _BIG, primary_key=True),
    Column("type", _C, nullable=False),
    Column("id", _C, nullable=False),
    Column("version", Integer, nullable=False),
    Column("seq", _BIG, nullable=False),  # of the head in `version`
    Column("updated", _BIG, nullable=False),  # microseconds since 1970 UTC
    Column("deleted", _BOOL, nullable=False),
    Column("digest", LargeBinary, nullable=False),  # of the content; identical makes no version
    # What rights need, filled at write by one pure function (dossiers/rights_columns.py).
    Column("dossier", _C),  # "system|value" of the dossier it belongs to
    Column("element", _C),  # section of the dossier: circle, documents, appointments, tasks …
    Column("confidentiality", _C),  # N, R or V
    Column("hidden", _C),  # TRE_A07 codes, space separated
    Column("author", _C),  # reference of the author, "PractitionerRole/1"
    Column("structure", _C),  # reference of the custodian or managing organisation
    Column("shared", _BOOL),
    Column("patient_visible", _BOOL),
    Index("resource_type_id", "type", "id", unique=True),
    Index("resource_type_pid", "type", "pid"),
    Index("resource_type_updated", "type", "updated", "pid"),
    Index("resource_dossier", "dossier", "pid"),
    **_SQLITE,
)

version = Table(
    "version",
    metadata,
    Column("seq", _BIG, primary_key=True),
    Column("pid", _BIG, ForeignKey("resource.pid"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("method", _C, nullable=False),  # POST, PUT, DELETE as in Bundle.entry.request
    Column("at", _BIG, nullable=False),  # microseconds since 1970 UTC = meta.lastUpdated
    Column("tx", _BIG, nullable=False),  # one per commit unit; commit horizon on PostgreSQL
    Column("author", _C, nullable=False),  # Caller.subject
    Column("body", LargeBinary),  # the JSON as served; null for a deletion
    Column("aside", LargeBinary),  # set apart from the body: a matricule that may not leave
    Column("blob", _C),  # sha256 of the bytes of a Binary
    Index("version_pid_version", "pid", "version", unique=True),
    Index("version_at", "at", "seq"),  # the order of all feeds
    Index(
        "version_blob",
        "blob",
        sqlite_where=text("blob IS NOT NULL"),
        postgresql_where=text("blob IS NOT NULL"),
    ),
    sqlite_autoincrement=True,
    **_SQLITE,
)


def _rows(name: str, *columns: Column[object], key: tuple[str, ...]) -> Table:
    """Make one index table, clustered on its key in SQLite, with an index by pid to clear it.

    There is no foreign key: it would cost a third of a write, and the rows are derived by the one
    commit that also writes the resource (``passerelle check`` tells of any that stands alone).
    """
    return Table(
        name,
        metadata,
        Column("param", Integer, nullable=False),
        *columns,
        Column("pid", _BIG, nullable=False),
        PrimaryKeyConstraint("param", *key, "pid"),
        Index(f"{name}_pid", "pid"),
        **_CLUSTERED,
    )


token = _rows(
    "token",
    Column("value", _C, nullable=False),
    Column("system", _C, nullable=False),
    key=("value", "system"),
)
string = _rows(
    "string",
    Column("norm", _C, nullable=False),
    Column("exact", _C, nullable=False),
    key=("norm", "exact"),
)
reference = _rows(
    "reference",
    Column("type", _C, nullable=False),
    Column("id", _C, nullable=False),
    key=("type", "id"),
)
date = _rows(
    "date",
    Column("low", _BIG, nullable=False),
    Column("high", _BIG, nullable=False),
    key=("low", "high"),
)
number = _rows(
    "number",
    Column("low", _DOUBLE, nullable=False),
    Column("high", _DOUBLE, nullable=False),
    key=("low", "high"),
)
quantity = _rows(
    "quantity",
    Column("system", _C, nullable=False),
    Column("code", _C, nullable=False),
    Column("low", _DOUBLE, nullable=False),
    Column("high", _DOUBLE, nullable=False),
    key=("system", "code", "low", "high"),
)
uri = _rows("uri", Column("value", _C, nullable=False), key=("value",))
composite = _rows(
    "composite",
    Column("head", _C, nullable=False),
    Column("head_system", _C, nullable=False),
    Column("tail", _C, nullable=False),
    Column("tail_system", _C, nullable=False),
    Column("low", _DOUBLE, nullable=False),
    Column("high", _DOUBLE, nullable=False),
    Column("low2", _DOUBLE, nullable=False),
    Column("high2", _DOUBLE, nullable=False),
    key=("head", "head_system", "tail", "tail_system", "low", "high", "low2", "high2"),
)
position = _rows(
    "position",
    Column("latitude", _DOUBLE, nullable=False),
    Column("longitude", _DOUBLE, nullable=False),
    key=("latitude", "longitude"),
)

claim = Table(
    "claim",
    metadata,
    Column("type", _C, nullable=False),
    Column("system", _C, nullable=False),
    Column("value", _C, nullable=False),
    Column("pid", _BIG, nullable=False),
    PrimaryKeyConstraint("type", "system", "value"),
    Index("claim_pid", "pid"),
    **_CLUSTERED,
)

blob = Table(
    "blob",
    metadata,
    Column("sha256", _C, nullable=False),
    Column("part", Integer, nullable=False),  # 0, 1, 2 … of at most 256 KiB each
    Column("size", _BIG, nullable=False),  # of the whole, repeated in each part
    Column("bytes", LargeBinary, nullable=False),  # last: SQLite reads a row from its beginning
    PrimaryKeyConstraint("sha256", "part"),
    **_SQLITE,
)

job = Table(
    "job",
    metadata,
    Column("id", _BIG, primary_key=True),
    Column("kind", _C, nullable=False),  # "mss.send" …
    Column("subject", _C, nullable=False),  # what it is about, "Communication/1"
    Column("payload", LargeBinary, nullable=False),  # JSON, no personal data
    Column("state", _C, nullable=False),  # waiting, leased, done, dead
    Column("due", _BIG, nullable=False),  # microseconds since 1970 UTC
    Column("attempts", Integer, nullable=False),
    Column("lease", _BIG),  # microseconds; the lease ends then
    Column("holder", _C),  # who holds the lease
    Column("error", _C),  # slug of the last failure
    Column("created", _BIG, nullable=False),
    Column("finished", _BIG),
    Index(
        "job_due",
        "due",
        "id",
        sqlite_where=text("state IN ('waiting', 'leased')"),
        postgresql_where=text("state IN ('waiting', 'leased')"),
    ),
    Index("job_subject", "subject"),
    sqlite_autoincrement=True,
    **_SQLITE,
)

message = Table(
    "message",
    metadata,
    Column("id", _BIG, primary_key=True),
    Column("direction", _C, nullable=False),  # in, out
    Column("kind", _C, nullable=False),  # mail, hl7v2
    Column("account", _C, nullable=False),  # mailbox address or MLLP peer
    Column("identifier", _C, nullable=False),  # Message-ID or MSH-10
    Column("place", _C, nullable=False),  # in: "uidvalidity/uid" of the IMAP copy; out: recipient
    Column("sha256", _C, nullable=False),  # of the raw bytes, kept in `blob`
    Column("at", _BIG, nullable=False),
    Column("state", _C, nullable=False),  # in: kept, settled, aside; out: frozen, sent
    Column("subject", _C),  # what it came to be about, "Communication/1"
    Column("reason", _C),  # rule slug when aside
    Index("message_once", "direction", "account", "identifier", "place", unique=True),
    Index("message_identifier", "identifier"),
    Index("message_subject", "subject"),
    Index("message_state", "state", "id"),
    Index("message_sha256", "sha256"),
    sqlite_autoincrement=True,
    **_SQLITE,
)

setting = Table(
    "setting",
    metadata,
    Column("name", _C, primary_key=True),
    Column("bytes", LargeBinary, nullable=False),
    **_SQLITE,
)
"""What all processes on one record share: ``cursor``, the secret that seals the places of pages,
and ``search-parameters``, the digest of the table that the index rows were made with."""

package = Table(
    "package",
    metadata,
    Column("name", _C, nullable=False),
    Column("version", _C, nullable=False),
    Column("digest", _C, nullable=False),  # SHA-256 of the archive
    Column("state", _C, nullable=False),  # loading, ready, removing
    Column("at", _BIG, nullable=False),
    Column("resources", Integer, nullable=False),  # how many it brought
    Column("examples", Integer, nullable=False),  # how many it holds that are not in the record
    Column("canonical", _C),  # of the guide
    Column("title", _C),  # for people
    Column("dependencies", LargeBinary, nullable=False),  # JSON, versions by name
    PrimaryKeyConstraint("name", "version"),
    **_CLUSTERED,
)

conformance = Table(
    "conformance",
    metadata,
    Column("name", _C, nullable=False),  # of the package
    Column("package", _C, nullable=False),  # version of the package
    Column("type", _C, nullable=False),
    Column("id", _C, nullable=False),
    Column("path", _C, nullable=False),  # of the file in the package
    Column("url", _C),  # canonical of the resource
    Column("version", _C),  # of the resource, as published
    PrimaryKeyConstraint("name", "package", "type", "id"),
    **_CLUSTERED,
)

search_parameter = Table(
    "search_parameter",
    metadata,
    Column("number", Integer, primary_key=True),  # what its id is made of; never given again
    Column("type", _C, nullable=False),
    Column("code", _C, nullable=False),
    Column("kind", _C, nullable=False),  # one of the nine types of a parameter
    Column("url", _C, nullable=False),  # canonical of the SearchParameter
    Column("definition", LargeBinary, nullable=False),  # JSON of fhir's Parameter, its id 0
    Column("state", _C, nullable=False),  # indexing, ready, clearing, gone
    Column("place", _BIG, nullable=False),  # pid from which old resources are still to be indexed
    Column("done", _BIG, nullable=False),  # old resources gone through
    Column("total", _BIG, nullable=False),  # of so many when it was added
    Column("at", _BIG, nullable=False),
    Column("moves", Integer, nullable=False),  # how often its state changed
    Index(
        "search_parameter_once",
        "type",
        "code",
        unique=True,
        sqlite_where=text("state IN ('indexing', 'ready')"),
        postgresql_where=text("state IN ('indexing', 'ready')"),
    ),
    **_SQLITE,
)
"""The parameters that were added to this record, those that are no longer there included."""

full_text, follower = make_tables(metadata)
async_request, async_part = async_tables.make_tables(metadata)
upload = upload_tables.make_table(metadata)
kept_answer = kept_answer_tables.make_table(metadata)

for _stored in (version.c.body, version.c.aside, blob.c.bytes):
    # Bytes are served as they stand: PostgreSQL shall not compress them row by row.
    event.listen(
        _stored.table,
        "after_create",
        DDL(  # type: ignore[no-untyped-call]
            f'ALTER TABLE "{_stored.table.name}" ALTER COLUMN "{_stored.name}" SET STORAGE EXTERNAL'
        ).execute_if(dialect="postgresql"),
    )

PROTECTED = (
    *(resource, version, token, string, reference, date, number, quantity, uri),
    *(composite, position, claim, full_text),
)
"""Read only through :class:`passerelle.store.rows.Rows`."""
