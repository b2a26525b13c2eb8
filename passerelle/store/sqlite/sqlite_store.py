"""The record in one SQLite file, the embedded default.

Point reads run in the event loop (a few microseconds; a reader of a write-ahead log never waits for
the writer). Larger readings start there too, on a budget of steps, and move to a thread when they
outrun it. Writes go to the one writer thread. https://www.sqlite.org/wal.html
"""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

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
from passerelle.store.referring import Referred
from passerelle.store.search_sql.search import matching_statement, search
from passerelle.store.search_sql.search_paging import Run
from passerelle.store.sql import listings
from passerelle.store.sql.histories import changes, history
from passerelle.store.sql.marks import marks
from passerelle.store.sql.parts import Spool, cuts, parts_count
from passerelle.store.sql.referring import living_of, referrers_of
from passerelle.store.sql.statements import readings, to_version
from passerelle.store.sqlite import sqlite_outbox
from passerelle.store.sqlite.sqlite_batch import Batch
from passerelle.store.sqlite.sqlite_connection import path_of
from passerelle.store.sqlite.sqlite_dossiers import SqliteDossierReader
from passerelle.store.sqlite.sqlite_faults import unavailable
from passerelle.store.sqlite.sqlite_full_text import SqliteShelf
from passerelle.store.sqlite.sqlite_packages import SqliteRunner
from passerelle.store.sqlite.sqlite_readers import SqliteReaders, without_waiting
from passerelle.store.sqlite.sqlite_writer import SqliteWriter
from passerelle.store.uploads import Uploads
from passerelle.store.wake_up import Tide, WakeUp


