"""FHIRPath Patch: the published cases, and what a path leads to."""

from decimal import Decimal

import pytest

from passerelle.errors.refusals import Invalid, PasserelleError, Unprocessable
from passerelle.fhir.patch import fhirpath_patch, patch
from passerelle.fhir.patch.path_places import Finding
from passerelle.fhir.patch.path_text import NotReadError, parse
from tests.fhir.published_patches import fhirpath_cases

PATIENT = {
    "resourceType": "Patient",
    "id": "p1",
    "birthDate": "1967-04-09",
    "name": [
        {"use": "official", "family": "Durand", "given": ["Aline", "Zoé"]},
        {"use": "usual", "text": "Aline"},
    ],
    "extension": [{"url": "urn:a", "valueQuantity": {"value": Decimal("1.50")}}],
}


def operation(kind, path, **parts):
    listed = [{"name": "type", "valueCode": kind}, {"name": "path", "valueString": path}]
    for name, value in parts.items():
        if name == "value":
            listed.append({"name": "value", **value})
        elif isinstance(value, int):
            listed.append({"name": name, "valueInteger": value})
        else:
            listed.append({"name": name, "valueString": value})
    return {"name": "operation", "part": listed}


def patched(resource, *operations):
    given = {"resourceType": "Parameters", "parameter": list(operations)}
    return patch.of_parameters(given)(resource)


def rules(refusal: PasserelleError):
    return [(said.rule, said.expression) for said in refusal.issues]


def test_the_published_cases_of_fhirpath_patch_hold(shared):
    cases = fhirpath_cases(shared)
    assert len(cases) == 33
    for case in cases:
        if case.expected is None:
            with pytest.raises(Unprocessable):
                patch.of_parameters(case.patch)(case.given)
        else:
            assert patch.of_parameters(case.patch)(case.given) == case.expected, case.name


def test_the_resource_handed_in_is_left_alone():
    before = repr(PATIENT)
    patched(PATIENT, operation("delete", "Patient.name[0]"))
    assert repr(PATIENT) == before


def test_a_choice_is_found_by_its_plain_name_and_replaced_by_another_type():
    seen = {"resourceType": "Observation", "status": "final", "valueInteger": 3, "issued": "x"}
    made = patched(seen, operation("replace", "Observation.value", value={"valueString": "trois"}))
    assert list(made.items()) == [
        ("resourceType", "Observation"),
        ("status", "final"),
        ("valueString", "trois"),
        ("issued", "x"),
    ]
    added = patched(
        {"resourceType": "Observation"},
        operation("add", "Observation", name="value", value={"valueQuantity": {"value": 3}}),
    )
    assert added["valueQuantity"] == {"value": 3}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("Patient.birthDate", ["1967-04-09"]),
        ("birthDate", ["1967-04-09"]),
        ("Patient.name.where(use = 'official').given", ["Aline", "Zoé"]),
        ("Patient.name.where(use != 'official' and text.exists()).text", ["Aline"]),
        ("Patient.name.where(given.exists($this = 'Zoé')).family", ["Durand"]),
        ("Patient.name.where(family ~ 'DURAND' or use = 'x').use", ["official"]),
        ("Patient.name.where(text.startsWith('Al')).use", ["usual"]),
        ("Patient.name.where(family.empty()).use", ["usual"]),
        ("Patient.name.where(%resource.birthDate = @1967-04-09).use", ["official", "usual"]),
        ("Patient.name.given.last()", ["Zoé"]),
        ("Patient.name.first().given.skip(1)", ["Zoé"]),
        ("Patient.extension('urn:a').value.value", [Decimal("1.50")]),
        ("Patient.extension.where(url='urn:a').value.ofType(Quantity).value", [Decimal("1.50")]),
        ("Patient.name[2]", []),
        ("Resource.id", ["p1"]),
    ],
)
def test_a_path_leads_to_places(path, found):
    assert [place.value for place in Finding(PATIENT).run(parse(path))] == found


