"""The installed FHIR packages, and which resources of the record each brought.

https://alembic.sqlalchemy.org/en/latest/ops.html
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0004"
down_revision = "0003"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT: TypeEngine[str] = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the two tables."""
    op.create_table(
        "package",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("version", TEXT, nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("resources", sa.Integer(), nullable=False),
        sa.Column("examples", sa.Integer(), nullable=False),
        sa.Column("canonical", TEXT),
        sa.Column("title", TEXT),
        sa.Column("dependencies", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", "version"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "conformance",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("package", TEXT, nullable=False),
        sa.Column("type", TEXT, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("path", TEXT, nullable=False),
        sa.Column("url", TEXT),
        sa.Column("version", TEXT),
        sa.PrimaryKeyConstraint("name", "package", "type", "id"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
