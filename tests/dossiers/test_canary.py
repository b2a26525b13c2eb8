"""The canary: a matricule that may not leave is nowhere that anybody can read.

Every door of the served application and what stands behind them, with a Patient whose identity is
provisional, retrieved or validated. EXI ID 29 of the guide d'implémentation de l'INS.
"""

import json
from typing import Any

import httpx
import pytest

from passerelle import app as wiring
from passerelle.demo import samples
from passerelle.dossiers.gateway import Gateway
from passerelle.settings import load

pytestmark = pytest.mark.anyio
NUMBER = "279035121518989"
TEST = "1.2.250.1.213.1.4.10"
INS = {"system": f"urn:oid:{TEST}", "value": NUMBER}
FR = "https://hl7.fr/ig/fhir/core/"
RELIABILITY = FR + "StructureDefinition/fr-core-identity-reliability"
PARTS = {
    "PROV": {"identityStatus": "PROV"},
    "RECUP": {"identityStatus": "PROV", "methodCollection": "INSI"},
    "VALI": {"identityStatus": "PROV", "validationMode": "CN"},
}
SPOKEN = "<div xmlns='http://www.w3.org/1999/xhtml'>INS 2 79 03 51 215 189 89</div>"
BODY = {"content-type": "application/fhir+json"}


def a_patient(id_: str, status: str, **changes: Any) -> dict[str, Any]:
    typed = {"coding": [{"system": FR + "CodeSystem/fr-core-cs-v2-0203", "code": "INS-NIR-TEST"}]}
    said = [{"url": url, "valueCoding": {"code": code}} for url, code in PARTS[status].items()]
    return {
        "resourceType": "Patient",
        "id": id_,
        "extension": [{"url": RELIABILITY, "extension": said}],
        "identifier": [{"use": "official", "type": typed, **INS}],
        "name": [{"use": "official", "family": "PAT-TROIS", "given": ["DOMINIQUE"]}],
        "gender": "female",
        "birthDate": "1979-03-28",
        "text": {"status": "generated", "div": SPOKEN},
    } | changes


def a_document(status: str) -> dict[str, Any]:
    contained = a_patient("source", status)
    del contained["text"]
    return {
        "resourceType": "DocumentReference",
        "id": f"doc-{status}",
        "contained": [contained],
        "text": {"status": "generated", "div": SPOKEN},
        "status": "current",
        "subject": {"reference": f"Patient/pat-{status}", "identifier": INS},
        "content": [{"attachment": {"contentType": "text/plain", "data": "bGV0dHJl"}}],
        "context": {"sourcePatientInfo": {"reference": "#source", "identifier": INS}},
    }


def resources(status: str) -> list[dict[str, Any]]:
    link = {"type": "seealso", "other": {"identifier": INS}}
    task = {"status": "requested", "intent": "order", "for": {"identifier": INS}}
    return [
        a_patient(f"pat-{status}", status, link=[link]),
        a_document(status),
        {"resourceType": "Task", "id": f"task-{status}", **task},
        {
            "resourceType": "Communication",
            "id": f"com-{status}",
            "status": "in-progress",
            "recipient": [{"identifier": INS}],
        },
    ]


@pytest.fixture
async def client(gateway: Gateway):
    settings = load(database_url="sqlite:///unused.db", ins_allow_test=True)
    door = wiring.application_of(gateway, settings)
    transport = httpx.ASGITransport(app=door)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as asking:
        yield asking


def is_nowhere(text: str) -> bool:
    """Tell whether neither the 13 characters nor the 15 are in a text, blanks apart."""
    return NUMBER[:13] not in "".join(text.split())


@pytest.mark.parametrize("status", PARTS)
async def test_no_door_tells_the_matricule_of_an_identity_that_is_not_qualified(
    client: httpx.AsyncClient, status: str, capsys: pytest.CaptureFixture[str]
):
    said: list[httpx.Response] = []
    for resource in resources(status):
        address = f"/fhir/{resource['resourceType']}/{resource['id']}"
        kept = await client.put(address, content=json.dumps(resource), headers=BODY)
        assert kept.status_code == 201, kept.text
        ways = (address, f"{address}/_history/1", f"{address}/_history")
        said += [kept, *[await client.get(way) for way in ways]]
        type_ = resource["resourceType"]
        said += [await client.get(f"/fhir/{type_}?_id={resource['id']}")]
        held = f"identifier=urn:oid:{TEST}%7C{NUMBER}"
        chain = {"Patient": held, "Task": f"patient.{held}", "DocumentReference": f"patient.{held}"}
        found = (await client.get(f"/fhir/{type_}?{chain.get(type_, held)}&_total=accurate")).json()
        assert found.get("total", 0) == 0
        assert is_nowhere(json.dumps(found.get("entry", [])))
    said += [await client.get("/metrics"), await client.get("/fhir/metadata")]
    for answer in said:
        assert answer.status_code in (200, 201), answer.text
        assert is_nowhere(answer.text), str(answer.request.url)
        assert is_nowhere(str(answer.headers))
    told = capsys.readouterr()
    assert is_nowhere(told.out)
    assert is_nowhere(told.err)


async def test_nothing_that_is_served_or_indexed_of_a_dossier_tells_it(
    client: httpx.AsyncClient,
):
    for status, facts in (("retrieved", ()), ("provisional", ()), ("validated", ("proof",))):
        dossier = samples.qualified(b"%PDF-1.4 lettre")
        identity = dossier["person"]["identity"]
        identity["status"] = status
        dossier["id"]["value"] += status
        dossier["person"]["identifiers"][0]["value"] += status
        if "proof" not in facts:
            del identity["proof"]
        name = f"/dossiers/{dossier['id']['system']}|{dossier['id']['value']}"
        pushed = await client.put(name, json=dossier)
        assert pushed.status_code == 201, pushed.text
        assert is_nowhere(pushed.text)
        seen = await client.get(name, params={"as": "fhir"})
        assert seen.status_code == 200
        assert is_nowhere(seen.text)
        # The native form is the source's own: what it wrote comes back to it.
        assert NUMBER in (await client.get(name)).text


@pytest.mark.parametrize("status", PARTS)
async def test_a_refusal_names_the_place_and_not_the_number(
    client: httpx.AsyncClient, status: str, capsys: pytest.CaptureFixture[str]
):
    address = {"system": "email", "value": f"{NUMBER}@patient.mssante.fr"}
    patient = a_patient(f"pat-{status}", status, telecom=[address])
    answer = await client.put(
        f"/fhir/Patient/{patient['id']}", content=json.dumps(patient), headers=BODY
    )
    assert answer.status_code == 422
    places = [issue["expression"] for issue in answer.json()["issue"]]
    assert ["Patient.telecom[0].value"] in places
    assert is_nowhere(answer.text)
    told = capsys.readouterr()
    assert is_nowhere(told.out + told.err)
