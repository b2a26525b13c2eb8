"""The words of each resource, and how far the log was followed.

Both are empty until the gateway, which follows the log, has gone through it.
https://alembic.sqlalchemy.org/en/latest/ops.html
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TSVECTOR

revision = "0005"
down_revision = "0004"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the two tables; without FTS5 SQLite goes without the first."""
    op.create_table(
        "follower",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("seq", BIG, nullable=False),
        sa.PrimaryKeyConstraint("name"),
        sqlite_strict=True,
    )
    if op.get_bind().dialect.name == "postgresql":
        op.create_table(
            "full_text",
            sa.Column("rowid", sa.BigInteger(), nullable=False, autoincrement=False),
            sa.Column("narrative", TSVECTOR(), nullable=False),
            sa.Column("content", TSVECTOR(), nullable=False),
            sa.PrimaryKeyConstraint("rowid"),
        )
        op.execute("CREATE INDEX full_text_words ON full_text USING gin (narrative, content)")
        return
    known = sa.text("SELECT 1 FROM pragma_module_list WHERE name = 'fts5'")
    if op.get_bind().execute(known).first() is not None:
        op.execute(
            "CREATE VIRTUAL TABLE full_text USING fts5"
            "(narrative, content, tokenize = 'ascii', columnsize = 0)"
        )
