"""Who may see an entry: ``audience`` to and from security labels and an extension of ours.

TRE_A07 (hidden from) and TRE_A08 (confidentiality), as PDSm 3.1.1 binds them:
https://interop.esante.gouv.fr/ig/fhir/pdsm/ . For ``onlyFor`` no standard home exists.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from passerelle.mappers.native.dossier_naming import MemberReferences
from passerelle.mappers.native.dossier_reading import Reading
from passerelle.mappers.resources.code_systems import TRE_A07, TRE_A08
from passerelle.mappers.resources.fhir_elements import (
    Element,
    filled,
    is_supplied,
    own,
    own_of,
    value_of,
)


def labels(audience: Mapping[str, Any] | None) -> list[Element]:
    """Make the Codings of an audience: confidentiality, then who it is hidden from."""
    audience = audience or {}
    level = audience.get("confidentiality")
    return [
        *([{"system": TRE_A08, "code": level}] if level else ()),
        *({"system": TRE_A07, "code": code} for code in audience.get("hiddenFrom", ())),
    ]


def audience_extensions(
    audience: Mapping[str, Any] | None, members: MemberReferences
) -> list[Element]:
    """Make the extensions that name the only members who may see an entry."""
    only = (audience or {}).get("onlyFor", ())
    return [own("audience-only-for", valueReference=members.to(member)) for member in only]


def native_audience(
    codings: Sequence[Mapping[str, Any]], element: Mapping[str, Any], reading: Reading
) -> Element | None:
    """Read an audience from the labels of an element and its extensions; None when open."""
    stated = [one for one in codings if "code" in one and not is_supplied(one)]
    levels = [coding["code"] for coding in stated if coding.get("system") == TRE_A08]
    only = (reading.member(value_of(found)) for found in own_of(element, "audience-only-for"))
    return (
        filled(
            {
                "hiddenFrom": [c["code"] for c in stated if c.get("system") == TRE_A07],
                "onlyFor": [member for member in only if member],
                "confidentiality": levels[0] if levels else None,
            }
        )
        or None
    )
