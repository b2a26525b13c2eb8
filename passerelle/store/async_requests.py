"""The requests that are answered later: kept with their caller, answered once, forgotten in time.

https://hl7.org/fhir/R4/async.html . What an attempt gathers is written under the attempt's own
number: of two that overlap, because the first was taken for dead, one is the answer and the parts
of the other go.
"""

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Literal, NamedTuple

from passerelle.store.caller import Caller
from passerelle.store.outbox import CHANNEL, NewJob
from passerelle.store.packages import Runner
from passerelle.store.sql.compiling import DialectName

State = Literal["waiting", "done", "failed"]

PART_BYTES = 262_144
"""As many bytes one part of a file has at most."""

PATIENCE_MICROSECONDS = 24 * 3600 * 1_000_000
"""So long a request that nobody answers is kept."""


class AsyncRequest(NamedTuple):
    """A request as kept, without what it asks; ``run``, ``status``, ``answer`` once it has any."""

    id: str
    subject: str
    kind: Literal["system", "nobody"]
    state: State
    created: int  # microseconds since 1970 UTC
    expires: int
    pages: int
    resources: int
    run: int | None
    status: int | None
    answer: bytes | None

    @property
    def caller(self) -> Caller:
        """Who asked."""
        return Caller(self.subject, self.kind)


class Part(NamedTuple):
    """A part of a file."""

    file: int
    number: int
    data: bytes


_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('async ' || CAST(? AS TEXT), 0))"
"""Requests of one caller are counted one after another; SQLite has one writer anyhow."""

_BEGIN = (
    "INSERT INTO async_request "
    "(id, subject, kind, request, state, created, expires, pages, resources) "
    "SELECT CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS {bytes}), 'waiting', "
    "CAST(? AS BIGINT), CAST(? AS BIGINT), 0, 0 WHERE (SELECT count(*) FROM async_request "
    "WHERE subject = ? AND expires > ? AND state = 'waiting') < ? "
    "AND (SELECT count(*) FROM async_request WHERE subject = ? AND expires > ?) < ?"
)
_JOB = (
    "INSERT INTO job (kind, subject, payload, state, due, attempts, created) "
    "SELECT CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS {bytes}), 'waiting', CAST(? AS BIGINT), 0, "
    "CAST(? AS BIGINT) WHERE EXISTS (SELECT 1 FROM async_request WHERE id = ?)"
)
_TELL = "SELECT pg_notify(CAST(? AS TEXT), '')"
_COLUMNS = "id, subject, kind, state, created, expires, pages, resources, run, status, answer"
_FIND = f"SELECT {_COLUMNS} FROM async_request WHERE id = ?"
_ASKED = "SELECT request FROM async_request WHERE id = ?"
_PART = (
    "INSERT INTO async_part (request, run, file, part, bytes) "
    "SELECT CAST(? AS TEXT), CAST(? AS INTEGER), CAST(? AS INTEGER), CAST(? AS INTEGER), "
    "CAST(? AS {bytes}) WHERE EXISTS (SELECT 1 FROM async_request WHERE id = ? "
    "AND state = 'waiting') ON CONFLICT (request, run, file, part) DO NOTHING"
)
_PROGRESS = "UPDATE async_request SET pages = ?, resources = ? WHERE id = ? AND state = 'waiting'"
_HOLD = "UPDATE job SET lease = ? WHERE id = ? AND holder = ? AND state = 'leased'"
_SETTLE = (
    "UPDATE async_request SET state = ?, run = ?, status = ?, answer = ?, expires = ?, "
    "request = CAST('' AS {bytes}) WHERE id = ? AND state = 'waiting'"
)
_OTHER_RUNS = (
    "DELETE FROM async_part WHERE request = ? "
    "AND run <> (SELECT run FROM async_request WHERE id = ?)"
)
_READ = "SELECT bytes FROM async_part WHERE request = ? AND run = ? AND file = ? AND part = ?"
_FORGET = "DELETE FROM async_request WHERE id = ?"
_FORGET_PARTS = "DELETE FROM async_part WHERE request = ?"
_SWEEP = "DELETE FROM async_request WHERE expires <= ?"
_SWEEP_PARTS = (
    "DELETE FROM async_part WHERE ? = 1 AND request IN "
    "(SELECT request FROM async_part EXCEPT SELECT id FROM async_request)"
)


