"""Documents' bytes: streamed in, kept once, streamed out."""

from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any

import pytest

from passerelle.errors.refusals import NotFound, TooLarge
from passerelle.store.caller import SYSTEM
from passerelle.store.contract import Store, Unit
from passerelle.store.sql.parts import PART_BYTES

pytestmark = pytest.mark.anyio


async def stream(data: bytes, size: int = 70_000) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def read(store: Store, digest: str) -> bytes:
    return b"".join([part async for part in store.blob(digest)])


SIZES = [0, 1, PART_BYTES - 1, PART_BYTES, PART_BYTES + 1, 5 * PART_BYTES + 17]


@pytest.mark.parametrize("size", SIZES)
async def test_bytes_come_out_as_they_went_in(store: Store, size: int) -> None:
    data = bytes(range(256)) * (size // 256 + 1)
    data = data[:size]
    given = await store.put_blob(stream(data), size_max=size)
    assert given == (sha256(data).hexdigest(), size)
    assert await read(store, given[0]) == data


async def test_the_same_bytes_are_kept_once(store: Store) -> None:
    first = await store.put_blob(stream(b"abc" * 200_000), size_max=10**6)
    assert await store.put_blob(stream(b"abc" * 200_000, 11), size_max=10**6) == first
    await store.commit(Unit(blobs=(b"abc" * 200_000,)), SYSTEM)
    assert await read(store, first[0]) == b"abc" * 200_000


async def test_bytes_kept_along_with_a_unit_come_out(store: Store) -> None:
    data = b"x" * (PART_BYTES + 3)
    await store.commit(Unit(blobs=(data, b"")), SYSTEM)
    assert await read(store, sha256(data).hexdigest()) == data
    assert await read(store, sha256(b"").hexdigest()) == b""


async def test_more_than_the_limit_is_refused_as_it_comes(store: Store) -> None:
    asked = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal asked
        while True:
            asked += 1
            yield b"x" * 1000

    with pytest.raises(TooLarge) as refusal:
        await store.put_blob(endless(), size_max=10_500)
    assert asked == 11
    assert refusal.value.issues[0].rule == "record.bytes-too-large"


async def test_unknown_bytes_are_not_found(store: Store) -> None:
    with pytest.raises(NotFound):
        await read(store, "0" * 64)


async def test_bytes_that_a_crash_cut_short_are_not_found_until_put_again(
    store: Store,
) -> None:
    data = bytes(5 * PART_BYTES)
    digest = sha256(data).hexdigest()
    await leave_parts(store, digest, data, 2)
    with pytest.raises(NotFound):
        await read(store, digest)
    await store.put_blob(stream(data), size_max=len(data))
    assert await read(store, digest) == data


async def leave_parts(store: Any, digest: str, data: bytes, count: int) -> None:
    """Write the first parts only, as a process does that is killed on the way."""
    from passerelle.store.postgresql import postgres_outbox
    from passerelle.store.postgresql.postgres_store import PostgresStore
    from passerelle.store.sqlite import sqlite_outbox

    for number in range(count):
        part = data[number * PART_BYTES : (number + 1) * PART_BYTES]
        if isinstance(store, PostgresStore):
            async with store._connections.held() as connection:
                await postgres_outbox.write_blob_part(
                    connection, digest, number, part, len(data), 0
                )
        else:

            def write(batch: Any, number: int = number, part: bytes = part) -> None:
                sqlite_outbox.write_blob_part(batch.connection, digest, number, part, len(data), 0)

            await store._writer.run(write)
