"""A professional to Practitioner (fr-core-practitioner), shared by its national identifier.

https://hl7.fr/ig/fhir/core/2.2.0/StructureDefinition-fr-core-practitioner.html . The RPPS number
goes out twice, as eleven digits and as idNat_PS (8 and the number). What one dossier says of the
professional stands on its own PractitionerRole: nothing is read back from what is shared.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from passerelle.fhir.resource import Resource
from passerelle.fhir.urls import FR_CORE, FR_CORE_0203
from passerelle.mappers.native.dossier_naming import Naming, resource
from passerelle.mappers.resources.code_systems import IDNPS, RPPS
from passerelle.mappers.resources.fhir_elements import Element, codeable, filled

PROFILE = FR_CORE + "fr-core-practitioner"

_RPPS = re.compile(r"8?([0-9]{11})")


class NationalId(NamedTuple):
    """The national identifier of a professional: RPPS when it is one, and idNat_PS."""

    rpps: str | None
    idnps: str


def national_id(text: str) -> NationalId:
    """Read a national identifier: eleven digits, or 8 and eleven digits, are an RPPS number."""
    found = _RPPS.fullmatch(text)
    return NationalId(found[1], "8" + found[1]) if found else NationalId(None, text)


def identifier(member: Mapping[str, Any], names: Naming) -> Element:
    """Give the identifier that the Practitioner of a member is named by."""
    stated = member["professional"].get("nationalId")
    if stated is None:
        return names.identifier("circle", member["key"])
    return {"system": names.domain("professionals"), "value": national_id(stated).idnps}


def reference(member: Mapping[str, Any], names: Naming) -> Element:
    """Give a reference to a member's Practitioner; it tells the national identifier as stated."""
    professional = member["professional"]
    stated = professional.get("nationalId")
    kind = professional.get("nationalIdType")
    eleven = stated is not None and national_id(stated).rpps == stated
    key = names.key("Practitioner", identifier(member, names))
    return filled(
        {
            "reference": str(key),
            "identifier": filled(
                {
                    "type": {"text": kind} if kind else None,
                    "system": None if stated is None else RPPS if eleven else IDNPS,
                    "value": stated,
                }
            ),
        }
    )


def to_fhir(member: Mapping[str, Any], names: Naming) -> Resource:
    """Make the Practitioner of a member; tagged only when it is this member's alone."""
    professional = member["professional"]
    stated = professional.get("nationalId")
    own_identifier = identifier(member, names)
    profession = codeable(professional.get("profession"))
    return filled(
        {
            **resource(names, "Practitioner", own_identifier, PROFILE, tagged=stated is None),
            "identifier": [own_identifier, *(_national(stated) if stated else ())],
            "name": [human_name(professional)],
            "qualification": [{"code": profession}] if profession else None,
        }
    )


def human_name(professional: Mapping[str, Any]) -> Element:
    """Make the HumanName of a professional or a relative."""
    given, title = professional.get("givenName"), professional.get("title")
    return filled(
        {
            "family": professional["familyName"],
            "given": [given] if given else None,
            "prefix": [title] if title else None,
        }
    )


def native_name(name: Mapping[str, Any]) -> Element:
    """Read title, family name and given name."""
    return filled(
        {
            "title": next(iter(name.get("prefix", ())), None),
            "familyName": name.get("family"),
            "givenName": next(iter(name.get("given", ())), None),
        }
    )


def _national(stated: str) -> list[Element]:
    number = national_id(stated)
    typed = (("RPPS", RPPS, number.rpps), ("IDNPS", IDNPS, number.idnps))
    return [
        {
            "type": {"coding": [{"system": FR_CORE_0203, "code": type}]},
            "system": system,
            "value": value,
        }
        for type, system, value in typed
        if value
    ]
