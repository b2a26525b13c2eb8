"""The worker: takes the jobs that are due, one after another, and lets handlers end them.

A job is leased, so that a worker that dies gives it back when the lease runs out; the handler
writes the job's end in the same transaction as what it did (house section 3). Any number of
workers run against one record.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import structlog

from passerelle.dossiers.gateway import Gateway
from passerelle.dossiers.pace import SECOND
from passerelle.errors.refusals import PasserelleError
from passerelle.store.caller import SYSTEM
from passerelle.store.contract import Job, JobEnd, Stale, Unit

IDLE_SECONDS = 5.0
"""Jobs of other processes are looked for that often; our own wake the worker at once."""

BATCH = 4

log = structlog.get_logger("worker")

Handler = Callable[[Gateway, Job], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Postponed(Exception):
    """Raised by a handler for a failure that may pass: the job waits and is tried again."""

    reason: str


class Worker:
    """Runs handlers over the jobs of their kinds until it is told to stop."""

    def __init__(self, gateway: Gateway, handlers: Mapping[str, Handler], holder: str) -> None:
        self.gateway = gateway
        self.handlers = handlers
        self.holder = holder
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Finish the jobs in hand, then return from :meth:`run`."""
        self._stopping.set()

    async def run(self) -> None:
        """Work until stopped. A record that is away for a while is waited for."""
        while not self._stopping.is_set():
            try:
                worked = await self.step()
            except PasserelleError as refusal:
                log.warning("worker.unavailable", rules=str(refusal))
                worked = 0
            if not worked:
                await self._rest()

    async def step(self) -> int:
        """Take the jobs that are due now, see them through, give how many there were."""
        now = self.gateway.clock()
        jobs = await self.gateway.store.claim_jobs(
            tuple(self.handlers),
            holder=self.holder,
            now=now,
            lease_until=now + round(self.gateway.pace.lease_seconds * SECOND),
            limit=BATCH,
        )
        await asyncio.gather(*(self._see_through(job) for job in jobs))
        return len(jobs)

    async def _rest(self) -> None:
        added = asyncio.ensure_future(self.gateway.store.job_added(await self._idle_seconds()))
        stopping = asyncio.ensure_future(self._stopping.wait())
        await asyncio.wait((added, stopping), return_when=asyncio.FIRST_COMPLETED)
        for future in (added, stopping):
            future.cancel()
        await asyncio.gather(added, stopping, return_exceptions=True)

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
