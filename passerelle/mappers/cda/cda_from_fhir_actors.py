"""FHIR Patient, PractitionerRole, Practitioner, Organization … as the actors of a CDA header.

FR Core 2.2.0 (https://hl7.fr/ig/fhir/core/) to the volet « Structuration minimale »
(https://esante.gouv.fr/volet-structuration-minimale-de-documents-de-sante). National identifiers
are written with their type digit (PSIdNat, StructIdNat); a source's own domain that is no OID is
named by the OID of its address's UUID (2.25), always the same.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

from passerelle.mappers.cda.cda_document import (
    Actor,
    Address,
    Device,
    InstanceIdentifier,
    PatientRole,
    PersonName,
    Structure,
    Telecom,
)
from passerelle.mappers.cda.cda_from_fhir_codes import coded
from passerelle.mappers.document_codes import TRE_A02
from passerelle.mappers.resources.code_systems import FINESS, IDNPS, IDNST, RPPS, SIRENE
from passerelle.mappers.resources.contact_points import native_insee_code
from passerelle.mappers.resources.fhir_elements import extensions, value_of
from passerelle.mappers.resources.patient_resource import BIRTH_LIST, BIRTH_PLACE
from passerelle.mappers.xdm.hl7_types import INS_OIDS, NATIONAL_PERSON, NATIONAL_STRUCTURE
from passerelle.mappers.xdm.xds_metadata import Coded

_GENDERS = {"male": "M", "female": "F", "other": "UN"}  # unknown is said with a nullFlavor
_TITLES = frozenset({"DR", "PR", "MC", "MG", "PC", "PG"})  # JDV_J246
_SCHEMES = {"phone": "tel", "fax": "fax", "email": "mailto"}
_USES = {"home": "H", "work": "WP", "mobile": "MC"}
_ADELI = "https://adeli.esante.gouv.fr"
_RPPS_RANG = "https://rppsrang.esante.gouv.fr"
_PATIENT_NUMBERS = "urn:oid:1.2.250.1.213.1.4."
"""The INS and social security numbers: none of them is a local identifier."""

_PROFESSION = re.compile(r"/NOS/TRE_G15-")
_SPECIALTY = re.compile(r"/NOS/TRE_R(?:01|38)-")


@dataclass(frozen=True, slots=True)
class ActorResources:
    """Who acts: a role with its practitioner and structure, or a person, or a device."""

    role: Mapping[str, Any] | None = None
    practitioner: Mapping[str, Any] | None = None  # or Patient, RelatedPerson
    organization: Mapping[str, Any] | None = None
    device: Mapping[str, Any] | None = None


def actor_from_fhir(resources: ActorResources, *, matricule_may_leave: bool) -> Actor:
    """Make an actor; its id is national when there is one, else that of the source.

    A professional known by its role alone is named by the role's own identifier; the person
    concerned by the INS only when it may leave.
    """
    holder = resources.device or resources.practitioner or {}
    if holder.get("resourceType") == "Patient":
        ids = _patient_ids(holder, matricule_may_leave=matricule_may_leave)
    else:
        ids = _person_ids(holder) or _person_ids(resources.role or {})
    structure = resources.organization
    return Actor(
        ids=ids[:1],
        code=profession_of(resources.role or {}, resources.practitioner or {}),
        name=None if resources.device is not None else _person_name(holder),
        device=None if resources.device is None else _device(resources.device),
        structure=None if structure is None else structure_from_fhir(structure),
    )


def structure_from_fhir(organization: Mapping[str, Any]) -> Structure:
    """Make a structure from an Organization."""
    return Structure(
        ids=_structure_ids(organization)[:1],
        name=organization.get("name") or None,
        telecoms=_telecoms(organization.get("telecom", ())),
        addresses=_addresses(organization.get("address", ())),
    )


def patient_from_fhir(patient: Mapping[str, Any], *, matricule_may_leave: bool) -> PatientRole:
    """Make recordTarget; without leave, no INS is in it. Never a social security number."""
    names = {name.get("use"): name for name in reversed(patient.get("name", ()))}
    official = names.get("official") or names.get(None) or {}
    usual = names.get("usual", {})
    place = value_of(next(iter(extensions(patient, BIRTH_PLACE)), None)) or {}
    birth_list = value_of(next(iter(extensions(official, BIRTH_LIST)), None))
    given = " ".join(official.get("given", ())) or None
    birth_date = str(patient.get("birthDate", "")).replace("-", "")
    return PatientRole(
        ids=_patient_ids(patient, matricule_may_leave=matricule_may_leave),
        birth_family=official.get("family"),
        birth_given=next(iter(official.get("given", ())), None),
        birth_given_list=birth_list or given,
        used_family=usual.get("family"),
        used_given=next(iter(usual.get("given", ())), None),
        gender=_GENDERS.get(patient.get("gender", "")),
        birth_time=birth_date or None,
        birthplace_code=native_insee_code(place),
        birthplace_name=place.get("city"),
        telecoms=_telecoms(patient.get("telecom", ())),
        addresses=_addresses(patient.get("address", ())),
    )


def profession_of(role: Mapping[str, Any], practitioner: Mapping[str, Any]) -> Coded | None:
    """Give the code of JDV_J01: stated (TRE_A02), or made of profession and savoir-faire."""
    concepts = [
        *role.get("code", ()),
        *role.get("specialty", ()),
        *(found.get("code", {}) for found in practitioner.get("qualification", ())),
    ]
    codings = [coding for concept in concepts for coding in concept.get("coding", ())]
    stated = next(
        (found for found in map(coded, concepts) if found and found.system == TRE_A02), None
    )
    if stated is not None:
        return stated
    profession = _first(codings, _PROFESSION)
    if profession is None:
        return None
    code, label = f"G15_{profession['code']}", profession.get("display", "")
    specialty = _first(codings, _SPECIALTY)
    if specialty is not None:
        code += f"/{specialty['code']}"
        label = " - ".join(filter(None, (label, specialty.get("display"))))
    return Coded(code, TRE_A02, label)


def _first(
    codings: Sequence[Mapping[str, Any]], system: re.Pattern[str]
) -> Mapping[str, Any] | None:
    for coding in codings:
        if coding.get("code") and system.search(coding.get("system", "")):
            return coding
    return None


def _patient_ids(
    patient: Mapping[str, Any], *, matricule_may_leave: bool
) -> tuple[InstanceIdentifier, ...]:
    """Give the INS in use, when it may leave, then the source's own identifiers (type PI)."""
    matricules, local = [], []
    for identifier in patient.get("identifier", ()):
        if identifier.get("use") == "old" or not identifier.get("value"):
            continue
        found = _identifier(identifier)
        types = {c.get("code") for c in identifier.get("type", {}).get("coding", ())}
        if found.root in INS_OIDS:
            matricules.append(found)
        elif types <= {"PI", None} and not found.root.startswith(_PATIENT_NUMBERS[8:]):
            local.append(found)
    return (*(matricules if matricule_may_leave else ()), *local)


