"""A document published in one request (ITI-105), and its bytes asked for (ITI-68)."""

import pytest

from tests import pdsm

pytestmark = pytest.mark.anyio
ADDRESS = "/fhir/DocumentReference"


@pytest.fixture
async def shared(served):
    await served.kept(pdsm.patient())
    return served


async def publish(served, document, status=201, headers=None):
    answer = await served.ask("POST", ADDRESS, document, headers)
    assert answer.status_code == status, answer.text
    return answer


def places(answer):
    found = answer.json()["issue"]
    return [(one["details"]["coding"][0]["code"], one["expression"][0]) for one in found]


async def total(served, type_):
    return (await served.ask("GET", f"/fhir/{type_}?_summary=count")).json()["total"]


async def test_one_request_makes_the_reference_its_bytes_and_a_submission_set(shared):
    answer = await publish(shared, pdsm.simplified())
    found = answer.json()
    assert answer.headers["location"].endswith(f"DocumentReference/{found['id']}/_history/1")
    assert found["meta"]["versionId"] == "1"
    assert found["meta"]["profile"] == [pdsm.COMPREHENSIVE]
    attachment = found["content"][0]["attachment"]
    assert "data" not in attachment
    assert (attachment["size"], attachment["hash"]) == (len(pdsm.TEXT), pdsm.sha1(pdsm.TEXT))
    bytes_ = await shared.ask("GET", f"/fhir/{attachment['url']}")
    assert (bytes_.status_code, bytes_.content) == (200, pdsm.TEXT)
    assert bytes_.headers["content-type"] == "text/plain"
    binary = await shared.ask("GET", f"/fhir/{attachment['url']}?_format=json")
    reference = {"reference": f"DocumentReference/{found['id']}"}
    assert binary.json()["securityContext"] == reference
    (entry,) = (await shared.ask("GET", "/fhir/List?code=submissionset")).json()["entry"]
    assert entry["resource"]["entry"] == [{"item": reference}]
    assert entry["resource"]["subject"] == found["subject"]


@pytest.mark.parametrize("stated", [(), ("size",), ("hash",), ("size", "hash")])
async def test_size_and_hash_are_filled_in_where_the_source_gives_none(shared, stated):
    document = pdsm.simplified()
    attachment = document["content"][0]["attachment"]
    for name in ("size", "hash"):
        if name not in stated:
            del attachment[name]
    found = (await publish(shared, document)).json()["content"][0]["attachment"]
    assert (found["size"], found["hash"]) == (len(pdsm.TEXT), pdsm.sha1(pdsm.TEXT))


async def test_what_lacks_what_the_comprehensive_profile_wants_declares_that_of_ihe(shared):
    document = pdsm.simplified()
    for name in ("type", "category", "securityLabel", "context"):
        del document[name]
    document["contained"] = document["contained"][1:]
    document["meta"]["profile"].append("https://exemple.fr/StructureDefinition/nôtre")
    found = (await publish(shared, document)).json()
    assert found["meta"]["profile"] == [
        "https://exemple.fr/StructureDefinition/nôtre",
        pdsm.MHD + "IHE.MHD.Minimal.DocumentReference",
    ]


@pytest.mark.parametrize(
    ("changes", "attached", "status", "rule", "place"),
    [
        ({}, {"data": None}, 422, "document.element-missing", "content[0].attachment.data"),
        ({}, {"url": "Binary/1"}, 422, "document.element-forbidden", "content[0].attachment.url"),
        ({}, {"size": 1}, 422, "document.size-mismatch", "content[0].attachment.size"),
        (
            {},
            {"hash": "2jmj7l5rSw0yVb/vlWAYkK/YBwk="},
            422,
            "document.hash-mismatch",
            "content[0].attachment.hash",
        ),
        ({"status": "superseded"}, {}, 422, "document.status-not-shared", "status"),
        (
            {"identifier": [{"system": "urn:oid:1.2.3", "value": "1"}]},
            {},
            422,
            "document.element-forbidden",
            "identifier",
        ),
        ({"subject": None}, {}, 422, "document.element-missing", "subject"),
        (
            {"type": pdsm.concept("http://snomed.info/sct", "1")},
            {},
            422,
            "document.terminology",
            "type",
        ),
        ({}, {"data": "%%%"}, 400, "structure.bad-base64", "content[0].attachment.data"),
    ],
)
async def test_what_is_refused_leaves_nothing_behind(
    shared, changes, attached, status, rule, place
):
    document = {k: v for k, v in (pdsm.simplified() | changes).items() if v is not None}
    attachment = document["content"][0]["attachment"] | attached
    document["content"][0]["attachment"] = {k: v for k, v in attachment.items() if v is not None}
    answer = await publish(shared, document, status)
    assert (rule, f"DocumentReference.{place}") in places(answer)
    assert [await total(shared, one) for one in ("DocumentReference", "Binary", "List")] == [0] * 3


