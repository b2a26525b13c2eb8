"""A gateway that everything bad is tried on, with what some of it needs to be there already."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.flows import bad_input, record
from tests.flows.gateway_process import GatewayProcess
from tests.flows.operator_process import OperatorProcess

THERE = "https://coordination.example/dossiers"
BINARY_LIMIT = 50_000_000
"""Bytes of a Binary: as many as of another body, so that what is too large is so at every door."""


@dataclass(frozen=True)
class Tried:
    """A gateway in a process of its own, a client of it, and its operator."""

    process: GatewayProcess
    client: httpx.Client
    operator: OperatorProcess

    def counts(self) -> dict[str, int]:
        """Give how many rows each table of its record has."""
        return record.counts(self.process.database_url)

    def keep(self, path: str, body: Any) -> dict[str, Any]:
        """Put what must be taken."""
        media = bad_input.JSON if path.startswith("/dossiers") else bad_input.FHIR_JSON
        headers = {"content-type": media, "prefer": "handling=strict"}
        answer = self.client.put(path, content=json.dumps(body), headers=headers)
        assert answer.status_code in (200, 201), answer.text
        kept: dict[str, Any] = answer.json()
        return kept


@contextmanager
def trying(database_url: str, folder: Path, operator: OperatorProcess) -> Iterator[Tried]:
    """Start a gateway; when all is done nothing that was sent stands in its log, nor a fault."""
    settings = {**operator.settings, "binary_limit": str(BINARY_LIMIT)}
    with GatewayProcess(database_url, folder, **settings) as process:
        process.start().wait_ready()
        with httpx.Client(base_url=process.url, timeout=60) as client:
            tried = Tried(process, client, operator)
            _prepare(tried)
            yield tried
    told = process.told()
    assert bad_input.CANARY not in told
    assert '"fault"' not in told


def _prepare(tried: Tried) -> None:
    tried.keep("/fhir/Patient/there", {"resourceType": "Patient", "id": "there", "active": True})
    for id_ in ("there", "there-too"):
        patient = {"resourceType": "Patient", "id": id_, "active": True, "gender": "female"}
        tried.keep(f"/fhir/Patient/{id_}", patient)
    document = {
        "resourceType": "DocumentReference",
        "id": bad_input.SENT,
        "status": "current",
        "subject": {"reference": "Patient/there"},
        "content": [{"attachment": {"contentType": "text/plain", "data": "QQ=="}}],
    }
    tried.keep(f"/fhir/DocumentReference/{bad_input.SENT}", document)
    binary = {"resourceType": "Binary", "id": "bytes", "contentType": "text/plain", "data": "QUJD"}
    tried.keep("/fhir/Binary/bytes", binary)
    name = {"system": THERE, "value": "there"}
    tried.keep(f"/dossiers/{THERE}|there", bad_input.dossier(id=name))
    ended = {"status": "closed", "closedAt": "2026-11-01", "closure": {"reason": "goals-met"}}
    name = {"system": THERE, "value": "closed"}
    tried.keep(f"/dossiers/{THERE}|closed", bad_input.dossier(id=name, **ended))
