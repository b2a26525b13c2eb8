"""`$validate` says what a write would say; `$meta` and its changes, over HTTP."""

import base64

import pytest

pytestmark = pytest.mark.anyio

TAG = {"system": "urn:t", "code": "a"}


@pytest.fixture
def database_url(sqlite_database_url):
    """What is tried here does not depend on the database."""
    return sqlite_database_url


def parameters(**inputs):
    listed = [
        {"name": name, ("resource" if name == "resource" else kind): value}
        for name, (kind, value) in inputs.items()
    ]
    return {"resourceType": "Parameters", "parameter": listed}


def severities(answer):
    return {
        issue["details"]["coding"][0]["code"]: issue["severity"]
        for issue in answer.json()["issue"]
        if "details" in issue
    }


async def test_a_sound_resource_is_all_right(served):
    patient = {"resourceType": "Patient", "birthDate": "1980-01-01"}
    wrapped = parameters(resource=("", patient), mode=("valueCode", "create"))
    for body in (patient, wrapped):
        answer = await served.ask("POST", "/fhir/Patient/$validate", body)
        assert answer.status_code == 200
        (issue,) = answer.json()["issue"]
        assert (issue["severity"], issue["code"]) == ("information", "informational")


async def test_every_fault_is_told_at_once_and_nothing_is_kept(served):
    wrong = {
        "resourceType": "Patient",
        "id": "v",
        "birthDate": "1980-13-01",
        "gender": "x",
        "contact": [{}],
        "nothing": 1,
    }
    answer = await served.ask("POST", "/fhir/Patient/$validate?mode=create", wrong)
    assert answer.status_code == 200
    places = {issue["expression"][0] for issue in answer.json()["issue"]}
    assert {"Patient.birthDate", "Patient.gender", "Patient.nothing"} <= places
    assert (await served.ask("GET", "/fhir/Patient/v")).status_code == 404


async def test_the_rules_of_identity_are_told(served):
    identifier = {"system": "urn:oid:1.2.250.1.213.1.4.8", "value": "1", "use": "official"}
    kind = {"coding": [{"system": "https://x", "code": "INS-NIR"}]}
    patient = {"resourceType": "Patient", "identifier": [identifier | {"type": kind}]}
    answer = await served.ask("POST", "/fhir/Patient/$validate", patient)
    assert severities(answer)["ins.length"] == "error"


async def test_references_that_lead_nowhere_are_warned_of(served):
    await served.kept({"resourceType": "Patient", "id": "there"})
    task = {
        "resourceType": "Task",
        "status": "requested",
        "intent": "order",
        "for": {"reference": "Patient/there"},
        "owner": {"reference": "http://127.0.0.1:8080/fhir/Organization/nowhere"},
        "focus": {"reference": "https://elsewhere.example/fhir/Basic/1"},
    }
    answer = await served.ask("POST", "/fhir/Task/$validate", task)
    (issue,) = answer.json()["issue"]
    assert issue["severity"] == "warning"
    assert issue["expression"] == ["Task.owner"]


async def test_an_identifier_that_another_resource_holds_is_told(served):
    mine = {"system": "https://a.example/x", "value": "1"}
    patient = {
        "resourceType": "Patient",
        "meta": {"source": "https://a.example"},
        "identifier": [mine],
    }
    await served.kept(patient | {"id": "one"})
    answer = await served.ask("POST", "/fhir/Patient/$validate", patient)
    assert severities(answer) == {"record.identifier-taken": "error"}
    answer = await served.ask("POST", "/fhir/Patient/one/$validate", patient | {"id": "one"})
    assert severities(answer) == {}


async def test_an_instance_is_validated_as_it_is_kept(served, rules):
    await served.kept({"resourceType": "Patient", "id": "one"})
    for method in ("GET", "POST"):
        answer = await served.ask(method, "/fhir/Patient/one/$validate")
        assert answer.status_code == 200
    answer = await served.ask("GET", "/fhir/Patient/none/$validate")
    assert (answer.status_code, rules(answer)) == (404, ["record.not-found"])
    answer = await served.ask("GET", "/fhir/Patient/none/$validate?mode=delete")
    assert answer.status_code == 404
    answer = await served.ask("GET", "/fhir/Patient/one/$validate?mode=delete")
    assert severities(answer) == {}
    about = {"code": {"text": "x"}, "subject": {"reference": "Patient/one"}}
    await served.kept({"resourceType": "Basic", "id": "about"} | about)
    answer = await served.ask("GET", "/fhir/Patient/one/$validate?mode=delete")
    assert severities(answer) == {"reference.still-referred": "error"}


async def test_type_and_id_are_held_against_the_address(served):
    ask = served.ask
    patient = {"resourceType": "Patient"}
    answer = await ask("POST", "/fhir/Task/$validate", patient)
    assert severities(answer) == {"http.type-mismatch": "error"}
    answer = await ask("POST", "/fhir/Patient/$validate?mode=update", patient)
    assert severities(answer) == {"http.resource-id-missing": "error"}
    answer = await ask("POST", "/fhir/Patient/one/$validate", patient | {"id": "two"})
    assert severities(answer) == {"http.resource-id-mismatch": "error"}
    answer = await ask("POST", "/fhir/Patient/$validate", {"resourceType": "Nothing"})
    assert severities(answer) == {"structure.unknown-type": "error"}


async def test_profiles_are_said_not_to_be_checked(served):
    patient = {"resourceType": "Patient"}
    answer = await served.ask("POST", "/fhir/Patient/$validate?mode=profile", patient)
    assert severities(answer) == {"operation.profiles-not-checked": "information"}
    answer = await served.ask("POST", "/fhir/Patient/$validate?profile=urn:p", patient)
    assert severities(answer) == {"operation.profile-not-checked": "error"}


