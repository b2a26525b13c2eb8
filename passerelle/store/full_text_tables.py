"""The tables of the full text: the words of each resource, and how far the log was followed.

On SQLite a table of FTS5, https://www.sqlite.org/fts5.html , whose tokenizer only parts at blanks:
words are folded before (``fhir.search.full_text_words``). On PostgreSQL two ``tsvector`` with one
index, https://www.postgresql.org/docs/current/textsearch-indexes.html .
"""

import sqlite3
from typing import Any

from sqlalchemy import DDL, BigInteger, Column, Integer, MetaData, Table, Text, event
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import CreateTable

FTS5 = (
    "CREATE VIRTUAL TABLE full_text USING fts5"
    "(narrative, content, tokenize = 'ascii', columnsize = 0)"
)
GIN = "CREATE INDEX full_text_words ON full_text USING gin (narrative, content)"

_BIG = BigInteger().with_variant(Integer, "sqlite")
_C = Text().with_variant(Text(collation="C"), "postgresql")
_WORDS = Text().with_variant(TSVECTOR(), "postgresql")


def make_tables(metadata: MetaData) -> tuple[Table, Table]:
    """Give the tables ``full_text`` and ``follower``."""
    full_text = Table(
        "full_text",
        metadata,
        # FTS5 knows its rows by this name only.
        Column("rowid", _BIG, primary_key=True, key="pid", autoincrement=False),  # the resource
        Column("narrative", _WORDS, nullable=False),  # words of the narrative, folded
        Column("content", _WORDS, nullable=False),  # words of the whole resource, folded
    )
    index = DDL(GIN).execute_if(dialect="postgresql")  # type: ignore[no-untyped-call]
    event.listen(full_text, "after_create", index)
    follower = Table(
        "follower",
        metadata,
        Column("name", _C, primary_key=True),  # "full-text"
        Column("at", _BIG, nullable=False),  # of the last version that was followed
        Column("seq", _BIG, nullable=False),
        sqlite_strict=True,
    )
    return full_text, follower


def has_fts5(connection: sqlite3.Connection) -> bool:
    """Tell whether this SQLite was built with FTS5."""
    found = connection.execute("SELECT 1 FROM pragma_module_list WHERE name = 'fts5'")
    return found.fetchone() is not None


@compiles(CreateTable, "sqlite")
def _create(element: CreateTable, compiler: Any, **options: Any) -> str:
    """Write how the table is made on SQLite; all others are made as usual."""
    if element.element.name == "full_text":
        return FTS5
    usual: str = compiler.visit_create_table(element, **options)
    return usual
