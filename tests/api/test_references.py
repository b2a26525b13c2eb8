"""References and deletions over HTTP, by setting."""

from dataclasses import replace

import pytest

from passerelle.dossiers.writing_policy import WritingPolicy

pytestmark = pytest.mark.anyio
PATIENT = {"resourceType": "Patient", "id": "p1"}
TOLD = {"Prefer": "return=OperationOutcome"}


def listed(id_, *references):
    made = {"resourceType": "List", "id": id_, "status": "current", "mode": "working"}
    entries = [{"item": {"reference": one}} for one in references]
    return made | ({"entry": entries} if entries else {})


@pytest.fixture
def under(served):
    """Give the application under another policy of writing."""

    def change(**policy):
        gateway = replace(served.gateway, writing=WritingPolicy(**policy))
        served.door.fhir.gateway = gateway
        return replace(served, gateway=gateway)

    return change


async def test_a_reference_to_what_comes_later_is_taken_with_a_warning(served, rules):
    answer = await served.ask("PUT", "/fhir/List/t1", listed("t1", "Goal/x"), TOLD)
    assert answer.status_code == 201
    assert rules(answer) == ["reference.not-there", "http.done"]
    assert answer.json()["issue"][0]["expression"] == ["List.entry[0].item"]


async def test_enforced_references_are_refused_each_at_its_place(under, rules):
    served = under(references="enforce")
    await served.kept(PATIENT)
    base = served.gateway.base_url
    given = listed("t1", "Goal/x", f"{base}/Goal/y", "https://elsewhere.example/A/1")
    answer = await served.ask(
        "PUT", "/fhir/List/t1", given | {"subject": {"reference": "Patient/p1"}}
    )
    assert (answer.status_code, rules(answer)) == (422, ["reference.missing"] * 2)
    places = [issue["expression"][0] for issue in answer.json()["issue"]]
    assert places == ["List.entry[0].item", "List.entry[1].item"]
    await served.kept(listed("t1") | {"subject": {"reference": "Patient/p1"}})
    await served.kept(listed("t2"))
    patch = [{"op": "add", "path": "/subject", "value": {"reference": "Patient/p2"}}]
    media = {"content-type": "application/json-patch+json"}
    answer = await served.ask("PATCH", "/fhir/List/t2", patch, media)
    assert (answer.status_code, rules(answer)) == (422, ["reference.missing"])


async def test_references_that_are_not_looked_at_are_taken_as_they_are(under, rules):
    served = under(references="off")
    answer = await served.ask("PUT", "/fhir/List/t1", listed("t1", "Goal/x"), TOLD)
    assert rules(answer) == ["http.done"]


async def test_what_is_referred_to_is_not_deleted_and_how_many_refer_is_told(served, rules):
    await served.kept(PATIENT)
    base = served.gateway.base_url
    await served.kept(listed("t1", "Patient/p1"))
    await served.kept(listed("t2", f"{base}/Patient/p1"))
    await served.kept({"resourceType": "Basic", "id": "b1", "code": {"text": "x"},
                       "extension": [{"url": "urn:x", "valueReference":
                                      {"reference": "Patient/p1"}}]})  # fmt: skip
    answer = await served.ask("DELETE", "/fhir/Patient/p1")
    assert (answer.status_code, rules(answer)) == (409, ["reference.still-referred"])
    assert "1 Basic, 2 List" in answer.json()["issue"][0]["diagnostics"]
    assert "t1" not in answer.text
    for other in ("Basic/b1", "List/t1", "List/t2"):
        assert (await served.ask("DELETE", f"/fhir/{other}")).status_code == 204
    assert (await served.ask("DELETE", "/fhir/Patient/p1")).status_code == 204
    assert (await served.ask("DELETE", "/fhir/Patient/p1")).status_code == 204
    assert (await served.ask("DELETE", "/fhir/Patient/never")).status_code == 204


async def test_a_new_version_without_the_reference_lets_go(served):
    await served.kept(PATIENT)
    await served.kept(listed("t1", "Patient/p1"))
    await served.kept(listed("t1"))
    assert (await served.ask("DELETE", "/fhir/Patient/p1")).status_code == 204


async def test_a_deletion_may_be_allowed_whoever_refers(under):
    served = under(delete_referenced="allow")
    await served.kept(PATIENT)
    await served.kept(listed("t1", "Patient/p1"))
    assert (await served.ask("DELETE", "/fhir/Patient/p1")).status_code == 204


async def test_a_cascade_takes_all_that_refers_and_all_that_refers_to_that(under, rules):
    served = under(delete_referenced="cascade", deleted_max=3)
    await served.kept(PATIENT)
    await served.kept(listed("t1", "Patient/p1", "List/t2"))
    await served.kept(listed("t2", "List/t1"))
    await served.kept(listed("t3"))
    answer = await served.ask("DELETE", "/fhir/Patient/p1", headers={"If-Match": 'W/"9"'})
    assert (answer.status_code, rules(answer)) == (412, ["record.version-conflict"])
    assert "expression" not in answer.json()["issue"][0]
    assert (await served.ask("DELETE", "/fhir/Patient/p1")).status_code == 204
    assert (await served.ask("GET", "/fhir/List/t1")).status_code == 410
    assert (await served.ask("GET", "/fhir/List/t2")).status_code == 410
    assert (await served.ask("GET", "/fhir/List/t3")).status_code == 200
    await served.kept(PATIENT)
    for number in range(4):
        await served.kept(listed(f"n{number}", "Patient/p1"))
    answer = await served.ask("DELETE", "/fhir/Patient/p1")
    assert (answer.status_code, rules(answer)) == (409, ["reference.cascade-too-large"])
    assert (await served.ask("GET", "/fhir/List/n0")).status_code == 200


