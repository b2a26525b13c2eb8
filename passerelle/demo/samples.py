"""Three sample dossiers: a qualified identity, a provisional one, and one that must be refused.

The qualified identity is a published test one (INS test OID); the two others are invented.
"""

import base64
import hashlib
from typing import Any

from passerelle.demo.sample_course import course

PLATFORM = "https://coordination.example"
R85 = "https://mos.esante.gouv.fr/NOS/TRE_R85-RolePriseCharge/FHIR/TRE-R85-RolePriseCharge"
G15 = "https://mos.esante.gouv.fr/NOS/TRE_G15-ProfessionSante/FHIR/TRE-G15-ProfessionSante"
R260 = "https://mos.esante.gouv.fr/NOS/TRE_R260-HL7RoleClass/FHIR/TRE-R260-HL7RoleClass"
LOINC = "http://loinc.org"

DOCTOR = "sophie.martin@demo.mssante.fr"
GATEWAY = "dac81@demo.mssante.fr"
OUTSIDE = "sophie.martin@courriel.example"
"""An address off the white list."""

QUALIFIED = "https://coordination.example/dossiers|D-2026-0001"
PROVISIONAL = "https://coordination.example/dossiers|D-2026-0002"
REFUSED = "https://coordination.example/dossiers|D-2026-0003"


def qualified(letter: bytes) -> dict[str, Any]:
    """Give the dossier whose identity is qualified, with a discharge letter (PDF bytes)."""
    return _dossier("D-2026-0001") | {
        "person": {
            "identifiers": [{"system": f"{PLATFORM}/patients", "value": "8842"}],
            "identity": {
                "birthName": "PAT-TROIS",
                "birthFirstNames": ["DOMINIQUE", "MARIE-LOUISE"],
                "usedFirstName": "Dominique",
                "sex": "F",
                "birthDate": "1979-03-28",
                "birthPlaceCode": "51215",
                "status": "qualified",
                "proof": {
                    "kind": {"text": "carte nationale d'identité"},
                    "checkedAt": "2026-01-12",
                },
                "ins": {
                    "number": "279035121518989",
                    "oid": "1.2.250.1.213.1.4.10",
                    "obtainedAt": "2026-01-12T09:00:00+01:00",
                },
            },
            "contact": {"phones": [{"number": "+33563000001", "use": "home"}]},
        },
        "circle": [_coordinator(), _doctor(), _relative("PAT-TROIS", "Luc")],
        "documents": [_letter(letter)],
        "appointments": [
            {
                "key": "rdv-1",
                "title": "Réunion de concertation",
                "start": "2026-12-10T14:00:00+01:00",
                "end": "2026-12-10T15:00:00+01:00",
                "status": "booked",
                "organiser": "m1",
                "participants": [{"member": "m2", "answer": "accepted"}],
            }
        ],
        "tasks": [
            {
                "key": "t1",
                "title": "Demander l'APA",
                "status": "requested",
                "priority": "urgent",
                "createdAt": "2026-11-20T10:00:00+01:00",
                "requester": "m1",
                "owner": "m2",
                "due": "2026-12-15",
            }
        ],
    }


def followed(letter: bytes) -> dict[str, Any]:
    """Give the same dossier with what happened since: notes, events, forms, alerts."""
    return qualified(letter) | course()


def provisional(letter: bytes) -> dict[str, Any]:
    """Give the dossier whose identity is provisional: no INS, no proof."""
    return _dossier("D-2026-0002") | {
        "person": {
            "identifiers": [{"system": f"{PLATFORM}/patients", "value": "9107"}],
            "identity": {
                "birthName": "D'ALMEIDA",
                "birthFirstNames": ["ÉLÉONORE"],
                "sex": "F",
                "birthDate": "1941-07",
                "status": "provisional",
            },
        },
        "circle": [_coordinator(), _doctor()],
        "documents": [_letter(letter)],
    }


