"""Contact of the native form to and from ContactPoint and Address.

fr-core-contact-point and fr-core-address of FR Core 2.2.0 (https://hl7.fr/ig/fhir/core/) ; a
secure mailbox is the slice ``mailbox-mss`` of the Annuaire Santé
(https://interop.esante.gouv.fr/ig/fhir/annuaire/StructureDefinition-as-mailbox-mss.html).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from passerelle.fhir.urls import ANNUAIRE, FR_CORE
from passerelle.mappers.resources.code_systems import TRE_R13, TRE_R20, TRE_R256, TRE_R257
from passerelle.mappers.resources.fhir_elements import (
    Element,
    absent,
    chosen,
    extensions,
    filled,
    own,
    own_value,
    parts_of,
    pick,
    value_of,
)

EMAIL_TYPE = FR_CORE + "fr-core-contact-point-email-type"
MAILBOX_METADATA = ANNUAIRE + "as-ext-mailbox-mss-metadata"
INSEE_CODE = FR_CORE + "fr-core-address-insee-code"

_CODED_MAILBOXES = frozenset({"PER", "ORG", "APP", "CAB"})
"""The mailbox types of TRE_R257; USAGER is not one of them."""

NO_TELECOM: Element = {"system": "phone", "_value": absent("unknown")}
"""The telecom of a relative without one: cds-fr-related-person wants at least one."""


def telecom(contact: Mapping[str, Any] | None) -> list[Element]:
    """Make the ContactPoints of a native contact: telephones, then mails, then mailboxes."""
    contact = contact or {}
    return [
        *(
            filled({"system": "phone", "value": phone["number"], "use": phone.get("use")})
            for phone in contact.get("phones", ())
        ),
        *({"system": "email", "value": address} for address in contact.get("emails", ())),
        *(_mailbox_point(mailbox) for mailbox in contact.get("mailboxes", ())),
    ]


def address(contact: Mapping[str, Any] | None) -> Element | None:
    """Make the Address of a native contact, None when it has none."""
    native = (contact or {}).get("address")
    if not native:
        return None
    code = native.get("inseeCode")
    return filled(
        {
            "extension": [insee_code(code)] if code else None,
            "line": native.get("lines"),
            **pick(native, "postalCode", "city", "country"),
        }
    )


def insee_code(code: str) -> Element:
    """Make the extension of a COG code: a commune, or a country when it begins with 99."""
    system = TRE_R20 if code.startswith("99") else TRE_R13
    return {"url": INSEE_CODE, "valueCoding": {"system": system, "code": code}}


def native_insee_code(place: Mapping[str, Any] | None) -> str | None:
    """Read the COG code of an Address."""
    coding = value_of(next(iter(extensions(place, INSEE_CODE)), None)) or {}
    return coding.get("code")


def native_contact(
    points: Sequence[Mapping[str, Any]], place: Mapping[str, Any] | None
) -> Element | None:
    """Read a native contact; a telecom without a value is none. None when nothing is there."""
    valued = [point for point in points if "value" in point]
    mails = [point for point in valued if point.get("system") == "email"]
    return (
        filled(
            {
                "phones": [
                    {"number": point["value"], **pick(point, "use")}
                    for point in valued
                    if point.get("system") == "phone"
                ],
                "emails": [point["value"] for point in mails if not _is_mailbox(point)],
                "mailboxes": [_native_mailbox(point) for point in mails if _is_mailbox(point)],
                "address": _native_address(place),
            }
        )
        or None
    )


def _native_address(place: Mapping[str, Any] | None) -> Element | None:
    return (
        None
        if place is None
        else filled(
            {
                "lines": place.get("line"),
                **pick(place, "postalCode", "city", "country"),
                "inseeCode": native_insee_code(place),
            }
        )
    )


def _mailbox_point(mailbox: Mapping[str, Any]) -> Element:
    kind, unlisted = mailbox["type"], mailbox.get("unlisted")
    coded = kind in _CODED_MAILBOXES
    metadata = chosen(
        (
            {
                "url": "type",
                "valueCodeableConcept": {"coding": [{"system": TRE_R257, "code": kind}]},
            }
            if coded
            else None,
            {"url": "listeRouge", "valueBoolean": unlisted} if unlisted is not None else None,
        )
    )
    return {
        "extension": chosen(
            (
                {
                    "url": EMAIL_TYPE,
                    "valueCoding": {"system": TRE_R256, "code": "MSSANTE"},
                },
                {"url": MAILBOX_METADATA, "extension": metadata} if metadata else None,
                None if coded else own("mailbox-type", valueCode=kind),
            )
        ),
        "system": "email",
        "value": mailbox["address"],
    }


def _is_mailbox(point: Mapping[str, Any]) -> bool:
    kind = value_of(next(iter(extensions(point, EMAIL_TYPE)), None)) or {}
    return kind.get("code") == "MSSANTE" or bool(extensions(point, MAILBOX_METADATA))


def _native_mailbox(point: Mapping[str, Any]) -> Element:
    metadata = parts_of(next(iter(extensions(point, MAILBOX_METADATA)), None))
    coding: Element = next(iter((metadata.get("type") or {}).get("coding", ())), {})
    kind = own_value(point, "mailbox-type") or coding.get("code") or "ORG"
    unlisted = metadata.get("listeRouge")
    return {
        "address": point["value"],
        "type": kind,
        **({} if unlisted is None else {"unlisted": unlisted}),
    }
