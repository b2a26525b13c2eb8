"""The order of all changes, and the floor that feeds have been read to.

https://alembic.sqlalchemy.org/en/latest/ops.html
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the index, and on PostgreSQL the sequence whose value is the floor."""
    op.create_index("version_at", "version", ["at", "seq"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute(sa.schema.CreateSequence(sa.Sequence("feed_floor")))
