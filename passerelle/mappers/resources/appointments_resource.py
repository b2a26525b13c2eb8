"""An appointment of the dossier to and from Appointment (fr-core-appointment, GAP 3.0.0).

https://interop.esante.gouv.fr/ig/fhir/gap/ : a professional takes part as PractitionerRole and as
Practitioner. The person is always there (information only), so that it is found with its record.
"""

from collections.abc import Mapping
from typing import Any

from passerelle.fhir.resource import Resource
from passerelle.fhir.urls import FR_CORE, PASSERELLE
from passerelle.mappers.native.dossier import PERSON, Entry
from passerelle.mappers.native.dossier_naming import resource
from passerelle.mappers.native.dossier_reading import Reading
from passerelle.mappers.resources.code_systems import PARTICIPATION
from passerelle.mappers.resources.entry_references import Entries
from passerelle.mappers.resources.fhir_elements import (
    Element,
    codeable,
    filled,
    is_supplied,
    native_code,
    own,
    own_value,
    supplied,
)

PROFILE = FR_CORE + "fr-core-appointment"
ICALENDAR_UID = PASSERELLE + "/NamingSystem/icalendar-uid"
ROLES = PASSERELLE + "/CodeSystem/appointment-role"

_REASONED = frozenset({"cancelled", "noshow"})
"""Statuses that R4 (app-4) admits a reason for."""


def to_fhir(appointment: Mapping[str, Any], entries: Entries) -> Resource:
    """Make the Appointment of a native appointment."""
    identifier = entries.names.identifier("appointments", appointment["key"])
    uid = appointment.get("uid")
    reason = codeable(appointment.get("cancelReason"))
    admitted = appointment["status"] in _REASONED
    return filled(
        {
            **resource(entries.names, "Appointment", identifier, PROFILE, tagged=True),
            "extension": _extensions(appointment, None if admitted else reason),
            "identifier": [identifier, *([{"system": ICALENDAR_UID, "value": uid}] if uid else ())],
            "status": appointment["status"],
            "cancelationReason": reason if admitted else None,
            "appointmentType": codeable(appointment.get("kind")),
            "description": appointment["title"],
            "start": appointment["start"],
            **_end(appointment),
            "comment": appointment.get("text"),
            "participant": list(_participants(appointment, entries)),
        }
    )


def from_fhir(key: str, appointment: Resource, reading: Reading) -> Entry:
    """Read a native appointment from its Appointment."""
    uids = (
        identifier["value"]
        for identifier in appointment.get("identifier", ())
        if identifier.get("system") == ICALENDAR_UID
    )
    stated = [one for one in appointment.get("participant", ()) if _is_stated(one)]
    by_role = {role_of(one): one for one in stated}
    reason = appointment.get("cancelationReason")
    return filled(
        {
            "key": key,
            "uid": next(uids, None),
            "title": appointment.get("description"),
            "text": appointment.get("comment"),
            "kind": native_code(appointment.get("appointmentType")),
            "start": appointment.get("start"),
            "end": None if is_supplied(appointment.get("_end")) else appointment.get("end"),
            "status": appointment["status"],
            "cancelReason": native_code(
                reason or own_value(appointment, "appointment-cancel-reason")
            ),
            "place": by_role.get("place", {}).get("actor", {}).get("display"),
            "organiser": _member(by_role.get("organiser"), reading),
            "participants": [
                _native_participant(one, reading) for one in stated if role_of(one) is None
            ],
            "rrule": own_value(appointment, "appointment-rrule"),
        }
    )


def _extensions(appointment: Mapping[str, Any], reason: Element | None) -> list[Element]:
    rule = appointment.get("rrule")
    return [
        *([own("appointment-rrule", valueString=rule)] if rule else ()),
        *([own("appointment-cancel-reason", valueCodeableConcept=reason)] if reason else ()),
    ]


def _end(appointment: Mapping[str, Any]) -> Element:
    """Give the end: R4 (app-2) wants it with the start; unknown, it is the start, marked."""
    if "end" in appointment:
        return {"end": appointment["end"]}
    return {"end": appointment["start"], "_end": {"extension": supplied()}}


def _participants(appointment: Mapping[str, Any], entries: Entries) -> list[Element]:
    organiser, place = appointment.get("organiser"), appointment.get("place")
    stated = appointment.get("participants", [])
    made: list[Element] = []
    if organiser:
        made += _taking_part(organiser, "accepted", "organiser", entries)
    for one in stated:
        made += _taking_part(one["member"], one.get("answer"), None, entries)
    if place:
        made.append(
            {
                "type": [_type("place")],
                "actor": {"type": "Location", "display": place},
                "status": "accepted",
            }
        )
    if PERSON not in {organiser, *(one["member"] for one in stated)}:
        made.append(
            {
                "extension": supplied(),
                "actor": entries.members.to(PERSON),
                "required": "information-only",
                "status": "needs-action",
            }
        )
    return made


def _taking_part(
    member: str, answer: str | None, role: str | None, entries: Entries
) -> list[Element]:
    """Make the participants of one member: two for a professional (GAP)."""
    reference = entries.members.to(member)
    organisation = entries.members.type_of(member) == "Organization"
    status = (
        {"status": answer}
        if answer
        else {"status": "needs-action", "_status": {"extension": supplied()}}
    )
    stated = filled(
        {
            "extension": [own("appointment-organisation", valueReference=reference)]
            if organisation
            else None,
            "type": [_type(role)],
            "actor": None if organisation else reference,
            **status,
        }
    )
    if entries.members.type_of(member) != "PractitionerRole":
        return [stated]
    twin = {
        "type": stated["type"],
        "actor": entries.practitioner(member),
        "status": status["status"],
    }
    return [stated, twin]


def _type(role: str | None) -> Element:
    coding = {"system": ROLES, "code": role} if role else {"system": PARTICIPATION, "code": "PART"}
    return {"coding": [coding]}


def _is_stated(participant: Mapping[str, Any]) -> bool:
    """Tell whether a participant is one of the native form.

    A Practitioner is not: whoever follows GAP names it beside its role, as we do.
    """
    actor = participant.get("actor") or {}
    practitioner = str(actor.get("reference", "")).startswith("Practitioner/")
    return not practitioner and not is_supplied(participant)


def role_of(participant: Mapping[str, Any]) -> str | None:
    """Give what a participant is besides taking part: ``organiser``, ``place``."""
    codings = (
        coding
        for type in participant.get("type", ())
        for coding in type.get("coding", ())
        if coding.get("system") == ROLES
    )
    return next((coding.get("code") for coding in codings), None)


def _member(participant: Mapping[str, Any] | None, reading: Reading) -> str | None:
    if participant is None:
        return None
    organisation = own_value(participant, "appointment-organisation")
    return reading.member(organisation or participant.get("actor"))


def _native_participant(participant: Mapping[str, Any], reading: Reading) -> Entry:
    unanswered = is_supplied(participant.get("_status"))
    return filled(
        {
            "member": _member(participant, reading),
            "answer": None if unanswered else participant.get("status"),
        }
    )
