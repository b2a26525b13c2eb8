"""The job that indexes old resources by the search parameters that were added to the record.

It is a job of the outbox, written with the SearchParameter. Each run is short and gives the job
back, so that a lease never runs out; the place that was come to is in the record, so that another
worker goes on from there.
"""

from typing import Literal

from passerelle.dossiers.gateway import Gateway
from passerelle.store.added_parameters import JOB_KIND
from passerelle.store.caller import SYSTEM
from passerelle.store.contract import Unit
from passerelle.store.outbox import Job, JobEnd

__all__ = ["JOB_KIND", "index_all", "index_some"]

STEPS_MAX = 20
"""Steps of one run of the job."""

STEP_SIZE = 100
"""Resources of one step, whose writers wait meanwhile."""


async def index_some(gateway: Gateway, job: Job) -> None:
    """Do some steps, then end the job, or give it back when there is more to do.

    Raises Unavailable when the record is away, Stale when the lease was lost.
    """
    parameters = gateway.store.parameters
    await parameters.settle()
    for _ in range(STEPS_MAX):
        if not await parameters.step(STEP_SIZE):
            due = await parameters.clearing_due()
            state: Literal["done", "waiting"] = "done" if due is None else "waiting"
            end = JobEnd(job.id, job.holder, state, due=due)
            break
    else:
        end = JobEnd(job.id, job.holder, "waiting", due=gateway.clock())
    await gateway.store.commit(Unit(job_ends=(end,)), SYSTEM)


async def index_all(gateway: Gateway) -> None:
    """Do all that is to be done now, without a worker. Raises Unavailable."""
    parameters = gateway.store.parameters
    await parameters.settle()
    while await parameters.step(STEP_SIZE):
        pass
