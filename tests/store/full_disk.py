"""A process whose files may not grow, until they may again; tells what became of its writes.

Run as ``python -m tests.store.full_disk <database url>``. A line is told for every write: its id,
then ``kept`` or the rule that it was refused with.
"""

import asyncio
import resource
import sys
import time
from pathlib import Path

from passerelle.errors.refusals import Unavailable
from passerelle.store.caller import SYSTEM
from passerelle.store.contract import Put, Store, Unit
from passerelle.store.opening import open_store
from passerelle.store.outbox import NewJob
from passerelle.store.sqlite.sqlite_connection import path_of
from tests.store.drafts import make_draft


async def write(store: Store, name: str) -> None:
    """Write a unit of two resources, bytes and a job, and tell what became of it."""
    drafts = (make_draft(f"{name}-{n}", own=f"{name}-{n}", text={"div": "x" * 2_000}) for n in "ab")
    unit = Unit(
        writes=tuple(Put(draft) for draft in drafts),
        blobs=(name.encode() * 2_000,),
        jobs=(NewJob("k", name, b"", 0),),
    )
    try:
        await store.commit(unit, SYSTEM)
        print(name, "kept", flush=True)
    except Unavailable as refusal:
        print(name, refusal.issues[0].rule, flush=True)


def bound_files(log: Path) -> int:
    """Let no file grow much beyond the log; give the bound there was."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (log.stat().st_size + 100_000, hard))
    return hard


async def run(database_url: str) -> None:
    """Write freely, then within bounds that are soon reached, then freely again."""
    store = open_store(database_url, clock=lambda: time.time_ns() // 1000)
    await store.open()
    await write(store, "before")
    hard = bound_files(Path(f"{path_of(database_url)}-wal"))
    for number in range(40):
        await asyncio.gather(*(write(store, f"full{number}x{n}") for n in range(3)))
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    await write(store, "after")
    await store.close()


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1]))
