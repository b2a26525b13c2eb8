"""PATCH over HTTP."""

import pytest

pytestmark = pytest.mark.anyio
JSON_PATCH = {"content-type": "application/json-patch+json"}
PATIENT = {"resourceType": "Patient", "id": "p1", "birthDate": "1967", "active": True}


def replace(path, value):
    return [{"op": "replace", "path": path, "value": value}]


def fhirpath(kind, path, **value):
    parts = [{"name": "type", "valueCode": kind}, {"name": "path", "valueString": path}]
    if value:
        parts.append({"name": "value", **value})
    return {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]}


async def test_a_json_patch_makes_a_version_of_a_resource(served):
    await served.kept(PATIENT)
    answer = await served.ask(
        "PATCH", "/fhir/Patient/p1", replace("/birthDate", "1968-01"), JSON_PATCH
    )
    assert answer.status_code == 200
    assert answer.headers["etag"] == 'W/"2"'
    assert answer.json()["birthDate"] == "1968-01"
    assert answer.json()["active"] is True


async def test_what_is_not_patched_is_served_byte_for_byte(served):
    body = (
        b'{"resourceType":"Observation","id":"o1","status":"final","code":{"text":"x"},'
        b'"valueQuantity":{"value":1.500,"unit":"g"},"component":[{"code":{"text":"y"},'
        b'"valueQuantity":{"value":1e-7}}]}'
    )
    await served.ask("PUT", "/fhir/Observation/o1", body)
    before = (await served.ask("GET", "/fhir/Observation/o1")).content
    patch = replace("/status", "amended")
    after = (await served.ask("PATCH", "/fhir/Observation/o1", patch, JSON_PATCH)).content
    start = before.index(b'"status"')
    assert after[after.index(b'"status"') :] == before[start:].replace(b"final", b"amended")
    assert b'"value":1.500,' in after
    assert b'"value":1e-7}' in after


async def test_a_fhirpath_patch_is_a_resource_like_any_other(served):
    await served.kept(PATIENT)
    given = fhirpath("replace", "Patient.birthDate", valueDate="1968")
    answer = await served.ask("PATCH", "/fhir/Patient/p1", given)
    assert (answer.status_code, answer.json()["birthDate"]) == (200, "1968")


async def test_a_patch_that_changes_nothing_makes_no_version(served):
    await served.kept(PATIENT)
    answer = await served.ask("PATCH", "/fhir/Patient/p1", [], JSON_PATCH)
    assert (answer.status_code, answer.headers["etag"]) == (200, 'W/"1"')


async def test_a_patch_holds_to_if_match(served, rules):
    await served.kept(PATIENT)
    headers = JSON_PATCH | {"If-Match": 'W/"2"'}
    answer = await served.ask("PATCH", "/fhir/Patient/p1", replace("/birthDate", "1968"), headers)
    assert (answer.status_code, rules(answer)) == (412, ["record.version-conflict"])
    headers = JSON_PATCH | {"If-Match": 'W/"1"'}
    answer = await served.ask("PATCH", "/fhir/Patient/p1", replace("/birthDate", "1968"), headers)
    assert answer.status_code == 200


async def test_what_a_patch_gives_is_checked_as_any_write(served, rules):
    await served.kept(PATIENT)
    answer = await served.ask("PATCH", "/fhir/Patient/p1", replace("/birthDate", "x"), JSON_PATCH)
    assert answer.status_code == 400
    assert answer.json()["issue"][0]["expression"] == ["Patient.birthDate"]
    assert (await served.ask("GET", "/fhir/Patient/p1")).headers["etag"] == 'W/"1"'


async def test_a_conditional_patch_patches_the_one_that_matches(served, rules):
    await served.kept(PATIENT | {"identifier": [{"system": "urn:x", "value": "1"}]})
    await served.kept(PATIENT | {"id": "p2", "identifier": [{"system": "urn:x", "value": "2"}]})
    change = replace("/birthDate", "1968")
    answer = await served.ask("PATCH", "/fhir/Patient?identifier=urn:x|2", change, JSON_PATCH)
    assert (answer.status_code, answer.json()["id"]) == (200, "p2")
    answer = await served.ask("PATCH", "/fhir/Patient?identifier=urn:x|3", change, JSON_PATCH)
    assert (answer.status_code, rules(answer)) == (404, ["record.none-match"])
    answer = await served.ask("PATCH", "/fhir/Patient?active=true", change, JSON_PATCH)
    assert (answer.status_code, rules(answer)) == (412, ["record.several-match"])
    answer = await served.ask("PATCH", "/fhir/Patient", change, JSON_PATCH)
    assert (answer.status_code, rules(answer)) == (400, ["http.criteria-missing"])


@pytest.mark.parametrize(
    ("media", "body", "status", "rule"),
    [
        ("application/merge-patch+json", b"{}", 415, "patch.media-type"),
        ("application/xml-patch+xml", b"<diff/>", 415, "patch.media-type"),
        ("application/json-patch+json", b"", 400, "http.body-missing"),
        ("application/json-patch+json; charset=latin-1", b"[]", 415, "http.charset-not-read"),
        ("application/json-patch+json", b"{}", 400, "patch.json-array"),
        ("application/fhir+json", b'{"resourceType":"Patient"}', 400, "patch.parameters"),
        ("application/json-patch+json", b'[{"op":"remove","path":"/x"}]', 422, "patch.nowhere"),
        ("text/plain", b"[]", 415, "http.content-type-not-read"),
    ],
)
async def test_a_body_that_is_no_patch_is_refused(served, rules, media, body, status, rule):
    await served.kept(PATIENT)
    answer = await served.ask("PATCH", "/fhir/Patient/p1", body, {"content-type": media})
    assert (answer.status_code, rules(answer)) == (status, [rule])


async def test_what_is_not_there_cannot_be_patched(served, rules):
    answer = await served.ask("PATCH", "/fhir/Patient/p1", [], JSON_PATCH)
    assert (answer.status_code, rules(answer)) == (404, ["record.not-found"])
    await served.kept(PATIENT)
    await served.ask("DELETE", "/fhir/Patient/p1")
    answer = await served.ask("PATCH", "/fhir/Patient/p1", [], JSON_PATCH)
    assert (answer.status_code, rules(answer)) == (410, ["record.deleted"])


async def test_the_bytes_of_a_binary_stay_when_its_type_is_patched(served):
    made = await served.ask("POST", "/fhir/Binary", b"Bonjour", {"content-type": "text/plain"})
    address = made.headers["location"].split("/_history")[0].removeprefix("http://127.0.0.1:8080")
    change = replace("/contentType", "text/markdown")
    answer = await served.ask("PATCH", address, change, JSON_PATCH)
    assert answer.status_code == 200, answer.text
    read = await served.ask("GET", address)
    assert (read.content, read.headers["content-type"]) == (b"Bonjour", "text/markdown")
