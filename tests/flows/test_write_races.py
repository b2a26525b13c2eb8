"""Writes that meet: four gateways, each a process of its own, on one record of each kind.

No update is lost, no condition makes two, and of a deletion and a reference one is refused.
"""

import asyncio
import json
import os
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.flows.conftest import new_database
from tests.flows.gateway_process import GatewayProcess
from tests.flows.history_checker import FHIR, SLOW_SECONDS, Checker, settled

pytestmark = pytest.mark.anyio
PROCESSES = 4
AT_ONCE = 16
COUNTING = PROCESSES
"""Of those that count in one resource most come too late: more would only try again more often."""

RACES = int(os.environ.get("PASSERELLE_RACES", "10000"))
"""Of each kind, every night."""

SYSTEM = "https://hopital.example/ipp"
JSON_PATCH = {"content-type": "application/json-patch+json"}
Ask = Callable[[int, httpx.AsyncClient], Awaitable[Any]]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def gateways(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[GatewayProcess]]:
    folder = tmp_path_factory.mktemp("write-races")
    for database_url in new_database(request.param, request, folder):
        started: list[GatewayProcess] = []
        try:
            for number in range(PROCESSES):
                one = GatewayProcess(database_url, folder, "--no-worker", references="enforce")
                started.append(one.start())
                if number == 0:  # it makes a SQLite file
                    one.wait_ready()
            for one in started:
                one.wait_ready()
            yield started
            assert not any('"fault"' in one.told() for one in started)
        finally:
            for one in started:
                one.end()


@pytest.fixture
async def clients(gateways: list[GatewayProcess]) -> AsyncIterator[list[httpx.AsyncClient]]:
    opened = [httpx.AsyncClient(base_url=one.url, timeout=SLOW_SECONDS) for one in gateways]
    yield opened
    for one in opened:
        await one.aclose()


async def at_once(
    ask: Ask, clients: list[httpx.AsyncClient], many: int, room_for: int = AT_ONCE
) -> list[Any]:
    """Ask as many times, so many at once, each process in its turn."""
    room = asyncio.Semaphore(room_for)

    async def one(number: int) -> Any:
        async with room:
            return await ask(number, clients[number % len(clients)])

    return list(await asyncio.gather(*(one(number) for number in range(many))))


async def kept(client: httpx.AsyncClient, resource: dict[str, Any]) -> None:
    address = f"/fhir/{resource['resourceType']}/{resource['id']}"
    content = json.dumps(resource)
    answer = await settled(lambda: client.put(address, content=content, headers=FHIR))
    assert answer.status_code in (200, 201), answer.text


async def versions(client: httpx.AsyncClient, address: str) -> list[int]:
    found = (await client.get(f"{address}?_count=1000")).json()
    return [int(each["response"]["etag"].strip('W/"')) for each in found.get("entry", ())]


async def race_creates(clients: list[httpx.AsyncClient], name: str, many: int, each: int) -> None:
    """Create ``many`` patients, each wanted so many times at once under one condition."""

    async def create(number: int, client: httpx.AsyncClient) -> tuple[int, int, str]:
        value = f"{name}-{number // each}"
        body = {"resourceType": "Patient", "identifier": [{"system": SYSTEM, "value": value}]}
        headers = FHIR | {"if-none-exist": f"identifier={SYSTEM}|{value}"}
        content = json.dumps(body)
        answer = await settled(
            lambda: client.post("/fhir/Patient", content=content, headers=headers)
        )
        assert answer.status_code in (200, 201), answer.text
        return number // each, answer.status_code, answer.json()["id"]

    told = await at_once(create, clients, many * each)
    assert Counter(code for _, code, _ in told) == {201: many, 200: many * (each - 1)}
    assert len({(value, id_) for value, _, id_ in told}) == many
    total = await clients[0].get(f"/fhir/Patient?identifier={SYSTEM}|&_summary=count")
    if total.status_code == 200:
        assert total.json()["total"] >= many


async def race_updates(clients: list[httpx.AsyncClient], id_: str, many: int) -> int:
    """Count to ``many`` in one resource with If-Match; give how many attempts came too late."""
    address = f"/fhir/Basic/{id_}"
    counter = {"resourceType": "Basic", "id": id_, "code": {"text": "0"}}
    await kept(clients[0], counter)

    async def count(number: int, client: httpx.AsyncClient) -> int:
        late = 0
        while True:
            read = await settled(lambda: client.get(address))
            made = counter | {"code": {"text": str(int(read.json()["code"]["text"]) + 1)}}
            content = json.dumps(made)
            headers = FHIR | {"if-match": read.headers["etag"]}
            answer = await settled(lambda: client.put(address, content=content, headers=headers))  # noqa: B023
            if answer.status_code == 200:
                return late
            assert answer.status_code == 412, answer.text
            late += 1

    late = sum(await at_once(count, clients, many, COUNTING))
    read = await clients[-1].get(address)
    assert read.json()["code"]["text"] == str(many)
    assert read.headers["etag"] == f'W/"{many + 1}"'
    return late


