"""The events of an iCalendar object as values, with every fault and the line that it is about.

https://www.rfc-editor.org/rfc/rfc5545#section-3.6.1 , https://www.rfc-editor.org/rfc/rfc5546
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import icalendar

from passerelle.errors.refusals import Issue
from passerelle.errors.rules import issue
from passerelle.mappers.icalendar import calendar_lines
from passerelle.mappers.icalendar.calendar_lines import Block
from passerelle.mappers.icalendar.icalendar_codes import NATIVE_ANSWERS, NATIVE_STATUS, REFERENCE
from passerelle.mappers.icalendar.recurrence import PARIS, Recurrence, read, stamp

YEARS = range(1970, 2201)
UID_MAX = 255
ATTENDEES_MAX = 200
READ = frozenset(
    {
        "UID",
        "RECURRENCE-ID",
        "SUMMARY",
        "DESCRIPTION",
        "LOCATION",
        "DTSTART",
        "DTEND",
        "DURATION",
        "STATUS",
        "ORGANIZER",
        "ATTENDEE",
        "RRULE",
        "EXDATE",
        "RDATE",
    }
)
SINGLE = READ - {"ATTENDEE", "EXDATE", "RDATE"}


class Attendee(NamedTuple):
    """Who is asked: the address, the resource that we once said it was, the answer."""

    address: str
    reference: str | None = None
    answer: str | None = None


class Event(NamedTuple):
    """One event as it was read; what was not said is None."""

    number: int
    line: int
    uid: str
    instead_of: datetime | None
    title: str | None
    text: str | None
    place: str | None
    start: datetime | None
    end: datetime | None
    status: str | None
    organiser: Attendee | None
    attendees: tuple[Attendee, ...]
    recurrence: Recurrence | None


class Calendar(NamedTuple):
    """What was read; ``faults`` by the number of the event, whose others are in ``events``."""

    method: str | None
    events: tuple[Event, ...]
    faults: tuple[tuple[int, Issue], ...]
    issues: tuple[Issue, ...]


class _Fault(Exception):
    """Something in an event that cannot be taken."""

    def __init__(self, rule: str, name: str, /, **parts: object) -> None:
        super().__init__(rule)
        self.rule, self.name, self.parts = rule, name, parts


def calendar(body: bytes) -> Calendar:
    """Read an iCalendar object. Raises Invalid for what is none, TooLarge past the bounds."""
    found = calendar_lines.calendar(body)
    events: list[Event] = []
    faults: list[tuple[int, Issue]] = []
    for number, block in enumerate(found.events):
        told = list(_read(number, block))
        events += (one for one in told if isinstance(one, Event))
        faults += ((number, one) for one in told if isinstance(one, Issue))
    said = tuple(issue("agenda.component-ignored", name) for name in found.others)
    return Calendar(found.method, tuple(events), tuple(faults), said)


def said_of(
    rule: str, number: int, line: int, property_name: str | None = None, /, **parts: object
) -> Issue:
    """Give an issue of an event: where it stands among the events, its line."""
    place = f"VEVENT[{number}]" + (f".{property_name}" if property_name else "")
    return replace(issue(rule, place, line=line, **parts), line=line)


def _read(number: int, block: Block) -> Iterator[Event | Issue]:
    """Give the event, or everything that is wrong with it."""
    text = f"BEGIN:VEVENT\r\n{block.text}\r\nEND:VEVENT\r\n"
    try:
        source: Any = icalendar.Event.from_ical(text)
    except Exception:  # whatever the library stumbles over in a stranger's text
        yield said_of("agenda.event-unreadable", number, block.line)
        return
    broken = {str(name or "").upper() for name, _ in source.errors}
    if any(name not in READ and not name for name in broken):
        yield said_of("agenda.event-unreadable", number, block.line)
        return
    twice = {name for name in SINGLE if isinstance(source.get(name), list)}
    bad = sorted((broken & READ) | twice)
    for name in bad:
        yield said_of("agenda.property-malformed", number, block.line, name, name=name)
    if bad:
        return
    made: dict[str, Any] = {}
    faults: list[Issue] = []
    for field, reader in _READERS.items():
        try:
            made[field] = reader(source)
        except _Fault as fault:
            faults.append(said_of(fault.rule, number, block.line, fault.name, **fault.parts))
    if not faults and made["end"] and made["start"] and made["end"] < made["start"]:
        faults.append(said_of("agenda.ends-before", number, block.line, "DTEND"))
    if faults:
        yield from faults
        return
    yield Event(number=number, line=block.line, **made)


def _text(source: icalendar.Event, name: str) -> str | None:
    value = source.get(name)
    return None if value is None or not str(value).strip() else str(value)


def _uid(source: icalendar.Event) -> str:
    uid = _text(source, "UID")
    if uid is None or len(uid) > UID_MAX:
        raise _Fault("agenda.uid-missing", "UID", limit=UID_MAX)
    return uid.strip()


def _moment(source: icalendar.Event, name: str) -> datetime | None:
    found = source.get(name)
    return None if found is None else _placed(found.dt, found.params, name)


def _placed(value: Any, params: Any, name: str) -> datetime:
    """Give a moment in Paris; one without a zone is of Paris, a day is its midnight there."""
    if isinstance(value, datetime):
        if value.tzinfo is None and "TZID" in params:
            raise _Fault("agenda.zone-unknown", name)
        moment = value.replace(tzinfo=PARIS) if value.tzinfo is None else value
    elif isinstance(value, date):
        moment = datetime(value.year, value.month, value.day, tzinfo=PARIS)
    else:
        raise _Fault("agenda.property-malformed", name, name=name)
    if moment.year not in YEARS:
        raise _Fault("agenda.property-malformed", name, name=name)
    return moment.astimezone(PARIS)


def _end(source: icalendar.Event) -> datetime | None:
    end, length = _moment(source, "DTEND"), source.get("DURATION")
    if end is not None or length is None:
        return end
    start = _moment(source, "DTSTART")
    if start is None or not isinstance(length.dt, timedelta) or length.dt.days > 366:
        raise _Fault("agenda.property-malformed", "DURATION", name="DURATION")
    return start + length.dt


def _status(source: icalendar.Event) -> str | None:
    status = _text(source, "STATUS")
    if status is not None and status.upper() not in NATIVE_STATUS:
        raise _Fault("agenda.property-malformed", "STATUS", name="STATUS")
    return None if status is None else status.upper()


def _attendee(value: Any) -> Attendee:
    answer = value.params.get("PARTSTAT")
    reference = value.params.get(REFERENCE)
    return Attendee(
        str(value).strip(),
        None if reference is None else str(reference),
        None if answer is None else NATIVE_ANSWERS.get(str(answer).upper(), "needs-action"),
    )


def _organiser(source: icalendar.Event) -> Attendee | None:
    found = source.get("ORGANIZER")
    return None if found is None else _attendee(found)


def _attendees(source: icalendar.Event) -> tuple[Attendee, ...]:
    found = source.get("ATTENDEE", [])
    every = found if isinstance(found, list) else [found]
    if len(every) > ATTENDEES_MAX:
        raise _Fault("agenda.too-many-attendees", "ATTENDEE", limit=ATTENDEES_MAX)
    return tuple(map(_attendee, every))


def _recurrence(source: icalendar.Event) -> Recurrence | None:
    if "RRULE" not in source:
        return None
    rule: Any = source["RRULE"]
    lines = [rule.to_ical().decode()]
    for name in ("EXDATE", "RDATE"):
        found = source.get(name, [])
        every = found if isinstance(found, list) else [found]
        moments = [_placed(one.dt, each.params, name) for each in every for one in each.dts]
        lines += [f"{name}:{','.join(map(stamp, moments))}"] if moments else []
    try:
        return read("\n".join(lines))
    except ValueError:
        raise _Fault("agenda.recurrence-not-admitted", "RRULE") from None


_READERS = {
    "uid": _uid,
    "instead_of": lambda source: _moment(source, "RECURRENCE-ID"),
    "title": lambda source: _text(source, "SUMMARY"),
    "text": lambda source: _text(source, "DESCRIPTION"),
    "place": lambda source: _text(source, "LOCATION"),
    "start": lambda source: _moment(source, "DTSTART"),
    "end": _end,
    "status": _status,
    "organiser": _organiser,
    "attendees": _attendees,
    "recurrence": _recurrence,
}
"""How each member of an event is read."""
