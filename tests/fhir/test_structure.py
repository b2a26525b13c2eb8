"""The structure check: each fault by its rule and place, all at once, and nothing that is right."""

from decimal import Decimal
from typing import Any

import pytest

from passerelle.errors.refusals import Invalid
from passerelle.errors.rules import table
from passerelle.fhir.conformance import datatype_laws, resource_laws
from passerelle.fhir.conformance.resource_laws import CLINICAL, VERIFIED
from passerelle.fhir.conformance.structure import ISSUES_MAX, check, demand
from passerelle.fhir.json_text import decode
from passerelle.fhir.resource import Resource

Said = list[tuple[str, str | None]]


def said(resource: Resource, **options: Any) -> Said:
    return [
        (found.rule.removeprefix("structure."), found.expression)
        for found in check(resource, **options)
    ]


def patient(**members: Any) -> Resource:
    return {"resourceType": "Patient", **members}


def condition(**members: Any) -> Resource:
    return {"resourceType": "Condition", "subject": {"reference": "Patient/1"}, **members}


def extension(**members: Any) -> Resource:
    return patient(extension=[{"url": "http://example.org/e", **members}])


UNKNOWN = {
    "url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason",
    "valueCode": "unknown",
}
RIGHT: list[Resource] = [
    patient(),
    patient(id="A-1.b", active=False, birthDate="1955-06", deceasedBoolean=False),
    patient(birthDate="2024-02-29"),
    patient(
        birthDate="1900-01-31",
        _birthDate={"extension": [{"url": "http://example.org/u", "valueTime": "10:00:00"}]},
    ),
    patient(_birthDate={"extension": [{"url": "http://example.org/u", "valueCode": "unknown"}]}),
    patient(name=[{"given": ["Ann", "Bo"], "_given": [None, {"id": "x"}]}]),
    patient(name=[{"given": ["Ann", None], "_given": [None, {"extension": [UNKNOWN]}]}]),
    patient(birthDate="1955", _birthDate={"id": "x"}),
    patient(name=[{"family": "L’Hôte\u00a0: «\u202fné\u202f»\n"}]),
    patient(multipleBirthInteger=2, deceasedDateTime="2020-02-29T23:59:60.5+01:00"),
    patient(managingOrganization={"reference": "Organization/1/_history/2"}),
    patient(managingOrganization={"reference": "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"}),
    patient(managingOrganization={"reference": "https://example.org/fhir/Organization/1"}),
    patient(managingOrganization={"reference": "Organization?identifier=a|b"}),
    patient(name=[{"period": {"start": "2020", "end": "2020-05-01"}}]),
    patient(
        name=[{"period": {"start": "2020-05-01T10:00:00Z", "end": "2020-05-01T11:30:00+01:00"}}]
    ),
    patient(photo=[{"contentType": "image/png", "data": "AAEC\n AwQ="}]),
    condition(
        clinicalStatus={"coding": [{"code": "local"}, {"system": CLINICAL, "code": "active"}]}
    ),
    extension(valueMeta={"tag": [{"code": "a"}]}),
    extension(extension=[{"url": "a", "valueDecimal": Decimal("0.40")}]),
    {
        "resourceType": "Patient",
        "contained": [{"resourceType": "Organization", "id": "o", "name": "CH"}],
        "managingOrganization": {"reference": "#o"},
    },
    {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "t"},
        "valueQuantity": {"value": Decimal("72.50"), "system": "http://u", "code": "kg"},
    },
    {
        "resourceType": "Parameters",
        "parameter": [{"name": "a", "part": [{"name": "b", "resource": patient()}]}],
    },
    {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": patient(active=True)}]},
]


@pytest.mark.parametrize("resource", RIGHT)
def test_a_right_resource_has_no_fault(resource: Resource) -> None:
    assert said(resource) == []


