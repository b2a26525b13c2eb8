"""A new SQLite file at the last migration, made from the tables themselves.

Migrations are for files that hold something already; loading what runs them takes longer than a
gateway needs to start. A test sees that both ways lead to the same file.
"""

import os

from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from passerelle.fhir.search.search_parameters import digest
from passerelle.store import full_text_tables, revision, schema
from passerelle.store.sqlite.sqlite_connection import connect_writer, path_of

SECRET_BYTES = 32
_VERSION_TABLE = (
    "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, "
    "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
)


def create(database_url: str) -> bool:
    """Make the record in a file that is not there or empty; tell whether that was so.

    One transaction: of several processes that start at once, one makes it.
    """
    path = path_of(database_url)
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = connect_writer(path)
    try:
        connection.execute("BEGIN IMMEDIATE")
        if connection.execute("SELECT 1 FROM sqlite_master").fetchone() is not None:
            connection.execute("ROLLBACK")
            return False
        for statement in statements(full_text=full_text_tables.has_fts5(connection)):
            connection.execute(statement)
        connection.execute("INSERT INTO alembic_version VALUES (?)", (revision.head(),))
        for setting in (("cursor", os.urandom(SECRET_BYTES)), ("search-parameters", digest())):
            connection.execute("INSERT INTO setting (name, bytes) VALUES (?, ?)", setting)
        connection.execute("COMMIT")
        return True
    finally:
        connection.close()


def statements(*, full_text: bool = True) -> list[str]:
    """Give the statements that make all tables and indexes of the record on SQLite.

    Without the table of the full text where this SQLite does not have FTS5.
    """
    dialect = sqlite.dialect()
    made = [_VERSION_TABLE]
    for table in schema.metadata.sorted_tables:
        if table is schema.full_text and not full_text:
            continue
        made.append(str(CreateTable(table).compile(dialect=dialect)))
        for index in sorted(table.indexes, key=lambda each: str(each.name)):
            made.append(str(CreateIndex(index).compile(dialect=dialect)))
    return made
