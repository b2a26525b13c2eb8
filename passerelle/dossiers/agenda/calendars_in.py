"""A calendar comes into a dossier: its events are appointments, found again by their UID.

https://www.rfc-editor.org/rfc/rfc5546 . It is a push of these appointments, made from what the
record holds: whatever guards a push guards it, and nothing else of the dossier changes.
"""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from passerelle.dossiers.exchange.dossier_record import (
    DossierRecord,
    read_natively,
    read_record,
    resources_of,
)
from passerelle.dossiers.exchange.receipts_of_push import EntryReceipt, Receipt
from passerelle.dossiers.exchange.reception import receive
from passerelle.dossiers.gateway import Gateway
from passerelle.dossiers.retrying import settle
from passerelle.errors.refusals import Issue, NotFound, PreconditionFailed, Unprocessable
from passerelle.errors.rules import issue
from passerelle.mappers.icalendar import calendar_read
from passerelle.mappers.icalendar.calendar_parties import mails
from passerelle.mappers.icalendar.calendar_read import Calendar, Event, said_of
from passerelle.mappers.icalendar.calendar_write import instead_of, occurrence_key, uid_of
from passerelle.mappers.icalendar.event_entry import Members, answered, entry, strangers
from passerelle.mappers.icalendar.overlaps import overlaps
from passerelle.mappers.native.dossier import PERSON, SECTIONS, Dossier, Entry, dump, normal
from passerelle.mappers.native.dossier_from_fhir import from_fhir
from passerelle.mappers.native.dossier_naming import own_uuid
from passerelle.mappers.native.dossier_reading import reading
from passerelle.mappers.resources.appointments_resource import ICALENDAR_UID
from passerelle.store.caller import Caller
from passerelle.store.contract import Stale

SECTION = "appointments"
METHODS = frozenset({"PUBLISH", "REQUEST", "CANCEL", "REPLY"})
CONFLICTS_MAX = 100
_POINTER = re.compile(r"/appointments/([0-9]+)")

Name = tuple[str, datetime | None]
"""UID, and the moment of the occurrence that an event stands for."""


class Standing(NamedTuple):
    """The dossier as it is: its content, the circle, the keys of its appointments by their name."""

    dossier: Dossier
    members: Members
    keys: Mapping[Name, str]
    ids: frozenset[str]  # UIDs that are ours: the ids of appointments that came without one


class Planned(NamedTuple):
    """The appointments to push with the events they come from, and what is to be said."""

    entries: list[Entry]
    events: list[Event]
    faults: list[tuple[int, Issue]]
    said: list[Issue]


class Way(NamedTuple):
    """How a calendar is taken: see ``receive``."""

    if_match: str | None = None
    strict: bool = False
    dry_run: bool = False


async def receive_calendar(
    gateway: Gateway, caller: Caller, dossier_id: str, body: bytes, way: Way
) -> Receipt:
    """Take the events of an iCalendar object as appointments of a dossier (``system|value``).

    Raises Invalid and TooLarge (no calendar, or beyond the bounds), NotFound, Unprocessable (an
    event is at fault and the way is strict, or nothing is left; METHOD is none that is taken),
    PreconditionFailed, and what a push raises.
    """
    calendar = await asyncio.to_thread(calendar_read.calendar, body)
    if calendar.method not in METHODS | {None}:
        raise Unprocessable(issue("agenda.method", "METHOD", known=", ".join(sorted(METHODS))))

    async def attempt() -> Receipt:
        record = await read_record(gateway, caller, dossier_id)
        if record.root is None:
            raise NotFound(issue("dossier.not-found"))
        if way.if_match is not None and way.if_match != record.etag:
            raise PreconditionFailed(issue("dossier.version-conflict"))
        standing = _standing(record, gateway.base_url)
        planned = _plan(calendar, standing)
        faults = [fault for _, fault in planned.faults]
        grave = any(one.severity == "error" for one in faults)
        if not planned.entries or (way.strict and (grave or planned.said)):
            raise Unprocessable(*faults, *planned.said, *_nothing(calendar))
        receipt = await _push(gateway, caller, record, standing, planned, way)
        return _told(receipt, calendar, standing, planned)

    return await settle(attempt)


async def _push(
    gateway: Gateway,
    caller: Caller,
    record: DossierRecord,
    standing: Standing,
    planned: Planned,
    way: Way,
) -> Receipt:
    """Push the appointments alone. Raises Stale when somebody wrote meanwhile."""
    held = standing.dossier.content
    content = {name: value for name, value in held.items() if name not in SECTIONS}
    pushed = normal({**content, SECTION: planned.entries})
    try:
        return await receive(
            gateway,
            caller,
            record.tag,
            dump(pushed),
            if_match=record.etag,
            strict=way.strict,
            dry_run=way.dry_run,
        )
    except PreconditionFailed:
        raise Stale from None
    except Unprocessable as refusal:
        raise Unprocessable(*(_of_event(one, planned) for one in refusal.issues)) from None


