"""Patients to keep, with and without a matricule that may not leave."""

from typing import Any

FR = "https://hl7.fr/ig/fhir/core/"
PUBLISHED = "279035121518989"
"""The matricule of a published test identity, under the OID of test."""


def plain(id: str, **rest: Any) -> dict[str, Any]:
    """A Patient that bears no matricule."""
    return {"resourceType": "Patient", "id": id, "name": [{"family": "PAT-TROIS"}], **rest}


def with_matricule_aside(id: str, **rest: Any) -> dict[str, Any]:
    """A Patient of no status whose matricule is set apart when it is kept."""
    kind = {"system": FR + "CodeSystem/fr-core-cs-v2-0203", "code": "INS-NIR-TEST"}
    number = {
        "use": "official",
        "type": {"coding": [kind]},
        "system": "urn:oid:1.2.250.1.213.1.4.10",
        "value": PUBLISHED,
    }
    reliability = {
        "url": FR + "StructureDefinition/fr-core-identity-reliability",
        "extension": [{"url": "identityStatus", "valueCoding": {"code": "PROV"}}],
    }
    return plain(id, extension=[reliability], identifier=[number], **rest)
