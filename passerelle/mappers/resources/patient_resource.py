"""The person of a dossier to and from Patient (fr-core-patient, fr-core-patient-ins).

https://hl7.fr/ig/fhir/core/2.2.0/StructureDefinition-fr-core-patient-ins.html . There is one
Patient per source and person: its id hangs on the first of ``person.identifiers``.
"""

import re
from collections.abc import Mapping
from typing import Any

from passerelle.fhir.resource import Resource
from passerelle.fhir.urls import FR_CORE, HL7_0203
from passerelle.mappers.native.dossier import Entry
from passerelle.mappers.native.dossier_identity import may_carry_ins
from passerelle.mappers.native.dossier_naming import MemberReferences, Naming, resource
from passerelle.mappers.native.dossier_reading import Reading
from passerelle.mappers.resources.code_systems import LANGUAGES
from passerelle.mappers.resources.contact_points import (
    address,
    insee_code,
    native_contact,
    native_insee_code,
    telecom,
)
from passerelle.mappers.resources.fhir_elements import (
    Element,
    chosen,
    codeable,
    extensions,
    filled,
    native_code,
    own,
    own_of,
    parts,
    parts_of,
    pick,
    value_of,
)
from passerelle.mappers.resources.patient_identity import (
    identity_extensions,
    ins_identifiers,
    is_ins,
    native_flags,
    native_ins,
    native_proof,
    native_status,
)

BIRTH_PLACE = "http://hl7.org/fhir/StructureDefinition/patient-birthPlace"
DEATH_PLACE = FR_CORE + "fr-core-patient-death-place"
BIRTH_LIST = FR_CORE + "fr-core-patient-birth-list-given-name"

LOCAL: Element = {
    "coding": [{"system": HL7_0203, "code": "PI", "display": "Patient internal identifier"}]
}
"""Type of a source's own identifier (IPP)."""

_GENDERS = {"M": "male", "F": "female", "U": "unknown"}
_SEXES = {gender: sex for sex, gender in _GENDERS.items()}
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")


def to_fhir(person: Mapping[str, Any], names: Naming, members: MemberReferences) -> Resource:
    """Make the Patient of a person; it claims fr-core-patient-ins only when rightly qualified."""
    identity = person["identity"]
    profile = "fr-core-patient-ins" if may_carry_ins(identity) else "fr-core-patient"
    place = _birth_place(identity)
    contact = person.get("contact")
    death = person.get("death")
    found = address(contact)
    return filled(
        {
            **resource(names, "Patient", person["identifiers"][0], FR_CORE + profile, tagged=True),
            "extension": [
                *identity_extensions(identity),
                *([{"url": BIRTH_PLACE, "valueAddress": place}] if place else []),
                *(chosen((_death_place(death), _own_death(death, members))) if death else ()),
            ],
            "identifier": [
                *(_local_identifier(identifier) for identifier in person["identifiers"]),
                *ins_identifiers(identity.get("ins")),
            ],
            "name": chosen((_birth_name(identity), _used_name(identity))),
            "telecom": telecom(contact),
            "gender": _GENDERS[identity["sex"]],
            "birthDate": identity["birthDate"],
            **(_deceased(death) if death else {}),
            "address": [found] if found else None,
            "maritalStatus": codeable(person.get("maritalStatus")),
            "communication": [
                {"language": _language(language)} for language in person.get("languages", ())
            ],
        }
    )


def from_fhir(patient: Resource, reading: Reading) -> Entry:
    """Read the person of a dossier from its Patient."""
    return filled(
        {
            "identifiers": [
                pick(identifier, "system", "value")
                for identifier in patient.get("identifier", ())
                if _is_local(identifier)
            ],
            "identity": native_identity(patient),
            "contact": native_contact(
                patient.get("telecom", ()), next(iter(patient.get("address", ())), None)
            ),
            "languages": [
                _native_language(entry["language"]) for entry in patient.get("communication", ())
            ],
            "maritalStatus": native_code(patient.get("maritalStatus")),
            "death": _native_death(patient, reading),
        }
    )


def native_identity(patient: Resource) -> Element:
    """Read the identity of a person, as the native form has it."""
    names = {name.get("use"): name for name in patient.get("name", ())}
    official, usual = names.get("official", {}), names.get("usual", {})
    place = value_of(next(iter(extensions(patient, BIRTH_PLACE)), None)) or {}
    return filled(
        {
            "birthName": official.get("family"),
            "birthFirstNames": _native_first_names(official),
            "usedName": usual.get("family"),
            "usedFirstName": next(iter(usual.get("given", ())), None),
            "sex": _SEXES.get(patient.get("gender", "unknown"), "U"),
            "birthDate": patient.get("birthDate"),
            "birthPlaceCode": native_insee_code(place),
            "birthPlaceName": place.get("city"),
            "status": native_status(patient),
            "flags": native_flags(patient),
            "proof": native_proof(patient),
            "ins": native_ins(patient),
        }
    )


