"""A member of the circle to and from PractitionerRole, RelatedPerson or Organization.

CDS 2.0.1 (https://interop.esante.gouv.fr/ig/fhir/cds/) and FR Core 2.2.0. Each member has one
resource of its own in the dossier, named by its key, that carries the facts of the membership; a
structure's is part of the shared Organization, a professional's points to the shared Practitioner.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from passerelle.fhir.resource import Resource
from passerelle.fhir.urls import CDS, FR_CORE
from passerelle.mappers.native.dossier import Entry
from passerelle.mappers.native.dossier_naming import MemberReferences, Naming, resource
from passerelle.mappers.native.dossier_reading import Reading
from passerelle.mappers.resources import professionals_practitioner, structures_organization
from passerelle.mappers.resources.code_systems import TRE_R38, TRE_R260
from passerelle.mappers.resources.contact_points import NO_TELECOM, address, native_contact, telecom
from passerelle.mappers.resources.fhir_elements import (
    Element,
    absent,
    chosen,
    codeable,
    filled,
    native_code,
    own,
    own_value,
    pick,
)

_FACTS = {
    "account": ("member-account", "valueCode"),
    "basis": ("member-basis", "valueCode"),
    "consent": ("member-consent", "valueString"),
    "referent": ("member-referent", "valueBoolean"),
    "leftReason": ("member-left-reason", "valueString"),
}
"""Facts of the membership: native field to extension and ``value[x]``."""


@dataclass(frozen=True, slots=True)
class Circle:
    """What the members of one dossier are made with."""

    names: Naming
    references: MemberReferences
    patient: Mapping[str, Any]


def to_fhir(member: Mapping[str, Any], circle: Circle) -> Resource:
    """Make the resource of a member."""
    return _MAKERS[member["kind"]](member, circle)


def supporting(member: Mapping[str, Any], names: Naming) -> list[Resource]:
    """Make what the resource of a member rests on: Practitioner, Organization."""
    if member["kind"] == "structure":
        return [structures_organization.to_fhir(member["structure"], names)]
    if member["kind"] == "relative":
        return []
    structure = member["professional"].get("structure")
    return [
        professionals_practitioner.to_fhir(member, names),
        *([structures_organization.to_fhir(structure, names)] if structure else ()),
    ]


def is_member(entry: Resource | None) -> TypeGuard[Resource]:
    """Tell whether a resource may stand for a member."""
    return entry is not None and entry["resourceType"] in _READERS


def from_fhir(key: str, entry: Resource, reading: Reading) -> Entry:
    """Read a member from its resource; its periods and role stand on the CareTeam."""
    kind, native = _READERS[entry["resourceType"]](entry, reading)
    facts = {field: own_value(entry, name) for field, (name, _) in _FACTS.items()}
    invited_by = reading.member(own_value(entry, "member-invited-by"))
    return {
        "key": key,
        "kind": kind,
        **filled({**native, **facts, "invitedBy": invited_by}),
    }


def _facts(member: Mapping[str, Any], circle: Circle) -> list[Element]:
    return [
        *(
            own(name, **{kind: member[field]})
            for field, (name, kind) in _FACTS.items()
            if field in member
        ),
        *(
            [own("member-invited-by", valueReference=circle.references.to(member["invitedBy"]))]
            if "invitedBy" in member
            else ()
        ),
    ]


def _span(member: Mapping[str, Any]) -> Element:
    """Give the first start and, when no period is open, the last end, as they are written."""
    ends = [period.get("end") for period in member["periods"]]
    return filled(
        {
            "start": member["periods"][0]["start"],
            "end": ends[-1] if all(ends) else None,
        }
    )


def _role(member: Mapping[str, Any], circle: Circle) -> Resource:
    professional = member["professional"]
    own_identifier = circle.names.identifier("circle", member["key"])
    place = address(member.get("contact"))
    directory_id, structure = professional.get("directoryId"), professional.get("structure")
    speciality = professional.get("speciality")
    ordinal = speciality is not None and speciality.get("system") == TRE_R38
    return filled(
        {
            **resource(
                circle.names,
                "PractitionerRole",
                own_identifier,
                FR_CORE + "fr-core-practitioner-role",
                tagged=True,
            ),
            "extension": [
                own(
                    "member-name",
                    valueHumanName=professionals_practitioner.human_name(professional),
                ),
                *([own("address", valueAddress=place)] if place else ()),
                *([own("directory-id", valueString=directory_id)] if directory_id else ()),
                *_facts(member, circle),
            ],
            "identifier": [own_identifier],
            "period": _span(member),
            "practitioner": {
                **professionals_practitioner.reference(member, circle.names),
                "display": circle.references.displays[member["key"]],
            },
            "organization": structure
            and structures_organization.reference(structure, circle.names),
            "code": chosen(
                (
                    _kind("careRole", professional.get("careRole")),
                    _kind("profession", professional.get("profession")),
                    None if ordinal else _kind("speciality", speciality),
                )
            ),
            "specialty": chosen((codeable(speciality) if ordinal else None,)),
            "telecom": telecom(member.get("contact")),
        }
    )


def _native_role(entry: Resource, reading: Reading) -> tuple[str, Element]:
    coded = {own_value(code, "code-kind"): code for code in entry.get("code", ())}
    practitioner = entry.get("practitioner", {})
    stated = practitioner.get("identifier", {})
    name = own_value(entry, "member-name") or _shared_name(practitioner, reading)
    specialty = next(iter(entry.get("specialty", ())), None)
    professional = {
        "nationalId": stated.get("value"),
        "nationalIdType": stated.get("type", {}).get("text"),
        **professionals_practitioner.native_name(name),
        "profession": native_code(coded.get("profession")),
        "careRole": native_code(coded.get("careRole") or coded.get(None)),
        "speciality": native_code(specialty or coded.get("speciality")),
        "structure": structures_organization.from_fhir(reading.target(entry.get("organization"))),
        "directoryId": own_value(entry, "directory-id"),
    }
    contact = native_contact(entry.get("telecom", ()), own_value(entry, "address"))
    return "professional", {"professional": filled(professional), "contact": contact}


def _shared_name(practitioner: Mapping[str, Any], reading: Reading) -> Element:
    shared = reading.target(practitioner) or {}
    return next(iter(shared.get("name", ())), {})


def _relative(member: Mapping[str, Any], circle: Circle) -> Resource:
    relative, contact = member["relative"], member.get("contact")
    own_identifier = circle.names.identifier("circle", member["key"])
    place = address(contact)
    return filled(
        {
            **resource(
                circle.names,
                "RelatedPerson",
                own_identifier,
                CDS + "cds-fr-related-person",
                tagged=True,
            ),
            "extension": _facts(member, circle),
            "identifier": [own_identifier],
            "patient": circle.patient,
            "relationship": [
                _class(member["role"]),
                *chosen((_kind("relation", relative.get("relation")),)),
            ],
            "name": [professionals_practitioner.human_name(relative)],
            "telecom": telecom(contact) or [NO_TELECOM],
            "address": [place] if place else None,
            "period": _span(member),
        }
    )


def _class(role: Mapping[str, Any]) -> Element:
    """Give the role as a class of TRE_R260, or say that it has none: the profile wants one."""
    if role.get("system") == TRE_R260 and "code" in role:
        return codeable(role) or {}
    display = role.get("text") or role.get("display") or role.get("code")
    return filled({"coding": [{"system": TRE_R260, "_code": absent("unknown")}], "text": display})


def _native_relative(entry: Resource, reading: Reading) -> tuple[str, Element]:
    name: Element = next(iter(entry.get("name", ())), {})
    relation = next(
        (
            found
            for found in entry.get("relationship", ())
            if own_value(found, "code-kind") == "relation"
        ),
        None,
    )
    relative = {
        **professionals_practitioner.native_name(name),
        "relation": native_code(relation),
    }
    place = next(iter(entry.get("address", ())), None)
    contact = native_contact(entry.get("telecom", ()), place)
    return "relative", {"relative": filled(relative), "contact": contact}


def _structure(member: Mapping[str, Any], circle: Circle) -> Resource:
    own_identifier = circle.names.identifier("circle", member["key"])
    contact = member.get("contact")
    reached = filled({"telecom": telecom(contact), "address": address(contact)})
    return filled(
        {
            **resource(
                circle.names,
                "Organization",
                own_identifier,
                structures_organization.PROFILE,
                tagged=True,
            ),
            "extension": _facts(member, circle),
            "identifier": [own_identifier],
            "name": member["structure"]["name"],
            "partOf": structures_organization.reference(member["structure"], circle.names),
            "contact": [reached] if reached else None,
        }
    )


def _native_structure(entry: Resource, reading: Reading) -> tuple[str, Element]:
    shared = reading.target(entry.get("partOf"))
    structure = structures_organization.from_fhir(shared) or pick(entry, "name")
    reached: Element = next(iter(entry.get("contact", ())), {})
    contact = native_contact(reached.get("telecom", ()), reached.get("address"))
    return "structure", {"structure": structure, "contact": contact}


def _kind(field: str, code: Mapping[str, Any] | None) -> Element | None:
    concept = codeable(code)
    return concept and {"extension": [own("code-kind", valueCode=field)], **concept}


_MAKERS: dict[str, Callable[[Mapping[str, Any], Circle], Resource]] = {
    "professional": _role,
    "relative": _relative,
    "structure": _structure,
}

_READERS: dict[str, Callable[[Resource, Reading], tuple[str, Element]]] = {
    "PractitionerRole": _native_role,
    "RelatedPerson": _native_relative,
    "Organization": _native_structure,
}
