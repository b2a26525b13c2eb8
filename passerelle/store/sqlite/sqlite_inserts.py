"""Many rows in few statements, for the one thread that writes.

Each statement costs the writer the interpreter's lock twice; beside a busy event loop that is what
a write waits for. So rows go in by the hundred, in statements of a few fixed sizes which stay
prepared. ``OR FAIL`` spares the journal of the single statement: the transaction undoes all.
https://www.sqlite.org/lang_conflict.html
"""

import sqlite3
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import chain
from typing import Any

ROWS_MAX = 256
"""In one statement: of 16 columns at most, with a mark for each cell, far below the 32,766 marks
that SQLite takes (https://www.sqlite.org/limits.html#max_variable_number)."""


def insert(
    connection: sqlite3.Connection,
    table: str,
    columns: tuple[str, ...],
    rows: Sequence[Sequence[Any]],
    tail: str = "",
) -> None:
    """Insert rows; ``tail`` is an ON CONFLICT clause."""
    start, size = 0, ROWS_MAX
    while start < len(rows):
        while size > len(rows) - start:
            size >>= 1
        some = rows[start : start + size]
        connection.execute(_text(table, columns, size, tail), tuple(chain.from_iterable(some)))
        start += size


@cache
def _text(table: str, columns: tuple[str, ...], size: int, tail: str) -> str:
    one = f"({', '.join('?' * len(columns))})"
    names = ", ".join(f'"{column}"' for column in columns)
    mode = "" if tail else "OR FAIL "
    return f'INSERT {mode}INTO "{table}" ({names}) VALUES {", ".join([one] * size)} {tail}'


def delete_of(connection: sqlite3.Connection, tables: Iterable[str], pids: Sequence[int]) -> None:
    """Delete the rows of those resources from tables that have a column ``pid``."""
    size, start = ROWS_MAX, 0
    while start < len(pids):
        while size > len(pids) - start:
            size >>= 1
        marks = ", ".join("?" * size)
        for table in tables:
            connection.execute(
                f'DELETE FROM "{table}" WHERE pid IN ({marks})', pids[start : start + size]
            )
        start += size
