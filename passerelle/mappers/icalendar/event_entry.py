"""An event of a calendar as an appointment of the native form, beside the one that is there.

What iCalendar has no word for (kind, reason) stays as it was; what says the same as before stays
spelled as before, so that a calendar that comes back as it went out changes nothing.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from passerelle.mappers.icalendar.calendar_read import Attendee, Event
from passerelle.mappers.icalendar.icalendar_codes import NATIVE_STATUS, STATUS
from passerelle.mappers.icalendar.recurrence import Recurrence, read
from passerelle.mappers.native.dossier import Entry
from passerelle.mappers.resources.fhir_elements import filled


class Members(NamedTuple):
    """The circle, by the reference of its resources and by mail or other address."""

    by_reference: Mapping[str, str]
    by_address: Mapping[str, str]

    def of(self, attendee: Attendee) -> str | None:
        """Give the member that an attendee is, None for a stranger."""
        named = self.by_reference.get(attendee.reference or "")
        return named or self.by_address.get(attendee.address.lower())


def strangers(event: Event, members: Members) -> list[str]:
    """Give the places of those who are asked and are nobody of the circle."""
    found = [f"ATTENDEE[{at}]" for at, one in enumerate(event.attendees) if members.of(one) is None]
    if event.organiser is not None and members.of(event.organiser) is None:
        found.append("ORGANIZER")
    return found


def entry(event: Event, key: str, uid: str | None, held: Entry | None, members: Members) -> Entry:
    """Make the appointment; ``held`` is the one of its key, None where it is new."""
    before = held or {}
    assert event.start is not None
    organiser = members.of(event.organiser) if event.organiser else None
    return filled(
        {
            "key": key,
            "uid": uid,
            "title": event.title or before.get("title"),
            "text": event.text,
            "kind": before.get("kind"),
            "start": _same_moment(before.get("start"), event.start),
            "end": _same_moment(before.get("end"), event.end),
            "status": _status(before.get("status"), event.status),
            "cancelReason": before.get("cancelReason"),
            "place": event.place,
            "organiser": organiser,
            "participants": _participants(event, members),
            "rrule": _rule(before.get("rrule"), event.recurrence),
        }
    )


def answered(event: Event, held: Entry, members: Members) -> Entry:
    """Give an appointment with the answers that a REPLY brings."""
    answers = {members.of(one): one.answer for one in event.attendees if one.answer}
    return {
        **held,
        "participants": [
            one | ({"answer": answers[one["member"]]} if one["member"] in answers else {})
            for one in held.get("participants", ())
        ],
    }


def _participants(event: Event, members: Members) -> list[Entry]:
    """Give those of the circle who are asked, each once."""
    found: dict[str, Entry] = {}
    for one in event.attendees:
        member = members.of(one)
        if member is not None and member not in found:
            found[member] = filled({"member": member, "answer": one.answer})
    return list(found.values())


def _same_moment(before: str | None, moment: datetime | None) -> str | None:
    if moment is None:
        return None
    if before is not None and datetime.fromisoformat(before) == moment:
        return before
    return moment.isoformat(timespec="seconds")


def _status(before: str | None, said: str | None) -> str:
    if before is not None and (said is None or STATUS.get(before) == said):
        return before
    return NATIVE_STATUS[said or "CONFIRMED"]


def _rule(before: str | None, recurrence: Recurrence | None) -> str | None:
    if recurrence is None:
        return None
    if before is not None and _says(before) == _comparable(recurrence):
        return before
    return recurrence.native()


def _says(text: str) -> object:
    try:
        return _comparable(read(text))
    except ValueError:
        return None


def _comparable(one: Recurrence) -> object:
    return one.rule, frozenset(one.left_out), frozenset(one.added)
