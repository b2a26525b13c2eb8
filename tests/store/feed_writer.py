"""A process that writes to a record while others read its feeds; run by ``test_feeds``.

    python -m tests.store.feed_writer URL NAME UNITS SKEW_MICROSECONDS

Tells each change once it has been answered, ``type id version seq at``, and looks at once whether
it can be read.
"""

import asyncio
import json
import sys
import time
from hashlib import blake2b

from passerelle.fhir.resource import Key
from passerelle.fhir.search.index_rows import IndexRows
from passerelle.store.caller import SYSTEM
from passerelle.store.contract import Delete, Draft, Put, Store, Unit
from passerelle.store.opening import open_store

AT_ONCE = 4
SHARED_KEYS = 20
"""Resources that all processes write to."""


def make_draft(id: str, *, type: str = "Patient", **content: object) -> Draft:
    """Make the draft of a resource that is found by nothing: the quickest to make."""
    before = f'{{"resourceType":"{type}","id":"{id}","meta":{{"versionId":"'.encode()
    after = b'"},"content":' + json.dumps(content).encode() + b"}"
    digest = blake2b(before + after, digest_size=16).digest()
    return Draft(Key(type, id), before, b'","lastUpdated":"', after, digest, IndexRows())


def unit_of(name: str, number: int) -> Unit:
    """Make the unit of a number: creates, updates, several writes in one, deletions."""
    kind = number % 8
    shared = f"shared-{number % SHARED_KEYS}"
    if kind < 3:
        return Unit(writes=(Put(make_draft(f"{name}-{number}"), "POST", None, True),))
    if kind < 5:
        return Unit(writes=(Put(make_draft(shared, by=name, number=number)),))
    if kind < 7:
        drafts = (make_draft(f"{name}-{number}-{n}", type="Task") for n in range(3))
        return Unit(writes=(*map(Put, drafts), Put(make_draft(shared, by=name, number=number))))
    return Unit(writes=(Delete(Key("Patient", shared)),))


async def work(store: Store, name: str, numbers: list[int]) -> None:
    """Write what is left of the numbers, one unit after another."""
    while numbers:
        for action, version, _ in await store.commit(unit_of(name, numbers.pop()), SYSTEM):
            if version is None or action == "kept":
                continue
            found = await store.read(version.key, SYSTEM)
            assert found is not None
            assert found.version >= version.version, "what was answered could not be read"
            print(*version.key, version.version, version.seq, version.at, flush=True)


async def main(url: str, name: str, units: int, skew: int) -> None:
    """Write as many units, several at once."""
    store = open_store(url, clock=lambda: time.time_ns() // 1000 + skew)
    await store.open()
    numbers = list(range(units))
    await asyncio.gather(*(work(store, name, numbers) for _ in range(AT_ONCE)))
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
