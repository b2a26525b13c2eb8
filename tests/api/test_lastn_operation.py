"""`$lastn`: the last few Observations of each kind."""

import pytest

pytestmark = pytest.mark.anyio

LOINC = "http://loinc.org"


def observation(id, code, day, patient="p"):
    return {
        "resourceType": "Observation",
        "id": id,
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": each} for each in code.split()]},
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": f"2026-01-{day:02}",
    }


@pytest.fixture
async def record(served):
    for each in (
        observation("w1", "29463-7", 1),
        observation("w3", "29463-7", 3),
        observation("w2", "29463-7 3141-9", 2),
        observation("w4", "3141-9", 4),
        observation("h1", "8302-2", 1),
        observation("other", "29463-7", 9, "q"),
        observation("t1", "", 5) | {"code": {"text": "Humeur"}},
        observation("t2", "", 6) | {"code": {"text": "humeur"}},
    ):
        await served.kept(each)
    return served


async def last(served, query, method="GET", body=None):
    answer = await served.ask(method, f"/fhir/Observation/$lastn{query}", body)
    assert answer.status_code == 200, answer.text
    return [entry["resource"]["id"] for entry in answer.json().get("entry", ())]


async def test_the_last_of_each_kind_is_given(record):
    assert await last(record, "?patient=Patient/p") == ["t2", "w4", "h1"]
    assert await last(record, "?patient=Patient/p&max=2") == ["t2", "t1", "w4", "w3", "h1"]
    assert await last(record, "?patient=Patient/p&code=8302-2&max=9") == ["h1"]


async def test_it_is_asked_by_post_as_well(record):
    given = [{"name": "patient", "valueString": "Patient/p"}, {"name": "max", "valueInteger": 1}]
    body = {"resourceType": "Parameters", "parameter": given}
    assert await last(record, "", "POST", body) == ["t2", "w4", "h1"]


async def test_pages_are_gone_through(record, monkeypatch):
    from passerelle.api.rest import observation_operations

    monkeypatch.setattr(observation_operations, "PAGE", 2)
    assert await last(record, "?patient=Patient/p") == ["t2", "w4", "h1"]


async def test_what_was_not_looked_at_is_told(record, monkeypatch):
    from passerelle.api.rest import observation_operations
    from passerelle.dossiers.operations import lastn

    monkeypatch.setattr(observation_operations, "PAGE", 2)
    monkeypatch.setattr(lastn, "SCANNED_MAX", 2)
    answer = (await record.ask("GET", "/fhir/Observation/$lastn?patient=Patient/p")).json()
    assert answer["entry"][-1]["search"]["mode"] == "outcome"


@pytest.mark.parametrize("query", ["?max=0", "?max=x", "?max=1&max=2", "?nothing=1", "?max="])
async def test_what_cannot_be_asked_is_refused(record, query):
    answer = await record.ask("GET", f"/fhir/Observation/$lastn{query}")
    assert answer.status_code == 400


async def test_a_body_of_something_else_is_refused(record, rules):
    body = {"resourceType": "Parameters", "parameter": [{"name": "x", "resource": {}}]}
    answer = await record.ask("POST", "/fhir/Observation/$lastn", body)
    assert (answer.status_code, rules(answer)) == (400, ["operation.input-malformed"])
