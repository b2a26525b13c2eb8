"""The bytes that were brought and may not be named by anything yet.

Those that nothing names when it runs are given the time that new ones have. As the others it goes
forward only: a gateway of before does not open a record of after; whoever has to go back restores
the copy that was made before. https://alembic.sqlalchemy.org/en/latest/ops.html
"""

import time

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0008"
down_revision = "0007"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT: TypeEngine[str] = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NAMED = sa.text("blob IS NOT NULL")

UNNAMED = """
INSERT INTO upload (sha256, at) SELECT DISTINCT sha256, CAST(:now AS BIGINT) FROM blob
WHERE NOT EXISTS (SELECT 1 FROM version WHERE version.blob = blob.sha256)
AND NOT EXISTS (SELECT 1 FROM message WHERE message.sha256 = blob.sha256)
"""


def upgrade() -> None:
    """Make the table and the two indexes that it is compared by, then note what stands alone."""
    op.create_table(
        "upload",
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("sha256"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("upload_at", "upload", ["at", "sha256"])
    op.create_index("version_blob", "version", ["blob"], sqlite_where=NAMED, postgresql_where=NAMED)
    op.create_index("message_sha256", "message", ["sha256"])
    op.get_bind().execute(sa.text(UNNAMED), {"now": time.time_ns() // 1_000})