def _birth_place(identity: Mapping[str, Any]) -> Element:
    code = identity.get("birthPlaceCode")
    return filled(
        {
            "extension": [insee_code(code)] if code else None,
            "city": identity.get("birthPlaceName"),
        }
    )


def _birth_name(identity: Mapping[str, Any]) -> Element:
    first_names = identity["birthFirstNames"]
    joined = " ".join(first_names)
    exact = () if joined.split(" ") == first_names else first_names
    return {
        "extension": [
            {"url": BIRTH_LIST, "valueString": joined},
            *(own("birth-first-name", valueString=name) for name in exact),
        ],
        "use": "official",
        "family": identity["birthName"],
        "given": [first_names[0]],
    }


def _native_first_names(official: Mapping[str, Any]) -> list[str]:
    exact = [value_of(found) for found in own_of(official, "birth-first-name")]
    joined = value_of(next(iter(extensions(official, BIRTH_LIST)), None))
    return exact or (joined.split(" ") if joined else list(official.get("given", ())))


def _used_name(identity: Mapping[str, Any]) -> Element | None:
    first_name = identity.get("usedFirstName")
    name = filled(
        {"family": identity.get("usedName"), "given": [first_name] if first_name else None}
    )
    return {"use": "usual", **name} if name else None


def _local_identifier(identifier: Mapping[str, str]) -> Element:
    return {"use": "usual", "type": LOCAL, **pick(identifier, "system", "value")}


def _is_local(identifier: Mapping[str, Any]) -> bool:
    codings = identifier.get("type", {}).get("coding", ())
    return not is_ins(identifier) and any(coding.get("code") == "PI" for coding in codings)


def _deceased(death: Mapping[str, Any]) -> Element:
    if death.get("source") == "cancelled":
        return {"deceasedBoolean": False}
    return {"deceasedDateTime": death["date"]} if "date" in death else {"deceasedBoolean": True}


def _death_place(death: Mapping[str, Any]) -> Element | None:
    """Make FR Core's place of death: its text is a line, as it may be a ward or a home."""
    if death.get("source") == "cancelled" or not {"place", "placeCode"} & death.keys():
        return None
    code, place = death.get("placeCode"), death.get("place")
    found = filled(
        {"extension": [insee_code(code)] if code else None, "line": [place] if place else None}
    )
    return {"url": DEATH_PLACE, "valueAddress": found}


def _own_death(death: Mapping[str, Any], members: MemberReferences) -> Element | None:
    cancelled = death.get("source") == "cancelled"
    return parts(
        "death",
        {
            "date": ("valueDateTime", death.get("date") if cancelled else None),
            "place": ("valueString", death.get("place") if cancelled else None),
            "placeCode": ("valueString", death.get("placeCode") if cancelled else None),
            "declaredAt": ("valueDateTime", death.get("declaredAt")),
            "declaredBy": ("valueReference", members.to(death.get("declaredBy"))),
            "source": ("valueCode", death.get("source")),
        },
    )


def _native_death(patient: Resource, reading: Reading) -> Element | None:
    facts = parts_of(next(iter(own_of(patient, "death")), None))
    date = patient.get("deceasedDateTime")
    place = value_of(next(iter(extensions(patient, DEATH_PLACE)), None)) or {}
    place = place if isinstance(place, dict) else {"line": [place]}  # a string before 2.2.0
    death = filled(
        {
            **facts,
            "date": facts.get("date") or date,
            "place": facts.get("place") or ", ".join(place.get("line", ())) or place.get("city"),
            "placeCode": facts.get("placeCode") or native_insee_code(place),
            "declaredBy": reading.member(facts.get("declaredBy")),
        }
    )
    if not death and patient.get("deceasedBoolean"):
        return {"source": "declared"}
    return death or None


def _language(language: str) -> Element:
    if _LANGUAGE.fullmatch(language):
        return {"coding": [{"system": LANGUAGES, "code": language}]}
    return {"text": language}


def _native_language(concept: Mapping[str, Any]) -> str:
    coding: Element = next(iter(concept.get("coding", ())), {})
    return str(coding.get("code") or concept.get("text"))
