"""A gateway on a real record, reached through the very application that is served."""

import json
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from passerelle import app as wiring
from passerelle.dossiers.gateway import Gateway, InsPolicy
from passerelle.settings import Settings
from passerelle.store.opening import open_store

BASE = "http://127.0.0.1:8080/fhir"
FHIR = {"content-type": "application/fhir+json"}
BODY_LIMIT = 200_000
BINARY_LIMIT = 20_000_000


@dataclass(frozen=True)
class Served:
    """A client of the application, and the gateway behind it."""

    client: httpx.AsyncClient
    gateway: Gateway
    door: Any

    async def ask(
        self, method: str, address: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        """Send a request; a body that is not bytes goes as FHIR JSON."""
        if body is None:
            return await self.client.request(method, address, headers=headers)
        content = body if isinstance(body, bytes) else json.dumps(body)
        given = FHIR | {name.lower(): value for name, value in (headers or {}).items()}
        return await self.client.request(method, address, content=content, headers=given)

    async def kept(self, resource: dict[str, Any]) -> dict[str, Any]:
        """Put a resource that must be taken; give it as it is served."""
        address = f"/fhir/{resource['resourceType']}/{resource['id']}"
        answer = await self.ask("PUT", address, resource)
        assert answer.status_code in (200, 201), answer.text
        found: dict[str, Any] = answer.json()
        return found


@pytest.fixture
def rules():
    """Give the rules that an OperationOutcome names."""

    def read(answer: httpx.Response) -> list[str]:
        outcome = answer.json()
        assert outcome["resourceType"] == "OperationOutcome", answer.text
        assert answer.headers["content-type"].startswith("application/fhir+json")
        return [issue["details"]["coding"][0]["code"] for issue in outcome["issue"]]

    return read


@pytest.fixture
async def served(database_url):
    """The application on a record of its own."""
    gateway = Gateway(
        store=open_store(database_url, clock=wiring.clock),
        clock=wiring.clock,
        new_id=wiring.new_id,
        base_url=BASE,
        ins=InsPolicy(allow_test=True),
    )
    door = wiring.application_of(
        gateway, Settings(body_limit=BODY_LIMIT, binary_limit=BINARY_LIMIT)
    )
    await gateway.store.open()
    transport = httpx.ASGITransport(door)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as client:
        yield Served(client, gateway, door)
    await gateway.store.close()
