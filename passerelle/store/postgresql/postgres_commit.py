"""The commit of units on PostgreSQL: locks first, then read, decide, write, in one transaction.

READ COMMITTED: each statement after the locks sees all that the holders before us committed.
https://www.postgresql.org/docs/current/transaction-iso.html#XACT-READ-COMMITTED
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, TypeAlias

import asyncpg

from passerelle.errors.refusals import PasserelleError
from passerelle.fhir.resource import Key
from passerelle.store.added_parameters import demand_current
from passerelle.store.caller import SYSTEM, Caller
from passerelle.store.contract import Outcome, Stale, Unit, Version
from passerelle.store.packages_standing import STANDS_HELD, demand_state
from passerelle.store.postgresql.postgres_heads import NUMBERS, holders_text
from passerelle.store.postgresql.postgres_horizon import halves
from passerelle.store.postgresql.postgres_locks import EVERYTHING, LOCK, Locks, dossier_lock
from passerelle.store.postgresql.postgres_outbox import write_side_rows
from passerelle.store.postgresql.postgres_writes import CLEAR, write_of
from passerelle.store.search_sql.search import matching_statement
from passerelle.store.sql.parts import parts_count
from passerelle.store.sql.planning import (
    ClaimKey,
    Head,
    Plan,
    Stamps,
    claims_of,
    guarded,
    heads_wanted,
    instant,
    keys_of,
    plan,
)
from passerelle.store.sql.referring import pairs_args, referrers_of
from passerelle.store.sql.statements import heads_text, readings, to_version
from passerelle.store.sql.upload_statements import PARTS_POSTGRESQL, TOUCH_POSTGRESQL
from passerelle.store.uploads import brought_by, missing, named_by

Result: TypeAlias = tuple[Outcome, ...] | Exception
"""What became of one unit."""


class Apart(Exception):
    """A unit has to be committed in a transaction of its own."""


@dataclass(slots=True)
class _Deciding:
    """One unit on its way through the transaction: where it stands, or why it is refused."""

    unit: Unit
    caller: Caller
    heads: Mapping[Key, Head] = field(default_factory=dict)
    dossiers: frozenset[str] = frozenset()  # in which its keys stand already
    refusal: Exception | None = None
    made: Plan = field(default_factory=Plan)

    def fits(self, at: int, holders: Mapping[ClaimKey, int]) -> bool:
        """Find out whether the unit would be refused, before anything is drawn for it."""
        if self.refusal is None:
            try:
                self.made = plan(self.unit, self.heads, holders, _trial(at))
            except (PasserelleError, Stale) as refusal:
                self.refusal = refusal
        return self.refusal is None


class Transaction:
    """One attempt at committing some units, inside a transaction that is begun already.

    The units have no lock in common (``postgres_locks.Locks``), so that each is decided on what was
    there before as if it were alone; one that is refused leaves no trace and harms no other.
    """

    def __init__(self, connection: asyncpg.Connection, asked: Sequence[tuple[Unit, Caller]]):
        self._connection = connection
        self._all = [_Deciding(unit, caller) for unit, caller in asked]
        self.tx: int | None = None

    async def apply(self, now: Callable[[int], int]) -> list[Result]:
        """Write the units, but for the COMMIT; give what became of each, in their order.

        What ``Store.commit`` raises of a unit is given instead of its outcomes.
        """
        await self._look_up()
        await self._hold_bytes(now)
        holders = await self._holders()
        for one in self._all:
            await self._demand_expected(one)
        at = now(max(instant(one.unit, one.heads, 0) for one in self._all))
        changing = [one for one in self._all if one.fits(at, holders) and one.made.versions]
        if changing:  # else nothing is drawn, and a transaction that only read costs no wait
            at = await self._plan(changing, holders, at, now)
        for one in self._all:
            if one.refusal is None:
                await write_side_rows(self._connection, one.unit, at)
        await self._write(_merged(one for one in changing if one.refusal is None))
        return [one.refusal or await self._outcomes(one.made.outcomes) for one in self._all]

    async def _look_up(self) -> None:
        """Take all locks of the units, then give each the heads of its keys."""
        locks = Locks.of(one.unit for one in self._all)
        if not (locks.alone or locks.shared):
            return
        everything = EVERYTHING in locks.alone
        written = dict.fromkeys(key for one in self._all for key in keys_of(one.unit))
        of_keys = ([], []) if everything else pairs_args(written, "postgresql")
        shared = sorted(locks.shared)
        _, locked = await self._connection.fetchrow(LOCK, sorted(locks.alone), *of_keys, shared)
        wanted = dict.fromkeys(key for one in self._all for key in heads_wanted(one.unit))
        if not wanted:
            return
        found = await self._connection.fetch(
            heads_text("postgresql"), *pairs_args(wanted, "postgresql")
        )
        rows = {Key(row[0], row[1]): row for row in found}
        for one in self._all:
            keys = [key for key in heads_wanted(one.unit) if key in rows]
            one.heads = {key: Head(*rows[key][2:8]) for key in keys}
            stands = (rows[key][8] for key in keys_of(one.unit) if key in rows)
            one.dossiers = frozenset(name for name in stands if name is not None)
        moved = {dossier_lock(name) for one in self._all for name in one.dossiers}
        moved -= {*map(dossier_lock, locked), *locks.alone}
        if moved and not everything:
            # into another dossier while we waited: rare, and a deadlock is tried again
            await self._connection.fetchrow(LOCK, sorted(moved), [], [], [])
        self._part()

    def _part(self) -> None:
        """Leave a unit for a transaction of its own when it meets another one's dossier."""
        if len(self._all) == 1 or not any(one.dossiers for one in self._all):
            return
        seen: Counter[str] = Counter()
        for one in self._all:
            seen.update({*map(dossier_lock, one.dossiers), *Locks.of([one.unit]).alone})
        for one in self._all:
            if any(seen[dossier_lock(name)] > 1 for name in one.dossiers):
                one.refusal = Apart()

    async def _hold_bytes(self, now: Callable[[int], int]) -> None:
        """Keep the sweep from the bytes that the units name; refuse those whose are not there."""
        asked = [
            (one, named_by(one.unit), brought_by(one.unit))
            for one in self._all
            if one.refusal is None
        ]
        digests = sorted({digest for _, *sets in asked for each in sets for digest in each})
        if not digests:
            return
        await self._connection.execute(TOUCH_POSTGRESQL, digests, now(0))
        found = await self._connection.fetch(PARTS_POSTGRESQL, digests)
        whole = {digest for digest, parts, size in found if parts == parts_count(size)}
        for one, named, brought in asked:
            if not named <= whole | brought:
                one.refusal = missing()

    async def _holders(self) -> Mapping[ClaimKey, int]:
        """Give the resources that hold the claims of the units."""
        claims = [claim for one in self._all for claim in claims_of(one.unit)]
        if not claims:
            return {}
        columns = [list(column) for column in zip(*claims, strict=True)]
        rows = await self._connection.fetch(holders_text(), *columns)
        return {(row[0], row[1], row[2]): row[3] for row in rows}

    async def _demand_expected(self, one: _Deciding) -> None:
        """Refuse a unit when what it was decided on has changed meanwhile."""
        try:
            await self._demand_conditions(one)
            await self._demand_unreferenced(one)
            await self._demand_package(one)
        except Stale as refusal:
            one.refusal = one.refusal or refusal

    async def _demand_conditions(self, one: _Deciding) -> None:
        """Raise Stale when a condition designates something else, or a dossier has changed."""
        for expectation in one.unit.expectations:
            limit = len(expectation.ids) + 1
            sql, args = matching_statement(expectation.query, one.caller, "postgresql", limit=limit)
            found = await self._connection.fetch(sql, *args)
            if tuple(row[0] for row in found) != expectation.ids:
                raise Stale("a condition designates something else now")
        for dossier in one.unit.dossiers:
            sql = readings(SYSTEM, "postgresql").dossier_seq
            if await self._connection.fetchval(sql, dossier.dossier) != dossier.seq:
                raise Stale("a dossier was written to meanwhile")

    async def _demand_package(self, one: _Deciding) -> None:
        """Raise Stale when the package that the unit is a part of is in another state."""
        package = one.unit.package
        if package is not None:
            cells = (package.name, package.version, package.at)
            demand_state(package, await self._connection.fetchrow(STANDS_HELD, *cells))

    async def _demand_unreferenced(self, one: _Deciding) -> None:
        """Raise Stale when something that the unit does not write refers to what it deletes."""
        referred = guarded(one.unit, one.heads)
        if not referred:
            return
        written = set(keys_of(one.unit))
        sql, args = referrers_of(referred, SYSTEM, "postgresql", limit=len(written) + 1)
        if {Key(*row) for row in await self._connection.fetch(sql, *args)} - written:
            raise Stale("something refers to what is to be deleted")

    async def _plan(
        self,
        changing: Sequence[_Deciding],
        holders: Mapping[ClaimKey, int],
        at: int,
        now: Callable[[int], int],
    ) -> int:
        """Draw the numbers of what is written and the transaction's own; give the instant.

        Later than ``at`` only when feeds have been read beyond it already.
        """
        writes = sum(len(one.unit.writes) for one in changing)
        new = sum(key not in one.heads for one in changing for key in keys_of(one.unit))
        row = await self._connection.fetchrow(NUMBERS, writes, new, *halves(at))
        self.tx, floor, seqs, pids, stamp = row
        assert self.tx is not None
        if floor >= at:
            at = now(floor + 1)
        new_pid, new_seq = _drawer(pids), _drawer(seqs)
        for one in changing:
            stamps = Stamps(at, self.tx, one.caller.subject, new_pid, new_seq)
            one.made = plan(one.unit, one.heads, holders, stamps)
            try:
                demand_current(one.unit, stamp)
            except Stale as refusal:
                one.refusal = refusal
        return at

    async def _write(self, made: Plan) -> None:
        if made.renewed:
            await self._connection.execute(CLEAR, sorted(made.renewed))
        if made.versions:
            sql, args = write_of(made)
            await self._connection.execute(sql, *args)

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


def _merged(changing: Iterable[_Deciding]) -> Plan:
    """Give what all those units write, as one plan."""
    merged = Plan()
    for one in changing:
        made = one.made
        merged.by_seq |= made.by_seq
        merged.heads |= made.heads
        merged.drafts |= made.drafts
        merged.rights |= made.rights
        merged.renewed |= made.renewed
        merged.claims |= made.claims
    return merged


def _drawer(numbers: Sequence[int]) -> Callable[[], int]:
    drawn: Iterator[int] = iter(numbers)
    return drawn.__next__


def _trial(at: int) -> Stamps:
    """Give stamps that are good for finding out what a unit comes to."""
    return Stamps(at, 0, "", count(-1, -1).__next__, count(-1, -1).__next__)
