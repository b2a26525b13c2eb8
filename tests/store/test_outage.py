"""When the disk is full or the server away: refused as such, nothing half written, then on."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from passerelle.errors.refusals import PasserelleError, Unavailable
from passerelle.fhir.resource import Key
from passerelle.store.caller import SYSTEM
from passerelle.store.contract import Put, Store, Unit
from passerelle.store.opening import open_store
from passerelle.store.outbox import NewJob
from passerelle.store.upkeep.check import check

pytestmark = pytest.mark.anyio


async def put(store: Store, *drafts: Any) -> None:
    await store.commit(Unit(writes=tuple(Put(draft) for draft in drafts)), SYSTEM)


async def test_a_full_disk_refuses_writes_and_reads_go_on(
    sqlite_database_url: str, clock: Any, draft: Any
) -> None:
    store: Any = open_store(sqlite_database_url, clock=clock)
    await store.open()
    await put(store, draft("0"))

    def bound(batch: Any) -> None:
        batch.connection.execute("PRAGMA max_page_count = 1")  # not less than it is now

    await store._writer.run(bound)
    big = "x" * 100_000
    units = [put(store, draft(f"p{n}", text={"div": big}), draft(f"q{n}")) for n in range(8)]
    said = await asyncio.gather(*units, return_exceptions=True)
    assert {type(one) for one in said} == {Unavailable}
    assert {one.issues[0].rule for one in said if isinstance(one, PasserelleError)} == {
        "record.full"
    }
    with pytest.raises(Unavailable):
        await store.commit(Unit(blobs=(bytes(10**6),), jobs=(NewJob("k", "s", b"", 0),)), SYSTEM)
    assert await store.jobs("s") == []
    for number in range(8):
        assert await store.read(Key("Patient", f"q{number}"), SYSTEM) is None
    assert await store.read(Key("Patient", "0"), SYSTEM) is not None

    def free(batch: Any) -> None:
        batch.connection.execute("PRAGMA max_page_count = 1000000")

    await store._writer.run(free)
    await put(store, draft("p0", text={"div": big}), draft("q0"))
    assert await store.read(Key("Patient", "q0"), SYSTEM) is not None
    await store.close()


async def test_a_file_that_another_process_writes_is_waited_for(
    sqlite_database_url: str, clock: Any, draft: Any
) -> None:
    from passerelle.store.sqlite.sqlite_connection import connect_writer, path_of

    store = open_store(sqlite_database_url, clock=clock)
    await store.open()
    other = connect_writer(path_of(sqlite_database_url))
    other.execute("BEGIN IMMEDIATE")
    waiting = asyncio.ensure_future(put(store, draft("1")))
    assert await store.read(Key("Patient", "1"), SYSTEM) is None
    assert not waiting.done()
    other.execute("COMMIT")
    other.close()
    await waiting
    assert await store.read(Key("Patient", "1"), SYSTEM) is not None
    await store.close()


async def test_a_closed_store_is_unavailable(store: Store, draft: Any) -> None:
    await store.close()
    for attempt in (store.read(Key("Patient", "1"), SYSTEM), put(store, draft("1"))):
        with pytest.raises(Unavailable) as refusal:
            await attempt
        assert refusal.value.issues[0].rule == "record.unavailable"


async def test_closing_finishes_what_waits(database_url: str, clock: Any, draft: Any) -> None:
    store = open_store(database_url, clock=clock)
    await store.open()
    writes = [asyncio.ensure_future(put(store, draft(f"p{n}"))) for n in range(40)]
    await asyncio.sleep(0)
    await store.close()
    done = await asyncio.gather(*writes, return_exceptions=True)
    again = open_store(database_url, clock=clock)
    await again.open()
    for number, said in enumerate(done):
        found = await again.read(Key("Patient", f"p{number}"), SYSTEM)
        assert (found is not None) == (said is None)
    await again.close()


class Proxy:
    """A way to the server that can be cut, at once or when a given text passes."""

    def __init__(self, server_url: str) -> None:
        self.server_url = server_url
        self.cut_at: tuple[bytes, bool] | None = None
        self._writers: list[asyncio.StreamWriter] = []
        self._listening: asyncio.Server | None = None
        self.port = 0
        self._deaf = False

    async def open(self) -> None:
        self._listening = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._listening.sockets[0].getsockname()[1]

    async def close(self) -> None:
        assert self._listening is not None
        self._listening.close()
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()
        await self._listening.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, out = await self._connect()
        self._writers += [writer, out]
        await asyncio.gather(self._pass(reader, out, True), self._pass(there, writer, False))

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        from urllib.parse import parse_qs, urlsplit

        parts = urlsplit(self.server_url)
        folder = parse_qs(parts.query).get("host", [""])[0]
        port = parts.port or 5432
        if folder.startswith("/"):
            return await asyncio.open_unix_connection(os.path.join(folder, f".s.PGSQL.{port}"))
        return await asyncio.open_connection(parts.hostname or "127.0.0.1", port)

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, up: bool
    ) -> None:
        """Pass bytes on; at the text to cut at, drop the connection before or after passing it."""
        try:
            while data := await reader.read(65_536):
                if up and self.cut_at is not None and self.cut_at[0] in data:
                    before = self.cut_at[1]
                    self.cut_at = None
                    self._deaf = True
                    if not before:
                        writer.write(data)
                        await writer.drain()
                        await self._settle()
                    for one in self._writers:
                        one.transport.abort()
                    self._deaf = False
                    return
                if up or not self._deaf:
                    writer.write(data)
                    await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    async def _settle(self) -> None:
        """Wait until no transaction is under way on the server, so that the cut comes after."""
        connection = await asyncpg.connect(self.server_url)
        query = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND state LIKE '%transaction%' OR state = 'active' "
            "AND pid <> pg_backend_pid()"
        )
        going = 1
        while going:
            going = await connection.fetchval(query)
        await connection.close()


@asynccontextmanager
async def through_proxy(url: str, clock: Any) -> AsyncIterator[tuple[Proxy, Store]]:
    from urllib.parse import urlsplit

    proxy = Proxy(url)
    await proxy.open()
    parts = urlsplit(url)
    user = f"{parts.username or 'postgres'}:{parts.password or ''}"
    store = open_store(
        f"postgresql://{user}@127.0.0.1:{proxy.port}{parts.path}?sslmode=disable", clock=clock
    )
    await store.open()
    yield proxy, store
    await store.close()
    await proxy.close()


async def test_a_server_that_went_away_is_told_and_found_again(
    postgres_database_url: str, clock: Any, draft: Any
) -> None:
    async with through_proxy(postgres_database_url, clock) as (proxy, store):
        await put(store, draft("1"))
        await proxy.close()
        for attempt in (
            store.read(Key("Patient", "1"), SYSTEM),
            put(store, draft("2")),
            store.put_blob(_bytes(), size_max=10),
            store.claim_jobs(("k",), holder="w", now=1, lease_until=2, limit=1),
        ):
            with pytest.raises(Unavailable) as refusal:
                await attempt
            assert refusal.value.issues[0].rule == "record.unavailable"
        assert not await store.ready()
        await proxy.open()
        assert await store.ready()
        assert await store.read(Key("Patient", "1"), SYSTEM) is not None
        assert await store.read(Key("Patient", "2"), SYSTEM) is None
        await put(store, draft("2"))


async def _bytes() -> AsyncIterator[bytes]:
    yield b"x"


@pytest.mark.parametrize("before", [True, False])
async def test_a_commit_whose_answer_was_lost_is_found_out(
    postgres_database_url: str, clock: Any, draft: Any, before: bool
) -> None:
    async with through_proxy(postgres_database_url, clock) as (proxy, store):
        await put(store, draft("1", language="fr"))
        proxy.cut_at = (b"COMMIT", before)
        try:
            await put(store, draft("1", language="en"))
        except Unavailable:
            said = False
        else:
            said = True
        head = await store.read(Key("Patient", "1"), SYSTEM)
        assert head is not None
        assert said == (head.version == 2) == (not before)


@pytest.mark.parametrize("before", [True, False])
async def test_a_create_whose_answer_was_lost_is_found_out(
    postgres_database_url: str, clock: Any, draft: Any, before: bool
) -> None:
    async with through_proxy(postgres_database_url, clock) as (proxy, store):
        first = Unit((Put(draft("1"), "POST", None, True),))
        await store.commit(first, SYSTEM)
        proxy.cut_at = (b"the-new-one", before)
        unit = Unit((Put(draft("the-new-one"), "POST", None, True),))
        try:
            (done,) = await store.commit(unit, SYSTEM)
        except Unavailable:
            said = None
        else:
            said = done.version
        found = await store.read(Key("Patient", "the-new-one"), SYSTEM)
        assert (said is None) == before
        assert said == found


@pytest.mark.parametrize("before", [True, False])
async def test_creates_whose_answer_was_lost_together_are_found_out_together(
    postgres_database_url: str, clock: Any, draft: Any, before: bool
) -> None:
    async with through_proxy(postgres_database_url, clock) as (proxy, store):
        await put(store, draft("1"))
        proxy.cut_at = (b"the-new-one", before)
        units = [Unit((Put(draft(f"the-new-one-{n}"), "POST", None, True),)) for n in range(5)]
        commits = (store.commit(unit, SYSTEM) for unit in units)
        told = await asyncio.gather(*commits, return_exceptions=True)
        for number, said in enumerate(told):
            found = await store.read(Key("Patient", f"the-new-one-{number}"), SYSTEM)
            assert (found is None) == isinstance(said, Unavailable) == before
            assert before or said[0].version == found


async def test_too_many_who_wait_are_refused(
    postgres_database_url: str, clock: Any, draft: Any
) -> None:
    store = open_store(postgres_database_url, clock=clock, connections=1, waiting_max=3)
    await store.open()
    said = await asyncio.gather(
        *(put(store, draft(str(n))) for n in range(10)), return_exceptions=True
    )
    refused = [one for one in said if isinstance(one, Unavailable)]
    assert len(refused) == 7
    assert {one.issues[0].rule for one in refused} == {"record.busy"}
    await store.close()


async def test_callers_that_give_up_leave_nothing_behind(
    database_url: str, clock: Any, draft: Any, derived: Any
) -> None:
    """Cancelled while waiting, while writing or after: whole or not at all, then on."""
    store = open_store(database_url, clock=clock)
    await store.open()
    tasks = [
        asyncio.ensure_future(put(store, draft(f"a{n}", own=f"{n}"), draft(f"b{n}")))
        for n in range(60)
    ]
    for number in range(60):
        await asyncio.sleep(0)
        tasks[number].cancel()
        await store.read(Key("Patient", f"a{number}"), SYSTEM)
    await asyncio.gather(*tasks, return_exceptions=True)
    await put(store, draft("after"))
    for number in range(60):
        pair = [Key("Patient", f"a{number}"), Key("Patient", f"b{number}")]
        assert len(await store.read_many(pair, SYSTEM)) in (0, 2)
    assert (await check(database_url, derived, now=clock.now)).clean
    await asyncio.gather(*(put(store, draft(f"c{n}")) for n in range(40)))
    await store.close()


async def test_who_waits_longest_comes_first(postgres_database_url: str, clock: Any) -> None:
    """Readings are not starved by writers that ask again and again."""
    store: Any = open_store(postgres_database_url, clock=clock, connections=1)
    await store.open()
    order: list[int] = []

    async def hold(number: int) -> None:
        async with store._connections.held() as connection:
            await connection.fetchval("SELECT 1")
            order.append(number)

    await asyncio.gather(*(hold(number) for number in range(20)))
    assert order == list(range(20))
    await store.close()
