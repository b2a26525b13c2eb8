"""Over HTTP every fault says where in the text it is."""

import json

import pytest

from passerelle.fhir.outcome import COLUMN, LINE

pytestmark = pytest.mark.anyio

PATIENT = b"""{
  "resourceType": "Patient",
  "birthDate": "1974-02-30",
  "contact": [
    {"gender": "none"}
  ]
}"""


def places(answer):
    """Give expression, line and column of each issue of an answer."""
    found = []
    for issue in answer.json()["issue"]:
        told = {one["url"]: one["valueInteger"] for one in issue.get("extension", ())}
        found.append((issue.get("expression", [None])[0], told.get(LINE), told.get(COLUMN)))
    return found


async def test_all_faults_of_a_resource_come_with_line_and_column(served):
    answer = await served.ask("POST", "/fhir/Patient", PATIENT)
    assert answer.status_code in (400, 422)
    assert {("Patient.birthDate", 3, 3), ("Patient.contact[0].gender", 5, 6)} <= set(places(answer))


async def test_the_faults_of_an_entry_are_told_at_their_lines_of_the_bundle(served):
    entry = {"resource": json.loads(PATIENT), "request": {"method": "POST", "url": "Patient"}}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry, entry]}
    body = json.dumps(bundle, indent=1)
    answer = await served.ask("POST", "/fhir", body.encode())
    assert answer.status_code in (400, 422)
    lines = body.split("\n")
    told = [place for place in places(answer) if place[0].endswith("birthDate")]
    assert len(told) == 2
    for expression, line, column in told:
        assert lines[line - 1][column - 1 :].startswith('"birthDate"'), expression


async def test_a_text_that_is_no_json_is_told_at_its_line(served):
    answer = await served.ask("POST", "/fhir/Patient", b'{\n "resourceType": "Patient",\n}')
    assert places(answer) == [(None, 3, 1)]
