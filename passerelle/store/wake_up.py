"""The bell that wakes a worker when a job was added."""

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
