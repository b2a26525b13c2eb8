"""Appointments written as an iCalendar object: one VEVENT each, recurring ones with their rule.

https://www.rfc-editor.org/rfc/rfc5545#section-3.6.1 and the correspondence of GAP 3.0.0
(https://interop.esante.gouv.fr/ig/fhir/gap/). All times are those of Europe/Paris, whose VTIMEZONE
is in the calendar. With a window, recurring ones are written as what they are on each day.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import icalendar

from passerelle.fhir.resource import Resource
from passerelle.mappers.icalendar.calendar_parties import Party, tidy
from passerelle.mappers.icalendar.icalendar_codes import ANSWERS, REFERENCE, ROLES, STATUS
from passerelle.mappers.icalendar.recurrence import (
    PARIS,
    Recurrence,
    moment_of,
    occurrences,
    read,
    stamp,
)
from passerelle.mappers.resources.appointments_resource import ICALENDAR_UID, role_of
from passerelle.mappers.resources.fhir_elements import is_supplied, own_value

PRODUCT = "-//Passerelle//Passerelle//FR"
EXCEPTION = re.compile(r"@([0-9]{8}T[0-9]{6}Z)\Z")
"""How the key of an entry ends that stands for one occurrence of another: by its moment."""

PARIS_ZONE = """BEGIN:VTIMEZONE
TZID:Europe/Paris
BEGIN:DAYLIGHT
DTSTART:19960331T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
TZNAME:CEST
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
BEGIN:STANDARD
DTSTART:19961027T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
TZNAME:CET
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
END:VTIMEZONE
"""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


class Window(NamedTuple):
    """From a moment, and before another."""

    low: datetime
    high: datetime


class _Planned(NamedTuple):
    """An appointment with what places it."""

    appointment: Resource
    uid: str
    start: datetime
    length: timedelta | None
    recurrence: Recurrence | None
    instead_of: datetime | None


def calendar(
    appointments: Sequence[Resource],
    parties: Mapping[str, Party],
    *,
    window: Window | None = None,
) -> bytes:
    """Write the appointments that have a moment; ``parties`` by relative reference."""
    made = icalendar.Calendar()
    made.add("prodid", PRODUCT)
    made.add("version", "2.0")
    made.add_component(icalendar.Timezone.from_ical(PARIS_ZONE))
    planned = [one for one in map(_planned, appointments) if one is not None]
    replaced = {(one.uid, one.instead_of) for one in planned}
    for one in planned:
        for moment in _moments(one, window, replaced):
            made.add_component(_event(one, moment, parties, alone=window is not None))
    return bytes(made.to_ical())


def recurring(appointments: Sequence[Resource]) -> int:
    """Count those that have a rule."""
    return sum(own_value(one, "appointment-rrule") is not None for one in appointments)


def uid_of(appointment: Resource) -> str:
    """Give the UID: the one it came with, else its deterministic id."""
    uids = (
        str(identifier.get("value", ""))
        for identifier in appointment.get("identifier", ())
        if identifier.get("system") == ICALENDAR_UID
    )
    return next(filter(None, uids), str(appointment["id"]))


def _planned(appointment: Resource) -> _Planned | None:
    if "start" not in appointment:
        return None
    start = datetime.fromisoformat(appointment["start"])
    unknown = "end" not in appointment or is_supplied(appointment.get("_end"))
    length = None if unknown else datetime.fromisoformat(appointment["end"]) - start
    rule = own_value(appointment, "appointment-rrule")
    recurrence = None
    if isinstance(rule, str):
        try:
            recurrence = read(rule)
        except ValueError:
            recurrence = None  # the first time alone is sure
    return _Planned(
        appointment, uid_of(appointment), start, length, recurrence, instead_of(appointment)
    )


def instead_of(appointment: Resource) -> datetime | None:
    """Give the moment of the occurrence that an appointment stands for, None of another."""
    for identifier in appointment.get("identifier", ()):
        found = EXCEPTION.search(str(identifier.get("value", "")))
        if found and identifier.get("system") != ICALENDAR_UID:
            return moment_of(found[1])
    return None


def _moments(
    one: _Planned, window: Window | None, replaced: set[tuple[str, datetime | None]]
) -> list[datetime]:
    """Give when an appointment is to be written: once, or within a window each time it is."""
    if window is None:
        return [one.start]
    low = window.low - (one.length or timedelta())
    if one.recurrence is None or one.instead_of:
        return [one.start] if low <= one.start < window.high else []
    found = occurrences(one.start, one.recurrence, low, window.high)
    return [moment for moment in found if (one.uid, moment) not in replaced]


def _event(
    one: _Planned, moment: datetime, parties: Mapping[str, Party], *, alone: bool
) -> icalendar.Event:
    source, event = one.appointment, icalendar.Event()
    meta = source.get("meta", {})
    changed = datetime.fromisoformat(meta["lastUpdated"])
    event.add("uid", tidy(one.uid))
    event.add("dtstamp", changed)
    event.add("last-modified", changed)
    event.add("sequence", max(0, int(meta.get("versionId", "1")) - 1))
    event.add("dtstart", moment.astimezone(PARIS))
    if one.length is not None:
        event.add("dtend", (moment + one.length).astimezone(PARIS))
    if one.instead_of:
        event.add("recurrence-id", one.instead_of.astimezone(PARIS))
    elif one.recurrence is not None:
        _add_recurrence(event, one.recurrence, moment, alone=alone)
    event.add("status", STATUS.get(source.get("status", ""), "TENTATIVE"))
    for name, text in (("summary", "description"), ("description", "comment")):
        if source.get(text):
            event.add(name, _CONTROL.sub(" ", source[text]))
    if "priority" in source:
        event.add("priority", min(9, int(source["priority"])))
    _add_people(event, source, parties)
    return event


def _add_recurrence(
    event: icalendar.Event, recurrence: Recurrence, moment: datetime, *, alone: bool
) -> None:
    if alone:
        event.add("recurrence-id", moment.astimezone(PARIS))
        return
    event.add("rrule", icalendar.vRecur.from_ical(recurrence.text.rstrip(";")))
    for name, moments in (("exdate", recurrence.left_out), ("rdate", recurrence.added)):
        for each in moments:
            event.add(name, each.astimezone(PARIS))


def _add_people(event: icalendar.Event, source: Resource, parties: Mapping[str, Party]) -> None:
    stated = [one for one in source.get("participant", ()) if not is_supplied(one)]
    roles = [parties[ref] for ref in map(_reference, stated) if ref in parties]
    twins = {party.practitioner for party in roles if party.practitioner}
    for participant in stated:
        role, reference = role_of(participant), _reference(participant)
        actor = participant.get("actor", {})
        if role == "place" or reference.startswith("Location/"):
            if actor.get("display") and "LOCATION" not in event:
                event.add("location", _CONTROL.sub(" ", actor["display"]))
        elif reference and reference not in twins:
            name = "organizer" if role == "organiser" else "attendee"
            if name == "attendee" or "ORGANIZER" not in event:
                person = _person(participant, reference, parties, answers=name == "attendee")
                event.add(name, person, encode=False)


def _person(
    participant: Mapping[str, Any], reference: str, parties: Mapping[str, Party], *, answers: bool
) -> icalendar.vCalAddress:
    party = parties.get(reference) or Party(f"urn:x-fhir:{reference}")
    person = icalendar.vCalAddress(party.address)
    name = party.name or participant.get("actor", {}).get("display")
    if name:
        person.params["CN"] = tidy(name)
    if answers:
        if participant.get("status") in ANSWERS and not is_supplied(participant.get("_status")):
            person.params["PARTSTAT"] = ANSWERS[participant["status"]]
        if participant.get("required") in ROLES:
            person.params["ROLE"] = ROLES[participant["required"]]
        if reference.startswith("Organization/"):
            person.params["CUTYPE"] = "GROUP"
    person.params[REFERENCE] = tidy(reference)
    return person


def _reference(participant: Mapping[str, Any]) -> str:
    organisation = own_value(participant, "appointment-organisation") or {}
    actor = organisation or participant.get("actor") or {}
    return str(actor.get("reference", ""))


def occurrence_key(key: str, moment: datetime) -> str:
    """Give the key of the entry that stands for one occurrence of another."""
    return f"{key}@{stamp(moment)}"
