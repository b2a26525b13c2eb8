"""Our own OperationDefinitions: what the CapabilityStatement names can be resolved."""

import pytest

from passerelle.api.rest import definitions
from passerelle.fhir import json_text
from passerelle.fhir.conformance import structure

pytestmark = pytest.mark.anyio

OURS = "https://passerelle.example/fhir/OperationDefinition/"
URL = f"{OURS}EpisodeOfCare-everything"


async def test_every_operation_of_ours_that_is_claimed_is_read_and_found(served):
    stated = (await served.ask("GET", "/fhir/metadata")).json()["rest"][0]
    claimed = [op["definition"] for each in stated["resource"] for op in each.get("operation", [])]
    ours = {url for url in claimed if url.startswith(OURS)}
    assert {url.removeprefix(OURS) for url in ours} == set(definitions.own())
    for url in ours:
        id_ = url.removeprefix(OURS)
        read = (await served.ask("GET", f"/fhir/OperationDefinition/{id_}")).json()
        assert (read["url"], read["id"]) == (url, id_)
        found = (await served.ask("GET", f"/fhir/OperationDefinition?url={url}")).json()
        assert [each["resource"] for each in found["entry"]] == [read]


@pytest.mark.parametrize("id_", definitions.own())
def test_a_definition_of_ours_is_sound(id_):
    structure.demand(json_text.decode(definitions.own()[id_]))


async def test_they_are_asked_for_in_a_bundle_in_part_and_in_xml(served):
    entry = {"request": {"method": "GET", "url": "OperationDefinition/send-mss?_elements=code"}}
    asked = {"resourceType": "Bundle", "type": "batch", "entry": [entry]}
    made = (await served.ask("POST", "/fhir", asked)).json()["entry"][0]
    assert made["response"]["status"] == "200 OK"
    assert made["resource"]["code"] == "send-mss"
    assert "parameter" not in made["resource"]
    address = "/fhir/OperationDefinition/send-mss?_format=xml"
    assert '<name value="recipient"/>' in (await served.ask("GET", address)).text


async def test_what_the_record_has_goes_before(served):
    kept = {
        "resourceType": "OperationDefinition",
        "id": "EpisodeOfCare-everything",
        "url": URL,
        "name": "Mine",
        "status": "draft",
        "kind": "query",
        "code": "mine",
        "system": False,
        "type": False,
        "instance": False,
    }
    await served.kept(kept)
    read = await served.ask("GET", "/fhir/OperationDefinition/EpisodeOfCare-everything")
    assert read.json()["name"] == "Mine"
    found = (await served.ask("GET", f"/fhir/OperationDefinition?url={URL}")).json()
    assert [each["resource"]["name"] for each in found["entry"]] == ["Mine"]


@pytest.mark.parametrize(
    "address",
    ["?url=urn:none", "?code=everything", f"?url={OURS}none", f"?url={URL}&code=none", ""],
)
async def test_other_searches_are_of_the_record_alone(served, address):
    found = (await served.ask("GET", f"/fhir/OperationDefinition{address}")).json()
    assert "entry" not in found
    assert (await served.ask("GET", "/fhir/OperationDefinition/none")).status_code == 404