async def test_of_ihe_alone_there_is_one_content_too(shared, rules):
    document = pdsm.simplified()
    document["meta"]["profile"] = [pdsm.MHD + "IHE.MHD.SimplifiedPublish.DocumentReference"]
    document["content"] *= 2
    assert rules(await publish(shared, document, 422)) == ["document.element-repeated"]
    del document["content"][1]
    found = (await publish(shared, document)).json()
    assert found["meta"]["profile"] == [pdsm.COMPREHENSIVE]


async def test_a_type_that_there_is_not_is_not_found(shared):
    answer = await shared.ask("POST", "/fhir/DocumentReferences", pdsm.simplified())
    assert answer.status_code == 404


async def test_publishing_again_under_a_condition_gives_back_what_is_there(shared):
    condition = {"if-none-exist": "identifier=urn:ietf:rfc:3986|urn:oid:2.25.1"}
    first = await publish(shared, pdsm.simplified(), 201, condition)
    again = await publish(shared, pdsm.simplified(), 200, condition)
    assert again.json() == first.json()
    assert [await total(shared, one) for one in ("DocumentReference", "Binary", "List")] == [1] * 3


async def test_a_published_document_supersedes_what_it_replaces(shared):
    old = (await publish(shared, pdsm.simplified())).json()
    relation = {"code": "replaces", "target": {"reference": f"DocumentReference/{old['id']}"}}
    new = pdsm.simplified(b"Corrige.", relatesTo=[relation])
    new["masterIdentifier"]["value"] = "urn:oid:2.25.2"
    await publish(shared, new)
    found = await shared.ask("GET", f"{ADDRESS}/{old['id']}")
    assert found.json()["status"] == "superseded"


async def test_a_published_document_may_bear_its_bytes_in_a_batch_and_in_xml(shared):
    batch = pdsm.bundle(pdsm.entry(pdsm.simplified(), 1)) | {"type": "batch"}
    del batch["meta"], batch["entry"][0]["fullUrl"]
    answer = await shared.ask("POST", "/fhir", batch)
    assert answer.json()["entry"][0]["response"]["status"] == "201 Created"
    assert await total(shared, "Binary") == 1
    found = await shared.ask("GET", ADDRESS, headers={"accept": "application/fhir+xml"})
    assert b"<data " not in found.content


async def test_bytes_are_given_as_asked_whole_or_in_part_and_not_in_another_form(shared, rules):
    found = (await publish(shared, pdsm.simplified())).json()
    address = f"/fhir/{found['content'][0]['attachment']['url']}"
    part = await shared.ask("GET", address, headers={"range": "bytes=0-5"})
    assert (part.status_code, part.content) == (206, pdsm.TEXT[:6])
    head = await shared.ask("HEAD", address)
    assert (head.status_code, head.headers["content-length"]) == (200, str(len(pdsm.TEXT)))
    other = await shared.ask("GET", address, headers={"accept": "image/png"})
    assert (other.status_code, rules(other)) == (406, ["http.format-not-served"])
    unknown = await shared.ask("GET", "/fhir/Binary/none")
    assert (unknown.status_code, rules(unknown)) == (404, ["record.not-found"])


@pytest.mark.parametrize("status", ["superseded", "entered-in-error"])
async def test_bytes_of_what_is_out_of_force_are_gone_but_none_of_its_versions(
    shared, rules, status
):
    found = (await publish(shared, pdsm.simplified())).json()
    address = f"/fhir/{found['content'][0]['attachment']['url']}"
    await shared.kept(found | {"status": status})
    for method in ("GET", "HEAD"):
        gone = await shared.ask(method, address)
        assert gone.status_code == 410
    assert rules(await shared.ask("GET", address)) == ["document.out-of-force"]
    version = await shared.ask("GET", f"{address}/_history/1")
    assert (version.status_code, version.content) == (200, pdsm.TEXT)
    resource = await shared.ask("GET", address, headers={"accept": "application/fhir+json"})
    assert (resource.status_code, resource.json()["resourceType"]) == (200, "Binary")
    await shared.kept(found | {"id": "other"})
    assert (await shared.ask("GET", address)).status_code == 200


async def test_deleted_bytes_are_gone_and_bytes_without_a_document_are_given(shared, rules):
    await shared.kept(pdsm.binary() | {"id": "alone"})
    assert (await shared.ask("GET", "/fhir/Binary/alone")).content == pdsm.TEXT
    await shared.ask("DELETE", "/fhir/Binary/alone")
    gone = await shared.ask("GET", "/fhir/Binary/alone")
    assert (gone.status_code, rules(gone)) == (410, ["record.deleted"])
