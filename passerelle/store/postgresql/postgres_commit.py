"""The commit of a unit on PostgreSQL: locks first, then read, decide, write, in one transaction.

READ COMMITTED: each statement after the locks sees all that the holders before us committed.
https://www.postgresql.org/docs/current/transaction-iso.html#XACT-READ-COMMITTED
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import count
from typing import Any

import asyncpg
from sqlalchemy import ARRAY, Text, bindparam, func, select

from passerelle.fhir.resource import Key
from passerelle.store.added_parameters import demand_current
from passerelle.store.caller import SYSTEM, Caller
from passerelle.store.contract import Outcome, Stale, Unit, Version
from passerelle.store.parameter_rows import text
from passerelle.store.postgresql.postgres_horizon import FLOOR, halves, register_at
from passerelle.store.postgresql.postgres_locks import (
    EVERYTHING,
    LOCK,
    dossier_lock,
    locks_of,
)
from passerelle.store.postgresql.postgres_outbox import write_side_rows
from passerelle.store.postgresql.postgres_writes import CLEAR, TX, write_of
from passerelle.store.rows import Rows
from passerelle.store.search_sql.search import matching_statement
from passerelle.store.sql.compiling import ordered
from passerelle.store.sql.planning import (
    ClaimKey,
    Head,
    Stamps,
    claims_of,
    guarded,
    heads_wanted,
    instant,
    keys_of,
    plan,
)
from passerelle.store.sql.referring import pairs_args, referrers_of
from passerelle.store.sql.statements import key_pairs, readings, to_version

STAMP = text("stamp", "postgresql").sql
_NUMBERS = f"""
WITH registered AS MATERIALIZED (
    SELECT count({register_at("$3", "$4")}) AS n FROM (VALUES (1)) AS one
)
SELECT {TX}, {FLOOR}, array(SELECT nextval('version_seq_seq') FROM generate_series(1, $1)),
    array(SELECT nextval('resource_pid_seq') FROM generate_series(1, $2)), ({STAMP})
