"""The table of types: made from the packages of HL7, the same byte for byte, and read right."""

import importlib.util
from importlib import resources
from pathlib import Path

import pytest

from passerelle.fhir.conformance import structure_table
from passerelle.fhir.conformance.structure_table import Kind

TOOL = Path(__file__).resolve().parents[2] / "tools/compile_structures.py"
PACKAGES = ("hl7.fhir.r4.core-4.0.1.tgz", "hl7.fhir.r4.expansions-4.0.1.tgz")


def test_the_committed_table_is_what_the_packages_give(shared: Path) -> None:
    spec = importlib.util.spec_from_file_location("compile_structures", TOOL)
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    core, expansions = (shared / "data/packages" / name for name in PACKAGES)
    committed = resources.files("passerelle.fhir.definitions") / "structures.json"
    assert tool.dumped(tool.compiled(core, expansions)) == committed.read_text(encoding="utf-8")


def test_every_resource_type_of_r4_is_there() -> None:
    types = structure_table.resource_types()
    assert len(types) == 146  # 148 with the two abstract ones
    assert {"Patient", "MedicinalProduct", "Bundle", "Parameters", "Binary"} <= types
    assert not {"Resource", "DomainResource", "NutritionProduct"} & types


@pytest.mark.parametrize("type_name", sorted(structure_table.resource_types()))
def test_every_type_that_an_element_is_of_is_in_the_table(type_name: str) -> None:
    seen: set[str] = set()
    waiting = [type_name]
    while waiting:
        name = waiting.pop()
        if name in seen or name in structure_table.patterns() or name == "Resource":
            continue
        seen.add(name)
        for element in structure_table.elements(name):
            assert element.kinds
            waiting += [kind.name for kind in element.kinds]
            if element.value_set:
                assert structure_table.codes(element.value_set)


def test_an_element_is_read_with_all_that_its_line_says() -> None:
    elements = {element.name: element for element in structure_table.elements("Patient")}
    assert next(iter(elements)) == "id"
    assert elements["gender"].value_set == "administrative-gender"
    assert elements["deceased"].json_names() == ("deceasedBoolean", "deceasedDateTime")
    assert elements["deceased"].modifier
    assert elements["name"].many
    assert elements["name"].summary
    assert elements["contact"].kinds == (Kind("Patient.contact"),)
    assert elements["managingOrganization"].kinds == (Kind("Reference", ("Organization",)),)
    assert "_id" not in structure_table.members("Patient")
    assert "_birthDate" in structure_table.members("Patient")


def test_the_simple_quantity_is_named_a_quantity_and_has_no_comparator() -> None:
    (dose,) = (e for e in structure_table.elements("Dosage.doseAndRate") if e.name == "dose")
    assert dose.json_names() == ("doseRange", "doseQuantity")
    assert "comparator" not in structure_table.members("SimpleQuantity")
    assert "comparator" in structure_table.members("Age")
