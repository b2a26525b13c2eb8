"""Documents shared by PDSm: bundles, what replaces, what is patched, what the bytes must be."""

import pytest

from passerelle.fhir.document_sharing.pdsm_rules import DEMANDS
from tests import pdsm

pytestmark = pytest.mark.anyio
JSON_PATCH = {"content-type": "application/json-patch+json"}


@pytest.fixture
async def shared(served):
    await served.kept(pdsm.patient())
    return served


async def provide(served, bundle, status=200):
    answer = await served.ask("POST", "/fhir", bundle)
    assert answer.status_code == status, answer.text
    return answer.json()


def places(answer):
    return [
        (one["details"]["coding"][0]["code"], one.get("expression", [""])[0])
        for one in answer["issue"]
    ]


def warnings(answer, number):
    outcome = answer["entry"][number]["response"].get("outcome", {"issue": []})
    return places(outcome)


def made(answer, number):
    return answer["entry"][number]["response"]["location"].partition("/_history")[0]


async def read(served, reference):
    answer = await served.ask("GET", f"/fhir/{reference}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_bundle_of_documents_is_answered_entry_by_entry_in_its_order(shared):
    given = pdsm.bundle(
        pdsm.entry(pdsm.submission_set(pdsm.uuid(2), pdsm.uuid(4)), 1),
        pdsm.entry(pdsm.document(1, url=pdsm.uuid(3)), 2),
        pdsm.entry(pdsm.binary(), 3),
        pdsm.entry(pdsm.folder("Suivi", pdsm.uuid(2)), 4),
    )
    answer = await provide(shared, given)
    assert answer["type"] == "transaction-response"
    assert [one["response"]["status"] for one in answer["entry"]] == ["201 Created"] * 4
    assert [made(answer, number).partition("/")[0] for number in range(4)] == [
        *("List", "DocumentReference", "Binary", "List"),
    ]
    found = await read(shared, made(answer, 1))
    assert found["content"][0]["attachment"]["url"] == made(answer, 2)
    held = await shared.ask("GET", f"/fhir/{found['content'][0]['attachment']['url']}")
    assert (held.status_code, held.content) == (200, pdsm.TEXT)
    items = [one["item"]["reference"] for one in (await read(shared, made(answer, 0)))["entry"]]
    assert items == [made(answer, 1), made(answer, 3)]
    assert [warnings(answer, number) for number in range(4)] == [[]] * 4


@pytest.mark.parametrize(
    ("change", "rule", "element"),
    [
        ({"type": pdsm.concept("http://snomed.info/sct", "1")}, "terminology", "type"),
        ({"type": {"text": "compte rendu"}}, "terminology", "type"),
        ({"category": [pdsm.concept("http://loinc.org", "1")]}, "terminology", "category[0]"),
        ({"securityLabel": None}, "element-missing", "securityLabel"),
        ({"custodian": None}, "element-missing", "custodian"),
        ({"docStatus": "final"}, "element-forbidden", "docStatus"),
        (
            {"category": [pdsm.concept("TRE_A03-ClasseDocument", "10")] * 2},
            "element-repeated",
            "category",
        ),
        (
            {
                "relatesTo": [
                    {"code": "replaces", "target": {"display": "a"}},
                    {"code": "appends", "target": {"display": "b"}},
                ]
            },
            "replaces-alone",
            "relatesTo",
        ),
    ],
)
async def test_what_the_guide_states_as_an_error_is_refused_where_its_profile_is_declared(
    shared, change, rule, element
):
    wrong = {k: v for k, v in (pdsm.document() | change).items() if v is not None}
    answer = await shared.ask("POST", "/fhir/DocumentReference", wrong)
    assert answer.status_code == 422
    assert (f"document.{rule}", f"DocumentReference.{element}") in places(answer.json())
    in_bundle = await provide(shared, pdsm.bundle(pdsm.entry(wrong, 1)), 422)
    place = f"Bundle.entry[0].resource.{element}"
    assert (f"document.{rule}", place) in places(in_bundle)
    plain = {k: v for k, v in wrong.items() if k != "meta"}
    assert (await shared.ask("POST", "/fhir/DocumentReference", plain)).status_code == 201


@pytest.mark.parametrize(
    ("element", "value", "rule"),
    [
        ("format", {"system": "http://loinc.org", "code": "x"}, "terminology"),
        ("url", "urn:uuid:00000000-0000-4000-8000-000000000009", "attachment-url"),
        ("url", "DocumentReference/1", "attachment-url"),
        ("data", "YQ==", "element-forbidden"),
        ("hash", None, "element-missing"),
        ("language", None, "element-missing"),
    ],
)
async def test_of_an_attachment_the_guide_wants_address_size_hash_and_language(
    shared, element, value, rule
):
    wrong = pdsm.document()
    held = wrong["content"][0] if element == "format" else wrong["content"][0]["attachment"]
    held[element] = value
    if value is None:
        del held[element]
    answer = await shared.ask("POST", "/fhir/DocumentReference", wrong)
    assert answer.status_code == 422
    assert places(answer.json())[0][0] == f"document.{rule}"


async def test_a_submission_set_and_a_folder_are_held_to_their_profiles(shared, rules):
    bare = pdsm.submission_set("DocumentReference/1")
    bare["extension"] = bare["extension"][2:]
    bare["code"]["coding"][0]["code"] = "folder"
    del bare["source"], bare["contained"]
    answer = await shared.ask("POST", "/fhir/List", bare)
    assert answer.status_code == 422
    assert places(answer.json()) == [
        ("document.element-missing", "List.source"),
        ("document.list-type", "List.code"),
        ("document.element-missing", "List.extension"),
    ]
    wrong = pdsm.submission_set("DocumentReference/1")
    wrong["extension"][0]["valueCodeableConcept"] = pdsm.concept("http://snomed.info/sct", "1")
    answer = await shared.ask("POST", "/fhir/List", wrong)
    assert places(answer.json()) == [
        ("document.terminology", "List.extension[0].valueCodeableConcept")
    ]
    ended = pdsm.submission_set("DocumentReference/1", status="retired")
    answer = await shared.ask("POST", "/fhir/List", ended)
    assert places(answer.json()) == [("document.status-not-shared", "List.status")]
    empty = pdsm.folder("Suivi")
    del empty["entry"]
    answer = await shared.ask("POST", "/fhir/List", empty)
    assert (answer.status_code, rules(answer)) == (422, ["document.element-missing"])


async def test_size_and_hash_are_those_of_the_bytes_that_come_along_or_are_there(shared, rules):
    other = b"Un autre texte, plus long que le premier."
    for data, rule in ((other, "size"), (pdsm.TEXT[::-1], "hash")):
        wrong = pdsm.provided()
        wrong["entry"][2]["resource"] = pdsm.binary(data)
        refused = await provide(shared, wrong, 422)
        place = f"Bundle.entry[1].resource.content[0].attachment.{rule}"
        assert places(refused) == [(f"document.{rule}-mismatch", place)]
        await shared.kept(pdsm.binary(data) | {"id": "b1"})
        answer = await shared.ask("POST", "/fhir/DocumentReference", pdsm.document())
        assert (answer.status_code, rules(answer)) == (422, [f"document.{rule}-mismatch"])
        plain = {k: v for k, v in pdsm.document().items() if k != "meta"}
        told = {"prefer": "return=OperationOutcome"}
        answer = await shared.ask("POST", "/fhir/DocumentReference", plain, told)
        assert answer.status_code == 201
        assert f"document.{rule}-differs" in rules(answer)
    await shared.kept(pdsm.binary() | {"id": "b1"})
    answer = await shared.ask("POST", "/fhir/DocumentReference", pdsm.document())
    assert answer.status_code == 201


async def test_a_wrong_size_is_only_told_where_ihe_alone_is_declared_and_the_hash_is_right(shared):
    of_ihe = [pdsm.MHD + "IHE.MHD.Comprehensive.DocumentReference"]
    given = pdsm.provided(meta={"profile": of_ihe})
    attachment = given["entry"][1]["resource"]["content"][0]["attachment"]
    attachment["size"] += 1
    place = "Bundle.entry[1].resource.content[0].attachment"
    assert warnings(await provide(shared, given), 1) == [("document.size-differs", f"{place}.size")]
    attachment["hash"] = pdsm.sha1(b"other")
    refused = await provide(shared, given, 422)
    assert places(refused) == [("document.size-mismatch", f"{place}.size")]


async def test_an_address_that_leads_to_nothing_yet_is_told(shared):
    answer = await provide(shared, pdsm.bundle(pdsm.entry(pdsm.document(), 1)))
    place = "Bundle.entry[0].resource.content[0].attachment.url"
    assert warnings(answer, 0) == [("document.binary-not-there", place)]


@pytest.mark.parametrize("said_by_source", [True, False])
async def test_what_is_replaced_is_superseded_in_the_same_transaction(shared, said_by_source):
    old = made(await provide(shared, pdsm.provided()), 1)
    new = pdsm.provided(
        2, b"Corrige.", relatesTo=[{"code": "replaces", "target": {"reference": old}}]
    )
    if said_by_source:
        new["entry"].append(pdsm.entry(pdsm.superseding(), 4, "PATCH", old))
    answer = await provide(shared, new)
    assert (await read(shared, old))["status"] == "superseded"
    assert (await read(shared, old))["meta"]["versionId"] == "2"
    assert (await read(shared, made(answer, 1)))["status"] == "current"
    assert warnings(answer, 1) == []


async def test_what_is_replaced_may_be_named_by_its_identifier(shared):
    old = made(await provide(shared, pdsm.provided()), 1)
    target = {"identifier": {"system": pdsm.RFC3986, "value": "urn:oid:2.25.1"}}
    await provide(shared, pdsm.provided(2, relatesTo=[{"code": "replaces", "target": target}]))
    assert (await read(shared, old))["status"] == "superseded"


async def test_a_replacement_of_nothing_or_of_what_is_out_of_force_is_told(shared):
    nothing = {"code": "replaces", "target": {"reference": "DocumentReference/none"}}
    answer = await provide(shared, pdsm.provided(relatesTo=[nothing]))
    place = "Bundle.entry[1].resource.relatesTo[0]"
    assert ("document.partial-replace", place) in warnings(answer, 1)
    relation = {"code": "replaces", "target": {"reference": made(answer, 1)}}
    await provide(shared, pdsm.provided(2, relatesTo=[relation]))
    third = await provide(shared, pdsm.provided(3, relatesTo=[relation]))
    assert warnings(third, 1) == [("document.replaced-already", place)]


async def test_nobody_replaces_the_document_of_somebody_else(shared):
    await shared.kept(pdsm.patient("157", "p2"))
    old = made(await provide(shared, pdsm.provided()), 1)
    relation = {"code": "replaces", "target": {"reference": old}}
    other = pdsm.provided(2, relatesTo=[relation], subject={"reference": "Patient/p2"})
    refused = await provide(shared, other, 422)
    place = "Bundle.entry[1].resource.relatesTo[0].target"
    assert places(refused) == [("document.replaced-other-person", place)]
    assert (await read(shared, old))["status"] == "current"


async def test_a_pdsm_document_is_related_to_pdsm_documents_only(shared):
    plain = {k: v for k, v in pdsm.document().items() if k != "meta"} | {"id": "plain"}
    await shared.kept(plain)
    target = {"reference": "DocumentReference/plain"}
    given = pdsm.provided(2, relatesTo=[{"code": "appends", "target": target}])
    refused = await provide(shared, given, 422)
    assert [rule for rule, _ in places(refused)] == ["document.replaced-not-shared"]
    plain |= {"status": "entered-in-error"}
    await shared.kept(plain)
    await provide(shared, given)


async def test_intended_recipients_that_are_not_notified_are_told(shared):
    recipients = ("#source", "#author", "Practitioner/none")
    given = pdsm.provided()
    given["entry"][0]["resource"] = pdsm.submission_set(pdsm.uuid(2), recipients=recipients)
    answer = await provide(shared, given)
    place = "Bundle.entry[0].resource.extension[{}].valueReference"
    told = [one for one in warnings(answer, 0) if one[0].startswith("document.")]
    assert told == [
        ("document.recipient-unavailable", place.format(3)),
        ("document.recipient-unknown", place.format(4)),
        ("document.recipient-unknown", place.format(5)),
    ]


OPEN = [
    {"op": "replace", "path": "/status", "value": "superseded"},
    {
        "op": "replace",
        "path": "/securityLabel",
        "value": [pdsm.concept("TRE_A08-HL7Confidentiality", "R")],
    },
    {
        "op": "add",
        "path": "/extension",
        "value": [{"url": pdsm.ARCHIVED, "valueBoolean": True}],
    },
]


async def test_status_confidentiality_and_archiving_are_patched_by_business_identifier(shared):
    reference = made(await provide(shared, pdsm.provided()), 1)
    address = "/fhir/DocumentReference?identifier=urn:ietf:rfc:3986|urn:oid:2.25.1"
    answer = await shared.ask("PATCH", address, OPEN, JSON_PATCH)
    assert (answer.status_code, answer.headers["etag"]) == (200, 'W/"2"')
    found = answer.json()
    assert found["meta"]["versionId"] == "2"
    assert found["status"] == "superseded"
    assert found["securityLabel"] == OPEN[1]["value"]
    assert found["extension"] == OPEN[2]["value"]
    assert await read(shared, reference) == found
    archived = await shared.ask("GET", "/fhir/DocumentReference?isArchived=true")
    assert [one["resource"]["id"] for one in archived.json()["entry"]] == [found["id"]]


PARAMETERS = {
    "resourceType": "Parameters",
    "parameter": [
        {
            "name": "operation",
            "part": [
                {"name": "type", "valueCode": "replace"},
                {"name": "path", "valueString": "DocumentReference.custodian.display"},
                {"name": "value", "valueString": "Autre"},
            ],
        }
    ],
}


@pytest.mark.parametrize(
    ("patch", "headers", "element"),
    [
        ([{"op": "add", "path": "/description", "value": "x"}], JSON_PATCH, "description"),
        ([*OPEN, {"op": "remove", "path": "/custodian"}], JSON_PATCH, "custodian"),
        ([{"op": "remove", "path": "/meta/profile"}], JSON_PATCH, "meta"),
        (
            [{"op": "add", "path": "/extension", "value": [{"url": "x", "valueString": "y"}]}],
            JSON_PATCH,
            "extension",
        ),
        (PARAMETERS, {}, "custodian"),
    ],
)
async def test_a_patch_of_anything_else_is_not_allowed(shared, patch, headers, element):
    reference = made(await provide(shared, pdsm.provided()), 1)
    before = await read(shared, reference)
    address = "/fhir/DocumentReference?identifier=urn:ietf:rfc:3986|urn:oid:2.25.1"
    for target in (address, f"/fhir/{reference}"):
        answer = await shared.ask("PATCH", target, patch, headers)
        assert answer.status_code == 405
        assert "PATCH" in answer.headers["allow"]
        assert places(answer.json()) == [("document.metadata-only", f"DocumentReference.{element}")]
    assert await read(shared, reference) == before


async def test_a_bundle_patches_no_more_of_a_document_than_a_request_does(shared):
    reference = made(await provide(shared, pdsm.provided()), 1)
    given = pdsm.bundle(pdsm.entry(PARAMETERS, 1, "PATCH", reference))
    refused = await provide(shared, given, 405)
    assert places(refused) == [("document.metadata-only", "Bundle.entry[0].resource.custodian")]


async def test_a_document_may_always_be_withdrawn(shared):
    reference = made(await provide(shared, pdsm.provided()), 1)
    patch = [{"op": "replace", "path": "/status", "value": "entered-in-error"}]
    told = JSON_PATCH | {"prefer": "return=OperationOutcome"}
    answer = await shared.ask("PATCH", f"/fhir/{reference}", patch, told)
    assert answer.status_code == 200
    assert places(answer.json())[0] == ("document.withdrawn", "DocumentReference.status")


async def test_a_plain_document_is_patched_as_any_resource(shared):
    plain = {k: v for k, v in pdsm.document().items() if k != "meta"} | {"id": "plain"}
    await shared.kept(plain)
    answer = await shared.ask("PATCH", "/fhir/DocumentReference/plain", PARAMETERS)
    assert answer.status_code == 200


async def test_the_profiles_that_are_claimed_are_those_that_are_held_to(served):
    claimed = (await served.ask("GET", "/fhir/metadata")).json()["rest"][0]["resource"]
    found = {one["type"]: one.get("supportedProfile", []) for one in claimed}
    assert {*found["DocumentReference"], *found["List"]} >= DEMANDS.keys()
