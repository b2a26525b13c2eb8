"""Answers kept for a while under the key of their request: the table ``kept_answer``.

One who asks at a time: who finds the key free, forgotten, or held by somebody whose lease has run
out, holds it; the others are told of what is there.
"""

from typing import NamedTuple

from passerelle.store.async_requests import written
from passerelle.store.packages import Runner


class KeptAnswer(NamedTuple):
    """What is kept under a key; without ``status`` it is being answered still."""

    request: str
    holder: str
    status: int | None
    etag: str | None
    body: bytes | None


_SWEEP = "DELETE FROM kept_answer WHERE expires <= ?"
_FREE = "DELETE FROM kept_answer WHERE key = ? AND status IS NULL AND lease <= ?"
_BEGIN = (
    "INSERT INTO kept_answer (key, request, holder, lease, expires) "
    "VALUES (?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING"
)
_FIND = "SELECT request, holder, status, etag, body FROM kept_answer WHERE key = ?"
_KEEP = (
    "UPDATE kept_answer SET status = ?, etag = ?, body = ? "
    "WHERE key = ? AND holder = ? AND status IS NULL"
)
_DROP = "DELETE FROM kept_answer WHERE key = ? AND holder = ? AND status IS NULL"


class KeptAnswers:
    """The table ``kept_answer`` of one record. All raise Unavailable."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    async def begin(
        self, key: str, request: str, *, holder: str, now: int, lease: int, expires: int
    ) -> KeptAnswer | None:
        """Take a key; give what is kept under it where another holds it. Forgets what is over."""
        dialect = self._runner.dialect
        await self._runner.write(
            (written(_SWEEP, dialect), [(now,)]),
            (written(_FREE, dialect), [(key, now)]),
            (written(_BEGIN, dialect), [(key, request, holder, lease, expires)]),
        )
        rows = await self._runner.rows(written(_FIND, dialect), (key,))
        found = KeptAnswer(*rows[0]) if rows else None
        return None if found is None or found.holder == holder else found

    async def keep(self, key: str, *, holder: str, status: int, etag: str, body: bytes) -> None:
        """Keep the answer of a key that is held."""
        sql = written(_KEEP, self._runner.dialect)
        await self._runner.write((sql, [(status, etag, body, key, holder)]))

    async def drop(self, key: str, *, holder: str) -> None:
        """Let go of a key that is held, without an answer."""
        await self._runner.write((written(_DROP, self._runner.dialect), [(key, holder)]))
