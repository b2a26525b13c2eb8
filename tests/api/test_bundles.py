"""Transactions and batches over HTTP."""

import base64
import bz2
import json
import tarfile

import pytest

pytestmark = pytest.mark.anyio
MOTHER = "urn:uuid:5b6f3a52-94c5-4f0e-9a0b-3b1f2c8d7e60"
LETTER = "urn:uuid:0c1f9a8e-71a3-49f0-8a40-2a50f0c0b001"


def entry(method, url, resource=None, full_url=None, **request):
    made = {"request": {"method": method, "url": url, **request}}
    if full_url:
        made["fullUrl"] = full_url
    if resource:
        made["resource"] = resource
    return made


def bundle(kind, *entries):
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


PATIENT = {"resourceType": "Patient", "identifier": [{"system": "urn:x", "value": "1"}]}
TEAM = {"resourceType": "CareTeam", "subject": {"reference": MOTHER}}


async def test_a_transaction_links_what_it_makes(served):
    answer = await served.ask(
        "POST",
        "/fhir",
        bundle(
            "transaction",
            entry("POST", "CareTeam", TEAM),
            entry("POST", "Patient", PATIENT, MOTHER),
        ),
    )
    made = answer.json()
    assert (answer.status_code, made["type"]) == (200, "transaction-response")
    statuses = [each["response"]["status"] for each in made["entry"]]
    assert statuses == ["201 Created", "201 Created"]
    team, patient = (each["response"]["location"].split("/_history")[0] for each in made["entry"])
    assert team.startswith("CareTeam/")
    assert patient.startswith("Patient/")
    assert "resource" not in made["entry"][0]
    kept = (await served.ask("GET", f"/fhir/{team}")).json()
    assert kept["subject"] == {"reference": patient}


async def test_a_document_goes_in_with_its_bytes_as_iti_65_has_them(served):
    document = {
        "resourceType": "DocumentReference",
        "status": "current",
        "content": [{"attachment": {"contentType": "text/plain", "url": LETTER}}],
    }
    data = base64.b64encode(b"Bonjour").decode()
    binary = {"resourceType": "Binary", "contentType": "text/plain", "data": data}
    answer = await served.ask(
        "POST",
        "/fhir/",
        bundle(
            "transaction",
            entry("POST", "DocumentReference", document),
            entry("POST", "Binary", binary, LETTER),
        ),
        {"Prefer": "return=representation"},
    )
    made = answer.json()["entry"]
    address = made[0]["resource"]["content"][0]["attachment"]["url"]
    assert made[0]["fullUrl"].endswith(made[0]["resource"]["id"])
    read = await served.ask("GET", f"/fhir/{address}")
    assert (read.content, read.headers["content-type"]) == (b"Bonjour", "text/plain")


async def test_one_fault_keeps_everything_out(served, rules):
    answer = await served.ask(
        "POST",
        "/fhir",
        bundle(
            "transaction",
            entry("PUT", "Patient/p1", PATIENT | {"id": "p1"}),
            entry("PUT", "Patient/p2", PATIENT | {"id": "p2", "gender": "x"}),
            entry("POST", "Patient", {"resourceType": "Patient", "birthDate": "x"}),
        ),
    )
    assert answer.status_code == 400
    places = [issue["expression"][0] for issue in answer.json()["issue"]]
    assert places == ["Bundle.entry[1].resource.gender", "Bundle.entry[2].resource.birthDate"]
    assert (await served.ask("GET", "/fhir/Patient/p1")).status_code == 404


async def test_a_transaction_reads_after_it_has_written(served):
    answer = await served.ask(
        "POST",
        "/fhir",
        bundle(
            "transaction",
            entry("GET", "Patient/p1"),
            entry("PUT", "Patient/p1", PATIENT | {"id": "p1"}),
            entry("GET", "Patient?identifier=urn:x|1"),
        ),
    )
    read, written, found = answer.json()["entry"]
    assert read["resource"]["id"] == "p1"
    assert written["response"]["status"] == "201 Created"
    assert found["resource"]["type"] == "searchset"
    assert found["resource"]["entry"][0]["resource"]["id"] == "p1"


