"""Where references may point, contained resources with them, and the addresses of extensions."""

from typing import Any

import pytest

from passerelle.fhir.conformance.structure import check

TARGET = "structure.reference-target"
TYPE = "structure.reference-type"
URL = "structure.extension-url"
PLACE = "Patient.managingOrganization"


def said(resource: dict[str, Any]) -> list[tuple[str, str | None]]:
    return [(found.rule, found.expression) for found in check(resource)]


def managed(**reference: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "managingOrganization": reference}


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ({"reference": "Organization/1"}, []),
        ({"reference": "Group/1"}, [(TARGET, f"{PLACE}.reference")]),
        ({"reference": "Group?name=a"}, [(TARGET, f"{PLACE}.reference")]),
        ({"reference": "http://a.example/fhir/Group/1"}, [(TARGET, f"{PLACE}.reference")]),
        (
            {"reference": "https://a.example/r4/Group/1/_history/2"},
            [(TARGET, f"{PLACE}.reference")],
        ),
        ({"reference": "https://a.example/r4/Organization/1/_history/2"}, []),
        ({"reference": "https://a.example/anything/1"}, []),
        ({"reference": "urn:oid:1.2.3"}, []),
        ({"type": "Organization", "identifier": {"value": "1"}}, []),
        ({"type": "http://hl7.org/fhir/StructureDefinition/Organization", "display": "a"}, []),
        ({"type": "Group", "identifier": {"value": "1"}}, [(TARGET, f"{PLACE}.type")]),
        ({"type": "http://example.org/Own", "identifier": {"value": "1"}}, []),
        ({"type": "Organization", "reference": "Organization/1"}, []),
        (
            {"type": "Group", "reference": "Group/1"},
            [(TARGET, f"{PLACE}.type"), (TARGET, f"{PLACE}.reference")],
        ),
    ],
)
def test_a_reference_points_to_a_type_that_is_admitted(
    reference: dict[str, Any], expected: list[Any]
) -> None:
    assert said(managed(**reference)) == expected


def test_the_type_that_a_reference_says_is_that_of_its_address() -> None:
    flag = {
        "resourceType": "Flag",
        "status": "active",
        "code": {"text": "a"},
        "subject": {"reference": "Patient/1", "type": "Group"},
    }
    assert said(flag) == [(TYPE, "Flag.subject.type")]


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        ({"resourceType": "Organization", "name": "a"}, []),
        ({"resourceType": "Practitioner"}, [(TARGET, f"{PLACE}.reference")]),
    ],
)
def test_a_contained_resource_is_of_a_type_that_the_reference_admits(
    held: dict[str, Any], expected: list[Any]
) -> None:
    patient = managed(reference="#o")
    assert said({**patient, "contained": [{**held, "id": "o"}]}) == expected


def test_a_contained_resource_refers_to_its_container_only_where_that_type_is_admitted() -> None:
    right = {"resourceType": "Condition", "id": "c", "subject": {"reference": "#"}}
    wrong = {**right, "asserter": {"reference": "#"}, "encounter": {"reference": "#"}}
    assert said({"resourceType": "Patient", "contained": [right]}) == []
    assert said({"resourceType": "Patient", "contained": [wrong]}) == [
        (TARGET, "Patient.contained[0].encounter.reference")
    ]


def test_a_contained_resource_is_referred_to_or_refers_to_its_container() -> None:
    alone = {"resourceType": "Organization", "id": "o", "name": "a"}
    assert said({"resourceType": "Patient", "contained": [alone]}) == [
        ("structure.dom-3", "Patient.contained[0]")
    ]
    nested = {**alone, "contained": [alone], "partOf": {"reference": "#"}}
    assert ("structure.dom-2", "Patient.contained[0].contained") in said(
        {**managed(reference="#o"), "contained": [nested]}
    )
    assert said(managed(reference="#o")) == [("structure.ref-1", f"{PLACE}.reference")]


@pytest.mark.parametrize(
    ("extension", "expected"),
    [
        ({"url": "http://example.org/a", "valueCode": "a"}, []),
        ({"url": "urn:oid:1.2.3", "valueCode": "a"}, []),
        ({"url": "a", "valueCode": "a"}, [(URL, "Patient.extension[0].url")]),
        ({"url": "/a", "valueCode": "a"}, [(URL, "Patient.extension[0].url")]),
        (
            {"url": "http://example.org/a", "extension": [{"url": "part", "valueCode": "a"}]},
            [],
        ),
        (
            {"url": "http://example.org/a", "valueString": "a", "_valueString": {"id": "a"}},
            [],
        ),
        (
            {
                "url": "http://example.org/a",
                "valueHumanName": {"extension": [{"url": "b", "valueCode": "a"}]},
            },
            [(URL, "Patient.extension[0].value.extension[0].url")],
        ),
    ],
)
def test_the_url_of_an_extension_is_absolute_unless_it_is_a_part_of_another(
    extension: dict[str, Any], expected: list[Any]
) -> None:
    assert said({"resourceType": "Patient", "extension": [extension]}) == expected


@pytest.mark.parametrize(
    ("coding", "expected"),
    [
        ({"system": "http://terminology.hl7.org/CodeSystem/condition-clinical"}, []),
        ({"system": "http://example.org/own"}, ["structure.code"]),
        ({}, ["structure.code"]),
    ],
)
def test_a_bound_concept_has_the_code_in_its_own_system(
    coding: dict[str, Any], expected: list[str]
) -> None:
    condition = {
        "resourceType": "Condition",
        "subject": {"reference": "Patient/1"},
        "clinicalStatus": {"coding": [{**coding, "code": "active"}]},
    }
    assert [rule for rule, _ in said(condition)] == expected
