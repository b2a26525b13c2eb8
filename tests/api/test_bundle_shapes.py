"""Transactions as French guides and IHE send them, in one bundle; and a very long one."""

import base64
import json
import time

import pytest

from passerelle import app as wiring
from passerelle.dossiers.gateway import Gateway
from passerelle.dossiers.repository import Repository
from passerelle.dossiers.transactions import Transaction
from passerelle.fhir import json_text
from passerelle.store.caller import SYSTEM
from tests.api.test_bundle_writes import document, entry, numbered, parameters, sent, statuses

pytestmark = pytest.mark.anyio
LETTER = "urn:uuid:0c1f9a8e-71a3-49f0-8a40-2a50f0c0b001"
FORM = "urn:uuid:0c1f9a8e-71a3-49f0-8a40-2a50f0c0b002"
PERSON = "urn:uuid:5b6f3a52-94c5-4f0e-9a0b-3b1f2c8d7e60"
ENTRIES = 5_000


def composed():
    """A FHIR document: what is inside leads to its own entries."""
    return {
        "resourceType": "Bundle",
        "type": "document",
        "identifier": {"system": "urn:ietf:rfc:3986", "value": FORM},
        "timestamp": "2026-01-12T09:00:00Z",
        "entry": [
            {
                "fullUrl": FORM,
                "resource": {
                    "resourceType": "Composition",
                    "status": "final",
                    "type": {"text": "Volet"},
                    "date": "2026-01-12",
                    "title": "Volet",
                    "author": [{"reference": PERSON}],
                },
            },
            {"fullUrl": PERSON, "resource": {"resourceType": "Practitioner", "active": True}},
        ],
    }


async def test_the_eight_shapes_that_are_met_go_in_together(served):
    await served.kept(document(id="former"))
    await served.kept(numbered("known", id="known"))
    data = base64.b64encode(b"Bonjour").decode()
    status = (
        {"name": "type", "valueCode": "replace"},
        {"name": "path", "valueString": "DocumentReference.status"},
        {"name": "value", "valueCode": "superseded"},
    )
    task = {"resourceType": "Task", "status": "requested", "intent": "order"}
    letter = document(subject={"reference": "Patient?identifier=urn:x|known"})
    letter["content"] = [{"attachment": {"contentType": "text/plain", "url": LETTER}}]
    made = await sent(
        served,
        entry("PATCH", "DocumentReference/former", parameters(status)),
        entry("POST", "TDDUIPatient", numbered("1", id="of-the-source"), PERSON),
        entry("POST", "Task", task | {"for": {"reference": PERSON}}),
        entry("POST", "Task/ignored", task | {"for": {"reference": "Patient/of-the-source"}}),
        entry("POST", "DocumentReference", letter),
        entry(
            "POST",
            "Binary",
            {"resourceType": "Binary", "contentType": "text/plain", "data": data},
            LETTER,
        ),
        entry("POST", "Bundle", composed(), FORM),
    )
    assert statuses(made) == [200, *[201] * 6]
    former, patient, first, second, letter, binary, form = (each["resource"] for each in made)
    assert former["status"] == "superseded"
    person = {"reference": f"Patient/{patient['id']}"}
    assert patient["id"] != "of-the-source"
    assert first["for"] == second["for"] == person
    assert second["id"] != "ignored"
    assert letter["subject"] == {"reference": "Patient/known"}
    assert letter["content"][0]["attachment"]["url"] == f"Binary/{binary['id']}"
    assert form["entry"] == composed()["entry"]
    warned = [len(each["response"].get("outcome", {"issue": ()})["issue"]) for each in made]
    assert warned == [0, 1, 0, 1, 0, 0, 0]


@pytest.mark.nightly
async def test_five_thousand_entries_go_in_together(store):
    gateway = Gateway(store, wiring.clock, wiring.new_id, "http://127.0.0.1:8080/fhir")
    entries = []
    for number in range(ENTRIES // 2):
        urn = f"urn:uuid:00000000-0000-4000-8000-{number:012d}"
        list_ = {"resourceType": "List", "status": "current", "mode": "working"}
        condition = f"identifier=urn:x|{number}"
        entries += [
            entry("POST", "Patient", numbered(str(number)), urn, ifNoneExist=condition),
            entry("POST", "List", list_ | {"subject": {"reference": urn}}),
        ]
    body = json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries})
    started = time.perf_counter()
    answers = await Transaction(Repository(gateway, SYSTEM)).run(json_text.decode(body.encode()))
    seconds = time.perf_counter() - started
    print(f"\n{ENTRIES} entries, {len(body) / 1e6:.1f} MB: {seconds:.1f} s")
    assert {answer.status for answer in answers} == {201}
    deletions = [entry("DELETE", str(answer.key)) for answer in answers]
    gone = await Transaction(Repository(gateway, SYSTEM)).run(
        {"resourceType": "Bundle", "type": "transaction", "entry": deletions}
    )
    assert {answer.status for answer in gone} == {204}
