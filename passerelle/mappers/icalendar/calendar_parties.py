"""Who takes part in an appointment, as a calendar names people: an address and a name.

https://www.rfc-editor.org/rfc/rfc5545#section-3.3.3 . The address is a mail where one is known
(never a secure mailbox: calendars are not sent there), else that of the resource.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from passerelle.fhir.resource import Resource
from passerelle.mappers.resources.contact_points import native_contact
from passerelle.mappers.resources.fhir_elements import own_value

ACTORS = frozenset({"Patient", "Practitioner", "PractitionerRole", "RelatedPerson", "Organization"})

_UNSAFE = re.compile(r'[\x00-\x1f\x7f"]')
_MAIL = re.compile(r"[^\s@<>\"',;:\\]+@[^\s@<>\"',;:\\]+")


class Party(NamedTuple):
    """Somebody; ``practitioner`` is whom a PractitionerRole is a role of."""

    address: str
    name: str | None = None
    practitioner: str | None = None


def parties(resources: Iterable[Resource], base_url: str) -> dict[str, Party]:
    """Give the parties among some resources, by their relative reference."""
    return {
        f"{one['resourceType']}/{one['id']}": _party(one, base_url)
        for one in resources
        if one["resourceType"] in ACTORS
    }


def mails(resource: Resource) -> list[str]:
    """Give the mail addresses of a resource that may stand in a calendar."""
    points = list(resource.get("telecom", ()))
    for contact in resource.get("contact", ()):
        points += contact.get("telecom", ())
    found = (native_contact(points, None) or {}).get("emails", ())
    return [str(mail) for mail in found if _MAIL.fullmatch(str(mail))]


def tidy(text: str) -> str:
    """Leave out what a parameter of iCalendar cannot hold."""
    return _UNSAFE.sub(" ", text).strip()


def _party(resource: Resource, base_url: str) -> Party:
    reference = f"{resource['resourceType']}/{resource['id']}"
    mail = next(iter(mails(resource)), None)
    practitioner = resource.get("practitioner") or {}
    return Party(
        f"mailto:{mail}" if mail else f"{base_url}/{reference}",
        _name(resource) or practitioner.get("display"),
        practitioner.get("reference"),
    )


def _name(resource: Resource) -> str | None:
    if resource["resourceType"] == "PractitionerRole":
        return _of_person(own_value(resource, "member-name"))
    name = resource.get("name")
    return name if isinstance(name, str) else _of_person(next(iter(name or ()), None))


def _of_person(name: Mapping[str, Any] | None) -> str | None:
    """Give a HumanName as people write it."""
    if not name:
        return None
    parts = [*name.get("prefix", ()), *name.get("given", ())[:1], name.get("family")]
    return " ".join(str(part) for part in parts if part) or name.get("text")
