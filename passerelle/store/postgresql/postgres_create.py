"""A plain create on PostgreSQL: one statement, one way to the server and back.

Locks, numbers, head, version, index rows and claims are WITH queries of one statement. That the key
and the claims are new is not read before but is what the unique indexes say; when they refuse, the
long way tells why. https://www.postgresql.org/docs/current/queries-with.html#QUERIES-WITH-MODIFYING
"""

from functools import cache
from typing import Any

from passerelle.store import schema
from passerelle.store.contract import Put, Unit
from passerelle.store.parameter_rows import text
from passerelle.store.postgresql.postgres_horizon import FLOOR, halves, register_at
from passerelle.store.postgresql.postgres_locks import EVERYTHING, lock_names
from passerelle.store.postgresql.postgres_writes import TX, type_of
from passerelle.store.sql.cells import RIGHTS_COLUMNS, rights_cells
from passerelle.store.sql.index_tables import cells_by_table

STAMP = text("stamp", "postgresql").sql
_LOCK_FIRST = f"""
locked AS MATERIALIZED (
    SELECT count(
        CASE WHEN shared THEN pg_advisory_xact_lock_shared(number)
        ELSE pg_advisory_xact_lock(number) END
    ) AS n FROM (
        SELECT hashtextextended(name, 0) AS number, false AS shared FROM unnest($1::text[]) AS name
        UNION SELECT hashtextextended('{EVERYTHING}', 0), true
        ORDER BY number
    ) AS sorted
), registered AS MATERIALIZED (
    SELECT count({register_at("$11", "$12")}) AS n FROM locked WHERE n > 0
), numbers AS MATERIALIZED (
    SELECT nextval('resource_pid_seq') AS pid, nextval('version_seq_seq') AS seq
    FROM registered WHERE n > 0 AND {FLOOR} < $4
    AND ($13::bigint IS NULL OR $13::bigint = ({STAMP}))
)"""
"""Locks, then the instant is registered, then it is compared with the floor of the feeds, and the
parameters that the rows were made by with those that there are."""

_FIXED = 13
_RIGHTS = ", ".join(f'"{name}"' for name in RIGHTS_COLUMNS)


def is_plain_create(unit: Unit) -> bool:
    """Tell whether a unit is one new resource, decided on nothing else."""
    write = unit.writes[0] if len(unit.writes) == 1 else None
    return (
        isinstance(write, Put)
        and write.must_be_new
        and write.if_match is None
        and write.beside is None
        and unit == Unit(writes=unit.writes)
    )


def create_of(unit: Unit, author: str, at: int, body: bytes) -> tuple[str, list[Any]]:
    """Give the statement of a plain create and its arguments; its row is pid, seq, tx.

    There is no row, and nothing is written, when feeds have been read beyond the instant already,
    or when the search parameters have changed.
    """
    (write,) = unit.writes
    assert isinstance(write, Put)
    draft = write.draft
    args: list[Any] = [
        lock_names(unit),
        draft.key.type,
        draft.key.id,
        at,
        draft.digest,
        write.method,
        author,
        body,
        draft.aside,
        draft.blob,
        *halves(at),
        draft.stamp,
        *rights_cells(draft.rights),
    ]
    tables: list[tuple[str, tuple[str, ...]]] = []
    for kind, cells in cells_by_table({0: draft.rows}):
        tables.append((kind.table.name, kind.columns))
        args.extend(list(column) for column in list(zip(*cells, strict=True))[:-1])
    if draft.claims:
        claims = tuple(dict.fromkeys(draft.claims))
        tables.append(("claim", ("system", "value")))
        args.extend(list(column) for column in zip(*claims, strict=True))
    return _text(tuple(tables)), args


@cache
def _text(tables: tuple[tuple[str, tuple[str, ...]], ...]) -> str:
    """Compose the statement for a resource with rows in those tables."""
    number = _FIXED + 1
    rights = []
    for name in RIGHTS_COLUMNS:
        rights.append(f"${number}::{type_of(schema.resource, name)}")
        number += 1
    queries = [
        f"in_resource AS (INSERT INTO resource (pid, type, id, version, seq, updated, deleted, "
        f"digest, {_RIGHTS}) SELECT pid, $2::text, $3::text, 1, seq, $4::bigint, false, "
        f"$5::bytea, {', '.join(rights)} FROM numbers)",
        "in_version AS (INSERT INTO version (seq, pid, version, method, at, tx, author, body, "
        f"aside, blob) SELECT seq, pid, 1, $6::text, $4::bigint, {TX}, $7::text, $8::bytea, "
        "$9::bytea, $10::text FROM numbers)",
    ]
    for table, columns in tables:
        found = schema.metadata.tables[table]
        arrays = [f"${number + i}::{type_of(found, c)}[]" for i, c in enumerate(columns)]
        number += len(columns)
        names = ", ".join(f'"{column}"' for column in columns)
        type_name, type_value = (', "type"', ", $2::text") if table == "claim" else ("", "")
        queries.append(
            f'in_{table} AS (INSERT INTO "{table}" ({names}{type_name}, pid) '
            f"SELECT given.*{type_value}, numbers.pid FROM numbers, "
            f"unnest({', '.join(arrays)}) AS given)"
        )
    return f"WITH {_LOCK_FIRST}, {', '.join(queries)} SELECT pid, seq, {TX} FROM numbers"
