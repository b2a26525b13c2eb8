"""The table of the answers that are given again to a request that comes again.

https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-idempotency-key-header . No key and no body
is kept, only their digests; of the answer, a receipt: names, versions and rules. All is forgotten
after a day.
"""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, Table, Text

_BIG = BigInteger().with_variant(Integer, "sqlite")
_C = Text().with_variant(Text(collation="C"), "postgresql")


def make_table(metadata: MetaData) -> Table:
    """Give the table ``kept_answer``."""
    return Table(
        "kept_answer",
        metadata,
        Column("key", _C, primary_key=True),  # SHA-256 of the caller and its Idempotency-Key
        Column("request", _C, nullable=False),  # SHA-256 of what is asked, body and all
        Column("holder", _C, nullable=False),  # who is answering it
        Column("lease", _BIG, nullable=False),  # until then it is being answered
        Column("expires", _BIG, nullable=False),  # forgotten then
        Column("status", Integer),  # of HTTP; none until it is answered
        Column("etag", _C),  # of the answer
        Column("body", LargeBinary),  # of the answer: a receipt
        Index("kept_answer_expires", "expires"),
        sqlite_strict=True,
    )
