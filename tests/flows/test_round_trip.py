"""Published resources go in over HTTP and come back equal, to the spelling of a number.

Those that break R4 or a rule of identity are refused, at the place of their fault.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.flows.gateway_process import GatewayProcess
from tests.flows.published import Json, as_given, exact, in_archive, synthea

READ_AT_ONCE = 200
FHIR = {"content-type": "application/fhir+json", "accept": "application/fhir+json"}

_EMPTY = "{}.extension[0].extension[1].value"
_PATIENT = {
    ("ins.key", "Patient.identifier[0].value"),  # a matricule made up, under the real OID
    ("ins.month", "Patient.identifier[0].value"),
}
REFUSED: dict[str, tuple[int, set[tuple[str, str]]]] = {
    "Patient-ExampleFRCorePatient001.json": (422, _PATIENT),
    "Patient-FRCorePatientExample.json": (422, _PATIENT),
    "Patient-cds-patient-example.json": (422, _PATIENT),
    "CareTeam-cds-careteam-example.json": (
        400,
        {("structure.empty", _EMPTY.format("CareTeam.name"))},
    ),
    "Organization-cds-organization-example.json": (
        400,
        {
            ("structure.empty", _EMPTY.format("Organization.name")),
            ("structure.empty", _EMPTY.format("Organization.alias[0]")),
        },
    ),
    "Bundle-cds-bundle-transaction-creation-example.json": (
        400,
        {
            ("structure.empty", _EMPTY.format("Bundle.entry[0].resource.name")),
            ("structure.empty", _EMPTY.format("Bundle.entry[1].resource.name")),
            ("structure.empty", _EMPTY.format("Bundle.entry[1].resource.alias[0]")),
        },
    ),
    # parent is Reference(Device); the example gives a DeviceDefinition
    "DeviceMetric-example.json": (
        400,
        {("structure.reference-target", "DeviceMetric.parent.reference")},
    ),
    # the narrative is an empty pre
    "Questionnaire-zika-virus-exposure-assessment.json": (
        400,
        {("structure.txt-2", "Questionnaire.text.div")},
    ),
}
"""The published resources that are at fault: status, rules and places."""


@pytest.fixture(scope="module")
def client(
    module_database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    folder = tmp_path_factory.mktemp("round-trip")
    with GatewayProcess(module_database_url, folder) as process:
        process.start().wait_ready()
        with httpx.Client(base_url=process.url, timeout=120, headers=FHIR) as opened:
            yield opened
    assert '"fault"' not in process.told()


def faults(answer: httpx.Response) -> tuple[int, set[tuple[str, str]]]:
    """Give status, rules and places of a refusal."""
    issues = answer.json()["issue"]
    said = {(i["details"]["coding"][0]["code"], i["expression"][0]) for i in issues}
    return answer.status_code, said


def put_and_read(client: httpx.Client, name: str, body: bytes) -> bool:
    """Put a resource and read it; tell whether it was kept, refused ones being those known."""
    given = exact(body)
    address = f"/fhir/{given['resourceType']}/{given['id']}"
    answer = client.put(address, content=body)
    if name in REFUSED:
        assert faults(answer) == REFUSED[name]
        return False
    assert answer.status_code in (200, 201), (name, answer.text)
    assert as_given(exact(client.get(address).content)) == as_given(given), name
    if given["resourceType"] != "Binary":  # whose bytes are not given back to who brings them
        assert as_given(exact(answer.content)) == as_given(given), name
    return True


def test_the_examples_of_the_french_guides_come_back_equal(
    client: httpx.Client, shared: Path
) -> None:
    kept = 0
    for package in sorted((shared / "data/packages").glob("*.fhir.fr.*.tgz")):
        for name, body in in_archive(package, "package/example"):
            kept += put_and_read(client, name, body)
    assert kept > 40


def test_the_examples_of_r4_come_back_equal(client: httpx.Client, shared: Path) -> None:
    archive = shared / "data/r4-examples/r4-examples-half.tgz"
    kept = sum(put_and_read(client, name, body) for name, body in in_archive(archive, "package"))
    assert kept > 300


def test_the_bundles_of_synthea_come_in_whole_and_every_resource_comes_back_equal(
    client: httpx.Client, shared: Path
) -> None:
    count = 0
    for name, body in synthea(shared):
        answer = client.post("/fhir", content=body)
        assert answer.status_code == 200, (name, answer.text[:2000])
        bundle = exact(body)
        locations = [
            entry["response"]["location"].partition("/_history")[0]
            for entry in answer.json()["entry"]
        ]
        links = dict(zip([entry["fullUrl"] for entry in bundle["entry"]], locations, strict=True))
        kept = zip(bundle["entry"], locations, read_all(client, locations), strict=True)
        for entry, location, read in kept:
            given = linked(client, entry["resource"], links)
            given["id"] = location.partition("/")[2]
            assert as_given(read) == as_given(given), (name, location)
            count += 1
    assert count > 5_000


def read_all(client: httpx.Client, locations: list[str]) -> Iterator[Json]:
    """Read many resources, some hundreds in a batch: each alone costs most in the asking."""
    for start in range(0, len(locations), READ_AT_ONCE):
        some = locations[start : start + READ_AT_ONCE]
        reads = [{"request": {"method": "GET", "url": location}} for location in some]
        body = {"resourceType": "Bundle", "type": "batch", "entry": reads}
        answer = client.post("/fhir", json=body)
        assert answer.status_code == 200, answer.text[:2000]
        for entry in exact(answer.content)["entry"]:
            yield entry["resource"]


def linked(client: httpx.Client, node: Json, links: dict[str, str]) -> Json:
    """Give a resource with its links as the gateway must have resolved them."""
    if isinstance(node, dict):
        # Not the value of an identifier: a document's own may well be its fullUrl.
        return {
            key: value if key == "value" else linked(client, value, links)
            for key, value in node.items()
        }
    if isinstance(node, list):
        return [linked(client, value, links) for value in node]
    if isinstance(node, str) and "?identifier=" in node and node not in links:
        links[node] = _designated(client, node)
    return links.get(node, node) if isinstance(node, str) else node


def _designated(client: httpx.Client, condition: str) -> str:
    """Give the one resource that a conditional reference designates."""
    bundle: dict[str, Any] = client.get(f"/fhir/{condition}").json()
    (entry,) = bundle["entry"]
    return f"{entry['resource']['resourceType']}/{entry['resource']['id']}"
