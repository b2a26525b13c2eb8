"""Requests that the fuzzers of the HTTP door found answered badly, each in its smallest form."""

import json

import pytest
from lxml import etree

pytestmark = pytest.mark.anyio


@pytest.fixture
def database_url(sqlite_database_url):
    """What is tried here does not depend on the database."""
    return sqlite_database_url


@pytest.mark.parametrize("named", [[], {}, [None], 7, None])
@pytest.mark.parametrize("method", ["PUT", "POST", "PATCH"])
async def test_a_resource_whose_type_is_no_text_is_refused_in_a_bundle(
    served, rules, method, named
):
    request = {"method": method, "url": "Patient/a"}
    entry = {"resource": {"resourceType": named, "id": "a"}, "request": request}
    for kind in ("transaction", "batch"):
        bundle = {"resourceType": "Bundle", "type": kind, "entry": [entry]}
        answer = await served.ask("POST", "/fhir", bundle)
        if kind == "batch":
            assert answer.json()["entry"][0]["response"]["status"].startswith("400")
        else:
            assert answer.status_code == 400
            assert set(rules(answer)) <= {"bundle.resource-type-unknown", "bundle.patch-resource"}


@pytest.mark.parametrize("kind", ["insert", "move"])
async def test_the_resource_itself_is_no_list_to_insert_into(served, rules, kind):
    await served.kept({"resourceType": "Patient", "id": "a", "active": True})
    parts = [
        {"name": "type", "valueCode": kind},
        {"name": "path", "valueString": "%resource"},
        {"name": "index", "valueInteger": 0},
        {"name": "source", "valueInteger": 0},
        {"name": "destination", "valueInteger": 0},
        {"name": "value", "valueString": "a"},
    ]
    patch = {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]}
    answer = await served.ask("PATCH", "/fhir/Patient/a", patch)
    assert (answer.status_code, rules(answer)) == (422, ["patch.does-not-suit"])


async def test_the_paths_of_a_patch_walk_only_so_far(served, rules):
    """59 kB of patch took eleven seconds of the process on a Patient of 1,500 names."""
    names = [{"family": "x", "given": ["a"] * 20} for _ in range(1_500)]
    await served.kept({"resourceType": "Patient", "id": "a", "name": names})
    path = "Patient.name.where(given.where($this='a').exists()).where(family='y')"
    parts = [{"name": "type", "valueCode": "delete"}, {"name": "path", "valueString": path}]
    operations = [{"name": "operation", "part": parts}] * 200
    patch = {"resourceType": "Parameters", "parameter": operations}
    answer = await served.ask("PATCH", "/fhir/Patient/a", patch)
    assert (answer.status_code, rules(answer)) == (422, ["patch.too-much-walked"])
    operations[1:] = []
    assert (await served.ask("PATCH", "/fhir/Patient/a", patch)).status_code == 200


async def test_a_refusal_that_names_a_control_character_can_be_read_in_xml(served):
    for name in ("%01", "a%1b", "%ef%bf%be"):
        answer = await served.ask(
            "GET", f"/fhir/Patient?{name}=a&_format=xml", headers={"Prefer": "handling=strict"}
        )
        assert answer.status_code == 400
        assert etree.XML(answer.content).tag == "{http://hl7.org/fhir}OperationOutcome"
        answer = await served.ask(
            "GET", f"/fhir/Patient?{name}=a", headers={"Prefer": "handling=strict"}
        )
        assert json.loads(answer.content)["resourceType"] == "OperationOutcome"
