"""Hears of jobs that other processes add (https://www.postgresql.org/docs/current/sql-listen.html).

A convenience: workers look for due jobs by themselves now and then, so nothing is lost while the
connection is away; it is opened again after a while.
"""

import asyncio
from typing import Any

from passerelle.errors.refusals import Unavailable
from passerelle.store.outbox import CHANNEL
from passerelle.store.postgresql.postgres_connections import Connections
from passerelle.store.postgresql.postgres_faults import unavailable
from passerelle.store.wake_up import WakeUp

AGAIN_SECONDS = 5.0


class Listener:
    """One connection that listens as long as the store is open."""

    def __init__(self, connections: Connections, bell: WakeUp) -> None:
        self._connections = connections
        self._bell = bell
        self._stopping = asyncio.Event()
        self._listening = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Listen in the background."""
        self._task = asyncio.create_task(self._run(), name="postgres-listener")

    async def listening(self) -> None:
        """Wait until the server has been told that we listen."""
        await self._listening.wait()

    async def stop(self) -> None:
        """Stop listening."""
        task, self._task = self._task, None
        self._stopping.set()
        if task is not None:
            await task

    async def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                await self._listen()
            except Unavailable:
                await self._rest()

    async def _rest(self) -> None:
        """Wait a while, or until told to stop."""
        try:
            async with asyncio.timeout(AGAIN_SECONDS):
                await self._stopping.wait()
        except TimeoutError:
            return

    async def _listen(self) -> None:
        """Listen until told to stop or the connection breaks. Raises Unavailable."""
        connection = await self._connections.connect()
        gone = asyncio.Event()
        try:
            connection.add_termination_listener(lambda _: gone.set())
            await connection.add_listener(CHANNEL, self._heard)
            self._listening.set()
            waiting = {
                asyncio.ensure_future(gone.wait()),
                asyncio.ensure_future(self._stopping.wait()),
            }
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for future in waiting:
                future.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
        except Exception as fault:
            raise unavailable(fault) or fault from fault
        finally:
            self._listening.clear()
            connection.terminate()
        if not self._stopping.is_set():
            await self._rest()

    def _heard(self, *_: Any) -> None:
        self._bell.ring()
