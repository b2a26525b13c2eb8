"""Read, vread, create, update and delete over HTTP, header by header."""

import email.utils

import pytest

pytestmark = pytest.mark.anyio
OBSERVATION = (
    b'{"resourceType":"Observation","id":"o","status":"final","code":{"text":"x"},'
    b'"valueQuantity":{"value":1.50}}'
)
BASE = "http://127.0.0.1:8080/fhir"


def patient(id_="p1", **elements):
    return {"resourceType": "Patient", "id": id_, **elements}


async def test_a_created_resource_is_told_where_it_lies_and_read_back_as_it_was(served):
    body = OBSERVATION.replace(b'"id":"o",', b"")
    made = await served.ask("POST", "/fhir/Observation", body)
    assert made.status_code == 201
    id_ = made.json()["id"]
    assert made.headers["location"] == f"{BASE}/Observation/{id_}/_history/1"
    assert made.headers["etag"] == 'W/"1"'
    assert email.utils.parsedate_to_datetime(made.headers["last-modified"])
    read = await served.ask("GET", f"/fhir/Observation/{id_}")
    assert read.content == made.content
    assert b'"value":1.50' in read.content
    assert read.headers["etag"] == 'W/"1"'
    assert read.headers["content-type"] == "application/fhir+json; charset=utf-8"


async def test_head_tells_what_get_would_without_the_body(served):
    await served.kept(patient())
    read = await served.ask("GET", "/fhir/Patient/p1")
    head = await served.ask("HEAD", "/fhir/Patient/p1")
    assert head.status_code == 200
    assert head.content == b""
    for name in ("etag", "last-modified", "content-type", "content-length"):
        assert head.headers[name] == read.headers[name]


async def test_an_update_makes_a_version_and_identical_content_none(served):
    first = await served.ask("PUT", "/fhir/Patient/p1", patient(active=True))
    again = await served.ask("PUT", "/fhir/Patient/p1", patient(active=True))
    second = await served.ask("PUT", "/fhir/Patient/p1", patient(active=False))
    assert [a.status_code for a in (first, again, second)] == [201, 200, 200]
    assert [a.headers["etag"] for a in (first, again, second)] == ['W/"1"', 'W/"1"', 'W/"2"']
    assert first.headers["location"] == f"{BASE}/Patient/p1/_history/1"


async def test_each_version_is_read_by_its_number(served, rules):
    await served.kept(patient(active=True))
    await served.kept(patient(active=False))
    one = await served.ask("GET", "/fhir/Patient/p1/_history/1")
    assert one.json()["active"] is True
    assert one.headers["etag"] == 'W/"1"'
    missing = await served.ask("GET", "/fhir/Patient/p1/_history/3")
    assert (missing.status_code, rules(missing)) == (404, ["record.version-not-found"])
    wrong = await served.ask("GET", "/fhir/Patient/p1/_history/one")
    assert (wrong.status_code, rules(wrong)) == (404, ["http.version-malformed"])


async def test_a_deleted_resource_is_gone_and_its_versions_stay(served, rules):
    await served.kept(patient())
    deleted = await served.ask("DELETE", "/fhir/Patient/p1")
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert deleted.headers["etag"] == 'W/"2"'
    assert "content-length" not in deleted.headers
    gone = await served.ask("GET", "/fhir/Patient/p1")
    assert (gone.status_code, rules(gone)) == (410, ["record.deleted"])
    assert (await served.ask("GET", "/fhir/Patient/p1/_history/1")).status_code == 200
    assert (await served.ask("GET", "/fhir/Patient/p1/_history/2")).status_code == 410
    assert (await served.ask("DELETE", "/fhir/Patient/p1")).status_code == 204
    assert (await served.ask("DELETE", "/fhir/Patient/never")).status_code == 204
    back = await served.ask("PUT", "/fhir/Patient/p1", patient())
    assert (back.status_code, back.headers["etag"]) == (201, 'W/"3"')


