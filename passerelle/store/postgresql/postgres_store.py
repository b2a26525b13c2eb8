"""The record on PostgreSQL, shared by any number of gateway processes.

asyncpg on held connections, statements prepared once per connection. A plain create is one
statement; every other unit is one transaction under advisory locks.
https://magicstack.github.io/asyncpg/current/api/index.html
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from time import perf_counter
from typing import Any, TypeVar

import asyncpg

from passerelle.errors.refusals import NotFound, Unavailable
from passerelle.errors.rules import issue
from passerelle.fhir.history_query import HistoryQuery
from passerelle.fhir.resource import Key
from passerelle.fhir.search.query import Query
from passerelle.store import revision
from passerelle.store.added_parameters import AddedParameters, Outdated, with_job
from passerelle.store.async_requests import AsyncRequests
from passerelle.store.caller import Caller
from passerelle.store.contract import Claim, HistoryPage, Mark, Outcome, Page, Unit, Version
from passerelle.store.dossier_readings import DossierReadings
from passerelle.store.everything import life_line_pages
from passerelle.store.everything.everything_pages import page
from passerelle.store.full_text import FullText, telling
from passerelle.store.gathering import Everything, LifeLine, Marks
from passerelle.store.kept_answers import KeptAnswers
from passerelle.store.outbox import Job, Message
from passerelle.store.packages import Packages
from passerelle.store.postgresql import postgres_outbox
from passerelle.store.postgresql.postgres_connections import Connections
from passerelle.store.postgresql.postgres_dossiers import PostgresDossierReader
from passerelle.store.postgresql.postgres_faults import GONE
from passerelle.store.postgresql.postgres_full_text import PostgresShelf
from passerelle.store.postgresql.postgres_horizon import horizon
from passerelle.store.postgresql.postgres_listener import Listener
from passerelle.store.postgresql.postgres_packages import PostgresRunner
from passerelle.store.postgresql.postgres_writer import PostgresWriter
from passerelle.store.referring import Referred
from passerelle.store.search_sql.search import matching_statement, search
from passerelle.store.search_sql.search import polls as is_polled
from passerelle.store.search_sql.search_paging import Run
from passerelle.store.sql import listings
from passerelle.store.sql.histories import changes, history, polls
from passerelle.store.sql.marks import marks
from passerelle.store.sql.parts import Spool, cuts, parts_count
from passerelle.store.sql.referring import living_of, referrers_of
from passerelle.store.sql.statements import readings, to_version
from passerelle.store.time_taken import tell
from passerelle.store.uploads import Uploads
from passerelle.store.wake_up import Tide, WakeUp

T = TypeVar("T")

_REVISION_THERE = "SELECT to_regclass('alembic_version') IS NOT NULL"


class PostgresStore:
    """``Store`` on PostgreSQL; see the protocol for what each method gives and raises."""

    def __init__(
        self,
        database_url: str,
        *,
        clock: Callable[[], int],
        connections: int,
        waiting_max: int,
        full_text: bool = True,
    ) -> None:
        """Name the database and the clock, and bound the connections."""
        self._connections = Connections(database_url, connections, waiting_max)
        self._writer = PostgresWriter(self._connections, clock, waiting_max)
        self._jobs_added = WakeUp()
        runner = PostgresRunner(self._connections)
        self.packages = Packages(runner)
        self.async_requests = AsyncRequests(runner, self._jobs_added.ring)
        self.uploads = Uploads(runner)
        self.kept_answers = KeptAnswers(runner)
        self.parameters = AddedParameters(runner, clock)
        self._clock = clock
        self._listener = Listener(self._connections, self._jobs_added)
        self.full_text = FullText(PostgresShelf(self._connections), self, on=full_text)
        self._tide = Tide()
        self.dossiers = DossierReadings(
            PostgresDossierReader(self._reading, lambda: self._secret), self._tide
        )
        self._secret = b""

    async def open(self) -> None:
        """Connect. Raises Unavailable when the server is away, or the schema not migrated.

        After a refusal it may be opened again, when what was missing has been mended.
        """
        self._connections.reopen()
        try:
            async with self._connections.held() as connection:
                there = await connection.fetchval(_REVISION_THERE)
                revision.demand_migrated(
                    await connection.fetchval(revision.QUERY) if there else None
                )
                self._secret = await connection.fetchval(revision.SECRET_QUERY)
            await self.parameters.refresh(now=True)
        except Unavailable:
            await self._connections.close()
            raise
        self._listener.start()

    async def listening(self) -> None:
        """Wait until jobs that other processes add are heard of."""
        await self._listener.listening()

    async def close(self) -> None:
        """Finish what is under way and close."""
        await self._listener.stop()
        await self._writer.finish()
        await self._connections.close()

    async def ready(self) -> bool:
        """Tell whether a read and a write transaction work now."""
        try:
            async with self._connections.held() as connection:
                await connection.fetchval("SELECT pg_current_xact_id()::text")
        except Unavailable:
            return False
        return True

    async def _rows(self, sql: str, *args: Any) -> list[Any]:
        return await self._reading(lambda connection: connection.fetch(sql, *args))

    async def _one(self, sql: str, *args: Any) -> Any:
        return await self._reading(lambda connection: connection.fetchrow(sql, *args))

    async def _reading(self, read: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
        """Do a reading; once more when the held connection had gone away unnoticed."""
        held = False
        try:
            async with self._connections.held() as connection:
                held = True
                started = perf_counter()
                try:
                    return await read(connection)
                finally:
                    tell(perf_counter() - started)
        except Unavailable as refusal:
            if not (held and isinstance(refusal.__cause__, GONE)):
                raise
        async with self._connections.held() as connection:
            return await read(connection)

    async def read(self, key: Key, caller: Caller) -> Version | None:
        """Give the head, or None when there never was one."""
        row = await self._one(readings(caller, "postgresql").read, *key)
        return None if row is None else to_version(row)

    async def read_many(self, keys: Sequence[Key], caller: Caller) -> Mapping[Key, Version]:
        """Give the heads of those keys that exist."""
        wanted = tuple(dict.fromkeys(keys))
        if not wanted:
            return {}
        types, ids = [key.type for key in wanted], [key.id for key in wanted]
        rows = await self._rows(readings(caller, "postgresql").read_many, types, ids)
        return {version.key: version for version in map(to_version, rows)}

    async def vread(self, key: Key, version: int, caller: Caller) -> Version | None:
        """Give one version."""
        row = await self._one(readings(caller, "postgresql").vread, *key, version)
        return None if row is None else to_version(row)

    async def history(
        self, key: Key, caller: Caller, *, count: int, before: int | None = None
    ) -> Sequence[Version]:
        """Give versions newest first."""
        sql = readings(caller, "postgresql").history
        last = (1 << 62) if before is None else before
        return [to_version(row) for row in await self._rows(sql, *key, last, count)]

    async def past(self, query: HistoryQuery, caller: Caller) -> HistoryPage:
        """Give one page of a history, below the commit horizon where others may still commit."""

        async def read(connection: asyncpg.Connection) -> HistoryPage:
            below = await horizon(connection) if polls(query) else None
            run = _runner(connection)
            return await history(run, query, caller, "postgresql", secret=self._secret, below=below)

        return await self._reading(read)

    async def changes(self, caller: Caller, *, after: Mark, limit: int) -> Sequence[Version]:
        """Give the changes after a mark, below the commit horizon."""

        async def read(connection: asyncpg.Connection) -> Sequence[Version]:
            below = await horizon(connection)
            run = _runner(connection)
            return await changes(run, caller, "postgresql", after=after, limit=limit, below=below)

        return await self._reading(read)

    async def search(self, query: Query, caller: Caller) -> Page:
        """Give one page of the matches of a query, with what it asks to include."""
        told = await self.full_text.answering(query)
        several = query.includes or query.rev_includes or query.total == "accurate"

        async def read(connection: asyncpg.Connection) -> Page:
            below = await horizon(connection) if is_polled(query) else None

            async def page() -> Page:
                run, secret = _runner(connection), self._secret
                return await search(run, query, caller, "postgresql", secret=secret, below=below)

            if not several:
                return await page()
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                return await page()

        return telling(await self._reading(read), told)

    async def matching(self, query: Query, caller: Caller, *, limit: int) -> tuple[str, ...]:
        """Give the ids of at most ``limit`` matches, in pid order."""
        sql, args = matching_statement(query, caller, "postgresql", limit=limit)
        return tuple([row[0] for row in await self._rows(sql, *args)])

    async def living(self, keys: Sequence[Key], caller: Caller) -> frozenset[Key]:
        """Give those of some keys that are there and not deleted."""
        if not keys:
            return frozenset()
        sql, args = living_of(keys, caller, "postgresql")
        return frozenset(Key(*row) for row in await self._rows(sql, *args))

    async def referrers(
        self, referred: Sequence[Referred], caller: Caller, *, limit: int
    ) -> tuple[Key, ...]:
        """Give some of the resources that refer to any of those."""
        sql, args = referrers_of(referred, caller, "postgresql", limit=limit)
        return tuple(Key(*row) for row in await self._rows(sql, *args))

    async def claimed(self, type: str, claim: Claim, caller: Caller) -> Key | None:
        """Give the resource to which a business identifier belongs."""
        row = await self._one(readings(caller, "postgresql").claimed, type, *claim)
        return None if row is None else Key(*row)

    async def dossier(self, dossier: str, caller: Caller) -> Sequence[Version]:
        """Give the heads, not deleted, of all resources of a dossier."""
        sql = readings(caller, "postgresql").dossier
        return [to_version(row) for row in await self._rows(sql, dossier)]

    async def dossier_seq(self, dossier: str, caller: Caller) -> int | None:
        """Give the highest ``seq`` among a dossier's resources, deleted ones included."""
        found: int | None = (await self._one(readings(caller, "postgresql").dossier_seq, dossier))[
            0
        ]
        return found

    async def everything(self, asked: Everything, caller: Caller) -> Page:
        """Give one page of all that is about a resource."""

        async def read(connection: asyncpg.Connection) -> Page:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                run = _runner(connection)
                return await page(run, asked, caller, "postgresql", secret=self._secret)

        return await self._reading(read)

    async def life_line(self, asked: LifeLine, caller: Caller) -> Page:
        """Give one page of what is dated about a person."""
        return await self._reading(
            lambda connection: life_line_pages.page(
                _runner(connection), asked, caller, "postgresql", secret=self._secret
            )
        )

    async def marks(self, type: str | None, caller: Caller) -> Marks:
        """Give the profiles, tags and security labels that resources bear."""
        return await self._reading(
            lambda connection: marks(_runner(connection), type, caller, "postgresql")
        )

    async def commit(self, unit: Unit, caller: Caller) -> tuple[Outcome, ...]:
        """Write a unit durably, all or nothing."""
        unit = with_job(unit, self._clock())
        try:
            done = await self._writer.commit(unit, caller)
        except Outdated:
            await self.parameters.refresh(now=True)
            raise
        self._tide.rise()
        await self.parameters.after(unit)
        if unit.jobs:
            self._jobs_added.ring()
        return done

    async def put_blob(self, chunks: AsyncIterator[bytes], *, size_max: int) -> tuple[str, int]:
        """Keep streamed bytes, part by part."""
        spool = Spool()
        try:
            await spool.fill(chunks, size_max)
            digest, size = spool.sha256, spool.size
            last = parts_count(size) - 1
            for number, part in enumerate(spool.parts()):
                async with self._connections.held() as connection:
                    await postgres_outbox.write_blob_part(
                        connection, digest, number, part, size, self._clock()
                    )
                if number == 0 < last and await self._blob_size(digest) is not None:
                    break  # noted as brought just now, and there already
            return digest, size
        finally:
            spool.close()

    async def _blob_size(self, sha256: str) -> int | None:
        """Give how many bytes a blob has; None unless all its parts are there."""
        found, size = await self._one(listings.blob_parts("postgresql").sql, sha256)
        return int(size) if found and found == parts_count(size) else None

    async def blob_size(self, sha256: str) -> int:
        """Give how many bytes a blob has."""
        size = await self._blob_size(sha256)
        if size is None:
            raise NotFound(issue("record.bytes-not-found"))
        return size

    async def blob(
        self, sha256: str, *, first: int = 0, last: int | None = None
    ) -> AsyncIterator[bytes]:
        """Stream the bytes of a blob, or some of them."""
        size = await self.blob_size(sha256)
        for number, start, end in cuts(size, first, last):
            row = await self._one(listings.blob_part("postgresql").sql, sha256, number)
            yield row[0][start:end]

    async def claim_jobs(
        self, kinds: Sequence[str], *, holder: str, now: int, lease_until: int, limit: int
    ) -> Sequence[Job]:
        """Lease the jobs that are due."""
        async with self._connections.held() as connection:
            return await postgres_outbox.claim_jobs(
                connection, kinds, holder=holder, now=now, lease_until=lease_until, limit=limit
            )

    async def next_due(self, kinds: Sequence[str]) -> int | None:
        """Give when the next job is due."""
        found: int | None = (await self._one(listings.next_due("postgresql").sql, list(kinds)))[0]
        return found

    async def job_counts(self) -> Mapping[tuple[str, str], int]:
        """Give how many jobs there are by (kind, state)."""
        rows = await self._rows(listings.job_counts("postgresql").sql)
        return {(kind, state): count for kind, state, count in rows}

    async def jobs(self, subject: str) -> Sequence[Mapping[str, object]]:
        """Give the jobs about something."""
        rows = await self._rows(listings.jobs("postgresql").sql, subject)
        return [listings.to_job_listing(tuple(row)) for row in rows]

    async def messages(
        self,
        *,
        direction: str | None = None,
        state: str | None = None,
        identifier: str | None = None,
        subject: str | None = None,
        limit: int = 100,
    ) -> Sequence[Message]:
        """Give kept messages, newest first."""
        asked = listings.asked(
            direction=direction, state=state, identifier=identifier, subject=subject
        )
        listing = listings.messages("postgresql", tuple(asked))
        rows = await self._rows(listing.sql, *listing.args(**asked, limit=limit))
        return [listings.to_message(row) for row in rows]

    async def job_added(self, timeout_seconds: float) -> bool:
        """Wait until a unit with jobs is committed, by any process, or time runs out."""
        return await self._jobs_added.wait(timeout_seconds)


def _runner(connection: asyncpg.Connection) -> Run:
    """Make the function that runs the statements of a search on a connection."""

    async def run(sql: str, args: tuple[Any, ...]) -> Sequence[Sequence[Any]]:
        found: Sequence[Sequence[Any]] = await connection.fetch(sql, *args)
        return found

    return run
