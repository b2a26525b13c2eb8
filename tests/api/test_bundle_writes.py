"""Entries of a transaction that patch, delete, refer, or hold to a condition."""

import base64
import json
from dataclasses import replace

import pytest

from passerelle.dossiers.writing_policy import WritingPolicy

pytestmark = pytest.mark.anyio
MOTHER = "urn:uuid:5b6f3a52-94c5-4f0e-9a0b-3b1f2c8d7e60"
LETTER = "urn:uuid:0c1f9a8e-71a3-49f0-8a40-2a50f0c0b001"


def entry(method, url, resource=None, full_url=None, **request):
    made = {"request": {"method": method, "url": url, **request}}
    if full_url:
        made["fullUrl"] = full_url
    if resource:
        made["resource"] = resource
    return made


def bundle(*entries, kind="transaction"):
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def numbered(value, **rest):
    return {
        "resourceType": "Patient",
        "identifier": [{"system": "urn:x", "value": value}],
        **rest,
    }


def json_patch(*operations):
    data = base64.b64encode(json.dumps(operations).encode()).decode()
    return {"resourceType": "Binary", "contentType": "application/json-patch+json", "data": data}


def parameters(*operations):
    return {
        "resourceType": "Parameters",
        "parameter": [{"name": "operation", "part": list(parts)} for parts in operations],
    }


def document(**rest):
    return {
        "resourceType": "DocumentReference",
        "status": "current",
        "content": [{"attachment": {"contentType": "text/plain"}}],
        **rest,
    }


def listed(id_, *references):
    made = {"resourceType": "List", "id": id_, "status": "current", "mode": "working"}
    entries = [{"item": {"reference": one}} for one in references]
    return made | ({"entry": entries} if entries else {})


@pytest.fixture
def under(served):
    def change(**policy):
        gateway = replace(served.gateway, writing=WritingPolicy(**policy))
        served.door.fhir.gateway = gateway
        return replace(served, gateway=gateway)

    return change


async def sent(served, *entries, kind="transaction", prefer="return=representation"):
    headers = {"Prefer": prefer}
    answer = await served.ask("POST", "/fhir", bundle(*entries, kind=kind), headers)
    assert answer.status_code == 200, answer.text
    return answer.json()["entry"]


def statuses(entries):
    return [int(each["response"]["status"][:3]) for each in entries]


def faults(answer):
    return [
        (issue["details"]["coding"][0]["code"], issue["expression"][0])
        for issue in answer.json()["issue"]
    ]


async def test_a_replacement_as_pdsm_has_it_supersedes_the_former_document(served):
    await served.kept(document(id="former"))
    made = await sent(
        served,
        entry(
            "PATCH",
            "DocumentReference/former",
            parameters(
                (
                    {"name": "type", "valueCode": "replace"},
                    {"name": "path", "valueString": "DocumentReference.status"},
                    {"name": "value", "valueCode": "superseded"},
                ),
                (
                    {"name": "type", "valueCode": "add"},
                    {"name": "path", "valueString": "DocumentReference"},
                    {"name": "name", "valueString": "context"},
                    {
                        "name": "value",
                        "part": [{"name": "related", "valueReference": {"reference": LETTER}}],
                    },
                ),
            ),
        ),
        entry("POST", "DocumentReference", document(), LETTER),
    )
    assert statuses(made) == [200, 201]
    assert made[0]["resource"]["status"] == "superseded"
    new = f"DocumentReference/{made[1]['resource']['id']}"
    assert made[0]["resource"]["context"]["related"] == [{"reference": new}]