async def test_what_never_was_is_not_found(served, rules):
    answer = await served.ask("GET", "/fhir/Patient/nobody")
    assert (answer.status_code, rules(answer)) == (404, ["record.not-found"])


async def test_a_lost_update_is_refused_by_if_match(served, rules):
    await served.kept(patient(active=True))
    stale = {"If-Match": 'W/"7"'}
    refused = await served.ask("PUT", "/fhir/Patient/p1", patient(), stale)
    assert (refused.status_code, rules(refused)) == (412, ["record.version-conflict"])
    refused = await served.ask("DELETE", "/fhir/Patient/p1", headers=stale)
    assert refused.status_code == 412
    taken = await served.ask("PUT", "/fhir/Patient/p1", patient(), {"If-Match": 'W/"1"'})
    assert taken.headers["etag"] == 'W/"2"'
    malformed = await served.ask("PUT", "/fhir/Patient/p1", patient(), {"If-Match": "2"})
    assert (malformed.status_code, rules(malformed)) == (400, ["http.if-match-malformed"])


async def test_who_holds_the_version_is_not_sent_it_again(served):
    await served.kept(patient())
    for held in ('W/"1"', '"1"', 'W/"9", W/"1"', "*"):
        answer = await served.ask("GET", "/fhir/Patient/p1", headers={"If-None-Match": held})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == 'W/"1"'
    other = await served.ask("GET", "/fhir/Patient/p1", headers={"If-None-Match": 'W/"2"'})
    assert other.status_code == 200
    modified = (await served.ask("GET", "/fhir/Patient/p1")).headers["last-modified"]
    same = await served.ask("GET", "/fhir/Patient/p1", headers={"If-Modified-Since": modified})
    assert same.status_code == 304
    long_ago = {"If-Modified-Since": "Mon, 12 Jan 1998 09:00:00 GMT"}
    assert (await served.ask("GET", "/fhir/Patient/p1", headers=long_ago)).status_code == 200
    unread = {"If-Modified-Since": "yesterday"}
    assert (await served.ask("GET", "/fhir/Patient/p1", headers=unread)).status_code == 200


@pytest.mark.parametrize(
    ("method", "address", "body", "rule"),
    [
        ("PUT", "/fhir/Patient/p1", patient("p2"), "http.resource-id-mismatch"),
        ("PUT", "/fhir/Patient/p1", {"resourceType": "Patient"}, "http.resource-id-missing"),
        ("PUT", "/fhir/Patient/p1", {"resourceType": "Task", "id": "p1"}, "http.type-mismatch"),
        ("POST", "/fhir/Patient", {"resourceType": "Task"}, "http.type-mismatch"),
        ("POST", "/fhir/Patient", {}, "http.type-mismatch"),
        ("POST", "/fhir/Patient", b"", "http.body-missing"),
        ("POST", "/fhir/Patient", b"{", "json.malformed"),
        ("POST", "/fhir/Patient", b"[]", "json.not-an-object"),
        ("PUT", "/fhir/Patient/a_b", patient("a_b"), "http.id-malformed"),
        ("PUT", "/fhir/Patient/" + "a" * 65, patient("a" * 65), "http.id-malformed"),
        ("PUT", "/fhir/Patient", patient(), "http.criteria-missing"),
        ("GET", "/fhir/Patient/a%00b", None, "http.id-malformed"),
    ],
)
async def test_what_cannot_be_read_is_refused(served, rules, method, address, body, rule):
    answer = await served.ask(method, address, body)
    assert (answer.status_code, rules(answer)) == (400, [rule])


async def test_all_faults_of_a_resource_are_told_at_once(served, rules):
    answer = await served.ask("POST", "/fhir/Patient", patient(gender="x", birthDate="31/12/1979"))
    assert answer.status_code == 400
    assert len(rules(answer)) == 2
    places = {issue["expression"][0] for issue in answer.json()["issue"]}
    assert places == {"Patient.gender", "Patient.birthDate"}


