"""The commit horizon on PostgreSQL: below which instant nothing can appear any more.

Each writer registers the instant that it is going to use (a shared advisory lock that nobody waits
for, held until the transaction has ended and can be seen), and only then reads the floor, above
which its instant must be. A reader publishes as the floor the highest instant that can be seen, and
only then looks who is registered: either the reader sees the writer, or the writer sees the floor.
So nothing depends on the clocks of the processes. Decision 2611-feeds-stay-below-the-horizon.

https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS ,
https://www.postgresql.org/docs/current/view-pg-locks.html
"""

import asyncpg

FLOOR = "coalesce(pg_sequence_last_value('feed_floor'::regclass), 0)"
"""The floor as it is now, whatever the snapshot of the statement."""

_PUBLISH = f"""
WITH guard AS MATERIALIZED (
    SELECT count(pg_advisory_xact_lock(hashtextextended('feed floor', 0))) AS n
    FROM (VALUES (1)) AS one
), newest AS MATERIALIZED (
    SELECT coalesce(max(at), 0) AS at FROM version
)
SELECT CASE WHEN newest.at > {FLOOR} THEN setval('feed_floor', newest.at) ELSE newest.at END
FROM guard, newest WHERE guard.n > 0
"""
"""Raises the floor to the highest instant that can be seen, and gives that; one at a time."""

_REGISTERED = """
SELECT min(classid::bigint << 32 | objid::bigint) FROM pg_locks
WHERE locktype = 'advisory' AND objsubid = 2
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
"""The lowest instant that a writer is registered with. Locks of two numbers are used for nothing
else."""


def register_at(high: str, low: str) -> str:
    """Write the registration of an instant that comes as two arguments; see :func:`halves`."""
    return f"pg_advisory_xact_lock_shared({high}::int, {low}::int)"


def halves(at: int) -> tuple[int, int]:
    """Part an instant into the two numbers of a lock, each of 32 bits with a sign."""
    low = at & 0xFFFFFFFF
    return at >> 32, low - (1 << 32) if low >> 31 else low


async def horizon(connection: asyncpg.Connection) -> int:
    """Give the instant H below which all is visible to readings begun from now on, for good.

    To be asked outside a transaction: each of its two statements must see what is there by then.
    """
    newest: int = await connection.fetchval(_PUBLISH)
    registered: int | None = await connection.fetchval(_REGISTERED)
    return newest + 1 if registered is None else min(newest + 1, registered)
