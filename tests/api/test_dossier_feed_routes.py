"""The feed of changes over HTTP: pages, the wait for the next change, and its end."""

import asyncio
import contextlib
import json
import socket

import anyio.lowlevel
import httpx
import pytest
import uvicorn

from passerelle import app as wiring
from passerelle.api.lifespan import Lifespan
from passerelle.dossiers.exchange import feed_waiting
from passerelle.settings import Settings
from tests.dossiers.many_dossiers import small, tag_of

pytestmark = pytest.mark.anyio
JSON = {"content-type": "application/json"}


async def push(served, dossier):
    answer = await served.ask("PUT", f"/dossiers/{tag_of(dossier)}", dossier, JSON)
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


async def asleep(served):
    """Wait until a reader waits for the next commit."""
    while not served.gateway.store.dossiers.tide.next()._waiters:
        await anyio.lowlevel.checkpoint()


async def test_pages_go_on_from_each_other(served):
    receipts = [await push(served, small(number)) for number in (1, 2, 3)]
    first = (await served.ask("GET", "/dossiers?cursor=start&limit=2")).json()
    rest = (await served.ask("GET", f"/dossiers?cursor={first['next']}&limit=2")).json()
    assert [line["version"] for line in first["changes"] + rest["changes"]] == [
        receipt["version"] for receipt in receipts
    ]
    assert (first["more"], rest["more"]) == (True, False)
    end = (await served.ask("GET", f"/dossiers?cursor={rest['next']}")).json()
    assert (end["changes"], end["more"]) == ([], False)


async def test_who_waits_is_answered_when_something_is_committed(served):
    cursor = (await served.ask("GET", "/dossiers?cursor=now")).json()["next"]
    asked = asyncio.create_task(served.ask("GET", f"/dossiers?cursor={cursor}&wait=30"))
    await asleep(served)
    await served.kept({"resourceType": "Basic", "id": "1", "code": {"text": "of no dossier"}})
    assert not asked.done()
    await push(served, small(1))
    assert [line["dossier"] for line in (await asked).json()["changes"]] == [tag_of(small(1))]


async def test_who_waits_hears_of_what_another_process_commits(served):
    cursor = (await served.ask("GET", "/dossiers?cursor=now")).json()["next"]
    asked = asyncio.create_task(served.ask("GET", f"/dossiers?cursor={cursor}&wait=30"))
    await asleep(served)
    tide = served.gateway.store.dossiers.tide
    rise, tide.rise = tide.rise, lambda: None  # as of a commit that is not of this process
    await push(served, small(1))
    assert len((await asked).json()["changes"]) == 1
    tide.rise = rise


async def test_who_waits_in_vain_is_given_a_cursor_to_go_on_from(served):
    answer = await served.ask("GET", "/dossiers?cursor=start&wait=1")
    assert answer.json()["changes"] == []
    await push(served, small(1))
    again = await served.ask("GET", f"/dossiers?cursor={answer.json()['next']}")
    assert len(again.json()["changes"]) == 1


async def test_more_than_so_many_may_not_wait_at_once(served, rules, monkeypatch):
    monkeypatch.setattr(feed_waiting, "WAITERS_MAX", 1)
    monkeypatch.setattr(feed_waiting.FeedWaiting.__init__, "__kwdefaults__", {"waiters_max": 1})
    asked = asyncio.create_task(served.ask("GET", "/dossiers?cursor=start&wait=60"))
    await asleep(served)
    refused = await served.ask("GET", "/dossiers?cursor=start&wait=60")
    assert (refused.status_code, rules(refused)) == (429, ["dossier.too-many-waiting"])
    assert refused.headers["retry-after"]
    assert (await served.ask("GET", "/dossiers?cursor=start")).status_code == 200
    await push(served, small(1))
    assert (await asked).status_code == 200


@pytest.mark.parametrize(
    ("query", "rule"),
    [
        ("cursor=nonsense", "search.cursor-invalid"),
        ("cursor=%C3%A9%22", "search.cursor-invalid"),
        ("cursor=start&limit=0", "http.parameter-malformed"),
        ("cursor=start&limit=999", "http.parameter-malformed"),
        ("cursor=start&wait=-1", "http.parameter-malformed"),
        ("cursor=start&nom=x", "dossier.parameter-unknown"),
    ],
)
async def test_what_cannot_be_asked_is_refused(served, rules, query, rule):
    answer = await served.ask("GET", f"/dossiers?{query}")
    assert (answer.status_code, rules(answer)) == (400, [rule])


async def test_only_json_is_served(served):
    answer = await served.ask("GET", "/dossiers?cursor=now&_format=xml")
    assert answer.status_code == 406


@pytest.fixture
async def address(served):
    """The application on a port, and the server that listens there."""

    async def nothing():
        return None

    served.door.lifespan = Lifespan(nothing, nothing)
    listening = socket.create_server(("127.0.0.1", 0))
    options = wiring.server_options(Settings()) | {"loop": "none"}
    server = uvicorn.Server(uvicorn.Config(served.door, **options))
    server.capture_signals = contextlib.nullcontext
    task = asyncio.create_task(server.serve(sockets=[listening]))
    yield f"http://127.0.0.1:{listening.getsockname()[1]}", server
    server.should_exit = True
    await task
    listening.close()


async def test_who_waits_is_answered_when_the_server_is_to_stop(served, address):
    url, server = address
    async with httpx.AsyncClient(base_url=url, timeout=120) as client:
        asked = asyncio.create_task(client.get("/dossiers?cursor=start&wait=60"))
        await asleep(served)
        server.should_exit = True
        answer = await asked
    assert (answer.status_code, answer.json()["changes"]) == (200, [])


async def test_who_hangs_up_waits_no_more(served, address):
    url, _ = address
    host, _, port = url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"GET /dossiers?cursor=start&wait=60 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    await asleep(served)
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
    while served.gateway.store.dossiers.tide.next()._waiters:
        await anyio.lowlevel.checkpoint()
    assert json.loads(await reader.read() or b"{}") == {}
