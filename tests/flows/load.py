"""Clients that write to a gateway that may die at any moment, and remember what was acknowledged.

A client whose request was not answered does what a good client does: it asks again where asking
again is safe (a condition, an id of its own, a key of its own), and else leaves it at that.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx

from passerelle.demo import samples

SYSTEM = "https://hopital.example/ipp"
FHIR = {"content-type": "application/fhir+json"}
DOSSIERS = "https://coordination.example/dossiers"


@dataclass
class Ledger:
    """What was asked and what was acknowledged."""

    created: dict[str, str] = field(default_factory=dict)  # value to id
    lost_creations: set[str] = field(default_factory=set)  # asked once, never answered
    shared: dict[str, str] = field(default_factory=dict)  # created under a condition
    counters: dict[str, tuple[int, int]] = field(default_factory=dict)  # asked, acknowledged
    transactions: dict[str, bool] = field(default_factory=dict)  # whether acknowledged
    tasks: dict[str, set[str]] = field(default_factory=dict)  # acknowledged keys by dossier
    sendings: set[str] = field(default_factory=set)  # Communications
    acknowledged: int = 0
    moved: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def count(self) -> None:
        """Note one more acknowledgement."""
        self.acknowledged += 1
        async with self.moved:
            self.moved.notify_all()

    async def reaches(self, number: int) -> None:
        """Wait until so many writes are acknowledged."""
        async with self.moved:
            await self.moved.wait_for(lambda: self.acknowledged >= number)


class Client:
    """One client: it writes until it is told to stop, then ends what it is at."""

    def __init__(self, name: str, http: httpx.AsyncClient, ledger: Ledger) -> None:
        self.name = name
        self.http = http
        self.ledger = ledger
        self.numbers = count(1)
        self.up = asyncio.Event()
        self.up.set()
        self.stopping = False
        self.document = ""

    async def run(self) -> None:
        """Write one thing after another."""
        await self._push(0)
        acts: tuple[Callable[[int], Awaitable[None]], ...] = (
            self._create,
            self._update,
            self._transact,
            self._create_shared,
            self._push,
            self._send,
        )
        while not self.stopping:
            number = next(self.numbers)
            await acts[number % len(acts)](number)

    async def _ask(
        self, method: str, address: str, body: Any, **headers: str
    ) -> httpx.Response | None:
        """Ask once; None when nobody answered."""
        await self.up.wait()
        try:
            answer = await self.http.request(
                method, address, content=json.dumps(body), headers=FHIR | headers
            )
        except httpx.TransportError:
            await asyncio.sleep(0)
            return None
        return answer

    async def _insist(self, method: str, address: str, body: Any, **headers: str) -> httpx.Response:
        """Ask until it is answered, and not for the time being (503)."""
        while True:
            answer = await self._ask(method, address, body, **headers)
            if answer is not None and answer.status_code != 503:
                assert answer.status_code < 300, answer.text
                await self.ledger.count()
                return answer

    async def _create(self, number: int) -> None:
        value = f"{self.name}-create-{number}"
        answer = await self._ask("POST", "/fhir/Patient", patient(value))
        if answer is None or answer.status_code == 503:
            self.ledger.lost_creations.add(value)
            return
        assert answer.status_code == 201, answer.text
        self.ledger.created[value] = answer.json()["id"]
        await self.ledger.count()

    async def _create_shared(self, number: int) -> None:
        value = f"{self.name}-shared-{number}"
        condition = f"identifier={SYSTEM}|{value}"
        headers = {"if-none-exist": condition}
        answer = await self._insist("POST", "/fhir/Patient", patient(value), **headers)
        self.ledger.shared[value] = answer.json()["id"]

    async def _update(self, number: int) -> None:
        id_ = f"counter-{self.name}"
        _, known = self.ledger.counters.get(id_, (0, 0))
        self.ledger.counters[id_] = (known + 1, known)
        body = {"resourceType": "Patient", "id": id_, "telecom": [{"rank": known + 1}]}
        await self._insist("PUT", f"/fhir/Patient/{id_}", body)
        self.ledger.counters[id_] = (known + 1, known + 1)

    async def _transact(self, number: int) -> None:
        value = f"{self.name}-whole-{number}"
        urn = f"urn:uuid:00000000-0000-4000-8000-{number:012d}"
        linked: dict[str, Any] = {
            "resourceType": "Task",
            "status": "requested",
            "intent": "order",
            "for": {"reference": urn},
        }
        entries: list[dict[str, Any]] = [
            {"resource": patient(value), "request": {"method": "POST", "url": "Patient"}},
            {"resource": linked, "request": {"method": "POST", "url": "Task"}},
            {"resource": linked, "request": {"method": "POST", "url": "Task"}},
        ]
        entries[0]["fullUrl"] = urn
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        self.ledger.transactions[value] = False
        answer = await self._ask("POST", "/fhir", bundle)
        if answer is not None and answer.status_code != 503:
            assert answer.status_code == 200, answer.text
            self.ledger.transactions[value] = True
            await self.ledger.count()

    async def _push(self, number: int) -> None:
        content = dossier(self.name, number)
        name = f"{DOSSIERS}|{self.name}"
        json_ = {"content-type": "application/json", "prefer": "handling=strict"}
        answer = await self._insist("PUT", f"/dossiers/{name}", content, **json_)
        for entry in answer.json()["entries"]:
            if entry["section"] == "documents":
                self.document = entry["reference"]
        self.ledger.tasks.setdefault(name, set()).add(f"t{number}")

    async def _send(self, number: int) -> None:
        listed = [
            {"name": "recipient", "valueString": samples.DOCTOR},
            {"name": "resend", "valueBoolean": True},
        ]
        body = {"resourceType": "Parameters", "parameter": listed}
        answer = await self._ask("POST", f"/fhir/{self.document}/$send-mss", body)
        if answer is not None and answer.status_code != 503:
            assert answer.status_code == 202, answer.text
            made = answer.json()["parameter"][0]["valueReference"]["reference"]
            self.ledger.sendings.add(made)
            await self.ledger.count()


def patient(value: str) -> dict[str, Any]:
    """Give a Patient that bears that value as its identifier."""
    return {"resourceType": "Patient", "identifier": [{"system": SYSTEM, "value": value}]}


def dossier(name: str, number: int) -> dict[str, Any]:
    """Give a dossier with one task, and its document the first time."""
    made = samples.qualified(b"%PDF-1.4 lettre")
    made["id"]["value"] = made["person"]["identifiers"][0]["value"] = name
    made["tasks"][0] |= {"key": f"t{number}", "title": f"Tâche {number}"}
    if number:
        del made["documents"]
    return made
