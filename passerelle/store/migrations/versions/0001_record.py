"""The first tables of the record (house section 3).

A migration stands on its own: it never reads ``passerelle.store.schema``, which goes on changing.
https://alembic.sqlalchemy.org/en/latest/ops.html
"""

import os
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0001"
down_revision = None

INTEGER = sa.Integer()
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BOOLEAN = sa.Boolean().with_variant(sa.Integer(), "sqlite")
DOUBLE: TypeEngine[float] = sa.Double().with_variant(sa.REAL(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
BYTES = sa.LargeBinary()
OPEN = sa.text("state IN ('waiting', 'leased')")

INDEX_TABLES: dict[str, dict[str, TypeEngine[Any]]] = {
    "token": {"value": TEXT, "system": TEXT},
    "string": {"norm": TEXT, "exact": TEXT},
    "reference": {"type": TEXT, "id": TEXT},
    "date": {"low": BIG, "high": BIG},
    "number": {"low": DOUBLE, "high": DOUBLE},
    "quantity": {"system": TEXT, "code": TEXT, "low": DOUBLE, "high": DOUBLE},
    "uri": {"value": TEXT},
}


def upgrade() -> None:
    """Make all tables."""
    _resource()
    _version()
    for name, columns in INDEX_TABLES.items():
        _clustered(
            name,
            _must("param", INTEGER),
            *(_must(column, type_) for column, type_ in columns.items()),
            _must("pid", BIG),
            sa.PrimaryKeyConstraint("param", *columns, "pid"),
        )
    _clustered(
        "claim",
        *(_must(column, TEXT) for column in ("type", "system", "value")),
        _must("pid", BIG),
        sa.PrimaryKeyConstraint("type", "system", "value"),
    )
    _blob()
    _job()
    _message()
    _setting()
    if op.get_bind().dialect.name == "postgresql":
        for table, column in (("version", "body"), ("version", "aside"), ("blob", "bytes")):
            op.execute(f'ALTER TABLE "{table}" ALTER COLUMN "{column}" SET STORAGE EXTERNAL')


def _must(name: str, type_: TypeEngine[Any]) -> "sa.Column[Any]":
    return sa.Column(name, type_, nullable=False)


def _may(name: str, type_: TypeEngine[Any]) -> "sa.Column[Any]":
    return sa.Column(name, type_)


def _clustered(name: str, *items: sa.schema.SchemaItem) -> None:
    op.create_table(name, *items, sqlite_strict=True, sqlite_with_rowid=False)
    op.create_index(f"{name}_pid", name, ["pid"])


def _resource() -> None:
    op.create_table(
        "resource",
        sa.Column("pid", BIG, primary_key=True),
        _must("type", TEXT),
        _must("id", TEXT),
        _must("version", INTEGER),
        _must("seq", BIG),
        _must("updated", BIG),
        _must("deleted", BOOLEAN),
        _must("digest", BYTES),
        *(
            _may(name, TEXT)
            for name in ("dossier", "element", "confidentiality", "hidden", "author", "structure")
        ),
        _may("shared", BOOLEAN),
        _may("patient_visible", BOOLEAN),
        sqlite_strict=True,
    )
    op.create_index("resource_type_id", "resource", ["type", "id"], unique=True)
    op.create_index("resource_type_pid", "resource", ["type", "pid"])
    op.create_index("resource_type_updated", "resource", ["type", "updated", "pid"])
    op.create_index("resource_dossier", "resource", ["dossier", "pid"])


def _version() -> None:
    op.create_table(
        "version",
        sa.Column("seq", BIG, primary_key=True),
        sa.Column("pid", BIG, sa.ForeignKey("resource.pid"), nullable=False),
        _must("version", INTEGER),
        _must("method", TEXT),
        _must("at", BIG),
        _must("tx", BIG),
        _must("author", TEXT),
        _may("body", BYTES),
        _may("aside", BYTES),
        _may("blob", TEXT),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index("version_pid_version", "version", ["pid", "version"], unique=True)


def _blob() -> None:
    op.create_table(
        "blob",
        _must("sha256", TEXT),
        _must("part", INTEGER),
        _must("size", BIG),
        _must("bytes", BYTES),
        sa.PrimaryKeyConstraint("sha256", "part"),
        sqlite_strict=True,
    )


def _job() -> None:
    op.create_table(
        "job",
        sa.Column("id", BIG, primary_key=True),
        _must("kind", TEXT),
        _must("subject", TEXT),
        _must("payload", BYTES),
        _must("state", TEXT),
        _must("due", BIG),
        _must("attempts", INTEGER),
        _may("lease", BIG),
        _may("holder", TEXT),
        _may("error", TEXT),
        _must("created", BIG),
        _may("finished", BIG),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index("job_due", "job", ["due", "id"], sqlite_where=OPEN, postgresql_where=OPEN)
    op.create_index("job_subject", "job", ["subject"])


def _message() -> None:
    names = ("direction", "kind", "account", "identifier", "place", "sha256")
    op.create_table(
        "message",
        sa.Column("id", BIG, primary_key=True),
        *(_must(name, TEXT) for name in names),
        _must("at", BIG),
        _must("state", TEXT),
        _may("subject", TEXT),
        _may("reason", TEXT),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    once = ["direction", "account", "identifier", "place"]
    op.create_index("message_once", "message", once, unique=True)
    op.create_index("message_identifier", "message", ["identifier"])
    op.create_index("message_subject", "message", ["subject"])
    op.create_index("message_state", "message", ["state", "id"])


def _setting() -> None:
    """Make the table of settings, with a secret of this record's own."""
    table = op.create_table(
        "setting",
        sa.Column("name", TEXT, primary_key=True),
        _must("bytes", BYTES),
        sqlite_strict=True,
    )
    op.bulk_insert(table, [{"name": "cursor", "bytes": os.urandom(32)}])