WRONG: list[tuple[Resource, Said]] = [
    ({}, [("unknown-type", "Resource")]),
    ({"resourceType": 3}, [("unknown-type", "Resource")]),
    ({"resourceType": "DomainResource"}, [("unknown-type", "Resource")]),
    ({"resourceType": "Pacient"}, [("unknown-type", "Resource")]),
    (patient(prenom="a"), [("unknown-element", "Patient.prenom")]),
    (patient(**{"a b": 1}), [("unknown-element", "Patient")]),
    (patient(fhir_comments=["a"]), [("unknown-element", "Patient.fhir_comments")]),
    (patient(_id={"id": "a"}), [("unknown-element", "Patient._id")]),
    (patient(name={"family": "a"}), [("expected-array", "Patient.name")]),
    (patient(birthDate=["1955"]), [("expected-single", "Patient.birthDate")]),
    (patient(name=["a"]), [("wrong-type", "Patient.name[0]")]),
    (patient(name=[]), [("empty", "Patient.name")]),
    (patient(name=[{}]), [("empty", "Patient.name[0]")]),
    (patient(name=[{"family": ""}]), [("empty", "Patient.name[0].family")]),
    (patient(name=[{"id": "a"}]), [("ele-1", "Patient.name[0]")]),
    (patient(active="true"), [("wrong-type", "Patient.active")]),
    (patient(active=1), [("wrong-type", "Patient.active")]),
    (patient(active=None), [("null", "Patient.active")]),
    (patient(gender="X"), [("code", "Patient.gender")]),
    (
        condition(clinicalStatus={"coding": [{"code": "alive"}]}),
        [("code", "Condition.clinicalStatus")],
    ),
    (condition(clinicalStatus={"text": "active"}), [("code", "Condition.clinicalStatus")]),
    (patient(gender=1), [("wrong-type", "Patient.gender")]),
    (patient(id="a" * 65), [("bad-format", "Patient.id")]),
    (patient(id="a_b"), [("bad-format", "Patient.id")]),
    (patient(birthDate="2023-02-30"), [("no-such-day", "Patient.birthDate")]),
    (patient(birthDate="2023-02-29"), [("no-such-day", "Patient.birthDate")]),
    (patient(birthDate="2023-04-31"), [("no-such-day", "Patient.birthDate")]),
    (patient(birthDate="2023-13-01"), [("bad-format", "Patient.birthDate")]),
    (patient(birthDate="0000-01-01"), [("bad-format", "Patient.birthDate")]),
    (patient(birthDate="1955-06-01T10:00:00Z"), [("bad-format", "Patient.birthDate")]),
    (patient(deceasedDateTime="2020-01-01T10:00:00"), [("bad-format", "Patient.deceased")]),
    (
        patient(deceasedBoolean=True, deceasedDateTime="2020"),
        [("choice", "Patient.deceased")],
    ),
    (
        patient(
            deceasedBoolean=True,
            _deceasedDateTime={"extension": [{"url": "http://example.org/u", "valueId": "a"}]},
        ),
        [("choice", "Patient.deceased")],
    ),
    (patient(multipleBirthInteger=Decimal("1.0")), [("wrong-type", "Patient.multipleBirth")]),
    (patient(multipleBirthInteger=2**31), [("out-of-range", "Patient.multipleBirth")]),
    (patient(multipleBirthInteger=True), [("wrong-type", "Patient.multipleBirth")]),
    (
        patient(telecom=[{"system": "phone", "value": "1", "rank": 0}]),
        [("out-of-range", "Patient.telecom[0].rank")],
    ),
    (patient(identifier=[{"system": "a b"}]), [("bad-format", "Patient.identifier[0].system")]),
    (patient(language=" fr"), [("bad-format", "Patient.language")]),
    (patient(name=[{"family": "a\u0000b"}]), [("bad-format", "Patient.name[0].family")]),
    (patient(name=[{"family": "a" * 1_048_577}]), [("too-long", "Patient.name[0].family")]),
    (
        patient(photo=[{"contentType": "image/png", "data": "AAE"}]),
        [("bad-base64", "Patient.photo[0].data")],
    ),
    (
        patient(communication=[{"preferred": True}]),
        [("required", "Patient.communication[0].language")],
    ),
    (patient(name=[{"given": ["a", None]}]), [("null", "Patient.name[0].given[1]")]),
    (
        patient(name=[{"given": ["a"], "_given": [None, {"id": "x"}]}]),
        [("misaligned", "Patient.name[0].given"), ("ele-1", "Patient.name[0].given[1]")],
    ),
    (
        patient(generalPractitioner=[{"reference": "Patient/1"}]),
        [("reference-target", "Patient.generalPractitioner[0].reference")],
    ),
    (
        extension(valueReference={"reference": "Pacient/1"}),
        [("reference-target", "Patient.extension[0].value.reference")],
    ),
    (extension(), [("ext-1", "Patient.extension[0]")]),
    (
        extension(valueCode="a", extension=[{"url": "b", "valueCode": "c"}]),
        [("ext-1", "Patient.extension[0]")],
    ),
    (extension(valueCode="a", valueString="b"), [("choice", "Patient.extension[0].value")]),
    (
        patient(extension=[{"valueCode": "a"}]),
        [("required", "Patient.extension[0].url")],
    ),
    (
        patient(name=[{"period": {"start": "2021", "end": "2020-05"}}]),
        [("per-1", "Patient.name[0].period")],
    ),
    (patient(telecom=[{"value": "1"}]), [("cpt-2", "Patient.telecom[0]")]),
    (patient(photo=[{"data": "AAEC"}]), [("att-1", "Patient.photo[0]")]),
    (patient(contact=[{"gender": "male"}]), [("pat-1", "Patient.contact[0]")]),
    (
        patient(managingOrganization={"reference": "#o"}),
        [("ref-1", "Patient.managingOrganization.reference")],
    ),
    (
        patient(contained=[{"resourceType": "Organization", "id": "o", "name": "CH"}]),
        [("dom-3", "Patient.contained[0]")],
    ),
    (
        {
            "resourceType": "Patient",
            "managingOrganization": {"reference": "#o"},
            "contained": [
                {
                    "resourceType": "Organization",
                    "id": "o",
                    "meta": {"versionId": "1", "security": [{"code": "R"}]},
                    "contained": [patient(id="p")],
                }
            ],
        },
        [
            ("org-1", "Patient.contained[0]"),
            ("dom-2", "Patient.contained[0].contained"),
            ("dom-4", "Patient.contained[0].meta.versionId"),
            ("dom-5", "Patient.contained[0].meta.security"),
        ],
    ),
    (
        patient(
            managingOrganization={"reference": "#o"},
            contained=[{"resourceType": "Organization", "id": "o", "name": 1}, {"id": "o"}],
        ),
        [
            ("wrong-type", "Patient.contained[0].name"),
            ("unknown-type", "Patient.contained[1]"),
            ("contained-id-twice", "Patient.contained[1].id"),
        ],
    ),
    (
        {"resourceType": "Appointment", "status": "booked", "start": "2026-01-01T10:00:00Z"},
        [
            ("required", "Appointment.participant"),
            ("app-2", "Appointment"),
            ("app-3", "Appointment"),
        ],
    ),
    (
        {
            "resourceType": "Task",
            "status": "requested",
            "intent": "order",
            "authoredOn": "2026-01-02",
            "lastModified": "2026-01-01T00:00:00Z",
        },
        [("tsk-1", "Task.lastModified")],
    ),
    (
        {
            "resourceType": "CareTeam",
            "participant": [
                {
                    "member": {"reference": "Organization/1"},
                    "onBehalfOf": {"reference": "Organization/2"},
                }
            ],
        },
        [("ctm-1", "CareTeam.participant[0].onBehalfOf")],
    ),
    (
        {"resourceType": "Organization", "telecom": [{"use": "home"}]},
        [("org-1", "Organization"), ("org-3", "Organization.telecom[0]")],
    ),
    (
        {"resourceType": "DocumentReference", "content": [{"format": {"code": "a"}}]},
        [
            ("required", "DocumentReference.content[0].attachment"),
            ("required", "DocumentReference.status"),
        ],
    ),
    (
        {
            "resourceType": "MedicationRequest",
            "status": "active",
            "intent": "order",
            "subject": {"reference": "Patient/1"},
        },
        [("required", "MedicationRequest.medication")],
    ),
    (
        {
            "resourceType": "Bundle",
            "type": "collection",
            "entry": [{"resource": patient(gender="X")}, {"resource": {"id": "a"}}],
        },
        [
            ("code", "Bundle.entry[0].resource.gender"),
            ("unknown-type", "Bundle.entry[1].resource"),
        ],
    ),
    (
        {
            "resourceType": "Bundle",
            "type": "batch-response",
            "entry": [
                {"response": {"status": "400", "outcome": {"resourceType": "OperationOutcome"}}}
            ],
        },
        [("required", "Bundle.entry[0].response.outcome.issue")],
    ),
    (
        {
            "resourceType": "Bundle",
            "type": "document",
            "total": 1,
            "entry": [
                {"fullUrl": "urn:a", "resource": patient(), "search": {"mode": "match"}},
                {"fullUrl": "urn:a", "request": {"method": "GET", "url": "a"}},
                {"fullUrl": "http://example.org/Patient/1/_history/2"},
            ],
        },
        [
            ("bdl-1", "Bundle.total"),
            ("bdl-2", "Bundle.entry[0].search"),
            ("bdl-3", "Bundle.entry[1].request"),
            ("bdl-5", "Bundle.entry[2]"),
            ("bdl-7", "Bundle.entry[1].fullUrl"),
            ("bdl-8", "Bundle.entry[2].fullUrl"),
            ("bdl-9", "Bundle.identifier"),
            ("bdl-10", "Bundle.timestamp"),
            ("bdl-11", "Bundle.entry[0].resource"),
        ],
    ),
    (
        {"resourceType": "Bundle", "type": "batch", "entry": [{"resource": patient()}]},
        [("bdl-3", "Bundle.entry[0].request")],
    ),
    (
        condition(
            abatementString="a",
            clinicalStatus={"coding": [{"system": CLINICAL, "code": "active"}]},
            verificationStatus={"coding": [{"system": VERIFIED, "code": "entered-in-error"}]},
        ),
        [("con-4", "Condition.clinicalStatus"), ("con-5", "Condition.clinicalStatus")],
    ),
    (
        {
            "resourceType": "Parameters",
            "parameter": [{"name": "a", "part": [{"name": "b", "resource": patient(gender="X")}]}],
        },
        [("code", "Parameters.parameter[0].part[0].resource.gender")],
    ),
    (
        {"resourceType": "Parameters", "parameter": [{"name": "a"}]},
        [("par-1", "Parameters.parameter[0]")],
    ),
]


