"""The flows of the liaison notebook at the door, beside notes that were pushed natively.

https://interop.esante.gouv.fr/ig/fhir/cdl/recherche_note.html
"""

import json
from base64 import b64encode
from urllib.parse import quote

import pytest

from passerelle.demo import samples
from passerelle.mappers.resources.code_systems import TRE_A07, TRE_R234

pytestmark = pytest.mark.anyio
JSON = {"content-type": "application/json"}
WHOM = f"patient.identifier={quote(samples.PLATFORM + '/patients|9107')}"
PHOTO = b64encode(b"\xff\xd8photo").decode()
PROFILE = "https://interop.esante.gouv.fr/ig/fhir/cdl/StructureDefinition/cdl-document-reference"

NOTES = [
    {
        "key": "n1",
        "kind": "OBS",
        "text": "Chute dans la nuit.",
        "urgent": True,
        "author": "m1",
        "createdAt": "2026-11-20T08:00:00+01:00",
        "status": "current",
        "files": [{"mimeType": "image/jpeg", "data": PHOTO}],
    },
    {
        "key": "n2",
        "kind": "DEM-AVIS",
        "text": "Qui passe demain ?",
        "author": "person",
        "createdAt": "2026-11-21T08:00:00+01:00",
        "replyTo": "n1",
        "audience": {"hiddenFrom": ["MASQUE_PT", "MASQUE_PSOCIAL"]},
    },
]


@pytest.fixture
def dossier():
    return samples.provisional(b"%PDF-1.4 test") | {"notes": [dict(note) for note in NOTES]}


def address(dossier):
    return f"/dossiers/{dossier['id']['system']}|{dossier['id']['value']}"


async def push(served, dossier):
    answer = await served.ask("PUT", address(dossier), json.dumps(dossier).encode(), JSON)
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


async def texts(served, query):
    """Give the keys of the notes that a search matches, and the types that come along."""
    answer = await served.ask("GET", f"/fhir/DocumentReference?{query}")
    assert answer.status_code == 200, answer.text
    found, along = [], []
    for entry in answer.json().get("entry", ()):
        if entry["search"]["mode"] == "match":
            found.append(entry["resource"]["identifier"][0]["value"].rpartition("/")[2])
        elif entry["search"]["mode"] == "include":
            along.append(entry["resource"]["resourceType"])
    return sorted(found), sorted(set(along))


def rpps(dossier):
    return next(
        member["professional"]["nationalId"]
        for member in dossier["circle"]
        if member["key"] == "m1"
    )


async def test_the_searches_of_the_guide_find_what_was_pushed_natively(served, dossier):
    await push(served, dossier)
    type_ = f"type={quote(TRE_R234)}|"
    for query, keys in (
        (f"{WHOM}&author:Practitioner.identifier={rpps(dossier)}&{type_}OBS", ["n1"]),
        (f"{WHOM.replace('patient.', 'subject.')}&author:Patient.identifier=9107", ["n2"]),
        (f"subject:Patient.identifier=9107&{type_}", ["n1", "n2"]),
        ("date=ge2013-03-16&type=urn:oid:1.2.250.1.213.1.1.5.98|OBS", ["n1"]),
        (f"date=ge2026-11-21&{type_}DEM-AVIS", ["n2"]),
        (f"{WHOM}&date=2026-11-20&{type_}", ["n1"]),
        (f"security-label={quote(TRE_A07)}|MASQUE_PSOCIAL", ["n2"]),
        (f"_security={quote(TRE_A07)}|MASQUE_PT", ["n2"]),
        ("security-label=MASQUE_PT", []),
    ):
        assert (await texts(served, query))[0] == keys, query


async def test_what_notes_refer_to_comes_along(served, dossier):
    await push(served, dossier)
    mine = f"{WHOM}&type={quote(TRE_R234)}|"
    found = await texts(served, f"{mine}&_include=DocumentReference:subject")
    assert found == (["n1", "n2"], ["Patient"])
    found = await texts(served, f"{mine}OBS&_include=*")
    assert set(found[1]) >= {"Patient", "Practitioner", "PractitionerRole"}
    doctor = dossier["circle"][0]["professional"]
    found = await texts(
        served,
        f"_include=DocumentReference:author&author:Practitioner.family={doctor['familyName']}"
        f"&author:Practitioner.given={doctor['givenName']}&type={quote(TRE_R234)}|",
    )
    assert found[0] == ["n1"]


