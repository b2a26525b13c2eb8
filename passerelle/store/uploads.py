"""Bytes that were brought and that nothing came to name: found, told, deleted in time.

A document's bytes are kept before the version that names them is written: a refused, broken or
killed request leaves them behind. So long as nothing names them they are noted in ``upload``, with
the instant at which they were last brought or about to be named. What a version or a message names
is never deleted: neither goes away.

No deletion gets between bytes and who is about to name them. A unit locks the uploads of all the
bytes it names, then sees that these are there, then commits; the sweep leaves what is locked and
asks again, once it has the lock itself, whether anything names them. A unit that comes after a
deletion finds nothing and is refused. On SQLite each is one transaction of the only writer.
"""

from collections.abc import Awaitable, Callable, Sequence
from hashlib import sha256
from typing import NamedTuple, Protocol, TypeVar

from passerelle.errors.refusals import Unavailable
from passerelle.errors.rules import issue
from passerelle.store.contract import Put, Unit
from passerelle.store.packages import Runner
from passerelle.store.sql import upload_statements as statements
from passerelle.store.upkeep.maintenance import Session

ROWS_MAX, PARTS_MAX = 100, 64
"""As much one transaction of the sweep deletes: 16 MiB of bytes."""

T = TypeVar("T")


class Inside(Runner, Protocol):
    """What a database does for the uploads."""

    async def inside(
        self, work: Callable[[Session], Awaitable[T]], *, alone: bool | None = None
    ) -> T:
        """Do some work in one transaction that writes."""


class Unnamed(NamedTuple):
    """Bytes that nothing names: since when, and how many are there."""

    sha256: str
    at: int  # microseconds since 1970 UTC
    size: int


class Swept(NamedTuple):
    """What a sweep did: ``deleted`` blobs of ``size`` bytes; of ``named`` ones only the note went.

    ``more`` tells that it came to its bound before the end.
    """

    deleted: int = 0
    size: int = 0
    named: int = 0
    more: bool = False


class Uploads:
    """The table ``upload`` of one record. All raise Unavailable."""

    def __init__(self, runner: Inside) -> None:
        self._runner = runner

    async def sweep(self, before: int) -> Swept:
        """Delete, within bounds, what was last brought before an instant and nothing names."""
        return await self._runner.inside(lambda session: _swept(session, before))

    async def unnamed(self, before: int, *, limit: int) -> Sequence[Unnamed]:
        """Give what a sweep would delete, oldest first."""
        statement = statements.unnamed(self._runner.dialect)
        args = statement.args(before=before, count=limit)
        return [Unnamed(*row) for row in await self._runner.rows(statement.sql, args)]

    async def note_unnoted(self, at: int) -> None:
        """Note what stands alone without a note, as another release may have left it.

        Goes through all bytes that are kept: not at every request.
        """

        async def work(session: Session) -> None:
            await session.rows(statements.note(session.dialect), at=at)

        await self._runner.inside(work)


async def _swept(session: Session, before: int) -> Swept:
    dialect, parts_left, done = session.dialect, PARTS_MAX, Swept()
    found = await session.rows(statements.due(dialect), before=before, count=ROWS_MAX)
    for (digest,) in found:
        # A statement of its own after the lock: it sees what the holders before us committed.
        ((is_named,),) = await session.rows(statements.named(dialect), sha256=digest)
        if is_named:
            await session.rows(statements.let_go(dialect), sha256=digest)
            done = done._replace(named=done.named + 1)
            continue
        if parts_left == 0:
            return done._replace(more=True)
        ((last,),) = await session.rows(statements.last_part(dialect), sha256=digest)
        first = max(0, (-1 if last is None else last) + 1 - parts_left)
        gone = await session.rows(statements.cut(dialect), sha256=digest, first=first)
        parts_left -= len(gone)
        done = done._replace(size=done.size + sum(length for (length,) in gone))
        if first > 0:  # the rest next time; who brings these bytes again completes them
            return done._replace(more=True)
        await session.rows(statements.let_go(dialect), sha256=digest)
        done = done._replace(deleted=done.deleted + 1)
    return done._replace(more=len(found) == ROWS_MAX)


def named_by(unit: Unit) -> frozenset[str]:
    """Give the digests of the bytes that a unit names."""
    drafts = [write.draft.blob for write in unit.writes if isinstance(write, Put)]
    named = {digest for digest in drafts if digest is not None}
    return frozenset(named.union(message.sha256 for message in unit.messages))


def brought_by(unit: Unit) -> frozenset[str]:
    """Give the digests of the bytes that a unit brings along."""
    return frozenset(sha256(data).hexdigest() for data in unit.blobs)


def missing() -> Unavailable:
    """Make the refusal of a unit that names bytes which are not there: to be sent again, whole."""
    return Unavailable(issue("record.bytes-missing"))
