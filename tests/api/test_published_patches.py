"""The published cases of patches, through the HTTP door."""

import json

import pytest
from lxml import etree

from tests.fhir.published_patches import FOLDER, fhirpath_cases

pytestmark = pytest.mark.anyio
JSON_PATCH = {"content-type": "application/json-patch+json"}
XML = {"content-type": "application/fhir+xml"}


def bare(resource):
    """Leave out what the record adds."""
    return {name: value for name, value in resource.items() if name not in ("id", "meta")}


@pytest.fixture
def database_url(sqlite_database_url):
    """What is tried here does not depend on the database."""
    return sqlite_database_url


async def kept(served, resource):
    """Keep the resource of a case, which may be one that no gateway would take."""
    answer = await served.ask("PUT", "/fhir/Patient/p", resource | {"id": "p"})
    return answer.status_code in (200, 201)


async def test_the_cases_of_fhirpath_patch_hold_over_http_in_json_and_in_xml(served, shared):
    root = etree.parse(shared / FOLDER / "fhir-patch-tests.xml").getroot()
    diffs = {case.get("name"): case.find("diff")[0] for case in root if isinstance(case.tag, str)}
    tried = 0
    for case in fhirpath_cases(shared):
        as_xml = etree.tostring(diffs[case.name], with_tail=False)
        for body, headers in ((case.patch, None), (as_xml, XML)):
            if case.given["resourceType"] != "Patient" or not await kept(served, case.given):
                continue
            answer = await served.ask("PATCH", "/fhir/Patient/p", body, headers)
            after = (await served.ask("GET", "/fhir/Patient/p")).json()
            if case.expected is None:
                assert 400 <= answer.status_code < 500, case.name
                assert bare(after) == bare(case.given)
            elif answer.status_code == 200:
                assert bare(after) == bare(case.expected), case.name
                tried += 1
            else:  # what it makes is no sound resource
                assert answer.status_code in (400, 422), (case.name, answer.text)
                assert bare(after) == bare(case.given)
    assert tried >= 40


async def test_the_cases_of_json_patch_are_refused_in_order_on_a_resource(served, shared, rules):
    """They speak of documents that are no resources: the door refuses them, and nothing changes."""
    patient = {"resourceType": "Patient", "id": "p", "active": True}
    await served.kept(patient)
    for case in json.loads((shared / FOLDER / "json-patch-tests.json").read_text()):
        body = json.dumps(case["patch"]).encode()
        answer = await served.ask("PATCH", "/fhir/Patient/p", body, JSON_PATCH)
        assert answer.status_code in (400, 422), case["comment"]
        assert rules(answer)
        assert bare((await served.ask("GET", "/fhir/Patient/p")).json()) == bare(patient)
