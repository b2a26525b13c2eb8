"""What a package brought is read like any resource, and no client changes it."""

import pytest

from passerelle.dossiers import packages
from passerelle.errors.refusals import Forbidden
from passerelle.fhir.packages.package_reading import read_package
from passerelle.fhir.urls import PACKAGE_TAG
from passerelle.store.caller import SYSTEM
from tests.made_packages import COLOURS, colours

pytestmark = pytest.mark.anyio

READ_ONLY = ["package.read-only"]
JSON_PATCH = {"content-type": "application/json-patch+json"}
TAG = {"tag": [{"system": PACKAGE_TAG, "code": "exemple.couleurs#1.0.0"}]}


@pytest.fixture
async def brought(served):
    """Give the CodeSystem of a package as it is served."""
    await packages.add(served.gateway, colours())
    key = next(each.key for each in read_package(colours()).resources if "Code" in each.key.type)
    return (await served.ask("GET", f"/fhir/{key}")).json()


def own(**more):
    return {
        "resourceType": "CodeSystem",
        "url": COLOURS,
        "version": "9",
        "status": "draft",
        "content": "not-present",
        **more,
    }


async def test_no_interaction_changes_what_a_package_brought(served, brought, rules):
    address = f"/fhir/CodeSystem/{brought['id']}"
    by_url = f"/fhir/CodeSystem?url={COLOURS}"
    change = [{"op": "replace", "path": "/status", "value": "retired"}]
    tag = {"tag": [{"system": "urn:x", "code": "y"}]}
    meta = {
        "resourceType": "Parameters",
        "parameter": [{"name": "meta", "valueMeta": tag}],
    }
    asked = [
        ("PUT", address, brought | {"status": "retired"}, {}),
        ("PUT", address, own(id=brought["id"]), {}),
        ("PUT", by_url, own(), {}),
        ("PATCH", address, change, JSON_PATCH),
        ("PATCH", by_url, change, JSON_PATCH),
        ("DELETE", address, None, {}),
        ("DELETE", by_url, None, {}),
        ("POST", f"{address}/$meta-add", meta, {}),
    ]
    for method, where, body, headers in asked:
        answer = await served.ask(method, where, body, headers)
        assert (method, where, answer.status_code) == (method, where, 403)
        assert rules(answer) == READ_ONLY
    assert (await served.ask("GET", address)).json() == brought


async def test_a_transaction_that_touches_one_names_the_entry_and_writes_nothing(
    served, brought, rules
):
    address = f"CodeSystem/{brought['id']}"
    patient = {"resourceType": "Patient", "id": "p1"}
    entries = [
        {"resource": patient, "request": {"method": "PUT", "url": "Patient/p1"}},
        {"request": {"method": "DELETE", "url": address}},
        {"resource": own(meta=TAG), "request": {"method": "POST", "url": "CodeSystem"}},
    ]
    for kind, some in (("transaction", entries[:2]), ("transaction", entries)):
        bundle = {"resourceType": "Bundle", "type": kind, "entry": some}
        answer = await served.ask("POST", "/fhir", bundle)
        places = [each["expression"] for each in answer.json()["issue"]]
        assert places[0] == ["Bundle.entry[1].resource"]
        assert "package.read-only" in rules(answer)
    assert places[1] == ["Bundle.entry[2].resource.meta.tag"]
    assert (await served.ask("GET", "/fhir/Patient/p1")).status_code == 404
    bundle = {"resourceType": "Bundle", "type": "batch", "entry": entries}
    answer = (await served.ask("POST", "/fhir", bundle)).json()
    statuses = [each["response"]["status"][:3] for each in answer["entry"]]
    assert statuses == ["201", "403", "422"]


async def test_a_client_has_versions_of_its_own_beside(served, brought):
    made = await served.ask("POST", "/fhir/CodeSystem", own())
    assert made.status_code == 201
    address = f"/fhir/CodeSystem/{made.json()['id']}"
    found = await served.ask("GET", f"/fhir/CodeSystem?url={COLOURS}&_elements=version")
    ids = {each["resource"]["id"] for each in found.json()["entry"]}
    assert ids == {brought["id"], made.json()["id"]}
    changed = await served.ask("PUT", address, made.json() | {"status": "active"})
    assert changed.status_code == 200
    assert (await served.ask("DELETE", address)).status_code == 204


async def test_nobody_says_of_a_resource_of_his_that_a_package_brought_it(served, rules):
    answer = await served.ask("POST", "/fhir/CodeSystem", own(meta=TAG))
    assert (answer.status_code, rules(answer)) == (422, ["package.tag-reserved"])
    patient = {"resourceType": "Patient", "id": "p1", "meta": TAG}
    assert (await served.ask("PUT", "/fhir/Patient/p1", patient)).status_code == 201


async def test_when_the_package_has_gone_its_place_is_free(served, brought):
    (package,) = await packages.installed_all(served.gateway)
    key = packages.PackageKey(package.name, package.version)
    await packages.remove(served.gateway, key)
    address = f"/fhir/CodeSystem/{brought['id']}"
    assert (await served.ask("PUT", address, own(id=brought["id"]))).status_code == 201


async def test_a_cascade_does_not_take_what_a_package_brought(served, brought):
    from dataclasses import replace

    from passerelle.dossiers import deletions
    from passerelle.dossiers.writing_policy import WritingPolicy
    from passerelle.fhir.resource import Key

    gateway = replace(served.gateway, writing=WritingPolicy(delete_referenced="cascade"))
    with pytest.raises(Forbidden):
        await deletions.delete(gateway, SYSTEM, Key("CodeSystem", brought["id"]))
