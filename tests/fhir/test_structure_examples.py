"""The door before real resources: HL7's own examples and those of the French guides."""

import tarfile
from collections.abc import Iterator
from pathlib import Path

from passerelle.fhir.conformance.structure import check
from passerelle.fhir.json_text import decode

# The examples of R4 that break R4, and why.
FAULTY_R4 = {
    # parent is Reference(Device); the example gives a DeviceDefinition
    "DeviceMetric-example.json": ["structure.reference-target DeviceMetric.parent.reference"],
    # the narrative is an empty pre
    "Questionnaire-zika-virus-exposure-assessment.json": ["structure.txt-2 Questionnaire.text.div"],
}

# The examples of the French guides that break R4: an empty valueString in a translation of a name.
_EMPTY = "structure.empty {}.extension[0].extension[1].value"
FAULTY_FRENCH = {
    "CareTeam-cds-careteam-example.json": [_EMPTY.format("CareTeam.name")],
    "Organization-cds-organization-example.json": [
        _EMPTY.format("Organization.name"),
        _EMPTY.format("Organization.alias[0]"),
    ],
    "Bundle-cds-bundle-transaction-creation-example.json": [
        _EMPTY.format("Bundle.entry[0].resource.name"),
        _EMPTY.format("Bundle.entry[1].resource.name"),
        _EMPTY.format("Bundle.entry[1].resource.alias[0]"),
    ],
}


def json_files(archive: Path, folder: str) -> Iterator[tuple[str, bytes]]:
    """Give name and bytes of the resources of a folder of a package."""
    with tarfile.open(archive) as package:
        for member in package.getmembers():
            place, _, name = member.name.rpartition("/")
            if place == folder and name.endswith(".json") and not name.startswith("."):
                file = package.extractfile(member)
                assert file is not None
                if name not in {"package.json", "openapi.json"}:
                    yield name, file.read()


def refused(archive: Path, folder: str) -> tuple[int, dict[str, list[str]]]:
    """Give how many resources a folder has, and the faults of those that have any."""
    count, faults = 0, {}
    for name, body in json_files(archive, folder):
        count += 1
        found = [f"{fault.rule} {fault.expression}" for fault in check(decode(body))]
        if found:
            faults[name] = found
    return count, faults


def test_the_examples_of_r4_are_right_but_for_those_that_are_not(shared: Path) -> None:
    count, faults = refused(shared / "data/r4-examples/r4-examples-half.tgz", "package")
    assert count > 300
    assert faults == FAULTY_R4


def test_the_examples_of_the_french_guides_are_right_but_for_those_that_are_not(
    shared: Path,
) -> None:
    packages = sorted((shared / "data/packages").glob("*.fhir.fr.*.tgz"))
    assert len(packages) > 8
    total, faults = 0, {}
    for package in packages:
        count, found = refused(package, "package/example")
        total += count
        faults.update(found)
    assert total > 40
    assert faults == FAULTY_FRENCH
