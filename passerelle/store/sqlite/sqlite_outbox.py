"""What a unit writes beside resources, on SQLite: jobs and their ends, messages, small blobs."""

import json
import sqlite3
from collections.abc import Sequence
from hashlib import sha256

from passerelle.errors.refusals import Conflict
from passerelle.errors.rules import issue
from passerelle.store.contract import Stale, Unit
from passerelle.store.outbox import Job, JobEnd, MessageChange, NewMessage
from passerelle.store.sql import listings
from passerelle.store.sql.parts import parts_count, parts_of
from passerelle.store.sql.upload_statements import TOUCH_SQLITE
from passerelle.store.uploads import brought_by, missing, named_by

_BLOB = (
    "INSERT INTO blob (sha256, part, bytes, size) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (sha256, part) DO NOTHING"
)
_JOB = (
    "INSERT INTO job (kind, subject, payload, state, due, attempts, created) "
    "VALUES (?, ?, ?, 'waiting', ?, 0, ?)"
)
_JOB_END = (
    "UPDATE job SET state = ?, due = coalesce(?, due), error = ?, finished = ?, lease = NULL, "
    "holder = NULL WHERE id = ? AND holder = ? AND state = 'leased'"
)
_MESSAGE = (
    "INSERT INTO message (direction, kind, account, identifier, place, sha256, at, state, subject, "
    "reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_MESSAGE_CHANGE = (
    "UPDATE message SET state = ?, subject = coalesce(?, subject), reason = ? WHERE id = ?"
)
_CLAIM = (
    "UPDATE job SET state = 'leased', lease = ?, holder = ?, attempts = attempts + 1 "
    "WHERE id IN (SELECT id FROM job WHERE state IN ('waiting', 'leased') AND due <= ? "
    "AND (state = 'waiting' OR lease <= ?) AND kind IN (SELECT value FROM json_each(?)) "
    "ORDER BY due, id LIMIT ?) "
    "RETURNING id, kind, subject, payload, attempts, holder, created, due"
)


def has_side_rows(unit: Unit) -> bool:
    """Tell whether a unit writes anything beside resources."""
    return bool(unit.jobs or unit.job_ends or unit.messages or unit.message_changes or unit.blobs)


def write_side_rows(connection: sqlite3.Connection, unit: Unit, at: int) -> None:
    """Write them all or none. Raises Stale (a lease lost) or Conflict (a message known)."""
    connection.execute("SAVEPOINT side_rows")
    try:
        for end in unit.job_ends:
            _end_job(connection, end, at)
        for message in unit.messages:
            _keep_message(connection, message, at)
        for change in unit.message_changes:
            _change_message(connection, change)
        for data in unit.blobs:
            digest = sha256(data).hexdigest()
            for part, some in enumerate(parts_of(data)):
                write_blob_part(connection, digest, part, some, len(data), at)
        for job in unit.jobs:
            connection.execute(_JOB, (job.kind, job.subject, job.payload, job.due, at))
    except BaseException:
        if connection.in_transaction:  # a full disk has rolled everything back already
            connection.execute("ROLLBACK TO side_rows")
            connection.execute("RELEASE side_rows")
        raise
    connection.execute("RELEASE side_rows")


def write_blob_part(
    connection: sqlite3.Connection, digest: str, part: int, some: bytes, size: int, at: int
) -> None:
    """Write one part of a blob, which may be there already, and note its upload."""
    connection.execute(TOUCH_SQLITE, (digest, at))
    connection.execute(_BLOB, (digest, part, some, size))


def demand_bytes(connection: sqlite3.Connection, unit: Unit) -> None:
    """Raise Unavailable when the unit names bytes that are not there, and does not bring them."""
    sql = listings.blob_parts("sqlite").sql
    lacking: set[str] = set()
    for digest in named_by(unit):
        found, size = connection.execute(sql, (digest,)).fetchone()
        if not found or found != parts_count(size):
            lacking.add(digest)
    if lacking and not lacking <= brought_by(unit):
        raise missing()


def _end_job(connection: sqlite3.Connection, end: JobEnd, at: int) -> None:
    finished = None if end.state == "waiting" else at
    cells = (end.state, end.due, end.error, finished, end.id, end.holder)
    if connection.execute(_JOB_END, cells).rowcount != 1:
        raise Stale("the lease of a job was lost")


def _keep_message(connection: sqlite3.Connection, message: NewMessage, at: int) -> None:
    try:
        connection.execute(
            _MESSAGE,
            (
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
            ),
        )
    except sqlite3.IntegrityError as fault:
        if fault.sqlite_errorcode != sqlite3.SQLITE_CONSTRAINT_UNIQUE:
            raise
        raise Conflict(issue("record.message-known")) from None


def _change_message(connection: sqlite3.Connection, change: MessageChange) -> None:
    cells = (change.state, change.subject, change.reason, change.id)
    if connection.execute(_MESSAGE_CHANGE, cells).rowcount != 1:
        raise LookupError("there is no such message")


def claim_jobs(
    connection: sqlite3.Connection,
    kinds: Sequence[str],
    *,
    holder: str,
    now: int,
    lease_until: int,
    limit: int,
) -> tuple[Job, ...]:
    """Lease the jobs that are due, oldest first."""
    found = connection.execute(
        _CLAIM, (lease_until, holder, now, now, json.dumps(list(kinds)), limit)
    ).fetchall()
    return tuple(Job(*cells[:7]) for cells in sorted(found, key=lambda cells: (cells[7], cells[0])))
