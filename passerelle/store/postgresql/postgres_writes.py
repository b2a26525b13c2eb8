"""What a plan writes on PostgreSQL: one statement to clear, one to write, however many rows.

Rows travel as one array per column and are opened with ``unnest``; each table is a WITH query of
its own in one statement. https://www.postgresql.org/docs/current/queries-with.html
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

from passerelle.store.postgresql.postgres_arrays import array_marks, arrays_of, insert_of
from passerelle.store.sql.cells import (
    RESOURCE_COLUMNS,
    VERSION_COLUMNS,
    head_cells,
    rights_cells,
    version_cells,
)
from passerelle.store.sql.index_tables import INDEX_TABLES, cells_by_table
from passerelle.store.sql.planning import Plan

TX = "pg_current_xact_id()::text::bigint"

_CLEARED = (*(kind.table.name for kind in INDEX_TABLES), "claim")
CLEAR = (
    "WITH "
    + ", ".join(f'in_{name} AS (DELETE FROM "{name}" WHERE pid = ANY($1))' for name in _CLEARED)
    + " SELECT 1"
)
"""Argument: pids. A statement of its own: rows written again must be gone before."""

_UPSERT = "ON CONFLICT (pid) DO UPDATE SET " + ", ".join(
    f'"{name}" = excluded."{name}"'
    for name in RESOURCE_COLUMNS
    if name not in ("pid", "type", "id")
)
_MARK_DELETED = (
    "UPDATE resource SET version = gone.version, seq = gone.seq, updated = gone.updated, "
    "deleted = true FROM unnest({}, {}, {}, {}) "
    "AS gone (pid, version, seq, updated) WHERE resource.pid = gone.pid"
)


def write_of(made: Plan) -> tuple[str, list[Any]]:
    """Give the statement that writes a plan, and its arguments."""
    shape: list[tuple[str, tuple[str, ...]]] = []
    args: list[Any] = []

    def add(table: str, columns: tuple[str, ...], rows: Sequence[Sequence[Any]]) -> None:
        if rows:
            shape.append((table, columns))
            args.extend(arrays_of(table or "resource", columns, rows))

    resources, deletions, index_rows = [], [], {}
    for key, head in made.heads.items():
        draft = made.drafts[head.pid]
        if draft is not None:
            index_rows[head.pid] = draft.rows
        if head.pid in made.rights:
            resources.append((*head_cells(key, head), *rights_cells(made.rights[head.pid])))
        else:
            deletions.append((head.pid, head.version, head.seq, head.updated))
    add("resource", RESOURCE_COLUMNS, resources)
    add("", ("pid", "version", "seq", "updated"), deletions)
    add("version", VERSION_COLUMNS, [version_cells(version) for version in made.versions])
    for kind, cells in cells_by_table(index_rows):
        add(kind.table.name, (*kind.columns, "pid"), cells)
    add("claim", ("type", "system", "value", "pid"), [(*c, p) for c, p in made.claims.items()])
    return _text(tuple(shape)), args


@cache
def _text(shape: tuple[tuple[str, tuple[str, ...]], ...]) -> str:
    """Compose the statement that writes to those tables."""
    queries: list[str] = []
    number = 1
    for table, columns in shape:
        marks = array_marks(table or "resource", columns, number)
        number += len(columns)
        if table == "":
            queries.append(f"gone_resource AS ({_MARK_DELETED.format(*marks)})")
        else:
            tail = _UPSERT if table == "resource" else ""
            queries.append(f"in_{table} AS ({insert_of(table, columns, marks)} {tail})")
    return f"WITH {', '.join(queries)} SELECT 1"
