"""Invented patients of a realistic size (about 1.3 kB), numbered, with the INS test OID."""

import json

FAMILIES = ("MARTIN", "BERNARD", "D'ALMEIDA", "LE GOFF", "ÉTIENNE", "DUPONT-DURAND", "NGUYEN")
GIVENS = ("Éléonore", "Jean-Pierre", "Zoé", "Anaïs", "Loïc", "Mohamed", "Chloé")
IPP = "https://ch-exemple.example/ipp"
TEST_OID = "urn:oid:1.2.250.1.213.1.4.10"


def matricule(number: int) -> str:
    """Give a 15-character number of right key that designates nobody."""
    thirteen = f"2{number % 100:02d}0{number % 9 + 1}99{number % 1000:03d}{number % 997:03d}"
    return thirteen + f"{97 - int(thirteen) % 97:02d}"


def patient(number: int) -> dict[str, object]:
    """Give patient ``number``."""
    family = FAMILIES[number % len(FAMILIES)]
    given = GIVENS[number // 7 % len(GIVENS)]
    fr_core = "https://hl7.fr/ig/fhir/core"
    return {
        "resourceType": "Patient",
        "meta": {"profile": [f"{fr_core}/StructureDefinition/fr-core-patient-ins"]},
        "extension": [
            {
                "url": f"{fr_core}/StructureDefinition/fr-core-identity-reliability",
                "extension": [
                    {
                        "url": "identityStatus",
                        "valueCoding": {
                            "system": f"{fr_core}/CodeSystem/fr-core-cs-v2-0445",
                            "code": "PROV",
                        },
                    }
                ],
            }
        ],
        "identifier": [
            {"use": "usual", "system": IPP, "value": f"IPP{number:08d}"},
        ],
        "active": True,
        "name": [
            {
                "use": "official",
                "family": family,
                "given": [given],
                "text": f"{given} {family}",
            },
            {"use": "usual", "family": family.title(), "given": [given]},
        ],
        "telecom": [
            {"system": "phone", "value": f"+336{number % 10**8:08d}", "use": "mobile"},
            {"system": "email", "value": f"p{number}@exemple.example", "use": "home"},
        ],
        "gender": "female" if number % 2 else "male",
        "birthDate": f"{1930 + number % 90}-{number % 12 + 1:02d}-{number % 28 + 1:02d}",
        "address": [
            {
                "use": "home",
                "line": [f"{number % 200} rue de la République"],
                "city": "Albi",
                "postalCode": "81000",
                "country": "FRA",
            }
        ],
        "contact": [
            {"name": {"family": family}, "telecom": [{"system": "phone", "value": "+33563000000"}]}
        ],
        "communication": [
            {"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": "fr-FR"}]}}
        ],
    }


def patient_bytes(number: int) -> bytes:
    """Give patient ``number`` as JSON."""
    return json.dumps(patient(number), ensure_ascii=False).encode()


def transaction_bytes(first: int, size: int) -> bytes:
    """Give a transaction that creates ``size`` patients."""
    entries = [
        {
            "fullUrl": f"urn:uuid:00000000-0000-4000-8000-{first + offset:012d}",
            "resource": patient(first + offset),
            "request": {"method": "POST", "url": "Patient"},
        }
        for offset in range(size)
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    return json.dumps(bundle, ensure_ascii=False).encode()
