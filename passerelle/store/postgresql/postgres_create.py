"""Plain creates on PostgreSQL: one statement for many, one way to the server and back.

Locks, numbers, heads, versions, index rows and claims are WITH queries of one statement. That keys
and claims are new is not read before but is what the unique indexes say; when they refuse, the
long way tells why. https://www.postgresql.org/docs/current/queries-with.html#QUERIES-WITH-MODIFYING
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from passerelle.fhir.instants import dump_instant
from passerelle.store.caller import Caller
from passerelle.store.contract import Draft, Outcome, Put, Unit, Version
from passerelle.store.parameter_rows import text
from passerelle.store.postgresql.postgres_arrays import array_marks, arrays_of
from passerelle.store.postgresql.postgres_horizon import FLOOR, halves, register_at
from passerelle.store.postgresql.postgres_locks import EVERYTHING, Locks
from passerelle.store.postgresql.postgres_writes import TX
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
    SELECT count({register_at("$4", "$5")}) AS n FROM locked WHERE n > 0
), numbers AS MATERIALIZED (
    SELECT array(SELECT nextval('resource_pid_seq') FROM generate_series(1, $2)) AS pids,
        array(SELECT nextval('version_seq_seq') FROM generate_series(1, $2)) AS seqs
    FROM registered WHERE n > 0 AND {FLOOR} < $3
    AND ($6::bigint IS NULL OR $6::bigint = ({STAMP}))
)"""
"""Locks, then the instant is registered, then it is compared with the floor of the feeds, and the
parameters that the rows were made by with those that there are; then numbers are drawn."""

_FIXED = 6
_RESOURCE = ("type", "id", "digest", *RIGHTS_COLUMNS)
_VERSION = ("method", "author", "body", "aside", "blob")


def is_plain_create(unit: Unit) -> bool:
    """Tell whether a unit is new resources that name no bytes, decided on nothing else."""
    return bool(unit.writes) and (
        all(
            isinstance(write, Put)
            and write.must_be_new
            and write.if_match is None
            and write.beside is None
            and write.draft.blob is None
            for write in unit.writes
        )
        and unit == Unit(writes=unit.writes)
    )


class _New(NamedTuple):
    """One resource that is created, and by whom."""

    write: Put
    author: str
    body: bytes


class Creates:
    """The creates of some plain units that have no lock in common, at one instant."""

    def __init__(self, asked: Sequence[tuple[Unit, Caller]], at: int) -> None:
        """Take the units, each with who asks for it."""
        self.at = at
        self._asked = asked
        self.locks = Locks.of(unit for unit, _ in asked)
        instant = dump_instant(at)
        self._new = [
            _New(write, caller.subject, write.draft.body(1, instant))
            for unit, caller in asked
            for write in unit.writes
            if isinstance(write, Put)
        ]

    @property
    def drafts(self) -> list[Draft]:
        """Give what is created, in the order of the units and of their writes."""
        return [new.write.draft for new in self._new]

    def are(self, found: Sequence[Version]) -> bool:
        """Tell whether versions are those that this makes."""
        bodies = [new.body for new in self._new]
        return bodies == [one.body for one in found] and {one.at for one in found} == {self.at}

    def statement(self) -> tuple[str, list[Any]] | None:
        """Give the statement and its arguments; its row is pids, seqs, tx.

        There is no row, and nothing is written, when feeds have been read beyond the instant
        already, or when the search parameters have changed. None for more than goes this way.
        """
        stamps = {draft.stamp for draft in self.drafts if draft.stamp is not None}
        if EVERYTHING in self.locks.alone or len(stamps) > 1:
            return None
        args: list[Any] = [
            list(self.locks.alone),
            len(self._new),
            self.at,
            *halves(self.at),
            next(iter(stamps), None),
        ]
        rows = [(*new.write.draft.key, new.write.draft.digest) for new in self._new]
        rights = [rights_cells(draft.rights) for draft in self.drafts]
        cells = [(*row, *more) for row, more in zip(rows, rights, strict=True)]
        args += arrays_of("resource", _RESOURCE, cells)
        versions = [
            (new.write.method, new.author, new.body, new.write.draft.aside, new.write.draft.blob)
            for new in self._new
        ]
        args += arrays_of("version", _VERSION, versions)
        tables: list[tuple[str, tuple[str, ...]]] = []
        numbered = {place: draft.rows for place, draft in enumerate(self.drafts, 1)}
        for kind, index_cells in cells_by_table(numbered):
            columns = (*kind.columns, "pid")
            tables.append((kind.table.name, columns))
            args += arrays_of(kind.table.name, columns, index_cells)
        claims = [
            (draft.key.type, *claim, place)
            for place, draft in enumerate(self.drafts, 1)
            for claim in dict.fromkeys(draft.claims)
        ]
        if claims:
            tables.append(("claim", _CLAIM))
            args += arrays_of("claim", _CLAIM, claims)
        return _text(tuple(tables)), args

    def outcomes(self, row: Sequence[Any]) -> list[tuple[Outcome, ...]]:
        """Give the outcomes of each unit from the row of the statement."""
        pids, seqs, tx = row
        made = iter(
            [
                Outcome("created", _version(new, pid, seq, tx, self.at))
                for new, pid, seq in zip(self._new, pids, seqs, strict=True)
            ]
        )
        return [tuple(next(made) for _ in unit.writes) for unit, _ in self._asked]


