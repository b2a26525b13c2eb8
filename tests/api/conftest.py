"""A gateway on a real record, reached through the very application that is served."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from passerelle import app as wiring
from passerelle.dossiers.gateway import Gateway, InsPolicy
from passerelle.settings import Settings
from passerelle.store.migrate import migrate
from passerelle.store.opening import open_store

BASE = "http://127.0.0.1:8080/fhir"
FHIR = {"content-type": "application/fhir+json"}
BODY_LIMIT = 200_000


@dataclass(frozen=True)
class Served:
    """A client of the application, and the gateway behind it."""

    client: httpx.AsyncClient
    gateway: Gateway
    door: Any

    async def put(self, resource: dict[str, Any], **headers: str) -> httpx.Response:
        address = f"/fhir/{resource['resourceType']}/{resource['id']}"
        return await self.client.put(
            address, content=json.dumps(resource), headers=FHIR | {**headers}
        )

    async def post(self, resource: dict[str, Any], **headers: str) -> httpx.Response:
        return await self.client.post(
            f"/fhir/{resource['resourceType']}",
            content=json.dumps(resource),
            headers=FHIR | {name.replace("_", "-"): value for name, value in headers.items()},
        )


@pytest.fixture
def database_url(tmp_path) -> str:
    return f"sqlite:///{tmp_path / 'record.db'}"


@pytest.fixture
async def served(database_url):
    """The application on a record of its own."""
    await asyncio.to_thread(migrate, database_url)
    gateway = Gateway(
        store=open_store(database_url, clock=wiring.clock),
        clock=wiring.clock,
        new_id=wiring.new_id,
        base_url=BASE,
        ins=InsPolicy(allow_test=True),
    )
    door = wiring.application_of(gateway, Settings(body_limit=BODY_LIMIT))
    await gateway.store.open()
    transport = httpx.ASGITransport(door)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as client:
        yield Served(client, gateway, door)
    await gateway.store.close()