@pytest.mark.parametrize(("resource", "expected"), WRONG)
def test_a_fault_is_told_with_its_rule_and_its_place(resource: Resource, expected: Said) -> None:
    assert said(resource) == expected


def test_all_faults_are_told_at_once() -> None:
    resource = patient(
        gender="X", birthDate="2023-02-30", contact=[{"address": {"city": 1}}], zz=1, active="no"
    )
    assert sorted(said(resource)) == [
        ("code", "Patient.gender"),
        ("no-such-day", "Patient.birthDate"),
        ("unknown-element", "Patient.zz"),
        ("wrong-type", "Patient.active"),
        ("wrong-type", "Patient.contact[0].address.city"),
    ]


def test_the_codes_are_those_of_the_standard() -> None:
    resource = patient(
        gender="X",
        birthDate="b",
        zz=1,
        communication=[{"preferred": True}],
        name=[{"period": {"start": "2021", "end": "2020"}}],
    )
    assert {found.code for found in check(resource)} == {
        "code-invalid",
        "value",
        "structure",
        "required",
        "invariant",
    }


def test_every_invariant_that_is_asked_has_its_texts() -> None:
    asked = {law.key for law in datatype_laws.LAWS}
    asked |= {key for laws in resource_laws.LAWS.values() for key, _ in laws}
    assert {f"structure.{key}" for key in asked} <= set(table())