async def test_a_conditional_create_gives_back_what_is_there(served, rules):
    given = {"resourceType": "Patient", "identifier": [{"system": "urn:x", "value": "1"}]}
    condition = {"If-None-Exist": "identifier=urn:x|1"}
    made = await served.ask("POST", "/fhir/Patient", given, condition)
    again = await served.ask("POST", "/fhir/Patient", given, condition)
    assert [made.status_code, again.status_code] == [201, 200]
    assert made.json()["id"] == again.json()["id"]
    assert again.headers["location"] == made.headers["location"]
    await served.ask("POST", "/fhir/Patient", given)
    several = await served.ask("POST", "/fhir/Patient", given, condition)
    assert (several.status_code, rules(several)) == (412, ["record.several-match"])
    empty = await served.ask("POST", "/fhir/Patient", given, {"If-None-Exist": "?"})
    assert (empty.status_code, rules(empty)) == (400, ["http.if-none-exist-empty"])


async def test_a_condition_that_is_not_utf8_is_refused(served, rules):
    odd = {"if-none-exist": "family=%ff"}
    answer = await served.ask("POST", "/fhir/Patient", {"resourceType": "Patient"}, odd)
    assert (answer.status_code, rules(answer)) == (400, ["http.query-not-utf8"])
    many = {"if-none-exist": "&".join(["family=a"] * 60)}
    answer = await served.ask("POST", "/fhir/Patient", {"resourceType": "Patient"}, many)
    assert (answer.status_code, rules(answer)) == (400, ["search.too-many-clauses"])


async def test_a_conditional_update_creates_then_updates_the_one(served):
    given = {"resourceType": "Patient", "identifier": [{"system": "urn:x", "value": "1"}]}
    address = "/fhir/Patient?identifier=urn:x%7C1"
    made = await served.ask("PUT", address, given)
    again = await served.ask("PUT", address + "&_pretty=true", given | {"active": True})
    assert [made.status_code, again.status_code] == [201, 200]
    assert made.json()["id"] == again.json()["id"]
    assert again.headers["etag"] == 'W/"2"'


@pytest.mark.parametrize(
    ("prefer", "type_"),
    [
        (None, "Patient"),
        ("return=representation", "Patient"),
        ("return=minimal", None),
        ("return=OperationOutcome", "OperationOutcome"),
    ],
)
async def test_a_write_answers_what_is_preferred(served, prefer, type_):
    headers = {} if prefer is None else {"Prefer": prefer}
    answer = await served.ask("PUT", "/fhir/Patient/p1", patient(), headers)
    assert answer.status_code == 201
    assert answer.headers["etag"] == 'W/"1"'
    assert answer.headers["location"].endswith("/Patient/p1/_history/1")
    assert (answer.json()["resourceType"] if answer.content else None) == type_


async def test_a_deletion_can_be_told_by_an_outcome(served, rules):
    answer = await served.ask(
        "DELETE", "/fhir/Patient/p1", headers={"Prefer": "return=OperationOutcome"}
    )
    assert (answer.status_code, rules(answer)) == (200, ["http.done"])


async def test_a_pretty_answer_keeps_numbers_as_they_are(served):
    await served.ask("PUT", "/fhir/Observation/o", OBSERVATION)
    answer = await served.ask("GET", "/fhir/Observation/o?_pretty=true")
    assert '    "value": 1.50\n' in answer.text
    assert int(answer.headers["content-length"]) == len(answer.content)


async def test_a_parameter_that_a_read_does_not_know_is_refused_when_strict(served, rules):
    await served.kept(patient())
    address = "/fhir/Patient/p1?_sort=id"
    assert (await served.ask("GET", address)).status_code == 200
    answer = await served.ask("GET", address, headers={"Prefer": "handling=strict"})
    assert (answer.status_code, rules(answer)) == (400, ["http.parameter-unknown"])