FROM registered WHERE n > 0
"""
"""The instant is registered before the floor of the feeds is read."""


class Transaction:
    """One attempt at committing a unit, inside a transaction that is begun already."""

    def __init__(self, connection: asyncpg.Connection, unit: Unit, caller: Caller) -> None:
        self._connection = connection
        self._unit = unit
        self._caller = caller
        self.tx: int | None = None

    async def apply(self, now: Callable[[int], int]) -> tuple[Outcome, ...]:
        """Write the unit, but for the COMMIT. Raises what ``Store.commit`` raises."""
        unit, connection = self._unit, self._connection
        keys = keys_of(unit)
        types, ids = [key.type for key in keys], [key.id for key in keys]
        heads = await self._heads(types, ids)
        await self._demand_expected()
        await self._demand_unreferenced(heads)
        at = now(instant(unit, heads, 0))
        holders = await self._holders()
        made = plan(unit, heads, holders, _trial(at))
        if made.versions:  # else nothing is drawn, and a transaction that only read costs no wait
            stamps = await self._stamps(at, keys, heads, now)
            at = stamps.at
            made = plan(unit, heads, holders, stamps)
        await write_side_rows(connection, unit, at)
        if made.renewed:
            await connection.execute(CLEAR, sorted(made.renewed))
        if made.versions:
            sql, args = write_of(made)
            await connection.execute(sql, *args)
        return await self._outcomes(made.outcomes)

    async def _heads(self, types: list[str], ids: list[str]) -> Mapping[Key, Head]:
        """Take all locks of the unit, then give the heads of its keys."""
        names, shared = locks_of(self._unit)
        if not (names or shared):
            return {}
        alone = EVERYTHING in names
        of_keys = ([], []) if alone else (types, ids)
        _, locked = await self._connection.fetchrow(LOCK, names, *of_keys, shared)
        wanted = heads_wanted(self._unit)
        if not wanted:
            return {}
        args = pairs_args(wanted, "postgresql")
        rows = [tuple(row) for row in await self._connection.fetch(_heads(), *args)]
        written = set(zip(types, ids, strict=True))
        known = {*map(dossier_lock, locked), *names}
        dossiers = {row[8] for row in rows if row[8] is not None and row[:2] in written}
        moved = set(map(dossier_lock, dossiers)) - known
        if (
            moved and not alone
        ):  # into another dossier while we waited: rare, and a deadlock is tried again
            await self._connection.fetchrow(LOCK, sorted(moved), [], [], [])
        return {Key(row[0], row[1]): Head(*row[2:8]) for row in rows}

    async def _holders(self) -> Mapping[ClaimKey, int]:
        """Give the resources that hold the claims of the unit."""
        claims = claims_of(self._unit)
        if not claims:
            return {}
        columns = [list(column) for column in zip(*claims, strict=True)]
        rows = await self._connection.fetch(_holders(), *columns)
        return {(row[0], row[1], row[2]): row[3] for row in rows}

    async def _demand_expected(self) -> None:
        """Raise Stale when a condition designates something else, or a dossier has changed."""
        for expectation in self._unit.expectations:
            limit = len(expectation.ids) + 1
            sql, args = matching_statement(
                expectation.query, self._caller, "postgresql", limit=limit
            )
            found = await self._connection.fetch(sql, *args)
            if tuple(row[0] for row in found) != expectation.ids:
                raise Stale("a condition designates something else now")
        for dossier in self._unit.dossiers:
            sql = readings(SYSTEM, "postgresql").dossier_seq
            if await self._connection.fetchval(sql, dossier.dossier) != dossier.seq:
                raise Stale("a dossier was written to meanwhile")

    async def _demand_unreferenced(self, heads: Mapping[Key, Head]) -> None:
        """Raise Stale when something that the unit does not write refers to what it deletes."""
        referred = guarded(self._unit, heads)
        if not referred:
            return
        written = set(keys_of(self._unit))
        sql, args = referrers_of(referred, SYSTEM, "postgresql", limit=len(written) + 1)
        if {Key(*row) for row in await self._connection.fetch(sql, *args)} - written:
            raise Stale("something refers to what is to be deleted")

    async def _stamps(
        self, at: int, keys: Sequence[Key], heads: Mapping[Key, Head], now: Callable[[int], int]
    ) -> Stamps:
        """Draw the numbers of what may be written, the transaction's own, and a later instant.

        Later than ``at`` only when feeds have been read beyond it already.
        """
        new = sum(1 for key in keys if key not in heads)
        row = await self._connection.fetchrow(_NUMBERS, len(self._unit.writes), new, *halves(at))
        self.tx, floor, seqs, pids, stamp = row
        demand_current(self._unit, stamp)
        assert self.tx is not None
        if floor >= at:
            at = now(floor + 1)
        return Stamps(at, self.tx, self._caller.subject, _drawer(pids), _drawer(seqs))

    async def _outcomes(
        self, outcomes: Sequence[tuple[Any, Version | int | None]]
    ) -> tuple[Outcome, ...]:
        """Give the outcomes with the versions of what was there already."""
        found: list[Outcome] = []
        for action, version in outcomes:
            if isinstance(version, int):
                sql = readings(SYSTEM, "postgresql").by_seq
                version = to_version(tuple(await self._connection.fetchrow(sql, version)))
            found.append(Outcome(action, version))
        return tuple(found)


def _drawer(numbers: Sequence[int]) -> Callable[[], int]:
    drawn: Iterator[int] = iter(numbers)
    return drawn.__next__


def _trial(at: int) -> Stamps:
    """Give stamps that are good for finding out what a unit comes to."""
    return Stamps(at, 0, "", count(-1, -1).__next__, count(-1, -1).__next__)


@cache
def _heads() -> str:
    rows = Rows(SYSTEM)
    head = rows.resource.c
    wanted, type_, id_, order = key_pairs("postgresql")
    statement = (
        select(
            head.type,
            head.id,
            head.pid,
            head.version,
            head.seq,
            head.updated,
            head.deleted,
            head.digest,
            head.dossier,
        )
        .select_from(wanted)
        .join(rows.resource, (head.type == type_) & (head.id == id_))
    )
    return ordered(statement, "postgresql", order)


@cache
def _holders() -> str:
    rows = Rows(SYSTEM)
    claim = rows.claim.c
    order = ("types", "systems", "values")
    each = func.unnest(*(bindparam(name, type_=ARRAY(Text)) for name in order))
    wanted = each.table_valued("type", "system", "value").render_derived(name="wanted")
    same = (
        (claim.type == wanted.c.type)
        & (claim.system == wanted.c.system)
        & (claim.value == wanted.c.value)
    )
    statement = (
        select(claim.type, claim.system, claim.value, claim.pid)
        .select_from(wanted)
        .join(rows.claim, same)
    )
    return ordered(statement, "postgresql", order)