async def test_one_section_alone_is_pulled_and_ended(served, dossier):
    await push(served, dossier)
    pulled = await served.ask("GET", address(dossier) + "?sections=notes")
    assert [note["key"] for note in pulled.json()["notes"]] == ["n1", "n2"]
    assert pulled.json()["notes"][0]["files"] == NOTES[0]["files"]
    assert "documents" not in pulled.json()
    pulled = await served.ask("GET", address(dossier) + "?sections=documents")
    assert pulled.json()["documents"][0]["files"] == dossier["documents"][0]["files"]
    receipt = await push(served, {**dossier, "notes": [], "complete": ["notes"]})
    told = {(one["section"], one["key"]): one["action"] for one in receipt["entries"]}
    assert told["notes", "n1"] == told["notes", "n2"] == "ended"
    assert told["documents", dossier["documents"][0]["key"]] == "unchanged"
    whole = (await served.ask("GET", address(dossier))).json()
    assert [note["status"] for note in whole["notes"]] == ["entered-in-error"] * 2
    assert whole["notes"][0]["files"] == NOTES[0]["files"]
    kept = {**dossier, "complete": ["documents"], "documents": [], "notes": []}
    receipt = await push(served, kept)
    told = {(one["section"], one["key"]): one["action"] for one in receipt["entries"]}
    assert told["documents", dossier["documents"][0]["key"]] == "ended"
    assert ("notes", "n1") not in told
    again = (await served.ask("GET", address(dossier))).json()
    assert again["notes"] == whole["notes"]
    assert again["documents"][0]["files"] == dossier["documents"][0]["files"]


def creation(method, url):
    """Give the guide's creation bundle: references by type and id, addresses with ids."""
    patient = {
        "resourceType": "Patient",
        "id": "0d920958-b596-4b91-af67-9bafc707820b",
        "identifier": [{"system": "https://hopital.example/ipp", "value": "77"}],
        "name": [{"family": "ROUBINOWITZ", "given": ["Michel"]}],
    }
    practitioner = {
        "resourceType": "Practitioner",
        "id": "85652218-ea45-426f-916e-6ca5ea8dd5e1",
        "name": [{"prefix": ["MME"], "given": ["Sophie"], "family": "Brooks"}],
    }
    role = {
        "resourceType": "PractitionerRole",
        "id": "f380b0fd-23c2-415a-b367-53e707ef91e2",
        "active": True,
        "practitioner": {"reference": f"Practitioner/{practitioner['id']}"},
    }
    note = {
        "resourceType": "DocumentReference",
        "id": "04886b69-ef36-4584-819e-4590cd3888a4",
        "meta": {"profile": [PROFILE]},
        "identifier": [{"system": "https://hopital.example/notes", "value": "1"}],
        "status": "current",
        "type": {"coding": [{"system": TRE_R234, "code": "DEM-AVIS"}]},
        "subject": {"reference": f"Patient/{patient['id']}"},
        "date": "2019-03-04T08:30:00+11:00",
        "author": [
            {"reference": f"Practitioner/{practitioner['id']}"},
            {"reference": f"PractitionerRole/{role['id']}"},
        ],
        "content": [
            {"attachment": {"contentType": "text/plain", "language": "fr", "data": "TWFtYW4="}}
        ],
    }
    entries = [
        {
            "fullUrl": f"urn:uuid:{one['id']}",
            "resource": one,
            "request": {"method": method, "url": url(one)},
        }
        for one in (note, role, practitioner, patient)
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def of_entry(resource):
    return f"{resource['resourceType']}/{resource['id']}"


async def test_a_note_is_created_and_brought_up_to_date_by_the_bundles_of_the_guide(served):
    answer = await served.ask("POST", "/fhir/", creation("POST", of_entry))
    assert answer.status_code == 200, answer.text
    where = answer.json()["entry"][0]["response"]["location"].rpartition("/_history/")[0]
    created = (
        await served.ask("GET", "/fhir/DocumentReference/" + where.rpartition("/")[2])
    ).json()
    assert [one["reference"].partition("/")[0] for one in created["author"]] == [
        "Practitioner",
        "PractitionerRole",
    ]
    query = "subject:Patient.identifier=77&author:Practitioner.family=Brooks&type=DEM-AVIS"
    assert (await texts(served, query))[0] == ["1"]
    bundle = creation("PUT", lambda one: of_entry({**one, "id": f"x-{one['id']}"}))
    for entry in bundle["entry"]:
        entry["resource"]["id"] = "x-" + entry["resource"]["id"]
    bundle["entry"][0]["resource"] = {
        **created,
        "status": "superseded",
        "author": created["author"][:1],
    }
    bundle["entry"][0]["request"]["url"] = of_entry(created)
    answer = await served.ask("POST", "/fhir/", {**bundle, "entry": bundle["entry"][:1]})
    assert answer.status_code == 200, answer.text
    read = (await served.ask("GET", "/fhir/" + of_entry(created))).json()
    assert (read["status"], read["meta"]["versionId"]) == ("superseded", "2")
    gone = await served.ask(
        "DELETE", "/fhir/DocumentReference?identifier=https://hopital.example/notes|1"
    )
    assert gone.status_code in (200, 204)
    assert (await texts(served, query))[0] == []