async def race_patches(clients: list[httpx.AsyncClient], id_: str, many: int) -> None:
    """Append ``many`` names to one resource by patches that hold to no version."""
    address = f"/fhir/Patient/{id_}"
    await kept(clients[0], {"resourceType": "Patient", "id": id_, "name": [{"text": "0"}]})

    async def append(number: int, client: httpx.AsyncClient) -> None:
        patch = [{"op": "add", "path": "/name/-", "value": {"text": str(number + 1)}}]
        content = json.dumps(patch)
        answer = await settled(lambda: client.patch(address, content=content, headers=JSON_PATCH))
        assert answer.status_code == 200, answer.text

    await at_once(append, clients, many, 2 * COUNTING)
    read = await clients[-1].get(address)
    assert sorted(int(name["text"]) for name in read.json()["name"]) == list(range(many + 1))
    assert read.headers["etag"] == f'W/"{many + 1}"'


async def race_deletions(clients: list[httpx.AsyncClient], name: str, many: int) -> Counter[str]:
    """Delete a patient and write a reference to it at the same time; give who won how often."""
    for number in range(many):
        await kept(clients[0], {"resourceType": "Patient", "id": f"{name}-{number}"})

    async def meet(number: int, client: httpx.AsyncClient) -> str:
        target, address = f"Patient/{name}-{number}", f"/fhir/List/{name}-{number}"
        made = {
            "resourceType": "List",
            "id": f"{name}-{number}",
            "status": "current",
            "mode": "working",
            "entry": [{"item": {"reference": target}}],
        }
        other = clients[(number + 1) % len(clients)]
        deleted, written = await asyncio.gather(
            settled(lambda: client.delete(f"/fhir/{target}")),
            settled(lambda: other.put(address, content=json.dumps(made), headers=FHIR)),
        )
        there = (await settled(lambda: client.get(f"/fhir/{target}"))).status_code == 200
        refers = (await settled(lambda: client.get(address))).status_code == 200
        codes = (deleted.status_code, written.status_code)
        assert codes in ((204, 422), (409, 201)), (codes, deleted.text, written.text)
        assert (there, refers) == ((False, False) if codes[0] == 204 else (True, True))
        return "deleted" if codes[0] == 204 else "written"

    return Counter(await at_once(meet, clients, many))


async def test_conditional_creates_in_four_processes_make_one_each(
    clients: list[httpx.AsyncClient],
) -> None:
    await race_creates(clients, "short", 4, 16)


async def test_no_update_with_if_match_is_lost(clients: list[httpx.AsyncClient]) -> None:
    await race_updates(clients, "short", 48)
    assert await versions(clients[0], "/fhir/Basic/short/_history") == list(range(49, 0, -1))


async def test_no_patch_is_lost(clients: list[httpx.AsyncClient]) -> None:
    await race_patches(clients, "short", 48)


async def test_of_a_deletion_and_a_reference_that_meet_one_is_refused(
    clients: list[httpx.AsyncClient],
) -> None:
    won = await race_deletions(clients, "short", 24)
    assert won.total() == 24


async def test_what_one_process_has_answered_all_see(clients: list[httpx.AsyncClient]) -> None:
    checker = Checker(clients, "checked")
    await at_once(checker.step, clients, 60)
    await checker.end()
    assert checker.counted["reads"] > 60


@pytest.mark.nightly
async def test_what_one_process_has_answered_all_see_a_thousand_times(
    clients: list[httpx.AsyncClient],
) -> None:
    checker = Checker(clients, "long-checked")
    await at_once(checker.step, clients, RACES // 4)
    await checker.end()
    print(f"\nhistories: {dict(checker.counted)}; 0 stale, 0 lost, 0 gaps")


@pytest.mark.nightly
async def test_ten_thousand_of_each(clients: list[httpx.AsyncClient]) -> None:
    await race_creates(clients, "long", RACES // 16, 16)
    late = 0
    for number in range(RACES // 100):
        late += await race_updates(clients, f"long-{number}", 100)
        await race_patches(clients, f"long-{number}", 100)
    won = await race_deletions(clients, "long", RACES // 5)
    print(
        f"\n{RACES} creates, {RACES} updates ({late} came too late), {RACES} patches; {dict(won)}"
    )
