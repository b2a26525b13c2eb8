"""Commits on PostgreSQL: together, alone, the short way of plain creates; what may go wrong.

When the connection breaks during COMMIT, whether the unit was written is not known; the server is
asked (https://www.postgresql.org/docs/current/functions-info.html, ``pg_xact_status``), so that
nothing is refused that was done, nor answered that was not.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from asyncpg import exceptions

from passerelle.errors.refusals import Unavailable
from passerelle.errors.rules import issue
from passerelle.store.caller import SYSTEM, Caller
from passerelle.store.contract import Outcome, Unit, Version
from passerelle.store.postgresql.postgres_commit import Apart, Result, Transaction
from passerelle.store.postgresql.postgres_connections import Connections
from passerelle.store.postgresql.postgres_create import Creates, is_plain_create
from passerelle.store.postgresql.postgres_faults import AGAIN, LOST, MET
from passerelle.store.postgresql.postgres_groups import Asked, Groups, goes_alone
from passerelle.store.postgresql.postgres_locks import LOCK
from passerelle.store.sql.statements import readings, to_version

ATTEMPTS = 5
"""At a transaction that another one got in the way of."""

ASK_ATTEMPTS = 20
ASK_SECONDS = 0.1
"""How often the server is asked what became of a commit that it may still be working on."""


class _NotBegun(Exception):
    """The held connection had gone away unnoticed; nothing was begun on it."""


class PostgresWriter:
    """Commits units: those that come at the same time together, on one connection."""

    def __init__(
        self, connections: Connections, clock: Callable[[], int], waiting_max: int
    ) -> None:
        self._connections = connections
        self._clock = clock
        self._last = 0
        self._groups = Groups(self._together, waiting_max)

    async def commit(self, unit: Unit, caller: Caller) -> tuple[Outcome, ...]:
        """Write a unit durably. Raises what ``Store.commit`` raises."""
        if goes_alone(unit):
            return await self._alone(unit, caller)
        return await self._groups.commit(unit, caller)

    async def finish(self) -> None:
        """Commit all that waits."""
        await self._groups.finish()

    async def _together(self, asked: Sequence[Asked]) -> list[Result]:
        """Write units that have no lock in common; one by one when one of them spoils it."""
        results: Sequence[Result] = [Apart()] * len(asked)
        if len(asked) > 1:
            try:
                results = await self._created(asked) or await self._settled(asked)
            except Exception as fault:  # of the server, or of one unit: each is told its own
                if isinstance(fault, Unavailable) and not isinstance(fault.__cause__, MET):
                    return [fault] * len(asked)
        told: list[Result] = []
        for (unit, caller), result in zip(asked, results, strict=True):
            if isinstance(result, Apart):
                try:
                    result = await self._alone(unit, caller)
                except Exception as refusal:
                    result = refusal
            told.append(result)
        return told

    async def _alone(self, unit: Unit, caller: Caller) -> tuple[Outcome, ...]:
        """Write a unit in a transaction of its own."""
        asked = [(unit, caller)]
        created = await self._created(asked)
        if created is not None:
            return created[0]
        (result,) = await self._settled(asked)
        if isinstance(result, Exception):
            raise result
        return result

    async def _settled(self, asked: Sequence[Asked]) -> list[Result]:
        """Write units in one transaction; again when another one got in the way of it."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return await self._transact(asked)
            except _NotBegun as lost:
                if attempt == ATTEMPTS:
                    raise Unavailable(issue("record.unavailable")) from lost
            except exceptions.UniqueViolationError:  # of a claim that ``reindex`` made meanwhile
                if attempt == ATTEMPTS:
                    raise
            except Unavailable as refusal:
                if attempt == ATTEMPTS or not isinstance(refusal.__cause__, AGAIN):
                    raise
        raise AssertionError("the last attempt raises")

    def _now(self, at_least: int) -> int:
        """Give an instant that is not before any given already by this process."""
        self._last = max(self._clock(), self._last, at_least)
        return self._last

    async def _created(self, asked: Sequence[Asked]) -> list[tuple[Outcome, ...]] | None:
        """Write plain creates in one statement; None when they have to go the long way."""
        if not all(is_plain_create(unit) for unit, _ in asked):
            return None
        creates = Creates(asked, self._now(0))
        statement = creates.statement()
        if statement is None:
            return None
        sql, args = statement
        try:
            async with self._connections.held() as connection:
                row = await connection.fetchrow(sql, *args)
        except exceptions.UniqueViolationError:
            return None
        except Unavailable as refusal:
            if not isinstance(refusal.__cause__, LOST):
                raise
            row = await self._created_after_all(creates, refusal)
        # There is none when feeds have been read beyond this instant, or the parameters changed.
        return None if row is None else creates.outcomes(row)

    async def _created_after_all(self, creates: Creates, refusal: Unavailable) -> Sequence[Any]:
        """Give the row of creates whose answer was lost, or raise that refusal."""
        async with self._connections.held() as connection, connection.transaction():
            locks = creates.locks
            # Their locks, if the server is still at it, let us through once it has ended.
            await connection.fetchrow(LOCK, sorted(locks.alone), [], [], sorted(locks.shared))
            found: list[Version] = []
            for draft in creates.drafts:
                sql = readings(SYSTEM, "postgresql").vread
                row = await connection.fetchrow(sql, *draft.key, 1)
                if row is None:  # all of them are there, or none
                    raise refusal
                found.append(to_version(row))
        if not creates.are(found):
            raise refusal
        return [one.pid for one in found], [one.seq for one in found], found[0].tx

    async def _transact(self, asked: Sequence[Asked]) -> list[Result]:
        """Write units in one transaction."""
        made: Transaction | None = None
        held = committing = False
        results: list[Result] = []
        try:
            async with self._connections.held() as connection:
                held = True
                transaction = connection.transaction()
                await transaction.start()
                made = Transaction(connection, asked)
                try:
                    results = await made.apply(self._now)
                except BaseException:
                    if not connection.is_closed():
                        await transaction.rollback()
                    raise
                committing = True
                await transaction.commit()
        except Unavailable as refusal:
            if not (held and isinstance(refusal.__cause__, LOST)):
                raise
            if made is None:
                raise _NotBegun from refusal
            if not (committing and made.tx is not None and await self._committed(made.tx)):
                raise
        return results

    async def _committed(self, tx: int) -> bool:
        """Tell what became of a transaction whose COMMIT was not answered. Raises Unavailable."""
        for _ in range(ASK_ATTEMPTS):
            async with self._connections.held() as connection:
                status = await connection.fetchval("SELECT pg_xact_status($1::text::xid8)", str(tx))
            if status != "in progress":
                return bool(status == "committed")
            await asyncio.sleep(ASK_SECONDS)
        return False