async def test_a_json_patch_in_a_bundle_puts_in_what_the_bundle_makes(served):
    await served.kept({"resourceType": "Task", "id": "t1", "status": "draft", "intent": "order",
                       "description": MOTHER, "identifier": [{"value": "9"}]})  # fmt: skip
    made = await sent(
        served,
        entry("POST", "Patient", numbered("1"), MOTHER),
        entry(
            "PATCH",
            "Task?identifier=9",
            json_patch(
                {"op": "add", "path": "/for", "value": {"reference": MOTHER}},
                {"op": "add", "path": "/owner", "value": {}},
                {"op": "add", "path": "/owner/reference", "value": MOTHER},
            ),
            ifMatch='W/"1"',
        ),
    )
    assert statuses(made) == [201, 200]
    patient = f"Patient/{made[0]['resource']['id']}"
    task = made[1]["resource"]
    assert task["for"] == task["owner"] == {"reference": patient}
    assert task["description"] == MOTHER


async def test_every_patch_that_cannot_be_applied_is_named(served):
    await served.kept(numbered("1", id="p1"))
    patch = json_patch({"op": "remove", "path": "/birthDate"})
    answer = await served.ask(
        "POST",
        "/fhir",
        bundle(
            entry("PATCH", "Patient/p1", patch), entry("PUT", "Patient/p3", numbered("3", id="p3"))
        ),
    )
    assert (answer.status_code, faults(answer)) == (
        422,
        [("patch.nowhere", "Bundle.entry[0].resource")],
    )
    answer = await served.ask("POST", "/fhir", bundle(entry("PATCH", "Patient/p2", patch)))
    assert (answer.status_code, faults(answer)) == (
        404,
        [("record.not-found", "Bundle.entry[0].request")],
    )
    answer = await served.ask(
        "POST", "/fhir", bundle(entry("PATCH", "Patient/p1", patch, ifMatch='W/"7"'))
    )
    assert (answer.status_code, faults(answer)[0][0]) == (412, "record.version-conflict")
    answer = await served.ask(
        "POST", "/fhir", bundle(entry("PATCH", "Patient?identifier=urn:x|none", patch))
    )
    assert (answer.status_code, faults(answer)[0][0]) == (404, "record.none-match")
    assert (await served.ask("GET", "/fhir/Patient/p3")).status_code == 404


async def test_a_resource_is_patched_and_written_once_only(served):
    await served.kept(numbered("1", id="p1"))
    twice = bundle(
        entry("PUT", "Patient/p1", numbered("1", id="p1")),
        entry("PATCH", "Patient/p1", json_patch()),
    )
    answer = await served.ask("POST", "/fhir", twice)
    assert faults(answer) == [("bundle.identity-duplicate", "Bundle.entry[1].request.url")]
    by_condition = bundle(
        entry("PUT", "Patient/p1", numbered("1", id="p1")),
        entry("PATCH", "Patient?identifier=urn:x|1", json_patch()),
    )
    answer = await served.ask("POST", "/fhir", by_condition)
    assert faults(answer) == [("bundle.identity-duplicate", "Bundle.entry[1].request")]


async def test_a_conditional_reference_finds_what_the_bundle_itself_makes(served):
    made = await sent(
        served,
        entry("POST", "List", {k: v for k, v in listed("x", "Patient?identifier=urn:x|7").items()
                               if k != "id"}),
        entry("POST", "Patient", numbered("7")),
        entry("PUT", "List/l2", listed("l2", "Patient?identifier=7")),
    )  # fmt: skip
    patient = f"Patient/{made[1]['resource']['id']}"
    assert made[0]["resource"]["entry"][0]["item"] == {"reference": patient}
    assert made[2]["resource"]["entry"][0]["item"] == {"reference": patient}


async def test_a_conditional_reference_to_two_of_record_and_bundle_is_refused(served):
    await served.kept(numbered("7", id="p1"))
    both = bundle(
        entry("PUT", "List/l1", listed("l1", "Patient?identifier=urn:x|7")),
        entry("POST", "Patient", numbered("7")),
    )
    answer = await served.ask("POST", "/fhir", both)
    fault = ("bundle.reference-several", "Bundle.entry[0].resource.entry[0].item")
    assert faults(answer) == [fault]
    same = [
        entry("PUT", "List/l1", listed("l1", "Patient?identifier=urn:x|7")),
        entry("PUT", "Patient/p1", numbered("7", id="p1", active=True)),
    ]
    made = await sent(served, *same)
    assert made[0]["resource"]["entry"][0]["item"] == {"reference": "Patient/p1"}


