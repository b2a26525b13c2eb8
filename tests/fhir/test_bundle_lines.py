"""Answers as lines of NDJSON."""

import json
from typing import Any

from passerelle.fhir.bundles.bundle_lines import lines_of

PATIENT = {"resourceType": "Patient", "id": "a"}
TASK = {"resourceType": "Task", "id": "b"}
OUTCOME = {"resourceType": "OperationOutcome", "issue": []}


def entry(resource: dict[str, Any], mode: str = "match", **search: Any) -> dict[str, Any]:
    return {"fullUrl": "x", "resource": resource, "search": {"mode": mode, **search}}


def bundle(*entries: dict[str, Any], type: str = "searchset", **more: Any) -> bytes:
    return json.dumps({"resourceType": "Bundle", "type": type, "entry": entries} | more).encode()


def test_the_resources_of_a_search_go_by_themselves_and_what_is_said_of_it_apart() -> None:
    next_ = [{"relation": "self", "url": "s"}, {"relation": "next", "url": "n"}]
    found = lines_of(
        bundle(entry(PATIENT), entry(TASK, "include"), entry(OUTCOME, "outcome"), link=next_)
    )
    assert [type_ for type_, _ in found.resources] == ["Patient", "Task"]
    assert [json.loads(line) for _, line in found.resources] == [PATIENT, TASK]
    assert [json.loads(line) for line in found.outcomes] == [OUTCOME]
    assert found.next == "n"


def test_a_line_is_one_line_and_keeps_every_digit() -> None:
    text = b'{\n "resourceType": "Observation",\r\n "valueQuantity": {"value": 1.00}, "t": "a\\nb"}'
    ((_, line),) = lines_of(text).resources
    assert line == b'{"resourceType":"Observation","valueQuantity":{"value":1.00},"t":"a\\nb"}\n'


def test_a_bundle_that_says_more_than_its_resources_stays_whole() -> None:
    scored = bundle(entry(PATIENT, score=0.9))
    history = bundle({"request": {"method": "DELETE", "url": "Patient/a"}}, type="history")
    counted = b'{"resourceType":"Bundle","type":"searchset","total":3}'
    for given in (scored, history, counted):
        ((type_, line),) = lines_of(given).resources
        assert (type_, json.loads(line)) == ("Bundle", json.loads(given))


def test_a_search_that_finds_nothing_has_no_lines() -> None:
    assert lines_of(b'{"resourceType":"Bundle","type":"searchset","total":0}').resources == ()