@pytest.mark.parametrize(
    "path",
    ["", "Patient..name", "Patient.name[", "Patient.name.all(use='x')", "1", "'x'", "a;b",
     "Patient.name.where(", "Patient.name[-1]", "a." + "b." * 3000, "(" * 900, "where(" * 50],
)  # fmt: skip
def test_a_text_that_is_no_path_is_not_read(path):
    with pytest.raises(NotReadError):
        parse(path)


def test_the_extension_of_a_primitive_stands_beside_it():
    url = {"valueExtension": {"url": "urn:b", "valueBoolean": True}}
    made = patched(PATIENT, operation("add", "Patient.birthDate", name="extension", value=url))
    assert made["_birthDate"] == {"extension": [{"url": "urn:b", "valueBoolean": True}]}
    again = patched(made, operation("delete", "Patient.birthDate.extension('urn:b')"))
    assert again == PATIENT
    given = operation("add", "Patient.name[0].given[1]", name="extension", value=url)
    assert patched(PATIENT, given)["name"][0]["_given"][0] is None


def test_lists_of_primitives_stay_aligned_with_what_stands_beside_them():
    beside = {"extension": [{"url": "urn:b", "valueBoolean": True}]}
    name = {"given": ["A", "B"], "_given": [None, beside]}
    resource = {"resourceType": "Patient", "name": [name]}
    path = "Patient.name[0].given"
    inserted = patched(resource, operation("insert", path, index=0, value={"valueString": "Z"}))
    assert inserted["name"][0] == {"given": ["Z", "A", "B"], "_given": [None, None, beside]}
    moved = patched(resource, operation("move", path, source=1, destination=0))
    assert moved["name"][0] == {"given": ["B", "A"], "_given": [beside, None]}
    gone = patched(resource, operation("delete", path + "[1]"))
    assert gone["name"][0] == {"given": ["A"]}


def test_deleting_what_is_not_there_is_no_fault():
    assert patched(PATIENT, operation("delete", "Patient.maritalStatus")) == PATIENT


@pytest.mark.parametrize(
    ("said", "rule"),
    [
        (operation("delete", "Patient.name"), "patch.several"),
        (operation("delete", "Patient"), "patch.whole-resource"),
        (operation("replace", "Patient.gender", value={"valueCode": "male"}), "patch.nowhere"),
        (operation("replace", "Patient.sex", value={"valueCode": "male"}), "patch.does-not-suit"),
        (
            operation("add", "Patient", name="birthDate", value={"valueDate": "1967"}),
            "patch.there-already",
        ),
        (
            operation("add", "Patient", name="name", value={"valueString": "x"}),
            "patch.does-not-suit",
        ),
        (operation("insert", "Patient.name", index=3, value={"valueHumanName": {}}),
         "patch.index-beyond"),
        (operation("move", "Patient.name", source=0, destination=2), "patch.index-beyond"),
        (operation("move", "Patient.birthDate", source=0, destination=0), "patch.does-not-suit"),
    ],
)  # fmt: skip
def test_an_operation_that_cannot_be_done_is_named(said, rule):
    with pytest.raises(Unprocessable) as refused:
        patched(PATIENT, operation("delete", "Patient.photo"), said)
    assert rules(refused.value) == [(rule, "Parameters.parameter[1]")]


def test_every_malformed_operation_is_named_before_anything_is_done():
    with pytest.raises(Invalid) as refused:
        fhirpath_patch.parse(
            {
                "resourceType": "Parameters",
                "parameter": [
                    {"name": "operation"},
                    operation("delete", "Patient.all(x)"),
                    operation("move", "Patient.name", source=-1),
                ],
            }
        )
    assert rules(refused.value) == [
        ("patch.operation-unknown", "Parameters.parameter[0]"),
        ("patch.path-not-read", "Parameters.parameter[1].part.where(name='path')"),
        ("patch.member-missing", "Parameters.parameter[2]"),
        ("patch.number", "Parameters.parameter[2].part.where(name='source')"),
    ]


def test_the_identity_of_a_resource_stays():
    with pytest.raises(Unprocessable) as refused:
        patched(PATIENT, operation("replace", "Patient.id", value={"valueId": "p2"}))
    assert rules(refused.value) == [("patch.identity-changed", "Patient.id")]
