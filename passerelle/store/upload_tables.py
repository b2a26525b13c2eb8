"""The table of the bytes that were brought, and may not be named by anything yet.

Whoever brings bytes, or is about to name some, notes it here first. What a refused or killed
request leaves behind stays noted, and is found without looking through the record
(``passerelle.store.uploads``).
"""

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, Table, Text

_BIG = BigInteger().with_variant(Integer, "sqlite")
_C = Text().with_variant(Text(collation="C"), "postgresql")


def make_table(metadata: MetaData) -> Table:
    """Give the table ``upload``."""
    return Table(
        "upload",
        metadata,
        Column("sha256", _C, primary_key=True),  # of the bytes, as in `blob`
        Column("at", _BIG, nullable=False),  # microseconds since 1970 UTC: last brought or named
        Index("upload_at", "at", "sha256"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
