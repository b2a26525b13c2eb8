"""What an act makes of a dossier: closed, suspended, reopened; what a death ends. Pure.

https://hl7.org/fhir/R4/valueset-episode-of-care-status.html . An act that asks for what is so
already changes nothing; one that the state does not admit is refused by the name of that state.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple, TypeAlias

from passerelle.errors.refusals import Conflict, Unprocessable
from passerelle.errors.rules import issue
from passerelle.fhir.instants import at as moment_of
from passerelle.fhir.instants import parse_instant
from passerelle.mappers.native.dossier import Dossier, Entry, normal, with_entries
from passerelle.mappers.native.dossier_dates import ends_before

Act: TypeAlias = Literal["close", "suspend", "reopen"]
Destiny: TypeAlias = Literal["keep", "cancel"]
DESTINIES: tuple[Destiny, ...] = ("keep", "cancel")

OPEN = ("proposed", "active", "suspended")
"""Statuses of a dossier that goes on, or may."""

ADMITTED: Mapping[str, tuple[tuple[str, ...], str]] = {
    "suspend": (("proposed", "active"), "suspended"),
    "close": (OPEN, "closed"),
    "reopen": (("suspended", "closed"), "active"),
}
"""Act to the statuses that admit it, and the status that it gives."""

REASONS = (
    "deceased",
    "goals-met",
    "moved",
    "refused",
    "opposed",
    "lost-contact",
    "handed-over",
    "duplicate",
    "other",
)
"""The reasons of a closure, as the form lists them."""

DEATH_SOURCES = ("declared", "hospital", "national")
"""Where it is known from, as the form lists it; the first when it is not said."""

OPEN_TASKS = ("requested", "accepted", "in-progress", "on-hold")
OPEN_APPOINTMENTS = ("proposed", "pending", "booked")
OPEN_ALERTS = ("active", "acknowledged")

CANCELLATION = "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason"
DECEASED: Entry = {"system": CANCELLATION, "code": "pat-dec", "display": "Patient: Deceased"}
OTHER: Entry = {"system": CANCELLATION, "code": "other", "display": "Other"}

_BOUND = re.compile(r";?(UNTIL|COUNT)=[^;]*")
_UNTIL = re.compile(r"UNTIL=(\d{4})(\d\d)(\d\d)")


class Closing(NamedTuple):
    """Why a dossier is closed, and what becomes of what is still open; None: not said."""

    reason: str
    text: str | None = None
    tasks: Destiny | None = None
    appointments: Destiny | None = None


def suspended(dossier: Dossier, at: str) -> Dossier:
    """Give the dossier suspended at a moment. Raises Conflict."""
    return _standing(dossier, "suspend", at)


def reopened(dossier: Dossier, at: str) -> Dossier:
    """Give the dossier active again: closure and closing date leave. Raises Conflict."""
    return _standing(dossier, "reopen", at, drop=("closedAt", "closure"))


def closed(dossier: Dossier, asked: Closing, by: str | None, at: str, *, stated: bool) -> Dossier:
    """Give the dossier closed at a moment (``stated`` by the caller, or now).

    Raises Conflict, or Unprocessable when open entries have no destiny.
    """
    closure = {"reason": asked.reason, "text": asked.text, "by": by}
    closure = {name: value for name, value in closure.items() if value is not None}
    held = dossier.content
    if held["status"] == "closed":
        if held.get("closure") != closure or (stated and held.get("closedAt") != at):
            raise Conflict(issue("act.closed-otherwise"))
        there = dossier
    else:
        there = _standing(dossier, "close", at, closedAt=at, closure=closure)
    ended = _ended(dossier, at, DECEASED if asked.reason == "deceased" else OTHER)
    destinies = {"tasks": asked.tasks, "appointments": asked.appointments}
    unsaid = [
        issue("act.destiny-missing", f"/{name}", section=name, count=_count(dossier, ended, name))
        for name, destiny in destinies.items()
        if destiny is None and _count(dossier, ended, name)
    ]
    if unsaid:
        raise Unprocessable(*unsaid)
    for name, destiny in destinies.items():
        if destiny == "cancel" and name in ended:
            there = normal(with_entries(there.content, name, ended[name]))
    return there


def bereaved(dossier: Dossier, by: str | None, at: str, *, close: bool) -> Dossier:
    """Give the dossier of a person who died: tasks, appointments to come and alerts end.

    ``close``: the dossier is closed too, if it is open.
    """
    there = dossier
    if close and dossier.content["status"] in OPEN:
        closure = {"reason": "deceased"} | ({"by": by} if by else {})
        there = _standing(dossier, "close", at, closedAt=at, closure=closure)
    for name, entries in _ended(dossier, at, DECEASED).items():
        there = normal(with_entries(there.content, name, entries))
    return there


def with_death(dossier: Dossier, death: Entry) -> Dossier:
    """Give the dossier of a person with a death."""
    person = {**dossier.content["person"], "death": death}
    return normal({**dossier.content, "person": person})


def _standing(
    dossier: Dossier, act: Act, at: str, drop: tuple[str, ...] = (), **facts: Any
) -> Dossier:
    """Give the dossier in the status of an act: from then on it is not what its source called so.

    The source's version leaves: If-Match with it must not hold for what it never saw.
    """
    admitted, status = ADMITTED[act]
    now = str(dossier.content["status"])
    if now == status:
        return dossier
    if now not in admitted:
        wanted = ", ".join(admitted)
        raise Conflict(issue("act.state", "/status", act=act, status=now, wanted=wanted))
    gone = {"version", *drop}
    root = {name: value for name, value in dossier.content.items() if name not in gone}
    return normal({**root, **facts, "status": status, "updatedAt": at})


def _count(dossier: Dossier, ended: Mapping[str, list[Entry]], name: str) -> int:
    return sum(
        old != new for old, new in zip(dossier.section(name), ended.get(name, ()), strict=False)
    )


def _ended(dossier: Dossier, at: str, reason: Entry) -> dict[str, list[Entry]]:
    """Give the sections with what is open in them ended."""
    enders: Mapping[str, Callable[[Entry], Entry]] = {
        "tasks": lambda task: (
            {**task, "status": "cancelled"} if task["status"] in OPEN_TASKS else task
        ),
        "appointments": lambda one: _cancelled(one, at, reason),
        "alerts": lambda alert: _resolved(alert, at),
    }
    sections = {name: dossier.section(name) for name in enders}
    return {name: [enders[name](one) for one in some] for name, some in sections.items() if some}


def _resolved(alert: Entry, at: str) -> Entry:
    """Resolve an alert that is open; it lasts until then, unless it said until when."""
    if alert["status"] not in OPEN_ALERTS:
        return alert
    raised = alert["raisedAt"]
    until = raised if ends_before(raised, at) else at
    return {"until": until, **alert, "status": "resolved"}


def _cancelled(appointment: Entry, at: str, reason: Entry) -> Entry:
    """Cancel an appointment to come; a series that has begun ends (RFC 5545, 3.3.10: UNTIL)."""
    if appointment["status"] not in OPEN_APPOINTMENTS:
        return appointment
    if ends_before(appointment["start"], at):  # it began after the act
        return {**appointment, "status": "cancelled", "cancelReason": reason}
    rule = appointment.get("rrule")
    if rule is None or _is_over(rule, at):
        return appointment
    until = f"{moment_of(parse_instant(at)):%Y%m%dT%H%M%SZ}"
    return {**appointment, "rrule": f"{_BOUND.sub('', rule).strip(';')};UNTIL={until}"}


def _is_over(rule: str, at: str) -> bool:
    """Tell whether a series ended on a day before, or the day of the act."""
    found = _UNTIL.search(rule)
    return found is not None and "-".join(found.groups()) <= at[:10]
