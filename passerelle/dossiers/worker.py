"""The worker: takes the jobs that are due, one after another, and lets handlers end them.

A job is leased, so that a worker that dies gives it back when the lease runs out; the handler
writes the job's end in the same transaction as what it did (house section 3). Any number of
workers run against one record.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from passerelle.dossiers.gateway import Gateway
from passerelle.dossiers.pace import SECOND
from passerelle.errors.refusals import PasserelleError
from passerelle.store.caller import SYSTEM
from passerelle.store.contract import Stale, Unit
from passerelle.store.outbox import Job, JobEnd

IDLE_SECONDS = 5.0
"""Jobs of other processes are looked for that often; our own wake the worker at once."""

BATCH = 4
"""Jobs in hand at once."""

GRACE_SECONDS = 8.0
"""Less than the ten seconds that those who stop processes wait before they kill them."""

log = structlog.get_logger("worker")

Handler = Callable[[Gateway, Job], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Postponed(Exception):
    """Raised by a handler for a failure that may pass: the job waits and is tried again."""

    reason: str


class Worker:
    """Runs handlers over the jobs of their kinds until it is told to stop.

    ``grace_seconds``: as long a job in hand may go on once it is told to; then it is cancelled,
    and its handler gives it back.
    """

    def __init__(
        self,
        gateway: Gateway,
        handlers: Mapping[str, Handler],
        holder: str,
        *,
        grace_seconds: float = GRACE_SECONDS,
    ) -> None:
        self.gateway = gateway
        self.handlers = handlers
        self.holder = holder
        self.grace_seconds = grace_seconds
        self._stopping = asyncio.Event()
        self._in_hand: set[asyncio.Task[None]] = set()

    def stop(self) -> None:
        """End the jobs in hand, then return from :meth:`run`."""
        self._stopping.set()

    async def run(self) -> None:
        """Work until stopped. A record that is away for a while is waited for.

        Jobs go on side by side: one that is slow keeps no other waiting while a place is free.
        """
        while not self._stopping.is_set():
            try:
                taken = await self._take(BATCH - len(self._in_hand))
            except PasserelleError as refusal:
                log.warning("worker.unavailable", rules=str(refusal))
                taken = 0
            if not taken:
                await self._rest()
        await self._end_all()

    async def step(self) -> int:
        """Take the jobs that are due now, see them through, give how many there were."""
        taken = await self._take(BATCH)
        await asyncio.gather(*self._in_hand)
        return taken

    async def _take(self, places: int) -> int:
        """Begin as many of the jobs that are due as there are places; give how many."""
        if places <= 0:
            return 0
        now = self.gateway.clock()
        jobs = await self.gateway.store.claim_jobs(
            tuple(self.handlers),
            holder=self.holder,
            now=now,
            lease_until=now + round(self.gateway.pace.lease_seconds * SECOND),
            limit=places,
        )
        for job in jobs:
            task = asyncio.create_task(self._see_through(job))
            self._in_hand.add(task)
            task.add_done_callback(self._in_hand.discard)
        return len(jobs)

    async def _end_all(self) -> None:
        """Wait for the jobs in hand, for a while; what goes on after that is cancelled."""
        if self._in_hand:
            await asyncio.wait(self._in_hand, timeout=self.grace_seconds)
        for task in self._in_hand:
            task.cancel()
        await asyncio.gather(*self._in_hand, return_exceptions=True)

    async def _rest(self) -> None:
        """Wait until there may be something to do: a job, a place, or the end."""
        own: list[asyncio.Future[Any]] = [asyncio.ensure_future(self._stopping.wait())]
        if len(self._in_hand) < BATCH:
            seconds = await self._idle_seconds()
            own.append(asyncio.ensure_future(self.gateway.store.job_added(seconds)))
        # A job in hand that ends may be due again sooner than all that was known of.
        awaited = {*own, *self._in_hand}
        await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
        for future in own:
            future.cancel()
        await asyncio.gather(*own, return_exceptions=True)

    async def _idle_seconds(self) -> float:
        try:
            due = await self.gateway.store.next_due(tuple(self.handlers))
        except PasserelleError:
            return IDLE_SECONDS
        if due is None:
            return IDLE_SECONDS
        return min(IDLE_SECONDS, max(0.05, (due - self.gateway.clock()) / SECOND))

    async def _see_through(self, job: Job) -> None:
        try:
            await self.handlers[job.kind](self.gateway, job)
        except Postponed as postponed:
            await self._end(job, postponed.reason)
        except Stale:
            log.info("worker.lease-lost", kind=job.kind, job=job.id)
        except PasserelleError as refusal:
            await self._end(job, str(refusal))
        except Exception as fault:  # a fault of ours must neither lose the job nor stop the worker
            log.error("worker.fault", kind=job.kind, job=job.id, fault=type(fault).__name__)
            await self._end(job, f"fault.{type(fault).__name__}")

    async def _end(self, job: Job, reason: str) -> None:
        """Let a job wait for its next attempt, or lay it aside after the last one."""
        due = self.gateway.pace.due_again(self.gateway.clock(), job.attempts)
        end = JobEnd(job.id, job.holder, "dead" if due is None else "waiting", due, reason)
        try:
            await self.gateway.store.commit(Unit(job_ends=(end,)), SYSTEM)
        except (Stale, PasserelleError):
            log.warning("worker.end-not-written", kind=job.kind, job=job.id)
