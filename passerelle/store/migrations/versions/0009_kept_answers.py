"""The answers that are given again to a request that comes again under one key.

Forward only, as the others. https://alembic.sqlalchemy.org/en/latest/ops.html
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0009"
down_revision = "0008"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT: TypeEngine[str] = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "kept_answer",
        sa.Column("key", TEXT, nullable=False),
        sa.Column("request", TEXT, nullable=False),
        sa.Column("holder", TEXT, nullable=False),
        sa.Column("lease", BIG, nullable=False),
        sa.Column("expires", BIG, nullable=False),
        sa.Column("status", sa.Integer()),
        sa.Column("etag", TEXT),
        sa.Column("body", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("key"),
        sqlite_strict=True,
    )
    op.create_index("kept_answer_expires", "kept_answer", ["expires"])
