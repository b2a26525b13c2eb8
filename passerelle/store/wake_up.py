"""The bell that wakes a worker when a job was added, and what tells of every commit."""

import asyncio


class WakeUp:
    """Remembers a ring until somebody waits for it, so that none is missed."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Wake all who wait, or the next who will."""
        self._rung.set()

    async def wait(self, timeout_seconds: float) -> bool:
        """Wait for a ring; False when time runs out first."""
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._rung.wait()
        except TimeoutError:
            return False
        self._rung.clear()
        return True


class Tide:
    """Tells any number of those who wait that something was committed.

    Take :meth:`next` before looking and wait for it afterwards: what comes between is not missed.
    """

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def rise(self) -> None:
        """Wake all who wait for this tide; who asks from now on waits for the next one."""
        risen, self._next = self._next, asyncio.Event()
        risen.set()

    def next(self) -> asyncio.Event:
        """Give what will be set by the next commit."""
        return self._next