async def test_conditional_deletes_come_first_and_all_or_nothing(under):
    served = under(conditional_delete="multiple", deleted_max=5)
    for number in range(3):
        await served.kept(numbered("1", id=f"p{number}"))
    made = await sent(
        served,
        entry("POST", "Patient", numbered("1"), ifNoneExist="identifier=urn:x|1"),
        entry("DELETE", "Patient?identifier=urn:x|1"),
        entry("DELETE", "Patient?identifier=urn:x|2"),
    )
    assert statuses(made) == [201, 204, 204]
    found = (await served.ask("GET", "/fhir/Patient?identifier=urn:x|1")).json()
    assert len(found["entry"]) == 1


async def test_a_conditional_delete_of_several_is_refused_where_it_stands(served):
    for number in range(2):
        await served.kept(numbered("1", id=f"p{number}"))
    given = bundle(
        entry("PUT", "Patient/p9", numbered("9", id="p9")),
        entry("DELETE", "Patient?identifier=urn:x|1"),
    )
    answer = await served.ask("POST", "/fhir", given)
    fault = ("record.several-match", "Bundle.entry[1].request")
    assert (answer.status_code, faults(answer)) == (412, [fault])
    assert (await served.ask("GET", "/fhir/Patient/p9")).status_code == 404


async def test_a_bundle_deletes_together_what_refers_to_one_another(served):
    await served.kept(numbered("1", id="p1"))
    await served.kept(listed("l1", "Patient/p1", "List/l2"))
    await served.kept(listed("l2", "List/l1"))
    answer = await served.ask("POST", "/fhir", bundle(entry("DELETE", "Patient/p1")))
    fault = ("reference.still-referred", "Bundle.entry[0].request")
    assert (answer.status_code, faults(answer)) == (409, [fault])
    made = await sent(
        served, *(entry("DELETE", one) for one in ("Patient/p1", "List/l1", "List/l2"))
    )
    assert statuses(made) == [204] * 3


async def test_a_bundle_may_take_away_the_last_reference_and_delete(served):
    await served.kept(numbered("1", id="p1"))
    await served.kept(listed("l1", "Patient/p1"))
    made = await sent(served, entry("PUT", "List/l1", listed("l1")), entry("DELETE", "Patient/p1"))
    assert statuses(made) == [200, 204]


async def test_enforced_references_may_lead_to_what_the_bundle_makes_and_not_to_what_it_deletes(
    under,
):
    served = under(references="enforce")
    made = await sent(
        served,
        entry("PUT", "List/l1", listed("l1", MOTHER, "Patient/p2")),
        entry("POST", "Patient", numbered("1"), MOTHER),
        entry("PUT", "Patient/p2", numbered("2", id="p2")),
    )
    assert statuses(made) == [201] * 3
    answer = await served.ask(
        "POST",
        "/fhir",
        bundle(
            entry("PUT", "List/l3", listed("l3", "Patient/none", "Patient/p2")),
            entry("PUT", "List/l1", listed("l1", "Patient/p2", "List/none")),
            entry("DELETE", "Patient/p2"),
        ),
    )
    assert answer.status_code == 422
    assert faults(answer) == [
        ("reference.missing", "Bundle.entry[0].resource.entry[0].item"),
        ("reference.missing", "Bundle.entry[0].resource.entry[1].item"),
        ("reference.missing", "Bundle.entry[1].resource.entry[0].item"),
        ("reference.missing", "Bundle.entry[1].resource.entry[1].item"),
    ]


