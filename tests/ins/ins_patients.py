"""Patients to try the identity rules on: published test identities under the OID of test."""

from copy import deepcopy

FR = "https://hl7.fr/ig/fhir/core/"
TEST = "urn:oid:1.2.250.1.213.1.4.10"


def ins(number="279035121518989", code="INS-NIR-TEST", system=TEST, use="official"):
    coding = {"system": FR + "CodeSystem/fr-core-cs-v2-0203", "code": code}
    identifier = {"use": use, "type": {"coding": [coding]}, "system": system, "value": number}
    return {name: value for name, value in identifier.items() if value is not None}


def reliability(status="VALI", method="INSI", mode="CN", *, comments=(), system=None):
    parts = {"identityStatus": status, "methodCollection": method, "validationMode": mode}
    entries = [{"url": url, "valueCoding": {"code": code}} for url, code in parts.items() if code]
    entries += [
        {"url": "comment", "valueCodeableConcept": {"coding": [{"code": code}]}}
        for code in comments
    ]
    if system:
        entries[0]["valueCoding"]["system"] = system
    return {"url": FR + "StructureDefinition/fr-core-identity-reliability", "extension": entries}


def birth_place(code="51215"):
    coding = {"url": FR + "StructureDefinition/fr-core-address-insee-code"}
    coding["valueCoding"] = {"code": code}
    return {
        "url": "http://hl7.org/fhir/StructureDefinition/patient-birthPlace",
        "valueAddress": {"extension": [coding]},
    }


def given_names(text="DOMINIQUE MARIE-LOUISE"):
    return {
        "url": FR + "StructureDefinition/fr-core-patient-birth-list-given-name",
        "valueString": text,
    }


LOCAL = {
    "use": "usual",
    "type": {"coding": [{"code": "PI"}]},
    "system": "https://hopital.example/ipp",
    "value": "12",
}

QUALIFIED = {
    "resourceType": "Patient",
    "extension": [birth_place(), reliability()],
    "identifier": [LOCAL, ins()],
    "name": [
        {"use": "usual", "family": "Durand"},
        {
            "use": "official",
            "family": "PAT-TROIS",
            "given": ["DOMINIQUE"],
            "extension": [given_names()],
        },
    ],
    "gender": "female",
    "birthDate": "1979-03-28",
}


def patient(**changes):
    """A qualified patient with changes; a change to None takes the element out."""
    made = deepcopy(QUALIFIED) | changes
    return {name: value for name, value in made.items() if value is not None}


def found(issues, severity=None):
    return [(i.rule, i.expression) for i in issues if severity in (None, i.severity)]
