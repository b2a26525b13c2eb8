"""Rows on their way to PostgreSQL: one array per column, opened there with ``unnest``.

Whole numbers travel as the text of an array: of each element of a list the driver asks whether it
is a list itself, which for a number costs ten times what writing it costs.
https://www.postgresql.org/docs/current/arrays.html#ARRAYS-INPUT
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import dialect as _dialect

from passerelle.store import schema

_WHOLE = frozenset({"BIGINT", "INTEGER"})


@cache
def type_of(table: Table, column: str) -> str:
    """Give the name of a column's type on PostgreSQL."""
    text = str(table.c[column].type.compile(_dialect()))  # type: ignore[no-untyped-call]
    return text.partition(" COLLATE")[0]


@cache
def _wholes(table: str, columns: tuple[str, ...]) -> tuple[bool, ...]:
    found = schema.metadata.tables[table]
    return tuple(type_of(found, column) in _WHOLE for column in columns)


def numbers_text(numbers: Sequence[int]) -> str:
    """Give whole numbers as the text of an array; in SQL it is ``$1::text::bigint[]``."""
    return f"{{{','.join(map(str, numbers))}}}"


def arrays_of(
    table: str, columns: tuple[str, ...], rows: Sequence[Sequence[Any]]
) -> list[list[Any] | str]:
    """Give the arguments of some rows, one per column; a column of whole numbers holds no null."""
    wholes = _wholes(table, columns)
    return [
        numbers_text(cells) if whole else list(cells)
        for whole, cells in zip(wholes, zip(*rows, strict=True), strict=True)
    ]


def array_marks(table: str, columns: tuple[str, ...], first: int) -> list[str]:
    """Give what stands in SQL for the arguments of those columns, numbered from ``first``."""
    found = schema.metadata.tables[table]
    return [
        f"${first + place}{'::text' if whole else ''}::{type_of(found, column)}[]"
        for place, (column, whole) in enumerate(zip(columns, _wholes(table, columns), strict=True))
    ]


def insert_of(table: str, columns: Sequence[str], marks: Sequence[str]) -> str:
    """Compose the insertion of rows that come as one array per column."""
    names = ", ".join(f'"{column}"' for column in columns)
    return f'INSERT INTO "{table}" ({names}) SELECT * FROM unnest({", ".join(marks)})'
