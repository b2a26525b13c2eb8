"""Bad input at the FHIR door: a clear error each time, and nothing written."""

import asyncio

import pytest

pytestmark = pytest.mark.anyio

HEAD = b'{"resourceType":"Patient","id":"bad",'
DEEP = b'{"a":' * 10_000 + b"1" + b"}" * 10_000


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        (b"{", "json.malformed"),
        (b"null", "json.not-an-object"),
        (b'"text"', "json.not-an-object"),
        (HEAD + b'"active":true,"active":false}', "json.duplicate-key"),
        (HEAD + b'"name":[{"family":"a","family":"b"}]}', "json.duplicate-key"),
        (HEAD + b'"extension":' + DEEP + b"}", "json.too-deep"),
        (b"[" * 10_000 + b"]" * 10_000, "json.too-deep"),
        (HEAD + b'"name":[{"family":"a\\u0000b"}]}', "json.bad-character"),
        (HEAD + b'"name":[{"family":"\\ud800"}]}', "json.bad-character"),
        (HEAD + b'"name":[{"family":"\xff"}]}', "json.not-utf8"),
        (b"\xef\xbb\xbf" + HEAD + b'"active":true}', "json.byte-order-mark"),
        (HEAD + b'"multipleBirthInteger":1e999999}', "json.number-too-large"),
        (HEAD + b'"active":NaN}', "json.malformed"),
    ],
)
async def test_json_that_cannot_be_taken_is_refused_by_its_fault(served, rules, body, rule):
    answer = await served.ask("PUT", "/fhir/Patient/bad", body)
    assert (answer.status_code, rules(answer)) == (400, [rule])
    assert (await served.ask("GET", "/fhir/Patient/bad")).status_code == 404


@pytest.mark.parametrize(
    ("elements", "expression"),
    [
        (b'"nonsense":1', "Patient.nonsense"),
        (b'"active":"yes"', "Patient.active"),
        (b'"birthDate":"1979-02-30"', "Patient.birthDate"),
        (b'"name":{"family":"x"}', "Patient.name"),
        (b'"managingOrganization":{"reference":"Patient/1"}', "Patient.managingOrganization"),
        (b'"contact":[]', "Patient.contact"),
    ],
)
async def test_a_resource_of_another_shape_is_refused_at_its_place(served, elements, expression):
    answer = await served.ask("PUT", "/fhir/Patient/bad", HEAD + elements + b"}")
    assert answer.status_code == 400
    places = [issue["expression"][0] for issue in answer.json()["issue"]]
    assert len(places) == 1
    assert places[0].startswith(expression)
    assert (await served.ask("GET", "/fhir/Patient/bad")).status_code == 404


async def test_sixty_four_equal_conditional_creates_make_one_resource(served):
    given = {"resourceType": "Patient", "identifier": [{"system": "urn:x", "value": "64"}]}
    condition = {"If-None-Exist": "identifier=urn:x|64"}
    answers = await asyncio.gather(
        *(served.ask("POST", "/fhir/Patient", given, condition) for _ in range(64))
    )
    assert sorted({answer.status_code for answer in answers}) == [200, 201]
    assert [answer.status_code for answer in answers].count(201) == 1
    assert len({answer.json()["id"] for answer in answers}) == 1
    found = await served.ask("GET", "/fhir/Patient?identifier=urn:x%7C64&_total=accurate")
    assert found.json()["total"] == 1
