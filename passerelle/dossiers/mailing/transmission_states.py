"""The states of a document sent by secure mail, as one table.

A state only goes forward; an event that comes late (a delivery receipt after the read one) is
recorded without taking the state back. DSN: RFC 3464. MDN: RFC 8098. Réf. #2 MSSanté ECO.2.3.1,
ECO.3.1.6.
"""

from typing import Any, Literal, TypeAlias

from passerelle.errors.refusals import Issue
from passerelle.fhir.instants import dump_instant
from passerelle.fhir.outcome import RULES
from passerelle.fhir.resource import Resource
from passerelle.fhir.urls import PASSERELLE_EXTENSION

State: TypeAlias = Literal[
    "queued",
    "sending",
    "uncertain",
    "sent",
    "relayed",
    "delivered",
    "read",
    "failed",
    "cancelled",
]

STATE_URL = PASSERELLE_EXTENSION + "mss-state"
EVENT_URL = PASSERELLE_EXTENSION + "mss-event"
EVENTS_MAX = 100
"""More than that are not recorded on the Communication; the raw messages are all kept."""

NEXT: dict[State, tuple[State, ...]] = {
    "queued": ("sending", "failed", "cancelled", "sent", "relayed", "delivered", "read"),
    "sending": ("uncertain", "sent", "failed", "relayed", "delivered", "read"),
    "uncertain": ("sent", "failed", "relayed", "delivered", "read"),
    "sent": ("relayed", "delivered", "read", "failed"),
    "relayed": ("delivered", "read", "failed"),
    "delivered": ("read", "failed"),
    "read": (),
    "failed": (),
    "cancelled": (),
}
"""From each state, those it may go to. A KO mail after delivery is a failure of integration."""

FHIR_STATUS: dict[str, str] = {
    "queued": "preparation",
    "sending": "in-progress",
    "uncertain": "in-progress",
    "sent": "in-progress",
    "relayed": "in-progress",
    "delivered": "in-progress",
    "read": "completed",
    "failed": "not-done",
    "cancelled": "stopped",
}
"""Communication.status (https://hl7.org/fhir/R4/valueset-event-status.html) of each state."""


def state_of(communication: Resource) -> State | None:
    """Give the state that a Communication is in, or None when it is not a transmission."""
    for extension in communication.get("extension", ()):
        if extension.get("url") == STATE_URL:
            state: State = extension["valueCode"]
            return state
    return None


def history_of(communication: Resource) -> list[tuple[str, str, str | None]]:
    """Give (state, instant, code) of each event recorded on a Communication, oldest first."""
    events = []
    for extension in communication.get("extension", ()):
        if extension.get("url") == EVENT_URL:
            parts = {part["url"]: part for part in extension["extension"]}
            code = parts.get("code", {}).get("valueString")
            events.append((parts["state"]["valueCode"], parts["at"]["valueInstant"], code))
    return events


def after(before: State, event: State) -> State:
    """Give the state after an event: the event's where the table allows it, else as before."""
    return event if event in NEXT[before] else before


def advance(
    communication: Resource,
    event: State,
    *,
    at: int,
    code: str | None = None,
    before: State | None = None,
    why: Issue | None = None,
) -> Resource:
    """Give the Communication after an event at an instant (microseconds since 1970 UTC).

    The event is recorded always; the state follows only where the table allows it. ``before`` is
    the state that is known of elsewhere: what the Communication says of itself anybody may have
    written. ``why`` says to people why a sending failed.
    """
    reached = event if before is None else after(before, event)
    others = [e for e in communication.get("extension", ()) if e.get("url") != STATE_URL]
    recorded = sum(1 for e in others if e.get("url") == EVENT_URL)
    if recorded < EVENTS_MAX:
        others.append(_event(event, at, code))
    changed: dict[str, Any] = {
        **communication,
        "extension": [{"url": STATE_URL, "valueCode": reached}, *others],
        "status": FHIR_STATUS[reached],
    }
    if event in ("sent", "relayed", "delivered") and "sent" not in changed:
        changed["sent"] = dump_instant(at)
    if event in ("delivered", "read") and "received" not in changed:
        changed["received"] = dump_instant(at)
    if reached == "failed" and code and "statusReason" not in changed:
        changed["statusReason"] = _reason(code, why)
    return changed


def _reason(code: str, why: Issue | None) -> Resource:
    """Say why a sending failed: the code as it came, and what it means."""
    if why is None:
        return {"text": code}
    meaning = {"system": RULES, "code": why.rule, "display": why.text}
    return {"coding": [meaning], "text": code}


def _event(state: str, at: int, code: str | None) -> Resource:
    parts: list[Resource] = [
        {"url": "state", "valueCode": state},
        {"url": "at", "valueInstant": dump_instant(at)},
    ]
    if code:
        parts.append({"url": "code", "valueString": code})
    return {"url": EVENT_URL, "extension": parts}
