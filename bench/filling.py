"""Fill the record of a gateway that does not run: the way of every write, in this very process.

Structure, identity rules, index rows and commit are those of ``Repository``; only HTTP is left
out, and many resources are committed together.
"""

import asyncio
import gc
import time
from collections.abc import Iterable
from itertools import islice
from typing import NamedTuple

import asyncpg

from bench.dossiers import everything
from bench.patients import Resource
from passerelle.app import clock
from passerelle.dossiers import keeping
from passerelle.dossiers.gateway import InsPolicy
from passerelle.fhir.resource import Key
from passerelle.fhir.search.registry import STANDARD
from passerelle.store.caller import SYSTEM
from passerelle.store.contract import Put, Store, Unit
from passerelle.store.migrate import migrate
from passerelle.store.opening import open_store
from passerelle.store.postgresql.postgres_url import is_postgres, plain_url

TOGETHER = 500
"""As many resources go in one commit."""


class Filled(NamedTuple):
    """What was filled in, and how fast."""

    resources: int
    seconds: float

    @property
    def per_second(self) -> float:
        return self.resources / max(self.seconds, 1e-9)


def put_of(resource: Resource) -> Put:
    """Make the write of a resource. Raises what a write through the door raises."""
    keeping.demand(resource, InsPolicy(allow_test=True))
    key = Key(resource["resourceType"], resource["id"])
    return Put(keeping.draft(key, resource, registry=STANDARD))


async def fill_store(store: Store, resources: Iterable[Resource]) -> int:
    """Commit resources; give how many. What is prepared next is prepared while others commit."""
    waiting = iter(resources)
    done = 0
    committing: asyncio.Task[object] | None = None
    while together := list(islice(waiting, TOGETHER)):
        unit = Unit(writes=tuple(put_of(resource) for resource in together))
        if committing is not None:
            await committing
        committing = asyncio.create_task(_commit(store, unit))
        await asyncio.sleep(0)
        done += len(together)
    if committing is not None:
        await committing
    return done


async def _commit(store: Store, unit: Unit) -> None:
    await store.commit(unit, SYSTEM)


def fill(database_url: str, patients: int) -> Filled:
    """Make the record of a database and fill it with that many dossiers."""
    migrate(database_url)

    async def run() -> Filled:
        store = open_store(database_url, clock=clock)
        await store.open()
        gc.freeze()
        gc.set_threshold(50_000, 20, 50)
        began = time.perf_counter()
        try:
            resources = await fill_store(store, everything(patients))
        finally:
            await store.close()
        return Filled(resources, time.perf_counter() - began)

    filled = asyncio.run(run())
    if is_postgres(database_url):
        asyncio.run(_settle(database_url))
    return filled


async def _settle(database_url: str) -> None:
    """Do what the server does by itself a minute later: count the rows, mark what is visible."""
    connection = await asyncpg.connect(plain_url(database_url))
    try:
        await connection.execute("VACUUM (ANALYZE)")
    finally:
        await connection.close()


def main() -> None:
    """Fill the database named on the command line: ``python -m bench.filling URL PATIENTS``."""
    import sys

    filled = fill(sys.argv[1], int(sys.argv[2]))
    print(f"{filled.resources} resources, {filled.per_second:.0f}/s")


if __name__ == "__main__":
    main()
