"""Connections to PostgreSQL that are held: no reset between uses, statements stay prepared.

asyncpg's own pool resets the session at each release, which costs as much as a reading
(https://magicstack.github.io/asyncpg/current/usage.html#connection-pools). A connection that broke
is replaced when it is next asked for.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from passerelle.errors.refusals import Unavailable
from passerelle.errors.rules import issue
from passerelle.store.postgresql.postgres_faults import unavailable
from passerelle.store.postgresql.postgres_url import plain_url

CONNECT_SECONDS = 2.0
AWAY_SECONDS = 1.0
"""After a server did not answer, others are told so at once instead of waiting as well."""

WAIT_SECONDS = 5.0
COMMAND_SECONDS = 30.0
STATEMENTS_CACHED = 1_024
SESSION = {
    "application_name": "passerelle",
    "statement_timeout": "20s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "10s",
    "synchronous_commit": "on",
    "jit": "off",
}


class Connections:
    """As many connections as ``size``, opened when needed; at most ``waiting_max`` wait for one."""

    def __init__(self, database_url: str, size: int, waiting_max: int) -> None:
        self._url = plain_url(database_url)
        self._waiting_max = waiting_max
        self._waiting: deque[asyncio.Future[asyncpg.Connection | None]] = deque()
        self._closed = False
        self._away_until = 0.0
        self._size = size
        self._idle: list[asyncpg.Connection | None] = [None] * size

    def reopen(self) -> None:
        """Lend connections again after :meth:`close`."""
        if self._closed:
            self._closed = False
            self._idle = [None] * self._size

    async def connect(self) -> asyncpg.Connection:
        """Open a connection apart from the held ones. Raises Unavailable."""
        loop = asyncio.get_running_loop()
        if loop.time() < self._away_until:
            raise Unavailable(issue("record.unavailable"))
        try:
            return await asyncpg.connect(
                self._url,
                timeout=CONNECT_SECONDS,
                command_timeout=COMMAND_SECONDS,
                statement_cache_size=STATEMENTS_CACHED,
                max_cached_statement_lifetime=0,
                server_settings=SESSION,
            )
        except Exception as fault:
            if isinstance(fault, TimeoutError):
                self._away_until = loop.time() + AWAY_SECONDS
            raise unavailable(fault) or fault from fault

    @asynccontextmanager
    async def held(self) -> AsyncIterator[asyncpg.Connection]:
        """Hold a connection for a while. Raises Unavailable, also for what the server fails at."""
        connection = await self._take()
        try:
            if connection is None or connection.is_closed():
                connection = None
                connection = await self.connect()
            yield connection
        except Exception as fault:
            refusal = unavailable(fault)
            if refusal is None:
                raise
            raise refusal from fault
        finally:
            if connection is not None and connection.is_in_transaction():
                connection.terminate()
            self._give_back(connection)

    def _give_back(self, connection: asyncpg.Connection | None) -> None:
        """Hand a connection to the one who waits longest, past whoever may ask just now."""
        while self._waiting:
            first = self._waiting.popleft()
            if not first.done():
                first.set_result(connection)
                return
        self._idle.append(connection)

    async def _take(self) -> asyncpg.Connection | None:
        """Wait for a slot. Raises Unavailable when too many wait already, or it takes too long."""
        if self._closed:
            raise Unavailable(issue("record.unavailable"))
        if self._idle:
            return self._idle.pop()
        if len(self._waiting) >= self._waiting_max:
            raise Unavailable(issue("record.busy"))
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                return await self._turn()
        except TimeoutError:
            raise Unavailable(issue("record.busy")) from None

    async def _turn(self) -> asyncpg.Connection | None:
        """Wait for one's turn; a connection that comes as the waiting is given up goes on."""
        turn: asyncio.Future[asyncpg.Connection | None]
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._give_back(turn.result())
            raise

    async def close(self) -> None:
        """Wait for what is under way, then close all connections."""
        if self._closed:
            return
        self._closed = True
        for _ in range(self._size):
            connection = self._idle.pop() if self._idle else await self._turn()
            if connection is not None and not connection.is_closed():
                try:
                    await connection.close(timeout=CONNECT_SECONDS)
                except Exception as fault:
                    if unavailable(fault) is None:
                        raise
