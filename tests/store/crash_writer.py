"""A process that writes without end and tells what was acknowledged, until it is killed.

Run as ``python -m tests.store.crash_writer <database url> <round>``. A line is told for every
acknowledged version: type, id, version.
"""

import asyncio
import sys
import time
from hashlib import sha256
from itertools import count

from passerelle.store.caller import SYSTEM
from passerelle.store.contract import Delete, Put, Store, Unit
from passerelle.store.opening import open_store
from passerelle.store.outbox import NewJob, NewMessage
from tests.store.drafts import make_draft


def unit(round: int, worker: int, number: int) -> Unit:
    """Give the next thing that a worker writes: creates, updates, deletions, transactions."""
    name = f"r{round}w{worker}n{number}"
    kind = number % 5
    if kind == 0:
        return Unit((Put(make_draft(name, own=name, gender="male"), "POST", None, True),))
    if kind == 1:
        shared = [make_draft(f"shared{n}", language=f"{name}") for n in range(worker % 3 + 1)]
        return Unit(tuple(Put(draft) for draft in shared))
    if kind == 2:
        people = [make_draft(f"{name}x{n}", shared=name, dossier=name) for n in range(4)]
        return Unit(tuple(Put(draft) for draft in people), jobs=(NewJob("k", name, b"", 0),))
    if kind == 3:
        return Unit((Delete(make_draft(f"r{round}w{worker}n{number - 3}").key),))
    data = name.encode() * 40_000
    digest = sha256(data).hexdigest()
    letter = NewMessage("in", "mail", "box", name, "1/1", digest, "kept")
    binary = make_draft(name, type="Binary", blob=digest)
    return Unit((Put(binary),), blobs=(data,), messages=(letter,))


async def work(store: Store, round: int, worker: int) -> None:
    """Write and tell."""
    for number in count():
        for outcome in await store.commit(unit(round, worker, number), SYSTEM):
            if outcome.version is not None:
                key, version = outcome.version.key, outcome.version.version
                sys.stdout.write(f"{key.type} {key.id} {version}\n")
        sys.stdout.flush()


async def main(database_url: str, round: int) -> None:
    """Write with several workers at once."""
    store = open_store(database_url, clock=lambda: time.time_ns() // 1000)
    await store.open()
    await asyncio.gather(*(work(store, round, worker) for worker in range(8)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