class SqliteStore:
    """``Store`` on SQLite; see the protocol for what each method gives and raises."""

    def __init__(
        self, database_url: str, *, clock: Callable[[], int], full_text: bool = True
    ) -> None:
        """Name the file and the clock. Raises ValueError for a URL that names no file."""
        self._path = path_of(database_url)
        self._writer = SqliteWriter(self._path, clock)
        self._readers = SqliteReaders(self._path)
        self._jobs_added = WakeUp()
        runner = SqliteRunner(self._readers, self._writer)
        self.packages = Packages(runner)
        self.async_requests = AsyncRequests(runner, self._jobs_added.ring)
        self.uploads = Uploads(runner)
        self.kept_answers = KeptAnswers(runner)
        self.parameters = AddedParameters(runner, clock)
        self._clock = clock
        self._shelf = SqliteShelf(self._readers, self._writer)
        self.full_text = FullText(self._shelf, self, on=full_text)
        self._tide = Tide()
        self.dossiers = DossierReadings(
            SqliteDossierReader(self._readers, lambda: self._secret), self._tide
        )
        self._secret = b""

    async def open(self) -> None:
        """Open the connections and start the writer. Raises Unavailable when not migrated."""
        if not self._path.is_file():
            raise Unavailable(issue("record.not-migrated"))
        try:
            self._readers.start()
            revision.demand_migrated(self._revision())
            self._secret = self._readers.one(revision.SECRET_QUERY, ())[0]
            self.full_text.on = self.full_text.on and self._shelf.is_there()
            self._writer.start(asyncio.get_running_loop())
            await self.parameters.refresh(now=True)
        except sqlite3.Error as fault:
            await self.close()
            raise unavailable(fault) or fault from fault
        except Unavailable:
            await self.close()
            raise

    def _revision(self) -> str | None:
        """Give the migration the file stands at, or None when it knows of none."""
        there = "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"
        if self._readers.one(there, ()) is None:
            return None
        row = self._readers.one(revision.QUERY, ())
        return str(row[0]) if row else None

    async def close(self) -> None:
        """Finish the queued writes and close."""
        await self._writer.stop()
        await self._readers.stop()
        self._writer.close()  # last, so that the log is taken back into the file

    async def ready(self) -> bool:
        """Tell whether a read and a write transaction work now."""
        try:
            self._readers.one("SELECT 1", ())
            await self._writer.run(lambda batch: None)
        except Unavailable:
            return False
        return True

    async def read(self, key: Key, caller: Caller) -> Version | None:
        """Give the head, or None when there never was one."""
        row = self._readers.one(readings(caller, "sqlite").read, key)
        return None if row is None else to_version(row)

    async def read_many(self, keys: Sequence[Key], caller: Caller) -> Mapping[Key, Version]:
        """Give the heads of those keys that exist."""
        if not keys:
            return {}
        sql = readings(caller, "sqlite").read_many
        rows = await self._readers.rows(sql, (json.dumps(list(dict.fromkeys(keys))),))
        return {version.key: version for version in map(to_version, rows)}

    async def vread(self, key: Key, version: int, caller: Caller) -> Version | None:
        """Give one version."""
        row = self._readers.one(readings(caller, "sqlite").vread, (*key, version))
        return None if row is None else to_version(row)

    async def history(
        self, key: Key, caller: Caller, *, count: int, before: int | None = None
    ) -> Sequence[Version]:
        """Give versions newest first."""
        sql = readings(caller, "sqlite").history
        last = (1 << 62) if before is None else before
        return [to_version(row) for row in await self._readers.rows(sql, (*key, last, count))]

    async def past(self, query: HistoryQuery, caller: Caller) -> HistoryPage:
        """Give one page of a history; instants never go back, so there is no horizon."""
        return await self._readers.run(
            lambda connection: without_waiting(
                history(_runner(connection), query, caller, "sqlite", secret=self._secret)
            )
        )

    async def changes(self, caller: Caller, *, after: Mark, limit: int) -> Sequence[Version]:
        """Give the changes after a mark."""
        return await self._readers.run(
            lambda connection: without_waiting(
                changes(_runner(connection), caller, "sqlite", after=after, limit=limit)
            )
        )

    async def search(self, query: Query, caller: Caller) -> Page:
        """Give one page of the matches of a query, with what it asks to include."""
        told = await self.full_text.answering(query)
        page = await self._readers.run(
            lambda connection: without_waiting(
                search(_runner(connection), query, caller, "sqlite", secret=self._secret)
            )
        )
        return telling(page, told)

    async def matching(self, query: Query, caller: Caller, *, limit: int) -> tuple[str, ...]:
        """Give the ids of at most ``limit`` matches, in pid order."""
        rows = await self._readers.rows(*matching_statement(query, caller, "sqlite", limit=limit))
        return tuple([row[0] for row in rows])

    async def living(self, keys: Sequence[Key], caller: Caller) -> frozenset[Key]:
        """Give those of some keys that are there and not deleted."""
        rows = await self._readers.rows(*living_of(keys, caller, "sqlite")) if keys else ()
        return frozenset(Key(*row) for row in rows)

    async def referrers(
        self, referred: Sequence[Referred], caller: Caller, *, limit: int
    ) -> tuple[Key, ...]:
        """Give some of the resources that refer to any of those."""
        rows = await self._readers.rows(*referrers_of(referred, caller, "sqlite", limit=limit))
        return tuple(Key(*row) for row in rows)

    async def claimed(self, type: str, claim: Claim, caller: Caller) -> Key | None:
        """Give the resource to which a business identifier belongs."""
        row = self._readers.one(readings(caller, "sqlite").claimed, (type, *claim))
        return None if row is None else Key(*row)

    async def dossier(self, dossier: str, caller: Caller) -> Sequence[Version]:
        """Give the heads, not deleted, of all resources of a dossier."""
        sql = readings(caller, "sqlite").dossier
        return [to_version(row) for row in await self._readers.rows(sql, (dossier,))]

    async def dossier_seq(self, dossier: str, caller: Caller) -> int | None:
        """Give the highest ``seq`` among a dossier's resources, deleted ones included."""
        found: int | None = self._readers.one(readings(caller, "sqlite").dossier_seq, (dossier,))[0]
        return found

    async def everything(self, asked: Everything, caller: Caller) -> Page:
        """Give one page of all that is about a resource."""
        return await self._readers.run(
            lambda connection: without_waiting(
                page(_runner(connection), asked, caller, "sqlite", secret=self._secret)
            )
        )

    async def life_line(self, asked: LifeLine, caller: Caller) -> Page:
        """Give one page of what is dated about a person."""
        return await self._readers.run(
            lambda connection: without_waiting(
                life_line_pages.page(
                    _runner(connection), asked, caller, "sqlite", secret=self._secret
                )
            )
        )

    async def marks(self, type: str | None, caller: Caller) -> Marks:
        """Give the profiles, tags and security labels that resources bear."""
        return await self._readers.run(
            lambda connection: without_waiting(marks(_runner(connection), type, caller, "sqlite"))
        )

    async def commit(self, unit: Unit, caller: Caller) -> tuple[Outcome, ...]:
        """Write a unit durably, all or nothing."""
        unit = with_job(unit, self._clock())
        try:
            done = await self._writer.run(lambda batch: batch.apply(unit, caller), unit)
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
                await self._writer.run(_part_writer(digest, number, part, size, self._clock()))
                if number == 0 < last and self._blob_size(digest) is not None:
                    break  # noted as brought just now, and there already
            return digest, size
        finally:
            spool.close()

    def _blob_size(self, sha256: str) -> int | None:
        """Give how many bytes a blob has; None unless all its parts are there."""
        found, size = self._readers.one(listings.blob_parts("sqlite").sql, (sha256,))
        return int(size) if found and found == parts_count(size) else None

    async def blob_size(self, sha256: str) -> int:
        """Give how many bytes a blob has."""
        size = self._blob_size(sha256)
        if size is None:
            raise NotFound(issue("record.bytes-not-found"))
        return size

    async def blob(
        self, sha256: str, *, first: int = 0, last: int | None = None
    ) -> AsyncIterator[bytes]:
        """Stream the bytes of a blob, or some of them."""
        size = await self.blob_size(sha256)
        sql = listings.blob_part("sqlite").sql
        for number, start, end in cuts(size, first, last):
            args = (sha256, number)
            (row,) = await self._readers.run(
                lambda connection, args=args: connection.execute(sql, args).fetchall(),  # type: ignore[misc]
                far=parts_count(size) > 1,
            )
            yield row[0][start:end]

    async def claim_jobs(
        self, kinds: Sequence[str], *, holder: str, now: int, lease_until: int, limit: int
    ) -> Sequence[Job]:
        """Lease the jobs that are due."""
        return await self._writer.run(
            lambda batch: sqlite_outbox.claim_jobs(
                batch.connection,
                kinds,
                holder=holder,
                now=now,
                lease_until=lease_until,
                limit=limit,
            )
        )

    async def next_due(self, kinds: Sequence[str]) -> int | None:
        """Give when the next job is due."""
        args = (json.dumps(list(kinds)),)
        found: int | None = (await self._readers.rows(listings.next_due("sqlite").sql, args))[0][0]
        return found

    async def job_counts(self) -> Mapping[tuple[str, str], int]:
        """Give how many jobs there are by (kind, state)."""
        rows = await self._readers.rows(listings.job_counts("sqlite").sql, ())
        return {(kind, state): count for kind, state, count in rows}

    async def jobs(self, subject: str) -> Sequence[Mapping[str, object]]:
        """Give the jobs about something."""
        rows = await self._readers.rows(listings.jobs("sqlite").sql, (subject,))
        return [listings.to_job_listing(row) for row in rows]

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
        listing = listings.messages("sqlite", tuple(asked))
        rows = await self._readers.rows(listing.sql, listing.args(**asked, limit=limit))
        return [listings.to_message(row) for row in rows]

    async def job_added(self, timeout_seconds: float) -> bool:
        """Wait until a unit with jobs is committed by this process, or time runs out."""
        return await self._jobs_added.wait(timeout_seconds)


def _part_writer(
    digest: str, number: int, part: bytes, size: int, at: int
) -> Callable[[Batch], None]:
    """Make the task that writes one part of a blob."""

    def write(batch: Batch) -> None:
        sqlite_outbox.write_blob_part(batch.connection, digest, number, part, size, at)

    return write


def _runner(connection: sqlite3.Connection) -> Run:
    """Make the function that runs the statements of a search on a connection."""

    async def run(sql: str, args: tuple[Any, ...]) -> list[Any]:
        return connection.execute(sql, args).fetchall()

    return run
