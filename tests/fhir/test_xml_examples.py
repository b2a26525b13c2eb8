"""Real resources through XML and back: R4's own examples, all definitions, the French guides."""

import json
import tarfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class
from lxml import etree

from passerelle.fhir import json_text
from passerelle.fhir.conformance import structure_table
from passerelle.fhir.conformance.structure import check
from passerelle.fhir.xml import reader, writer
from tests.fhir.xml_flattened import FHIR, of_json, of_xml

NOT_R4 = {
    # their elements are those of R5
    "SearchParameter-PDSm-List-PatientAsSource-3.1.1.json",
    "SearchParameter-PDSm-List-PractitionerRoleAsSource-3.1.1.json",
}


def resources(package: Path, folder: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Give name and content of all resources of a package, or of a folder of it."""
    with tarfile.open(package) as archive:
        for member in archive:
            name = member.name.rpartition("/")[2]
            if not name.endswith(".json") or name.startswith(".") or "openapi" in member.name:
                continue
            if folder not in member.name:
                continue
            file = archive.extractfile(member)
            assert file is not None
            resource = json_text.decode(file.read())
            if "resourceType" in resource and name not in NOT_R4:
                yield name, resource


def spelled(resource: dict[str, Any]) -> Any:
    """Give a resource with its numbers as they are written."""
    text = json_text.encode(resource)
    return json.loads(text, parse_float=str, parse_int=str)


def demand_round_trip(resource: dict[str, Any]) -> bytes:
    """See that a resource goes to XML and back unchanged, and that XML is then settled."""
    text = writer.encode(resource)
    again = reader.decode(text)
    assert again == resource
    assert spelled(again) == spelled(resource)
    assert writer.encode(again) == text
    assert reader.decode(writer.encode(resource, pretty=True)) == resource
    return text


def test_every_example_of_r4_goes_through_xml_unchanged(shared: Path) -> None:
    count = 0
    for name, resource in resources(shared / "data/r4-examples/r4-examples-half.tgz"):
        text = demand_round_trip(resource)
        if len(text) < 200_000:
            assert of_xml(text) == of_json(resource), name
        count += 1
    assert count > 300


def test_every_example_of_the_french_guides_goes_through_xml_unchanged(shared: Path) -> None:
    count = 0
    for package in sorted((shared / "data/packages").glob("*.fhir.fr.*.tgz")):
        for name, resource in resources(package, "/example/"):
            assert of_xml(demand_round_trip(resource)) == of_json(resource), name
            count += 1
    assert count > 40


@pytest.mark.nightly
def test_every_resource_of_every_package_goes_through_xml_unchanged(shared: Path) -> None:
    counted: Counter[str] = Counter()
    for package in sorted((shared / "data/packages").glob("*.tgz")):
        for _, resource in resources(package):
            text = demand_round_trip(resource)
            counted.update({"resources": 1, "bytes": len(text)})
        counted["packages"] += 1
    print(f"\nxml, of packages: {dict(counted)}")
    assert counted["resources"] > 5000


def test_the_order_of_elements_is_that_of_the_published_definitions(shared: Path) -> None:
    compared = 0
    with tarfile.open(shared / "data/packages/hl7.fhir.r4.core-4.0.1.tgz") as archive:
        for member in archive:
            if not member.name.startswith("package/StructureDefinition-"):
                continue
            file = archive.extractfile(member)
            assert file is not None
            found = json.load(file)
            if found["kind"] in ("logical", "primitive-type") or "constraint" in str(
                found.get("derivation")
            ):
                continue
            compared += _compare(found["snapshot"]["element"][1:])
    assert compared > 600


def _compare(definitions: list[dict[str, Any]]) -> int:
    names: dict[str, list[str]] = {}
    attributes = set()
    for one in definitions:
        owner, name = one["path"].rsplit(".", 1)
        names.setdefault(owner, []).append(name.removesuffix("[x]"))
        if "xmlAttr" in one.get("representation", ()):
            attributes.add(one["path"])
    for owner, wanted in names.items():
        elements = structure_table.elements(owner)
        assert [element.name for element in elements] == wanted
        for element in elements:
            kind = element.kinds[0]
            in_tag = kind.attribute and kind.name != "id"
            assert in_tag == (f"{owner}.{element.name}" in attributes)
    return len(names)


def test_the_published_cases_of_patches_are_read_whole(shared: Path) -> None:
    root = etree.parse(shared / "data/fhir-test-cases/fhir-patch-tests.xml").getroot()
    types = structure_table.resource_types()
    count = 0
    for node in root.iter(*(FHIR + name for name in types)):
        text = etree.tostring(node, with_tail=False)
        resource = reader.decode(text)
        assert of_xml(text) == of_json(resource)
        demand_round_trip(resource)
        count += 1
    assert count > 50


def without_narratives(node: Any) -> Any:
    """Leave out the narratives, in which the other reader writes references as it likes."""
    if isinstance(node, dict):
        return {name: without_narratives(one) for name, one in node.items() if name != "div"}
    return [without_narratives(one) for one in node] if isinstance(node, list) else node


def has_ids(node: Any, *, top: bool = True) -> bool:
    """Tell whether an element inside has an id, which the other reader takes for an element."""
    if isinstance(node, dict):
        own = not top and "resourceType" not in node and "id" in node
        return own or any(has_ids(value, top=False) for value in node.values())
    return isinstance(node, list) and any(has_ids(one, top=False) for one in node)


def demand_second_opinion(name: str, resource: dict[str, Any]) -> bool:
    """See that the R4B models read our XML as they read the JSON; False when they read neither."""
    try:
        model = get_fhir_model_class(resource["resourceType"])
        wanted = model.model_validate(resource)
    except ValueError:  # R4B has no such type, or refuses it
        return False
    try:
        found = model.model_validate_xml(writer.encode(resource))
    except KeyError:  # a name that its reader does not know
        return False
    first, second = (json.loads(one.model_dump_json()) for one in (wanted, found))
    assert without_narratives(first) == without_narratives(second), name
    return True


def test_another_reader_reads_our_xml_as_it_reads_the_json(shared: Path) -> None:
    agreed = 0
    for name, resource in resources(shared / "data/r4-examples/r4-examples-half.tgz"):
        small = len(json_text.encode(resource)) < 4_000
        if small and not has_ids(resource) and not check(resource):
            agreed += demand_second_opinion(name, resource)
    assert agreed > 150