class AsyncRequests:
    """The tables ``async_request`` and ``async_part`` of one record. All raise Unavailable."""

    def __init__(self, runner: Runner, ring: Callable[[], None]) -> None:
        """``ring`` tells this process of new jobs."""
        self._runner = runner
        self._ring = ring

    async def begin(
        self,
        id: str,
        caller: Caller,
        request: bytes,
        job: NewJob,
        *,
        now: int,
        expires: int,
        unfinished_max: int,
        kept_max: int,
    ) -> bool:
        """Keep a request and the job that answers it, both or neither.

        False when its caller has so many already (unfinished, or in all).
        """
        subject = caller.subject
        counted = (subject, now, unfinished_max, subject, now, kept_max)
        row = (id, subject, caller.kind, request, now, expires, *counted)
        its_job = (job.kind, job.subject, job.payload, job.due, now, id)
        steps = ((_BEGIN, [row]), (_JOB, [its_job]))
        if self._runner.dialect == "postgresql":
            await self._write((_LOCK, [(subject,)]), *steps, (_TELL, [(CHANNEL,)]))
        else:
            await self._write(*steps)
        self._ring()
        return await self.find(id) is not None

    async def find(self, id: str) -> AsyncRequest | None:
        """Give a request; None when there is none, or it was forgotten."""
        rows = await self._rows(_FIND, (id,))
        return AsyncRequest(*rows[0]) if rows else None

    async def asked(self, id: str) -> bytes:
        """Give what a request asks, as it was handed in; nothing when it is no longer there."""
        rows = await self._rows(_ASKED, (id,))
        return bytes(rows[0][0]) if rows else b""

    async def gathered(
        self, id: str, run: int, parts: Sequence[Part], *, pages: int, resources: int
    ) -> None:
        """Keep parts of the answer and how far it is, as long as the request waits for it."""
        cells = [(id, run, *part, id) for part in parts]
        await self._write((_PART, cells), (_PROGRESS, [(pages, resources, id)]))

    async def hold(self, job: int, holder: str, until: int) -> None:
        """Hold the job of an answer for longer, as long as the holder has it at all."""
        await self._write((_HOLD, [(until, job, holder)]))

    async def settle(
        self, id: str, run: int, state: State, *, status: int, answer: bytes, expires: int
    ) -> None:
        """Answer a request that waits; the first to do so is the one who did."""
        await self._write(
            (_SETTLE, [(state, run, status, answer, expires, id)]), (_OTHER_RUNS, [(id, id)])
        )

    async def part(self, id: str, run: int, file: int, number: int) -> bytes | None:
        """Give a part of a file, None after the last one."""
        rows = await self._rows(_READ, (id, run, file, number))
        return bytes(rows[0][0]) if rows else None

    async def forget(self, id: str) -> None:
        """Forget a request and what it was answered."""
        await self._write((_FORGET, [(id,)]), (_FORGET_PARTS, [(id,)]))

    async def sweep(self, now: int) -> None:
        """Forget all whose time is over, and the parts of what is no longer there."""
        await self._write((_SWEEP, [(now,)]), (_SWEEP_PARTS, [(1,)]))

    async def _rows(self, sql: str, args: tuple[Any, ...]) -> Sequence[Sequence[Any]]:
        return await self._runner.rows(written(sql, self._runner.dialect), args)

    async def _write(self, *steps: tuple[str, Sequence[tuple[Any, ...]]]) -> None:
        dialect = self._runner.dialect
        await self._runner.write(*((written(sql, dialect), rows) for sql, rows in steps if rows))


@cache
def written(sql: str, dialect: DialectName) -> str:
    """Write a statement as its dialect wants it: the marks of its arguments, the type of bytes."""
    if dialect == "sqlite":
        return sql.replace("{bytes}", "BLOB")
    numbers = iter(range(1, sql.count("?") + 1))
    marked = re.sub(r"\?", lambda _: f"${next(numbers)}", sql)
    return marked.replace("{bytes}", "BYTEA")
