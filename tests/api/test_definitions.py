"""Our own OperationDefinitions: what the CapabilityStatement names can be resolved."""

import pytest

from passerelle.api.rest import definitions
from passerelle.dossiers import packages
from passerelle.fhir import core_definitions, json_text
from passerelle.fhir.conformance import structure
from passerelle.fhir.packages.package_reading import PackageKey
from tests.made_packages import archive

pytestmark = pytest.mark.anyio

OURS = "https://passerelle.example/fhir/OperationDefinition/"
URL = f"{OURS}EpisodeOfCare-everything"


async def test_every_operation_of_ours_that_is_claimed_is_read_and_found(served):
    stated = (await served.ask("GET", "/fhir/metadata")).json()["rest"][0]
    claimed = [op["definition"] for each in stated["resource"] for op in each.get("operation", [])]
    ours = {url for url in claimed if url.startswith(OURS)}
    assert {url.removeprefix(OURS) for url in ours} == set(definitions.own())
    for url in ours:
        id_ = url.removeprefix(OURS)
        read = (await served.ask("GET", f"/fhir/OperationDefinition/{id_}")).json()
        assert (read["url"], read["id"]) == (url, id_)
        found = (await served.ask("GET", f"/fhir/OperationDefinition?url={url}")).json()
        assert [each["resource"] for each in found["entry"]] == [read]


@pytest.mark.parametrize("id_", definitions.own())
def test_a_definition_of_ours_is_sound(id_):
    structure.demand(json_text.decode(definitions.own()[id_]))


async def test_they_are_asked_for_in_a_bundle_in_part_and_in_xml(served):
    entry = {"request": {"method": "GET", "url": "OperationDefinition/send-mss?_elements=code"}}
    asked = {"resourceType": "Bundle", "type": "batch", "entry": [entry]}
    made = (await served.ask("POST", "/fhir", asked)).json()["entry"][0]
    assert made["response"]["status"] == "200 OK"
    assert made["resource"]["code"] == "send-mss"
    assert "parameter" not in made["resource"]
    address = "/fhir/OperationDefinition/send-mss?_format=xml"
    assert '<name value="recipient"/>' in (await served.ask("GET", address)).text


async def test_what_the_record_has_goes_before(served):
    kept = {
        "resourceType": "OperationDefinition",
        "id": "EpisodeOfCare-everything",
        "url": URL,
        "name": "Mine",
        "status": "draft",
        "kind": "query",
        "code": "mine",
        "system": False,
        "type": False,
        "instance": False,
    }
    await served.kept(kept)
    read = await served.ask("GET", "/fhir/OperationDefinition/EpisodeOfCare-everything")
    assert read.json()["name"] == "Mine"
    found = (await served.ask("GET", f"/fhir/OperationDefinition?url={URL}")).json()
    assert [each["resource"]["name"] for each in found["entry"]] == ["Mine"]


@pytest.mark.parametrize(
    "address",
    ["?url=urn:none", "?status=active", f"?url={OURS}none", f"?url={URL}&code=none", ""],
)
async def test_other_searches_are_of_the_record_alone(served, address):
    found = (await served.ask("GET", f"/fhir/OperationDefinition{address}")).json()
    assert "entry" not in found
    assert (await served.ask("GET", "/fhir/OperationDefinition/none")).status_code == 404


SD = "http://hl7.org/fhir/StructureDefinition/"


async def pages(served, address):
    """Follow the pages of a search; give the resources."""
    found = []
    while address:
        page = (await served.ask("GET", address)).json()
        found += [each["resource"] for each in page.get("entry", ())]
        links = {link["relation"]: link["url"] for link in page["link"]}
        address = links.get("next")
        address = address and address[address.index("/fhir/") :]
    return found


@pytest.mark.parametrize("type_", ["StructureDefinition", "SearchParameter"])
def test_a_definition_of_r4_that_is_written_here_is_sound(type_):
    held = core_definitions.held(type_)
    assert len(held) > 200
    for id_ in sorted(held)[::7]:
        structure.demand(json_text.decode(json_text.encode(held[id_])))