_CLAIM = ("type", "system", "value", "pid")


def _version(new: _New, pid: int, seq: int, tx: int, at: int) -> Version:
    draft = new.write.draft
    return Version(
        key=draft.key,
        version=1,
        seq=seq,
        at=at,
        method=new.write.method,
        body=new.body,
        aside=draft.aside,
        blob=draft.blob,
        author=new.author,
        tx=tx,
        pid=pid,
    )


@cache
def _text(tables: tuple[tuple[str, tuple[str, ...]], ...]) -> str:
    """Compose the statement for resources with rows in those tables.

    In these rows the last column tells the place of the resource, from 1, which has its numbers in
    the same place.
    """
    number = _FIXED + 1
    resource = ", ".join(array_marks("resource", _RESOURCE, number))
    number += len(_RESOURCE)
    version = ", ".join(array_marks("version", _VERSION, number))
    number += len(_VERSION)
    queries = [
        f"in_resource AS (INSERT INTO resource ({_quoted(_RESOURCE)}, "
        "pid, version, seq, updated, deleted) "
        f"SELECT {_quoted(_RESOURCE, 'given')}, pids[given.n], 1, seqs[given.n], $3, false "
        f"FROM numbers, unnest({resource}) WITH ORDINALITY AS given ({_quoted(_RESOURCE)}, n))",
        f"in_version AS (INSERT INTO version ({_quoted(_VERSION)}, seq, pid, version, at, tx) "
        f"SELECT {_quoted(_VERSION, 'given')}, seqs[given.n], pids[given.n], 1, $3, {TX} "
        f"FROM numbers, unnest({version}) WITH ORDINALITY AS given ({_quoted(_VERSION)}, n))",
    ]
    for table, columns in tables:
        arrays = ", ".join(array_marks(table, columns, number))
        number += len(columns)
        cells = _quoted(columns[:-1], "given")
        queries.append(
            f'in_{table} AS (INSERT INTO "{table}" ({_quoted(columns)}) '
            f"SELECT {cells}, pids[given.pid] "
            f"FROM numbers, unnest({arrays}) AS given ({_quoted(columns)}))"
        )
    return f"WITH {_LOCK_FIRST}, {', '.join(queries)} SELECT pids, seqs, {TX} FROM numbers"


def _quoted(columns: Sequence[str], of: str = "") -> str:
    return ", ".join(f'{of}."{column}"' if of else f'"{column}"' for column in columns)
