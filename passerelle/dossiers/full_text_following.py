"""Brings the full text up to date beside the requests, a step at a time.

While others write it takes small steps and rests between them, so that they hardly notice; once it
is quiet it goes through the rest. Any number of processes may do so on one record.
"""

import asyncio
import time

import structlog

from passerelle.dossiers.gateway import Gateway
from passerelle.dossiers.pace import SECOND
from passerelle.errors.refusals import PasserelleError

QUIET_SECONDS = 2.0
"""So long after the last write the record counts as quiet."""

IDLE_SECONDS = 2.0
"""Changes are looked for that often."""

BUSY_REST_SECONDS = 1.0
"""Between two steps while others write: some hundred changes a second are followed then."""

FAULT_REST_SECONDS = 60.0

log = structlog.get_logger("full_text")


class FullTextFollower:
    """Follows the log until it is told to stop."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """End the step in hand, then return from :meth:`run`."""
        self._stopping.set()

    async def run(self) -> None:
        """Follow until stopped; a record that is away for a while is waited for."""
        text = self.gateway.store.full_text
        while text.on and not self._stopping.is_set():
            begun = time.monotonic()
            try:
                followed = await text.step()
                rest = await self._rest(followed, time.monotonic() - begun)
            except PasserelleError as refusal:
                log.warning("full_text.unavailable", rules=str(refusal))
                rest = IDLE_SECONDS
            except Exception as fault:  # a fault of ours stops neither this nor the other workers
                log.error("full_text.fault", fault=type(fault).__name__)
                rest = FAULT_REST_SECONDS
            try:
                await asyncio.wait_for(self._stopping.wait(), rest)
            except TimeoutError:
                continue

    async def _rest(self, followed: int, took: float) -> float:
        """Give how long to rest after a step that took so many seconds."""
        if not followed:
            return IDLE_SECONDS
        newest = await self.gateway.store.full_text.newest()
        quiet = self.gateway.clock() - newest.at > QUIET_SECONDS * SECOND
        return took if quiet else BUSY_REST_SECONDS
