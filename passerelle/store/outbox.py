"""Jobs and raw messages: what is written of them with a unit, and what is read of them.

A job is done after the commit that wrote it; a message is kept raw, in and out, with its fate
(docs/architecture.md, "What is kept").
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

CHANNEL = "passerelle_job"
"""On which other processes are told of new jobs, on PostgreSQL."""


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job to add to the outbox in the same transaction."""

    kind: str
    subject: str
    payload: bytes
    due: int  # microseconds since 1970 UTC


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A raw message to keep in the same transaction; its bytes are a blob already."""

    direction: Literal["in", "out"]
    kind: Literal["mail", "hl7v2"]
    account: str
    identifier: str
    place: str
    sha256: str
    state: str
    subject: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class MessageChange:
    """A message's new state in the same transaction; without a subject it keeps the one it has.

    The commit raises LookupError when there is no such message.
    """

    id: int
    state: str
    subject: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class JobEnd:
    """How a leased job ends in the same transaction: done, dead, or waiting again at ``due``.

    The commit refuses (Stale) when ``holder`` no longer holds the lease.
    """

    id: int
    holder: str
    state: Literal["done", "dead", "waiting"]
    due: int | None = None
    error: str | None = None


class Job(NamedTuple):
    """A job under lease."""

    id: int
    kind: str
    subject: str
    payload: bytes
    attempts: int  # including this one
    holder: str
    created: int


class Message(NamedTuple):
    """A raw message as kept."""

    id: int
    direction: str
    kind: str
    account: str
    identifier: str
    place: str
    sha256: str
    at: int
    state: str
    subject: str | None
    reason: str | None
