"""What a unit writes beside resources, on PostgreSQL: jobs and their ends, messages, small blobs.

Jobs are leased with ``FOR UPDATE SKIP LOCKED``
(https://www.postgresql.org/docs/current/sql-select.html#SQL-FOR-UPDATE-SHARE).
"""

from collections.abc import Sequence
from hashlib import sha256

import asyncpg

from passerelle.errors.refusals import Conflict
from passerelle.errors.rules import issue
from passerelle.store.contract import Stale, Unit
from passerelle.store.outbox import CHANNEL, Job, JobEnd, MessageChange, NewMessage
from passerelle.store.sql.parts import parts_of
from passerelle.store.sql.upload_statements import PART_POSTGRESQL

_JOB = (
    "INSERT INTO job (kind, subject, payload, state, due, attempts, created) "
    "VALUES ($1, $2, $3, 'waiting', $4, 0, $5)"
)
_JOB_END = (
    "UPDATE job SET state = $1, due = coalesce($2::bigint, due), error = $3, finished = $4, "
    "lease = NULL, holder = NULL WHERE id = $5 AND holder = $6 AND state = 'leased' RETURNING id"
)
_MESSAGE = (
    "INSERT INTO message (direction, kind, account, identifier, place, sha256, at, state, subject, "
    "reason) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) "
    "ON CONFLICT (direction, account, identifier, place) DO NOTHING RETURNING id"
)
_MESSAGE_CHANGE = (
    "UPDATE message SET state = $1, subject = coalesce($2, subject), reason = $3 WHERE id = $4 "
    "RETURNING id"
)
_CLAIM = (
    "UPDATE job SET state = 'leased', lease = $1, holder = $2, attempts = attempts + 1 "
    "FROM (SELECT id FROM job WHERE state IN ('waiting', 'leased') AND due <= $3 "
    "AND (state = 'waiting' OR lease <= $3) AND kind = ANY($4::text[]) "
    "ORDER BY due, id LIMIT $5 FOR UPDATE SKIP LOCKED) AS found WHERE job.id = found.id "
    "RETURNING job.id, kind, subject, payload, attempts, holder, created, due"
)


async def write_side_rows(connection: asyncpg.Connection, unit: Unit, at: int) -> None:
    """Write them in the transaction. Raises Stale (a lease lost) or Conflict (a message known)."""
    for end in sorted(unit.job_ends, key=lambda end: end.id):
        await _end_job(connection, end, at)
    for message in unit.messages:
        await _keep_message(connection, message, at)
    for change in sorted(unit.message_changes, key=lambda change: change.id):
        await _change_message(connection, change)
    for data in unit.blobs:
        digest = sha256(data).hexdigest()
        for part, some in enumerate(parts_of(data)):
            await write_blob_part(connection, digest, part, some, len(data), at)
    for job in unit.jobs:
        await connection.execute(_JOB, job.kind, job.subject, job.payload, job.due, at)
    if unit.jobs:
        await connection.execute("SELECT pg_notify($1, '')", CHANNEL)


async def write_blob_part(
    connection: asyncpg.Connection, digest: str, part: int, some: bytes, size: int, at: int
) -> None:
    """Write one part of a blob, which may be there already, and note its upload."""
    await connection.execute(PART_POSTGRESQL, digest, part, some, size, at)


async def _end_job(connection: asyncpg.Connection, end: JobEnd, at: int) -> None:
    finished = None if end.state == "waiting" else at
    done = await connection.fetchval(
        _JOB_END, end.state, end.due, end.error, finished, end.id, end.holder
    )
    if done is None:
        raise Stale("the lease of a job was lost")


async def _keep_message(connection: asyncpg.Connection, message: NewMessage, at: int) -> None:
    kept = await connection.fetchval(
        _MESSAGE,
        message.direction,
        message.kind,
        message.account,
        message.identifier,
        message.place,
        message.sha256,
        at,
        message.state,
        message.subject,
        message.reason,
    )
    if kept is None:
        raise Conflict(issue("record.message-known"))


async def _change_message(connection: asyncpg.Connection, change: MessageChange) -> None:
    done = await connection.fetchval(
        _MESSAGE_CHANGE, change.state, change.subject, change.reason, change.id
    )
    if done is None:
        raise LookupError("there is no such message")


async def claim_jobs(
    connection: asyncpg.Connection,
    kinds: Sequence[str],
    *,
    holder: str,
    now: int,
    lease_until: int,
    limit: int,
) -> tuple[Job, ...]:
    """Lease the jobs that are due, oldest first, passing over those another worker is taking."""
    found = await connection.fetch(_CLAIM, lease_until, holder, now, list(kinds), limit)
    cells = sorted((tuple(row) for row in found), key=lambda row: (row[7], row[0]))
    return tuple(Job(*row[:7]) for row in cells)
