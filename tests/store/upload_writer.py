"""A process that brings bytes, then names them, without end, until it is killed.

Run as ``python -m tests.store.upload_writer <database url>``. It tells of each step: "brought" and
"named", with the digest; one of its workers brings and never names.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from itertools import count

from passerelle.store.caller import SYSTEM
from passerelle.store.contract import Put, Store, Unit
from passerelle.store.opening import open_store
from passerelle.store.sql.parts import PART_BYTES
from tests.store.drafts import make_draft


async def _stream(name: bytes) -> AsyncIterator[bytes]:
    for number in range(9):
        yield (name + b"%d" % number).ljust(PART_BYTES, b".")


async def work(store: Store, worker: int) -> None:
    """Bring and name."""
    for number in count():
        name = f"w{worker}n{number}"
        digest, _ = await store.put_blob(_stream(name.encode()), size_max=10 * PART_BYTES)
        sys.stdout.write(f"brought {digest}\n")
        sys.stdout.flush()
        if worker:
            write = Put(make_draft(name, type="Binary", blob=digest))
            await store.commit(Unit((write,)), SYSTEM)
            sys.stdout.write(f"named {digest}\n")
            sys.stdout.flush()


async def main(database_url: str) -> None:
    """Write with several workers at once."""
    store = open_store(database_url, clock=lambda: time.time_ns() // 1000)
    await store.open()
    await asyncio.gather(*(work(store, worker) for worker in range(4)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