async def test_definitions_of_r4_are_read_and_found_though_none_is_installed(served):
    patient = (await served.ask("GET", "/fhir/StructureDefinition/Patient")).json()
    assert (patient["url"], patient["meta"]["tag"][0]["code"]) == (SD + "Patient", "SUBSETTED")
    gender = next(e for e in patient["differential"]["element"] if e["path"] == "Patient.gender")
    assert gender["binding"]["valueSet"].endswith("administrative-gender|4.0.1")
    for query in ("url=" + SD + "Patient", "name=patient&type=Patient", "_id=Patient"):
        assert await pages(served, f"/fhir/StructureDefinition?{query}") == [patient]
    family = await pages(served, "/fhir/SearchParameter?base=Patient&code=family")
    assert [each["id"] for each in family] == ["individual-family"]
    read = await served.ask("GET", "/fhir/SearchParameter/individual-family?_format=xml")
    assert '<code value="family"/>' in read.text
    form = {"content-type": "application/x-www-form-urlencoded"}
    address = "/fhir/StructureDefinition/_search"
    posted = await served.ask("POST", address, b"type=Patient&name=pat", form)
    assert [each["resource"] for each in posted.json()["entry"]] == [patient]
    assert (await served.ask("GET", "/fhir/StructureDefinition/nothing")).status_code == 404
    assert (await served.ask("GET", "/fhir/ValueSet/administrative-gender")).status_code == 404


@pytest.mark.parametrize("count", [0, 7, 50, 1000])
async def test_what_is_kept_and_what_is_written_come_once_each(served, count):
    one = await served.ask("GET", "/fhir/StructureDefinition/Patient")
    mine = one.json() | {"id": "mine", "name": "Mine", "url": SD + "Observation"}
    other = one.json() | {"id": "other", "name": "Other", "url": "https://exemple.fr/other"}
    for each in (mine, other):
        await served.kept(each)
    query = "/fhir/StructureDefinition?kind=resource&_total=accurate"
    found = await pages(served, f"{query}&_count={count}")
    total = (await served.ask("GET", f"{query}&_summary=count")).json()["total"]
    assert total == 148 + 1, "what is kept with the address of a definition stands for it"
    if count == 0:
        assert found == []
    else:
        names = [each["id"] for each in found]
        assert len(names) == len(set(names)) == total
        assert names[:2] == ["mine", "other"]


async def test_what_the_core_package_brought_is_read_by_the_id_of_r4(served):
    whole = {
        "resourceType": "StructureDefinition",
        "id": "Patient",
        "url": SD + "Patient",
        "version": "4.0.1",
        "name": "Patient",
        "status": "active",
        "kind": "resource",
        "abstract": False,
        "type": "Patient",
        "description": "whole",
    }
    gender = {"resourceType": "ValueSet", "id": "administrative-gender", "status": "active"}
    files = {
        "package/StructureDefinition-Patient.json": whole,
        "package/ValueSet-administrative-gender.json": gender,
    }
    body = archive(files, name="hl7.fhir.r4.core", version="4.0.1")
    await packages.add(served.gateway, body)
    read = (await served.ask("GET", "/fhir/StructureDefinition/Patient")).json()
    assert (read["id"], read["description"]) == ("Patient", "whole")
    read = (await served.ask("GET", "/fhir/ValueSet/administrative-gender")).json()
    assert read["id"] == "administrative-gender"
    found = await pages(served, "/fhir/StructureDefinition?type=Patient")
    assert [each["description"] for each in found] == ["whole"]
    await packages.remove(served.gateway, PackageKey("hl7.fhir.r4.core", "4.0.1"))
    read = (await served.ask("GET", "/fhir/StructureDefinition/Patient")).json()
    assert read["meta"]["tag"][0]["code"] == "SUBSETTED"
    assert (await served.ask("GET", "/fhir/ValueSet/administrative-gender")).status_code == 404
