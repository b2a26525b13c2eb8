"""Invented patients (about 1.7 kB each), numbered: a local IPP, INS numbers under the OID of test.

Everything follows from the number, so that two runs, and two servers, hold the same. Three of four
identities are qualified, with a number of right key that designates nobody; the rest is
provisional and has none.
https://hl7.fr/ig/fhir/core/2.2.0/StructureDefinition-fr-core-patient-ins.html
"""

import json
from typing import Any

HEADS = (
    "Mar", "Ber", "Dup", "Lef", "Gau", "Rou", "Per", "Cha", "Fon", "Bel", "Cor", "Del", "Fer",
    "Gir", "Hum", "Jac", "Lam", "Men", "Nav", "Pou", "Qui", "Ren", "Sau", "Tho", "Vin", "Bou",
    "Cla", "Dro", "Éti", "Gué", "Le G", "D'A", "Mor", "Nog", "Pra", "Riv", "Sér", "Tri", "Val",
    "Zim",
)  # fmt: skip
TAILS = (
    "tin", "nard", "ond", "èvre", "thier", "ssel", "rin", "mpion", "taine", "langer", "mier",
    "mas", "rand", "ardin", "bert", "quet", "bier", "ard", "arro", "lain", "llet", "aud", "vage",
    "mas-Roy", "cent", "cher", "vel", "uet", "enne", "rin-Petit", "off", "lmeida", "eau", "aret",
    "del", "ière", "usier", "stan", "ette", "mer",
)  # fmt: skip
GIVENS = (
    "Éléonore", "Jean-Pierre", "Zoé", "Anaïs", "Loïc", "Mohamed", "Chloé", "François", "Maëlle",
    "Hélène", "Noël", "Inès", "Gaël", "Marie-Louise", "Yann",
)  # fmt: skip
FAMILIES = len(HEADS) * len(TAILS)
PLAIN = str.maketrans("ÀÂÇÈÉÊËÎÏÔÙÛ", "AACEEEEIIOUU")
IPP = "https://ch-exemple.example/ipp"
TEST_OID = "urn:oid:1.2.250.1.213.1.4.10"
FR_CORE = "https://hl7.fr/ig/fhir/core"
STRUCTURE = f"{FR_CORE}/StructureDefinition"
Resource = dict[str, Any]


def head_of(number: int) -> str:
    """Give what the family name of a patient begins with; one in forty begins so."""
    return HEADS[number % len(HEADS)]


def family_of(number: int) -> str:
    """Give the family name of a patient; one in 1,600 bears it."""
    return head_of(number) + TAILS[number // len(HEADS) % len(TAILS)]


def given_of(number: int) -> str:
    return GIVENS[number // 3 % len(GIVENS)]


def born(number: int) -> str:
    return f"{1930 + number % 90}-{number % 12 + 1:02d}-{number % 28 + 1:02d}"


def gender_of(number: int) -> str:
    return "female" if number % 2 else "male"


def matricule(number: int) -> str:
    """Give a 15-character number of right key that designates nobody."""
    year, month = 1930 + number % 90, number % 12 + 1
    order = f"{number // 90 % 999 + 1:03d}"
    thirteen = f"{1 + number % 2}{year % 100:02d}{month:02d}99{number // 89_910 + 100:03d}{order}"
    return thirteen + f"{97 - int(thirteen) % 97:02d}"


def is_qualified(number: int) -> bool:
    return number % 4 != 3


def ipp(number: int) -> str:
    return f"IPP{number:08d}"


def _trait(text: str) -> str:
    """Spell a name as INSi gives it: capitals without accents."""
    return text.upper().translate(PLAIN)


def _reliability(number: int) -> Resource:
    coded = {"identityStatus": "PROV"}
    if is_qualified(number):
        coded = {"identityStatus": "VALI", "methodCollection": "INSI", "validationMode": "CN"}
    return {
        "url": f"{STRUCTURE}/fr-core-identity-reliability",
        "extension": [{"url": url, "valueCoding": {"code": code}} for url, code in coded.items()],
    }


def _birth_place() -> Resource:
    insee = {"url": f"{STRUCTURE}/fr-core-address-insee-code", "valueCoding": {"code": "81004"}}
    return {
        "url": "http://hl7.org/fhir/StructureDefinition/patient-birthPlace",
        "valueAddress": {"extension": [insee]},
    }


def _identifiers(number: int) -> list[Resource]:
    local = {"use": "usual", "system": IPP, "value": ipp(number)}
    if not is_qualified(number):
        return [local]
    coding = {"system": f"{FR_CORE}/CodeSystem/fr-core-cs-v2-0203", "code": "INS-NIR-TEST"}
    ins = {"use": "official", "type": {"coding": [coding]}, "system": TEST_OID}
    return [local, ins | {"value": matricule(number)}]


def _names(number: int) -> list[Resource]:
    family, given = family_of(number), given_of(number)
    birth_list = {
        "url": f"{STRUCTURE}/fr-core-patient-birth-list-given-name",
        "valueString": _trait(given),
    }
    official = {"use": "official", "family": _trait(family), "given": [_trait(given)]}
    return [
        official | {"extension": [birth_list]},
        {"use": "usual", "family": family, "given": [given], "text": f"{given} {family}"},
    ]


def patient(number: int) -> Resource:
    """Give patient ``number``, without an id."""
    return {
        "resourceType": "Patient",
        "meta": {"profile": [f"{STRUCTURE}/fr-core-patient-ins"]},
        "extension": [_birth_place(), _reliability(number)],
        "identifier": _identifiers(number),
        "active": True,
        "name": _names(number),
        "telecom": [
            {"system": "phone", "value": f"+336{number % 10**8:08d}", "use": "mobile"},
            {"system": "email", "value": f"p{number}@exemple.example", "use": "home"},
        ],
        "gender": gender_of(number),
        "birthDate": born(number),
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
            {
                "name": {"family": family_of(number)},
                "telecom": [{"system": "phone", "value": "+33563000000"}],
            }
        ],
        "communication": [
            {"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": "fr-FR"}]}}
        ],
    }


def json_bytes(resource: Resource) -> bytes:
    return json.dumps(resource, ensure_ascii=False, separators=(",", ":")).encode()


def patient_bytes(number: int) -> bytes:
    """Give patient ``number`` as JSON."""
    return json_bytes(patient(number))


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
    return json_bytes({"resourceType": "Bundle", "type": "transaction", "entry": entries})
