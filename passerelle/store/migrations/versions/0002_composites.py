"""The index rows of composite search parameters and of places.

Both are empty until ``passerelle reindex`` has run, of which ``passerelle migrate`` tells.
https://alembic.sqlalchemy.org/en/latest/ops.html
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0002"
down_revision = "0001"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
DOUBLE: TypeEngine[float] = sa.Double().with_variant(sa.REAL(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

COMPOSITE: dict[str, TypeEngine[Any]] = {
    **dict.fromkeys(("head", "head_system", "tail", "tail_system"), TEXT),
    **dict.fromkeys(("low", "high", "low2", "high2"), DOUBLE),
}
POSITION: dict[str, TypeEngine[Any]] = {"latitude": DOUBLE, "longitude": DOUBLE}


def upgrade() -> None:
    """Make the two tables."""
    _clustered("composite", COMPOSITE)
    _clustered("position", POSITION)


def _clustered(name: str, columns: dict[str, TypeEngine[Any]]) -> None:
    op.create_table(
        name,
        sa.Column("param", sa.Integer(), nullable=False),
        *(sa.Column(column, type_, nullable=False) for column, type_ in columns.items()),
        sa.Column("pid", BIG, nullable=False),
        sa.PrimaryKeyConstraint("param", *columns, "pid"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index(f"{name}_pid", name, ["pid"])
