"""A gateway is killed while it answers what was asked with ``Prefer: respond-async``.

Whatever was accepted is answered all the same, whole, by whichever process comes after.
"""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.flows.gateway_process import GatewayProcess, eventually

pytestmark = pytest.mark.anyio
PATIENTS = 100
FHIR = {"content-type": "application/fhir+json"}
HASTE = {"job_lease_seconds": "2"}


def patients() -> dict[str, Any]:
    """Give a batch that makes them."""
    entries = [
        {
            "resource": {"resourceType": "Patient", "id": f"p{number}"},
            "request": {"method": "PUT", "url": f"Patient/p{number}"},
        }
        for number in range(PATIENTS)
    ]
    return {"resourceType": "Bundle", "type": "batch", "entry": entries}


async def begun(http: httpx.AsyncClient, query: str) -> str:
    answer = await http.get(f"/fhir/{query}", headers={"Prefer": "respond-async"})
    assert answer.status_code == 202
    return answer.headers["content-location"]


async def has_begun(http: httpx.AsyncClient, place: str) -> bool:
    """Tell whether some pages are gathered, or all."""
    answer = await http.get(place)
    return answer.status_code == 200 or "pages" in answer.headers["x-progress"]


async def found(http: httpx.AsyncClient, place: str) -> list[str]:
    """Wait for the answer; give the ids in its files."""

    async def done() -> httpx.Response | None:
        answer = await http.get(place)
        return None if answer.status_code == 202 else answer

    answer = await eventually(done, 120, "the request is answered")
    assert answer is not None
    assert answer.status_code == 200, answer.text
    assert answer.json()["error"] == []
    files = [await http.get(file["url"]) for file in answer.json()["output"]]
    return [json.loads(line)["id"] for file in files for line in file.text.splitlines()]


async def test_what_was_accepted_is_answered_whole_though_the_gateway_is_killed(
    database_url: str, gateway: Callable[..., GatewayProcess]
) -> None:
    count = 1 if database_url.startswith("sqlite") else 2
    workers = () if count == 1 else ("--workers", str(count))
    process = gateway(database_url, *workers, **HASTE)
    await asyncio.to_thread(process.wait_ready, processes=count)
    async with httpx.AsyncClient(base_url=process.url, timeout=60, trust_env=False) as http:
        answer = await http.post("/fhir", content=json.dumps(patients()), headers=FHIR)
        assert answer.status_code == 200
        places = [await begun(http, f"Patient?_count={size}") for size in (1, 2, 3)]
        await eventually(lambda: has_begun(http, places[0]), 60, "the first one has begun")
        process.kill()
        process.start()
        await asyncio.to_thread(process.wait_ready, processes=count)
        wanted = sorted(f"p{number}" for number in range(PATIENTS))
        for place in places:
            assert sorted(await found(http, place)) == wanted
            assert (await http.delete(place)).status_code == 202
            assert (await http.get(place)).status_code == 404
