"""Deletes, beside the requests, the bytes that a refused or killed request left behind.

docs/decisions/2611-bytes-that-nothing-names.md . Any number of processes may do so on one record.
"""

import asyncio
from collections.abc import Sequence

import structlog

from passerelle.dossiers.gateway import Gateway
from passerelle.dossiers.pace import SECOND
from passerelle.errors.refusals import PasserelleError
from passerelle.store.uploads import Swept, Unnamed

IDLE_SECONDS = 600.0
"""Between two sweeps, the first of which comes this long after the start."""

log = structlog.get_logger("passerelle.sweep")


class Sweeper:
    """Sweeps now and then until it is told to stop."""

    def __init__(self, gateway: Gateway, *, idle_seconds: float = IDLE_SECONDS) -> None:
        self.gateway = gateway
        self._idle_seconds = idle_seconds
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """End the step in hand, then return from :meth:`run`."""
        self._stopping.set()

    async def run(self) -> None:
        """Sweep until stopped; a record that is away for a while is waited for."""
        while not self._stopping.is_set():
            try:
                await asyncio.wait_for(self._stopping.wait(), self._idle_seconds)
            except TimeoutError:
                await self._sweep()

    async def _sweep(self) -> None:
        try:
            done = await sweep(self.gateway, until=self._stopping)
        except PasserelleError as refusal:
            log.warning("sweep.unavailable", rules=str(refusal))
        except Exception as fault:  # a fault of ours stops none of the other workers
            log.error("sweep.fault", fault=type(fault).__name__)
        else:
            if done.deleted:
                log.info("sweep.done", blobs=done.deleted, size=done.size)


async def sweep(gateway: Gateway, *, until: asyncio.Event | None = None) -> Swept:
    """Delete what nothing names and was last brought before the time that is given to it.

    Goes step by step, others write in between; ``more`` of the sum tells that it was stopped.
    Raises Unavailable.
    """
    before, done = _before(gateway), Swept(more=True)
    while done.more and not (until is not None and until.is_set()):
        step = await gateway.store.uploads.sweep(before)
        deleted, size, named = (a + b for a, b in zip(done[:3], step[:3], strict=True))
        done = Swept(deleted, size, named, step.more)
    return done


async def sweepable(gateway: Gateway, *, limit: int) -> Sequence[Unnamed]:
    """Give what a sweep would delete now, oldest first. Raises Unavailable."""
    return await gateway.store.uploads.unnamed(_before(gateway), limit=limit)


async def note_unnoted(gateway: Gateway) -> None:
    """Give what stands alone without a note its time from now on. Raises Unavailable."""
    await gateway.store.uploads.note_unnoted(gateway.clock())


def _before(gateway: Gateway) -> int:
    return gateway.clock() - round(gateway.uploads_kept_seconds * SECOND)
