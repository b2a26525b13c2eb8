"""The page of the database: tables and columns, with the comments that stand beside them."""

import ast
import inspect
import io
import tokenize
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite

from passerelle.store import async_tables, kept_answer_tables, schema
from tools.reference_markdown import code, codes, page, table

TABLES = {
    "resource": "One row for each resource: where its newest version stands, and the columns that "
    "rights are decided on.",
    "version": "The append-only log of versions: the truth.",
    "token": "Search rows of codes and identifiers.",
    "string": "Search rows of texts.",
    "reference": "Search rows of references.",
    "date": "Search rows of dates, as half-open intervals in UTC.",
    "number": "Search rows of numbers, with the precision they were written with.",
    "quantity": "Search rows of quantities.",
    "uri": "Search rows of addresses.",
    "composite": "Search rows of composite parameters: what stands together in one element.",
    "position": "Search rows of places.",
    "full_text": "The words of each resource, for `_text` and `_content`. They follow the log.",
    "follower": "How far the log was followed.",
    "claim": "Business identifiers that may belong to one resource only.",
    "blob": "The bytes of documents and of raw messages.",
    "job": "The outbox: what is to be done after a transaction, written in it.",
    "message": "Raw messages, in and out, with their fate.",
    "package": "The installed FHIR packages.",
    "conformance": "Which resources of the record each package brought.",
    "async_request": "Requests that are answered later, until they are forgotten.",
    "async_part": "What they were answered, in files of NDJSON.",
    "kept_answer": "Receipts given again to a push that comes again (Idempotency-Key), for a day.",
    "upload": "Bytes that were brought and may not be named by anything yet, for the sweep.",
    "setting": "What all processes on one record share.",
    "search_parameter": "The search parameters that were added to the record, and how far each is.",
}
"""What each table holds. The tests want a line for every table."""

COLUMNS = {
    "pid": "the resource, as an integer",
    "param": "the search parameter, by its stable number",
    "type": "resource type",
    "id": "logical id; of a job or a message, its number",
    "version": "number of the version",
    "value": "as compared",
    "system": "empty for none",
    "code": "unit, empty for none",
    "norm": "case, accents and punctuation folded",
    "exact": "as written",
    "head": "what the first component says",
    "head_system": "its system, empty for none",
    "tail": "what the second component says, empty for a number or a date",
    "tail_system": "its system, empty for none",
    "low2": "begin of the interval of the third component",
    "high2": "end of the interval of the third component",
    "latitude": "degrees, north is positive",
    "longitude": "degrees, east is positive",
    "rowid": "the resource, as an integer",
    "narrative": "words of the narrative, folded",
    "content": "words of the whole resource, folded",
    "low": "begin of the interval",
    "high": "end of the interval",
    "seq": "place in the log",
    "deleted": "whether the newest version is a deletion",
    "shared": "not decided yet",
    "patient_visible": "not hidden from the person",
    "sha256": "of the bytes",
    "bytes": "as they are",
    "attempts": "how often it was tried",
    "created": "microseconds since 1970 UTC",
    "finished": "microseconds since 1970 UTC",
    "at": "microseconds since 1970 UTC",
    "name": "its name",
}
"""What a column holds, where no comment stands beside it."""

DIALECTS: dict[str, Any] = {"SQLite": sqlite.dialect(), "PostgreSQL": postgresql.dialect()}


def write() -> str:
    """Write the page."""
    comments = column_comments()
    tables = list(schema.metadata.tables.values())
    index = ((f"[{code(each.name)}](#{each.name})", TABLES.get(each.name, "")) for each in tables)
    protected = codes(each.name for each in schema.PROTECTED)
    return page(
        "Database",
        "The tables of the record, the same on SQLite and on PostgreSQL. SQL is written in the "
        "store alone. Moments are microseconds since 1970 UTC.",
        f"Read only through the caller's rights: {protected}.",
        table(("Table", "Holds"), index),
        *(block for each in tables for block in _section(each, comments)),
    )


def _section(each: Table, comments: Mapping[tuple[str, str], str]) -> Iterator[str]:
    yield f"## {each.name}"
    yield TABLES.get(each.name, "")
    rows = (
        (
            code(column.name),
            column.type.compile(DIALECTS["SQLite"]),
            column.type.compile(DIALECTS["PostgreSQL"]),
            "" if column.nullable else "yes",
            comments.get((each.name, column.name)) or COLUMNS.get(column.name, ""),
        )
        for column in each.columns
    )
    yield table(("Column", "SQLite", "PostgreSQL", "Never null", "Holds"), rows)
    yield "Key: " + codes(column.name for column in each.primary_key.columns) + "." + _indexes(each)


def _indexes(each: Table) -> str:
    found = sorted(each.indexes, key=lambda index: str(index.name))
    spelled = (
        f"{code(index.name)} ({', '.join(column.name for column in index.columns)}"
        f"{'; unique' if index.unique else ''})"
        for index in found
    )
    return f" Indexes: {', '.join(spelled)}." if found else ""


def column_comments() -> dict[tuple[str, str], str]:
    """Give the comment that ends the line of each ``Column`` of the schema, by table and column."""
    found: dict[tuple[str, str], str] = {}
    for module in (schema, async_tables, kept_answer_tables):
        found |= _comments_in(inspect.getsource(module))
    return found


def _comments_in(source: str) -> dict[tuple[str, str], str]:
    lines = {
        token.start[0]: token.string.lstrip("# ")
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }
    found: dict[tuple[str, str], str] = {}
    for made in ast.walk(ast.parse(source)):
        if _called(made) in ("Table", "_rows"):
            assert isinstance(made, ast.Call)
            for column in made.args[1:]:
                if _called(column) == "Column" and column.end_lineno in lines:
                    found[_text(made), _text(column)] = lines[column.end_lineno]
    return found


def _called(node: ast.AST) -> str | None:
    is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    return node.func.id if is_call else None  # type: ignore[attr-defined,no-any-return]


def _text(call: ast.AST) -> str:
    first = call.args[0]  # type: ignore[attr-defined]
    return str(first.value) if isinstance(first, ast.Constant) else ""
