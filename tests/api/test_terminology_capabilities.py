"""The statement of terminology: what is in the record, and what the operations take."""

import pytest

from passerelle.dossiers import packages
from passerelle.fhir.conformance import structure
from passerelle.fhir.packages.package_reading import PackageKey
from tests.made_packages import COLOURS, code_system, colours

pytestmark = pytest.mark.anyio

ADDRESS = "/fhir/metadata?mode=terminology"


async def stated(served):
    found = (await served.ask("GET", ADDRESS)).json()
    structure.demand(found)
    return found, {each["uri"]: each for each in found["codeSystem"]}


async def test_it_names_the_code_systems_that_are_there(served):
    found, systems = await stated(served)
    assert found["resourceType"] == "TerminologyCapabilities"
    assert "http://unitsofmeasure.org" in systems
    assert COLOURS not in systems
    await packages.add(served.gateway, colours())
    _, systems = await stated(served)
    assert systems[COLOURS]["version"] == [{"code": "1.0.0", "isDefault": True}]
    absent = code_system("7") | {"id": "absent", "url": "urn:absent", "content": "not-present"}
    for each in (code_system("2.0.0") | {"id": "two"}, {**absent, "concept": []}):
        await served.kept({name: value for name, value in each.items() if value})
    _, systems = await stated(served)
    assert [each["code"] for each in systems[COLOURS]["version"]] == ["1.0.0", "2.0.0"]
    assert "urn:absent" not in systems
    await packages.remove(served.gateway, PackageKey("exemple.couleurs", "1.0.0"))
    _, systems = await stated(served)
    assert [each["code"] for each in systems[COLOURS]["version"]] == ["2.0.0"]


async def test_what_it_claims_of_expansions_is_taken(served):
    await packages.add(served.gateway, colours())
    found, _ = await stated(served)
    names = [each["name"] for each in found["expansion"]["parameter"]]
    assert {"offset", "count", "filter"} <= set(names)
    address = f"/fhir/ValueSet/$expand?url={COLOURS.replace('CodeSystem', 'ValueSet')}"
    page = (await served.ask("GET", f"{address}&offset=1&count=2")).json()
    assert len(page["expansion"]["contains"]) == 2


async def test_it_is_written_in_xml_and_in_a_bundle(served):
    assert "<TerminologyCapabilities" in (await served.ask("GET", ADDRESS + "&_format=xml")).text
    entry = {"request": {"method": "GET", "url": "metadata?mode=terminology"}}
    asked = {"resourceType": "Bundle", "type": "batch", "entry": [entry]}
    made = (await served.ask("POST", "/fhir", asked)).json()["entry"][0]
    assert made["resource"]["resourceType"] == "TerminologyCapabilities"
    plain = (await served.ask("GET", "/fhir/metadata")).json()
    assert plain["resourceType"] == "CapabilityStatement"