async def test_references_to_what_comes_later_are_told_entry_by_entry(served):
    made = await sent(
        served,
        entry("PUT", "List/l1", listed("l1")),
        entry("PUT", "List/l2", listed("l2", "Patient/later")),
    )
    assert "outcome" not in made[0]["response"]
    (told,) = made[1]["response"]["outcome"]["issue"]
    assert told["severity"] == "warning"
    assert told["expression"] == ["Bundle.entry[1].resource.entry[0].item"]


async def test_if_none_match_star_in_a_bundle_creates_and_never_overwrites(served):
    given = entry("PUT", "Patient/p1", numbered("1", id="p1"), ifNoneMatch="*")
    assert statuses(await sent(served, given)) == [201]
    other = entry("PUT", "Patient/p2", numbered("2", id="p2"))
    answer = await served.ask("POST", "/fhir", bundle(other, given))
    fault = ("record.there-already", "Bundle.entry[1].request.ifNoneMatch")
    assert (answer.status_code, faults(answer)) == (412, [fault])
    for wrong in (
        entry("PUT", "Patient/p1", numbered("1", id="p1"), ifNoneMatch='W/"1"'),
        entry("POST", "Patient", numbered("1"), ifNoneMatch="*"),
    ):
        answer = await served.ask("POST", "/fhir", bundle(wrong))
        assert faults(answer) == [
            ("http.if-none-match-write", "Bundle.entry[0].request.ifNoneMatch")
        ]


async def test_ids_of_clients_may_be_refused_in_a_bundle_too(under):
    served = under(update_create=False)
    given = bundle(
        entry("POST", "Patient", numbered("1")), entry("PUT", "Patient/p1", numbered("2", id="p1"))
    )
    answer = await served.ask("POST", "/fhir", given)
    fault = ("record.ids-are-given", "Bundle.entry[1].request")
    assert (answer.status_code, faults(answer)) == (405, [fault])


@pytest.mark.parametrize("kind", ["transaction", "batch"])
async def test_reading_entries_answer_after_the_writes_and_a_head_gives_no_body(served, kind):
    await served.kept(numbered("1", id="p1"))
    made = await sent(
        served,
        entry("HEAD", "Patient/p1"),
        entry("GET", "Patient/p1", ifNoneMatch='W/"1"'),
        entry("HEAD", "Patient?identifier=urn:x|1"),
        entry("GET", "Patient/none"),
        entry("GET", "Patient?identifier=urn:x|1"),
        kind=kind,
    )
    assert statuses(made) == [200, 304, 200, 404, 200]
    assert ["resource" in each for each in made] == [False, False, False, False, True]
    assert made[0]["response"]["etag"] == 'W/"1"'


async def test_entries_say_what_became_of_them_when_that_is_preferred(served):
    made = await sent(
        served,
        entry("PUT", "Patient/p1", numbered("1", id="p1")),
        prefer="return=OperationOutcome",
    )
    (told,) = made[0]["response"]["outcome"]["issue"]
    assert told["details"]["coding"][0]["code"] == "http.done"
    assert "resource" not in made[0]


async def test_a_batch_patches_and_deletes_entry_by_entry(served):
    await served.kept(numbered("1", id="p1"))
    await served.kept(numbered("2", id="p2"))
    await served.kept(listed("l1", "Patient/p2"))
    made = await sent(
        served,
        entry("PATCH", "Patient/p1", json_patch({"op": "add", "path": "/active", "value": True})),
        entry("PATCH", "Patient?identifier=urn:x|1",
              json_patch({"op": "add", "path": "/gender", "value": "female"})),
        entry("PATCH", "Patient/p1", json_patch({"op": "remove", "path": "/birthDate"})),
        entry("PATCH", "Patient/p1", numbered("1")),
        entry("DELETE", "Patient?identifier=urn:x|2"),
        entry("DELETE", "List?_id=l1"),
        entry("PUT", "Patient/p1", numbered("1", id="p1"), ifNoneMatch="*"),
        kind="batch",
    )  # fmt: skip
    assert statuses(made) == [200, 200, 422, 400, 409, 204, 412]
    assert made[1]["resource"]["active"] is True
