"""A structure to and from Organization (fr-core-organization).

https://hl7.fr/ig/fhir/core/2.2.0/StructureDefinition-fr-core-organization-etablissement.html . An
Organization is named by its content: equal structures share one, and none overwrites another.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from passerelle.fhir.resource import Resource
from passerelle.fhir.urls import FR_CORE, FR_CORE_0203
from passerelle.mappers.native.dossier import Entry
from passerelle.mappers.native.dossier_naming import Naming, resource
from passerelle.mappers.resources.code_systems import FINESS, IDNST, SIRENE
from passerelle.mappers.resources.contact_points import address, native_contact, telecom
from passerelle.mappers.resources.fhir_elements import (
    Element,
    chosen,
    extensions,
    filled,
    own,
    own_value,
    value_of,
)

PROFILE = FR_CORE + "fr-core-organization"
LEGAL_NAME = FR_CORE + "fr-core-organization-raison-sociale"

_SYSTEMS = {"nationalId": IDNST, "finess": FINESS, "siret": SIRENE}
_TYPES = {"nationalId": "IDNST", "siret": "SIRET"}
"""No type for a FINESS: nothing says whether it is of the legal or of the geographic entity."""


def identifier(structure: Mapping[str, Any], names: Naming) -> Element:
    """Give the identifier of a structure's Organization: the digest of its content."""
    content = json.dumps(structure, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return {
        "system": names.domain("structures"),
        "value": sha256(content.encode()).hexdigest()[:32],
    }


def reference(structure: Mapping[str, Any], names: Naming) -> Element:
    """Give a reference to a structure's Organization."""
    key = names.key("Organization", identifier(structure, names))
    return {"reference": str(key), "display": structure["name"]}


def to_fhir(structure: Mapping[str, Any], names: Naming) -> Resource:
    """Make the shared Organization of a structure; it carries no tag of a dossier."""
    own_identifier = identifier(structure, names)
    contact = structure.get("contact")
    legal_name, unit = structure.get("legalName"), structure.get("unit")
    found = address(contact)
    return filled(
        {
            **resource(names, "Organization", own_identifier, PROFILE, tagged=False),
            "extension": chosen(
                (
                    {"url": LEGAL_NAME, "valueString": legal_name} if legal_name else None,
                    own("structure-unit", valueString=unit) if unit else None,
                )
            ),
            "identifier": [
                own_identifier,
                *(
                    _national_identifier(field, structure[field])
                    for field in _SYSTEMS
                    if field in structure
                ),
            ],
            "name": structure["name"],
            "telecom": telecom(contact),
            "address": [found] if found else None,
        }
    )


def from_fhir(organization: Resource | None) -> Entry | None:
    """Read a structure from its Organization; None for None."""
    if organization is None:
        return None
    identifiers = {entry.get("system"): entry for entry in organization.get("identifier", ())}
    national = {
        field: identifiers[system].get("value")
        for field, system in _SYSTEMS.items()
        if system in identifiers
    }
    return filled(
        {
            **national,
            "name": organization.get("name"),
            "legalName": value_of(next(iter(extensions(organization, LEGAL_NAME)), None)),
            "unit": own_value(organization, "structure-unit"),
            "contact": native_contact(
                organization.get("telecom", ()),
                next(iter(organization.get("address", ())), None),
            ),
        }
    )


def _national_identifier(field: str, value: str) -> Element:
    type = _TYPES.get(field)
    return filled(
        {
            "use": "official" if field == "nationalId" else None,
            "type": {"coding": [{"system": FR_CORE_0203, "code": type}]} if type else None,
            "system": _SYSTEMS[field],
            "value": value,
        }
    )
