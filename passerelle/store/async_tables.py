"""The tables of the requests that are answered later, and of what they were answered.

They stand apart from the record: nothing else refers to them, and all of it is forgotten after a
while (https://hl7.org/fhir/R4/async.html).
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
)

_BIG = BigInteger().with_variant(Integer, "sqlite")
_C = Text().with_variant(Text(collation="C"), "postgresql")


def make_tables(metadata: MetaData) -> tuple[Table, Table]:
    """Give the tables ``async_request`` and ``async_part``."""
    request = Table(
        "async_request",
        metadata,
        Column("id", _C, nullable=False, primary_key=True),  # of its status address
        Column("subject", _C, nullable=False),  # Caller.subject: nobody else is told of it
        Column("kind", _C, nullable=False),  # Caller.kind
        Column("request", LargeBinary, nullable=False),  # JSON; empty once it was answered
        Column("state", _C, nullable=False),  # waiting, done, failed
        Column("created", _BIG, nullable=False),
        Column("expires", _BIG, nullable=False),  # forgotten then
        Column("pages", Integer, nullable=False),  # gathered so far
        Column("resources", _BIG, nullable=False),  # gathered so far
        Column("run", Integer),  # the attempt whose files are the answer
        Column("status", Integer),  # of HTTP, once it is answered
        Column("answer", LargeBinary),  # JSON: the manifest, or why it failed
        Index("async_request_expires", "expires"),
        Index("async_request_subject", "subject"),
        sqlite_strict=True,
    )
    part = Table(
        "async_part",
        metadata,
        Column("request", _C, nullable=False),  # its id
        Column("run", Integer, nullable=False),  # the attempt that wrote it
        Column("file", Integer, nullable=False),  # 0, 1, 2 … as in the manifest
        Column("part", Integer, nullable=False),  # 0, 1, 2 … of at most 256 KiB each
        Column("bytes", LargeBinary, nullable=False),
        PrimaryKeyConstraint("request", "run", "file", "part"),
        sqlite_strict=True,
    )
    return request, part