def test_the_faults_are_bounded_and_the_bound_is_told() -> None:
    found = check(patient(name=[{}] * 1000))
    assert len(found) == ISSUES_MAX + 1
    assert found[-1].rule == "structure.more"


def test_no_value_of_the_resource_is_in_a_text() -> None:
    secret = "DUPONT-SECRET"
    resource = patient(
        gender=secret, birthDate=secret, id=secret + "_", language=" " + secret, name=[{secret: 1}]
    )
    for found in check(resource):
        assert secret not in found.text + found.text_en
        assert found.text
        assert found.text_en


def test_demand_raises_all_faults_and_lets_what_is_right_pass() -> None:
    demand(patient(active=True))
    with pytest.raises(Invalid) as refused:
        demand(patient(gender="X", active="no"))
    assert [found.rule for found in refused.value.issues] == [
        "structure.code",
        "structure.wrong-type",
    ]


def test_the_entries_of_a_bundle_may_be_left_to_the_caller() -> None:
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": {"a": 1}}]}
    assert said(bundle, entries=False) == []
    assert said({"a": 1}, at="Bundle.entry[0].resource") == [
        ("unknown-type", "Bundle.entry[0].resource")
    ]
    assert said(patient(gender="X"), at="Bundle.entry[0].resource") == [
        ("code", "Bundle.entry[0].resource.gender")
    ]


def test_bundles_in_bundles_have_an_end() -> None:
    bundle = patient()
    for _ in range(20):
        bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": bundle}]}
    assert [rule for rule, _ in said(bundle)] == ["json.too-deep"]


def test_a_number_with_an_exponent_is_a_decimal() -> None:
    body = b'{"resourceType":"Patient","extension":[{"url":"urn:u","valueDecimal":1e3}]}'
    assert said(decode(body)) == []
    whole = b'{"resourceType":"Patient","multipleBirthInteger":1e0}'
    assert said(decode(whole)) == [("wrong-type", "Patient.multipleBirth")]