async def test_a_batch_answers_each_entry_on_its_own(served):
    answer = await served.ask(
        "POST",
        "/fhir",
        bundle(
            "batch",
            entry("PUT", "Patient/p1", PATIENT | {"id": "p1"}),
            entry("GET", "Patient/nobody"),
            entry("GET", "Patient/p1/$nothing"),
            entry("PUT", "Patient/p2", PATIENT | {"id": "p2", "gender": "x"}),
            entry("DELETE", "Patient/p9"),
        ),
    )
    made = answer.json()
    assert made["type"] == "batch-response"
    assert [each["response"]["status"] for each in made["entry"]] == [
        "201 Created",
        "404 Not Found",
        "501 Not Implemented",
        "400 Bad Request",
        "204 No Content",
    ]
    outcome = made["entry"][3]["response"]["outcome"]
    assert outcome["issue"][0]["expression"] == ["Patient.gender"]


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ({"resourceType": "Patient"}, "bundle.not-a-bundle"),
        ({"resourceType": "Bundle", "type": "document"}, "bundle.type"),
        ({"resourceType": "Bundle"}, "bundle.type"),
        ({"resourceType": "Bundle", "type": "batch", "entry": 1}, "bundle.entry-list"),
    ],
)
async def test_what_is_no_bundle_to_apply_is_refused(served, rules, body, rule):
    answer = await served.ask("POST", "/fhir", body)
    assert (answer.status_code, rules(answer)) == (400, [rule])


async def test_an_empty_transaction_is_answered(served):
    answer = await served.ask("POST", "/fhir", {"resourceType": "Bundle", "type": "transaction"})
    assert answer.json() == {"resourceType": "Bundle", "type": "transaction-response"}


async def test_the_published_transaction_of_a_care_circle_goes_in_once_it_is_mended(served, shared):
    package = shared / "data" / "packages" / "ans.fhir.fr.cds-2.0.1.tgz"
    name = "package/example/Bundle-cds-bundle-transaction-creation-example.json"
    with tarfile.open(package) as archive:
        file = archive.extractfile(name)
        assert file is not None
        published = json.load(file)
    refused = await served.ask("POST", "/fhir", published)
    assert refused.status_code == 400
    places = [issue["expression"][0] for issue in refused.json()["issue"]]
    assert places == [
        "Bundle.entry[0].resource.name.extension[0].extension[1].value",  # an empty text
        "Bundle.entry[1].resource.name.extension[0].extension[1].value",
        "Bundle.entry[1].resource.alias[0].extension[0].extension[1].value",
        "Bundle.entry[2].resource.identifier[0].value",  # the key of a matricule
    ]
    for entry_ in published["entry"]:
        for faulty in ("_name", "_alias"):
            entry_["resource"].pop(faulty, None)
    for claimed in ("identifier", "extension"):  # the matricule, and that it is qualified
        del published["entry"][2]["resource"][claimed]
    answer = await served.ask("POST", "/fhir", published)
    assert answer.status_code == 200, answer.text
    made = answer.json()["entry"]
    assert {each["response"]["status"] for each in made} == {"201 Created"}
    locations = [each["response"]["location"].split("/_history")[0] for each in made]
    team = next(location for location in locations if location.startswith("CareTeam/"))
    kept = (await served.ask("GET", f"/fhir/{team}")).json()
    assert kept["subject"]["reference"] in locations


async def test_synthetic_organizations_go_in_once_however_often_they_are_sent(served, shared):
    (file,) = (shared / "data" / "synthea").glob("0-hospital*.json.bz2")
    batch = json.loads(bz2.decompress(file.read_bytes()))
    batch["entry"] = [e for e in batch["entry"] if e["request"]["url"] == "Organization"][:50]
    first, again = [(await served.ask("POST", "/fhir", batch)).json()["entry"] for _ in range(2)]
    assert {each["response"]["status"] for each in first} == {"201 Created"}
    assert {each["response"]["status"] for each in again} == {"200 OK"}
    assert [each["response"]["location"] for each in first] == [
        each["response"]["location"] for each in again
    ]