def numbered(id_, value):
    return {
        "resourceType": "Basic",
        "id": id_,
        "code": {"text": "x"},
        "identifier": [{"system": "urn:x", "value": value}],
    }


async def test_a_conditional_delete_deletes_the_one_that_matches(served, rules):
    for id_ in ("b1", "b2"):
        await served.kept(numbered(id_, id_))
    await served.kept(numbered("b3", "b2"))
    answer = await served.ask("DELETE", "/fhir/Basic?identifier=urn:x|b1")
    assert (answer.status_code, answer.headers["etag"]) == (204, 'W/"2"')
    answer = await served.ask("DELETE", "/fhir/Basic?identifier=urn:x|b1")
    assert answer.status_code == 204
    answer = await served.ask("DELETE", "/fhir/Basic?identifier=urn:x|b2")
    assert (answer.status_code, rules(answer)) == (412, ["record.several-match"])
    answer = await served.ask("DELETE", "/fhir/Basic")
    assert (answer.status_code, rules(answer)) == (400, ["http.criteria-missing"])
    answer = await served.ask("DELETE", "/fhir/Basic?_count=5")
    assert answer.status_code == 400
    stale = {"If-Match": 'W/"9"'}
    answer = await served.ask("DELETE", "/fhir/Basic?_id=b2", headers=stale)
    assert answer.status_code == 412


async def test_a_conditional_delete_of_several_is_bounded(under, rules):
    served = under(conditional_delete="multiple", deleted_max=3)
    for number in range(4):
        await served.kept(numbered(f"b{number}", "1"))
    answer = await served.ask("DELETE", "/fhir/Basic?identifier=urn:x|1")
    assert (answer.status_code, rules(answer)) == (412, ["record.too-many-match"])
    await served.ask("DELETE", "/fhir/Basic/b0")
    answer = await served.ask("DELETE", "/fhir/Basic?identifier=urn:x|1", headers=TOLD)
    assert (answer.status_code, rules(answer)) == (200, ["http.deleted"])
    assert "3" in answer.json()["issue"][0]["diagnostics"]
    assert (await served.ask("GET", "/fhir/Basic/b3")).status_code == 410


async def test_a_conditional_delete_that_is_off_is_refused_by_name(under, rules):
    served = under(conditional_delete="off")
    answer = await served.ask("DELETE", "/fhir/Basic?identifier=urn:x|1")
    assert (answer.status_code, rules(answer)) == (501, ["record.conditional-delete-off"])


async def test_ids_of_clients_may_be_refused(under, rules):
    served = under(update_create=False)
    answer = await served.ask("PUT", "/fhir/Patient/p1", PATIENT)
    assert (answer.status_code, rules(answer)) == (405, ["record.ids-are-given"])
    assert "PATCH" in answer.headers["allow"]
    answer = await served.ask("PUT", "/fhir/Patient?_id=p1", PATIENT)
    assert (answer.status_code, rules(answer)) == (405, ["record.ids-are-given"])
    made = (await served.ask("POST", "/fhir/Patient", PATIENT)).json()
    await served.kept(PATIENT | {"id": made["id"], "active": True})
    answer = await served.ask("PUT", "/fhir/Patient?active=false", {"resourceType": "Patient"})
    assert answer.status_code == 201


async def test_if_none_match_star_creates_and_never_overwrites(served, rules):
    absent = {"If-None-Match": "*"}
    assert (await served.ask("PUT", "/fhir/Patient/p1", PATIENT, absent)).status_code == 201
    answer = await served.ask("PUT", "/fhir/Patient/p1", PATIENT | {"active": True}, absent)
    assert (answer.status_code, rules(answer)) == (412, ["record.there-already"])
    await served.ask("DELETE", "/fhir/Patient/p1")
    assert (await served.ask("PUT", "/fhir/Patient/p1", PATIENT, absent)).status_code == 201
    for address, value in (("/fhir/Patient/p1", 'W/"1"'), ("/fhir/Patient?_id=p1", "*")):
        answer = await served.ask("PUT", address, PATIENT, {"If-None-Match": value})
        assert (answer.status_code, rules(answer)) == (400, ["http.if-none-match-write"])


async def test_a_conditional_update_holds_to_if_match(served, rules):
    await served.kept(PATIENT)
    given = PATIENT | {"active": True}
    answer = await served.ask("PUT", "/fhir/Patient?_id=p1", given, {"If-Match": 'W/"2"'})
    assert (answer.status_code, rules(answer)) == (412, ["record.version-conflict"])
    answer = await served.ask("PUT", "/fhir/Patient?_id=p1", given, {"If-Match": 'W/"1"'})
    assert (answer.status_code, answer.headers["etag"]) == (200, 'W/"2"')