def refused() -> dict[str, Any]:
    """Give a dossier that overstates its identity and says the impossible, in several places."""
    made = _dossier("D-2026-0003") | {
        "person": {
            "identifiers": [{"system": f"{PLATFORM}/patients", "value": "9344"}],
            "identity": {
                "birthName": "TESTEUR",
                "birthFirstNames": ["ALIX"],
                "sex": "F",
                "birthDate": "1979-02-30",
                "birthPlaceCode": "51215",
                "status": "qualified",
                "proof": {"kind": {"text": "passeport"}},
                "ins": {"number": "279035121518912", "oid": "1.2.250.1.213.1.4.10"},
            },
        },
        "circle": [_coordinator()],
        "alerts": [
            {
                "key": "al1",
                "kind": "fall",
                "title": "Chute",
                "raisedAt": "2026-11-22T07:00:00+01:00",
                "status": "active",
                "recipients": ["nobody"],
            }
        ],
    }
    made["tasks"] = [
        {
            "key": "t1",
            "title": "Appeler la famille",
            "status": "requested",
            "createdAt": "2026-11-20T10:00:00+01:00",
            "requester": "nobody",
        }
    ]
    return made


def _dossier(value: str) -> dict[str, Any]:
    return {
        "format": "dossier/1",
        "id": {"system": f"{PLATFORM}/dossiers", "value": value},
        "version": "1",
        "updatedAt": "2026-11-23T09:00:00+01:00",
        "source": {"platform": PLATFORM, "software": "Coordination de démonstration"},
        "status": "active",
        "openedAt": "2026-01-12",
        "managing": {"name": "DAC du Tarn (démo)", "finess": "810000000"},
        "lead": "m1",
    }


def _coordinator() -> dict[str, Any]:
    role = {"system": R85, "code": "330"}
    return {
        "key": "m1",
        "kind": "professional",
        "periods": [{"start": "2026-01-12"}],
        "role": role,
        "professional": {
            "nationalId": "10001234567",
            "familyName": "DUPONT",
            "givenName": "Anne",
            "careRole": role,
        },
        "account": "active",
        "basis": "care-team",
        "referent": True,
        "contact": {"mailboxes": [{"address": GATEWAY, "type": "ORG"}]},
    }


def _doctor() -> dict[str, Any]:
    return {
        "key": "m2",
        "kind": "professional",
        "periods": [{"start": "2026-01-15"}],
        "professional": {
            "nationalId": "10003456789",
            "title": "DR",
            "familyName": "MARTIN",
            "givenName": "Sophie",
            "profession": {"system": G15, "code": "10", "display": "Médecin"},
        },
        "account": "active",
        "basis": "care-team",
        "contact": {"mailboxes": [{"address": DOCTOR, "type": "PER"}]},
    }


def _relative(family: str, given: str) -> dict[str, Any]:
    return {
        "key": "m3",
        "kind": "relative",
        "periods": [{"start": "2026-01-12"}],
        "role": {"system": R260, "code": "NOK"},
        "relative": {"familyName": family, "givenName": given},
        "account": "none",
        "basis": "listed-only",
    }


def _letter(pdf: bytes) -> dict[str, Any]:
    return {
        "key": "d1",
        "title": "Lettre de liaison à la sortie",
        "type": {
            "system": LOINC,
            "code": "11490-0",
            "display": "Lettre de liaison à la sortie d'un établissement de soins",
        },
        "createdAt": "2026-11-20T11:30:00+01:00",
        "act": {"start": "2026-11-14", "end": "2026-11-20"},
        "author": "m2",
        "status": "current",
        "files": [
            {
                "mimeType": "application/pdf",
                "name": "lettre-de-liaison.pdf",
                "size": len(pdf),
                "sha256": hashlib.sha256(pdf).hexdigest(),
                "data": base64.b64encode(pdf).decode(),
            }
        ],
    }
