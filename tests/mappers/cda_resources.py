"""FHIR resources of a discharge letter, as the gateway keeps them."""

from typing import Any

from passerelle.fhir.urls import FR_CORE, FR_CORE_0203, HL7_0203
from passerelle.mappers.cda.cda_from_fhir import DocumentResources
from passerelle.mappers.cda.cda_from_fhir_actors import ActorResources
from passerelle.mappers.resources.code_systems import (
    FINESS,
    RPPS,
    TRE_A01,
    TRE_A03,
    TRE_A07,
    TRE_A08,
    TRE_R02,
    TRE_R13,
    TRE_R38,
    URIS,
)

MATRICULE = "279035121518989"
G15 = "https://mos.esante.gouv.fr/NOS/TRE_G15-ProfessionSante/FHIR/TRE-G15-ProfessionSante"


def patient() -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "extension": [
            {
                "url": "http://hl7.org/fhir/StructureDefinition/patient-birthPlace",
                "valueAddress": {
                    "extension": [
                        {
                            "url": FR_CORE + "fr-core-address-insee-code",
                            "valueCoding": {"system": TRE_R13, "code": "51215"},
                        }
                    ],
                    "city": "DOMPREMY",
                },
            }
        ],
        "identifier": [
            {
                "use": "usual",
                "type": {"coding": [{"system": HL7_0203, "code": "PI"}]},
                "system": "https://coordination.example/patients",
                "value": "8842",
            },
            {
                "use": "official",
                "type": {"coding": [{"system": FR_CORE_0203, "code": "INS-NIR-TEST"}]},
                "system": "urn:oid:1.2.250.1.213.1.4.10",
                "value": MATRICULE,
            },
            {
                "use": "official",
                "type": {"coding": [{"system": HL7_0203, "code": "NH"}]},
                "system": "urn:oid:1.2.250.1.213.1.4.13",
                "value": "NSS",
            },
        ],
        "name": [
            {
                "use": "official",
                "family": "PAT-TROIS",
                "given": ["DOMINIQUE"],
                "extension": [
                    {
                        "url": FR_CORE + "fr-core-patient-birth-list-given-name",
                        "valueString": "DOMINIQUE MARIE-LOUISE",
                    }
                ],
            },
            {"use": "usual", "family": "PAT-TROIS", "given": ["Dominique"]},
        ],
        "gender": "female",
        "birthDate": "1979-03-28",
        "telecom": [{"system": "phone", "value": "01 44 53 45 51", "use": "home"}],
        "address": [{"line": ["28 avenue de Breteuil"], "postalCode": "75007", "city": "PARIS"}],
    }


def document_reference() -> dict[str, Any]:
    return {
        "resourceType": "DocumentReference",
        "masterIdentifier": {"system": URIS, "value": "urn:oid:2.25.4242"},
        "status": "current",
        "type": {"coding": [{"system": "http://loinc.org", "code": "11490-0"}]},
        "category": [{"coding": [{"system": TRE_A03, "code": "11"}]}],
        "date": "2026-01-12T10:20:00.123+01:00",
        "securityLabel": [
            {"coding": [{"system": TRE_A08, "code": "R"}]},
            {"coding": [{"system": TRE_A07, "code": "INVISIBLE_PATIENT"}]},
        ],
        "content": [
            {
                "attachment": {
                    "contentType": "application/pdf",
                    "language": "fr-FR",
                    "title": "Lettre de liaison",
                    "creation": "2026-01-12T10:15:00+01:00",
                }
            }
        ],
        "context": {
            "period": {"start": "2026-01-05", "end": "2026-01-12"},
            "facilityType": {"coding": [{"system": TRE_R02, "code": "SA01"}]},
            "practiceSetting": {"coding": [{"system": TRE_A01, "code": "ETABLISSEMENT"}]},
        },
    }


def organization() -> dict[str, Any]:
    return {
        "resourceType": "Organization",
        "identifier": [
            {"system": "https://passerelle.example/structures", "value": "a1"},
            {"system": FINESS, "value": "310000001"},
        ],
        "name": "Centre hospitalier de l'Autan",
        "telecom": [{"system": "phone", "value": "05 61 00 00 00", "use": "work"}],
        "address": [{"line": ["1 place du Capitole"], "postalCode": "31000", "city": "TOULOUSE"}],
    }


def doctor() -> ActorResources:
    return ActorResources(
        role={
            "resourceType": "PractitionerRole",
            "code": [{"coding": [{"system": G15, "code": "10", "display": "Médecin"}]}],
            "specialty": [
                {"coding": [{"system": TRE_R38, "code": "SM26", "display": "Médecine générale"}]}
            ],
        },
        practitioner={
            "resourceType": "Practitioner",
            "identifier": [{"system": RPPS, "value": "99700000011"}],
            "name": [{"family": "D'ÉPINAY", "given": ["Zoé"], "prefix": ["MME", "Dr."]}],
        },
        organization=organization(),
    )


def letter_resources(**changed: Any) -> DocumentResources:
    made: dict[str, Any] = {
        "patient": patient(),
        "document_reference": document_reference(),
        "author": doctor(),
        "custodian": organization(),
    }
    return DocumentResources(**{**made, **changed})
