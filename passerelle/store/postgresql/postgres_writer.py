"""Commits on PostgreSQL: the short way for a plain create, the long way, and what may go wrong.

When the connection breaks during COMMIT, whether the unit was written is not known; the server is
asked (https://www.postgresql.org/docs/current/functions-info.html, ``pg_xact_status``), so that
nothing is refused that was done, nor answered that was not.
"""

import asyncio
from collections.abc import Callable

from asyncpg import exceptions

from passerelle.errors.refusals import Unavailable
from passerelle.errors.rules import issue
from passerelle.fhir.instants import dump_instant
from passerelle.store.caller import SYSTEM, Caller
from passerelle.store.contract import Outcome, Put, Unit, Version
from passerelle.store.postgresql.postgres_commit import Transaction
from passerelle.store.postgresql.postgres_connections import Connections
from passerelle.store.postgresql.postgres_create import create_of, is_plain_create
from passerelle.store.postgresql.postgres_faults import AGAIN, LOST
from passerelle.store.postgresql.postgres_locks import LOCK, locks_of
from passerelle.store.sql.statements import readings, to_version

ATTEMPTS = 5
"""At a transaction that another one got in the way of."""

ASK_ATTEMPTS = 20
ASK_SECONDS = 0.1
"""How often the server is asked what became of a commit that it may still be working on."""


class _NotBegun(Exception):
    """The held connection had gone away unnoticed; nothing was begun on it."""


class PostgresWriter:
    """Commits units, each on a connection of its own."""

    def __init__(self, connections: Connections, clock: Callable[[], int]) -> None:
        self._connections = connections
        self._clock = clock
        self._last = 0

    async def commit(self, unit: Unit, caller: Caller) -> tuple[Outcome, ...]:
        """Write a unit durably. Raises what ``Store.commit`` raises."""
        if is_plain_create(unit):
            created = await self._create(unit, caller)
            if created is not None:
                return (Outcome("created", created),)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return await self._transact(unit, caller)
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

    async def _create(self, unit: Unit, caller: Caller) -> Version | None:
        """Write a plain create in one statement; None when it has to go the long way."""
        (write,) = unit.writes
        assert isinstance(write, Put)
        draft = write.draft
        at = self._now(0)
        body = draft.body(1, dump_instant(at))
        sql, args = create_of(unit, caller.subject, at, body)
        try:
            async with self._connections.held() as connection:
                row = await connection.fetchrow(sql, *args)
        except exceptions.UniqueViolationError:
            return None
        except Unavailable as refusal:
            if not isinstance(refusal.__cause__, LOST):
                raise
            return await self._created_after_all(unit, write, refusal)
        if row is None:  # feeds have been read beyond this instant, or the parameters changed
            return None
        pid, seq, tx = row
        return Version(
            key=draft.key,
            version=1,
            seq=seq,
            at=at,
            method=write.method,
            body=body,
            aside=draft.aside,
            blob=draft.blob,
            author=caller.subject,
            tx=tx,
            pid=pid,
        )

    async def _created_after_all(self, unit: Unit, write: Put, refusal: Unavailable) -> Version:
        """Give the version of a create whose answer was lost, or raise that refusal."""
        key = write.draft.key
        async with self._connections.held() as connection, connection.transaction():
            names, shared = locks_of(unit)
            # Its locks, if the server is still at it, let us through once it has ended.
            await connection.fetchrow(LOCK, names, [], [], shared)
            row = await connection.fetchrow(readings(SYSTEM, "postgresql").vread, *key, 1)
        if row is None:
            raise refusal
        found = to_version(row)
        if found.body != write.draft.body(1, dump_instant(found.at)):
            raise refusal
        return found

    async def _transact(self, unit: Unit, caller: Caller) -> tuple[Outcome, ...]:
        """Write a unit in one transaction."""
        made: Transaction | None = None
        held = committing = False
        outcomes: tuple[Outcome, ...] = ()
        try:
            async with self._connections.held() as connection:
                held = True
                transaction = connection.transaction()
                await transaction.start()
                made = Transaction(connection, unit, caller)
                try:
                    outcomes = await made.apply(self._now)
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
        return outcomes

    async def _committed(self, tx: int) -> bool:
        """Tell what became of a transaction whose COMMIT was not answered. Raises Unavailable."""
        for _ in range(ASK_ATTEMPTS):
            async with self._connections.held() as connection:
                status = await connection.fetchval("SELECT pg_xact_status($1::text::xid8)", str(tx))
            if status != "in progress":
                return bool(status == "committed")
            await asyncio.sleep(ASK_SECONDS)
        return False