def _plan(calendar: Calendar, standing: Standing) -> Planned:
    """Make the appointments of the events; what cannot be taken is said."""
    planned = Planned([], [], list(calendar.faults), [])
    seen: set[str] = set()
    for event in calendar.events:
        key = _key(event, standing)
        held = standing.dossier.entry(SECTION, key)
        rule = _refusal(calendar.method, event, held, twice=key in seen)
        seen.add(key)
        if rule is not None:
            planned.faults.append((event.number, said_of(rule, event.number, event.line)))
            continue
        for place in strangers(event, standing.members):
            said = said_of("agenda.attendee-unknown", event.number, event.line, place)
            planned.said.append(said)
        planned.events.append(event)
        planned.entries.append(_entry(calendar.method, event, key, held, standing))
    return planned


def _refusal(method: str | None, event: Event, held: Entry | None, *, twice: bool) -> str | None:
    """Give the rule that an event breaks, None where it can be taken."""
    if twice:
        return "agenda.uid-twice"
    if method in ("CANCEL", "REPLY"):
        return "agenda.uid-unknown" if held is None else None
    if event.start is None:
        return "agenda.start-missing"
    if event.title is None and held is None:
        return "agenda.summary-missing"
    return None


def _entry(
    method: str | None, event: Event, key: str, held: Entry | None, standing: Standing
) -> Entry:
    if method == "CANCEL" and held is not None:
        return {**held, "status": "cancelled"}
    if method == "REPLY" and held is not None:
        return answered(event, held, standing.members)
    ours = event.uid in standing.ids and event.instead_of is None
    uid = (held or {}).get("uid") if ours else event.uid
    return entry(event, key, uid, held, standing.members)


def _key(event: Event, standing: Standing) -> str:
    """Give the key of the appointment that an event is: the one it has, else one by its UID."""
    held = standing.keys.get((event.uid, event.instead_of))
    if held is not None:
        return held
    whole = standing.keys.get((event.uid, None))
    if whole is None:
        whole = f"ics-{own_uuid('Appointment', ICALENDAR_UID, event.uid)}"
    return whole if event.instead_of is None else occurrence_key(whole, event.instead_of)


def _standing(record: DossierRecord, base_url: str) -> Standing:
    """Read what a calendar is compared with. Raises Conflict."""
    resources = resources_of(record.versions)
    with read_natively():
        dossier = from_fhir(resources, None)
        found = reading(resources)
        references: dict[str, str] = {}
        addresses: dict[str, set[str]] = {}
        for one in resources:
            reference = f"{one['resourceType']}/{one['id']}"
            patient = one["resourceType"] == "Patient"
            key = PERSON if patient else found.key_of("circle", one)
            if key is None or (not patient and dossier.entry("circle", key) is None):
                continue
            references[reference] = key
            for mail in mails(one):
                addresses.setdefault(f"mailto:{mail}".lower(), set()).add(key)
            addresses[f"{base_url}/{reference}".lower()] = {key}
        appointments = found.entries(SECTION, "Appointment")
        keys = {(uid_of(one), instead_of(one)): key for key, one in appointments}
    alone = {address: next(iter(some)) for address, some in addresses.items() if len(some) == 1}
    ids = frozenset(str(one["id"]) for _, one in appointments)
    return Standing(dossier, Members(references, alone), keys, ids)


def _told(receipt: Receipt, calendar: Calendar, standing: Standing, planned: Planned) -> Receipt:
    """Give the receipt of the push as that of the calendar, with what falls together."""
    after = {one["key"]: one for one in standing.dossier.section(SECTION)}
    after |= {one["key"]: one for one in planned.entries}
    touched = {one["key"] for one in planned.entries}
    pairs = overlaps(after.values(), touched)[:CONFLICTS_MAX]
    conflicts = [
        issue("agenda.overlap", f"{SECTION}[{first}]", first=first, second=second)
        for first, second in pairs
    ]
    numbers = sorted({number for number, _ in planned.faults})
    refused = [EntryReceipt(SECTION, f"VEVENT[{number}]", "refused") for number in numbers]
    pushed = (_of_event(one, planned) for one in receipt.issues)
    faults = (fault for _, fault in planned.faults)
    return replace(
        receipt,
        entries=(*receipt.entries, *refused),
        issues=(*faults, *planned.said, *pushed, *conflicts, *calendar.issues),
    )


def _of_event(said: Issue, planned: Planned) -> Issue:
    """Say of an event what a push says of the appointment that was made of it."""
    match = _POINTER.match(said.expression or "")
    if match is None or int(match[1]) >= len(planned.events):
        return said
    event = planned.events[int(match[1])]
    return replace(said, expression=f"VEVENT[{event.number}]", line=event.line)


def _nothing(calendar: Calendar) -> tuple[Issue, ...]:
    if calendar.events or calendar.faults:
        return ()
    return (issue("agenda.no-event"),)
