"""The search parameters that were added to the record.

https://alembic.sqlalchemy.org/en/latest/ops.html
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0006"
down_revision = "0005"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT: TypeEngine[str] = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
EMPTY = {"sqlite": "CAST('{}' AS BLOB)", "postgresql": "'{}'::bytea"}
LIVING = sa.text("state IN ('indexing', 'ready')")


def upgrade() -> None:
    """Make the table, and on PostgreSQL the sequence that tells of its changes."""
    op.create_table(
        "search_parameter",
        sa.Column("number", sa.Integer(), primary_key=True),
        sa.Column("type", TEXT, nullable=False),
        sa.Column("code", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("url", TEXT, nullable=False),
        sa.Column("definition", sa.LargeBinary(), nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("place", BIG, nullable=False),
        sa.Column("done", BIG, nullable=False),
        sa.Column("total", BIG, nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("moves", sa.Integer(), nullable=False),
        sqlite_strict=True,
    )
    op.create_index(
        "search_parameter_once",
        "search_parameter",
        ["type", "code"],
        unique=True,
        sqlite_where=LIVING,
        postgresql_where=LIVING,
    )
    # What there is already is settled by the first worker.
    op.execute(
        "INSERT INTO job (kind, subject, payload, state, due, attempts, created) "
        "SELECT 'search-parameters.index', 'SearchParameter', payload, 'waiting', 0, 0, 0 "
        f"FROM (SELECT {EMPTY[op.get_bind().dialect.name]} AS payload) AS one WHERE EXISTS ("
        "SELECT 1 FROM resource WHERE type = 'SearchParameter' AND NOT deleted)"
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(sa.schema.CreateSequence(sa.Sequence("parameter_stamp")))