async def test_parameters_may_themselves_be_validated(served):
    wrong = {"resourceType": "Parameters", "parameter": [{"valueString": "a"}]}
    answer = await served.ask("POST", "/fhir/Parameters/$validate", wrong)
    assert answer.status_code == 200
    assert severities(answer) == {"structure.required": "error"}


@pytest.mark.parametrize(
    ("query", "rule"),
    [
        ("?mode=nothing", "operation.mode-unknown"),
        ("?mode=delete", "operation.nothing-to-validate"),
        ("", "operation.nothing-to-validate"),
        ("?mode=create&mode=update", "operation.input-repeated"),
        ("?resource=x", "operation.input-malformed"),
    ],
)
async def test_what_cannot_be_asked_is_refused(served, rules, query, rule):
    answer = await served.ask("GET", f"/fhir/Patient/$validate{query}")
    assert (answer.status_code, rules(answer)) == (400, [rule])


async def test_an_unknown_input_is_refused_by_who_wants_to_be_told(served, rules):
    strict = {"Prefer": "handling=strict"}
    answer = await served.ask("GET", "/fhir/Basic/$meta?x=1")
    assert answer.status_code == 200
    answer = await served.ask("GET", "/fhir/Basic/$meta?x=1", headers=strict)
    assert (answer.status_code, rules(answer)) == (400, ["http.parameter-unknown"])


def meta_of(answer):
    assert answer.status_code == 200, answer.text
    (found,) = answer.json()["parameter"]
    return found.get("valueMeta", {})


async def test_tags_are_added_once_and_taken_away_again(served):
    await served.kept({"resourceType": "Patient", "id": "m", "gender": "female"})
    more = parameters(meta=("valueMeta", {"tag": [TAG], "profile": ["urn:p"]}))
    for _ in range(2):
        answer = await served.ask("POST", "/fhir/Patient/m/$meta-add", more)
        found = meta_of(answer)
        assert (found["tag"], found["profile"], found["versionId"]) == ([TAG], ["urn:p"], "2")
        assert answer.headers["etag"] == 'W/"2"'
    assert meta_of(await served.ask("GET", "/fhir/Patient/m/$meta")) == found
    less = parameters(meta=("valueMeta", {"tag": [TAG | {"display": "another"}]}))
    found = meta_of(await served.ask("POST", "/fhir/Patient/m/$meta-delete", less))
    assert "tag" not in found
    assert (found["profile"], found["versionId"]) == (["urn:p"], "3")
    assert (await served.ask("GET", "/fhir/Patient/m")).json()["gender"] == "female"
    tagged = await served.ask("GET", "/fhir/Patient/m/_history/2")
    assert tagged.json()["meta"]["tag"] == [TAG]


async def test_a_change_of_meta_keeps_to_if_match(served, rules):
    await served.kept({"resourceType": "Patient", "id": "m"})
    more = parameters(meta=("valueMeta", {"tag": [TAG]}))
    address = "/fhir/Patient/m/$meta-add"
    answer = await served.ask("POST", address, more, {"If-Match": 'W/"7"'})
    assert (answer.status_code, rules(answer)) == (412, ["record.version-conflict"])
    answer = await served.ask("POST", address, more, {"If-Match": 'W/"1"'})
    assert answer.status_code == 200


async def test_a_binary_keeps_its_bytes_when_it_is_tagged(served):
    data = base64.b64encode(b"bytes").decode()
    await served.kept(
        {"resourceType": "Binary", "id": "b", "contentType": "text/plain", "data": data}
    )
    more = parameters(meta=("valueMeta", {"tag": [TAG]}))
    assert meta_of(await served.ask("POST", "/fhir/Binary/b/$meta-add", more))["tag"] == [TAG]
    assert (await served.ask("GET", "/fhir/Binary/b")).content == b"bytes"


async def test_a_malformed_or_missing_meta_is_refused(served, rules):
    await served.kept({"resourceType": "Patient", "id": "m"})
    wrong = parameters(meta=("valueMeta", {"tag": "x"}))
    answer = await served.ask("POST", "/fhir/Patient/m/$meta-add", wrong)
    assert answer.status_code == 400
    answer = await served.ask("POST", "/fhir/Patient/m/$meta-add", parameters())
    assert answer.status_code == 400
    answer = await served.ask(
        "POST", "/fhir/Patient/none/$meta-add", parameters(meta=("valueMeta", {"tag": [TAG]}))
    )
    assert (answer.status_code, rules(answer)) == (404, ["record.not-found"])


async def test_the_marks_in_use_are_told_of_the_system_and_of_a_type(served):
    labels = {"tag": [TAG, {"code": "bare"}], "security": [{"system": "urn:s", "code": "R"}]}
    await served.kept({"resourceType": "Patient", "id": "1", "meta": labels})
    await served.kept({"resourceType": "Patient", "id": "2", "meta": labels})
    await served.kept(
        {"resourceType": "Basic", "id": "1", "code": {"text": "x"}, "meta": {"profile": ["urn:p"]}}
    )
    everywhere = meta_of(await served.ask("GET", "/fhir/$meta"))
    assert everywhere == {
        "profile": ["urn:p"],
        "security": labels["security"],
        "tag": [TAG, {"code": "bare"}],
    }
    assert meta_of(await served.ask("GET", "/fhir/Basic/$meta")) == {"profile": ["urn:p"]}
    assert meta_of(await served.ask("GET", "/fhir/Task/$meta")) == {}