def _person_ids(person: Mapping[str, Any]) -> tuple[InstanceIdentifier, ...]:
    """Give the identifiers of a professional, the national one first, type digit included."""
    national: list[str] = []
    local: list[InstanceIdentifier] = []
    for identifier in person.get("identifier", ()):
        system, value = identifier.get("system", ""), identifier.get("value")
        if not value or identifier.get("use") == "old":
            continue
        if system == IDNPS:
            national.insert(0, value if len(value) != 11 or not value.isdecimal() else f"8{value}")
        elif system == RPPS:
            national.append(value if len(value) == 12 else f"8{value}")
        elif system == _ADELI:
            national.append(value if len(value) == 10 else f"0{value}")
        elif not system.startswith(_PATIENT_NUMBERS):
            local.append(_identifier(identifier))
    return (*(InstanceIdentifier(NATIONAL_PERSON, value) for value in national), *local)


def _structure_ids(organization: Mapping[str, Any]) -> tuple[InstanceIdentifier, ...]:
    """Give the identifiers of a structure, the national one first, type digit included."""
    stated, national, local = [], [], []
    for identifier in organization.get("identifier", ()):
        system, value = identifier.get("system", ""), identifier.get("value")
        if not value or identifier.get("use") == "old":
            continue
        if system == IDNST:
            stated.append(value)
        elif system == FINESS:
            national.append(f"1{value}")
        elif system == SIRENE:
            national.append(f"{2 if len(value) == 9 else 3}{value}")
        elif system == _RPPS_RANG:
            national.append(f"4{value}")
        else:
            local.append(_identifier(identifier))
    numbers = (*stated, *national)
    return (*(InstanceIdentifier(NATIONAL_STRUCTURE, value) for value in numbers), *local)


def _identifier(identifier: Mapping[str, Any]) -> InstanceIdentifier:
    system = identifier.get("system", "")
    if system.startswith("urn:oid:"):
        return InstanceIdentifier(system.removeprefix("urn:oid:"), identifier["value"])
    return InstanceIdentifier(f"2.25.{uuid5(NAMESPACE_URL, system).int}", identifier["value"])


def _person_name(person: Mapping[str, Any]) -> PersonName | None:
    """Make the name of an actor; a title of practice (DR, PR …) is its suffix."""
    name = next(iter(person.get("name", ())), None)
    if name is None:
        return None
    words = [*name.get("prefix", ()), *name.get("suffix", ())]
    titles = [word for word in words if word.strip(".").upper() in _TITLES]
    civilities = [word for word in name.get("prefix", ()) if word not in titles]
    return PersonName(
        name.get("family"),
        " ".join(name.get("given", ())) or None,
        next(iter(civilities), None),
        titles[0].strip(".").upper() if titles else None,
    )


def _device(device: Mapping[str, Any]) -> Device:
    names = [entry.get("name") for entry in device.get("deviceName", ())]
    return Device(device.get("modelNumber") or next(iter(names), None), next(iter(names), None))


def _telecoms(points: Sequence[Mapping[str, Any]]) -> tuple[Telecom, ...]:
    """Make telecoms of the phones, faxes and mails in use, as URIs."""
    return tuple(
        Telecom(
            f"{_SCHEMES[point['system']]}:{quote(''.join(point['value'].split()), safe='+@-._()')}",
            _USES.get(point.get("use", "")),
        )
        for point in points
        if point.get("system") in _SCHEMES and point.get("value") and point.get("use") != "old"
    )


def _addresses(addresses: Sequence[Mapping[str, Any]]) -> tuple[Address, ...]:
    """Make addresses: up to six lines, postal code, city, country."""
    found = []
    for address in addresses:
        parts = [("streetAddressLine", line) for line in address.get("line", ())[:6]]
        for name in ("postalCode", "city", "country"):
            if address.get(name):
                parts.append((name, address[name]))
        if parts and address.get("use") != "old":
            found.append(Address(tuple(parts), _USES.get(address.get("use", ""))))
    return tuple(found)
