"""An alert of the dossier to and from Flag, CommunicationRequest and Communication of base R4.

https://hl7.org/fhir/R4/flag.html holds what stays true of the person,
https://hl7.org/fhir/R4/communicationrequest.html the warning to one recipient,
https://hl7.org/fhir/R4/communication.html that somebody took note. No French profile exists. The
Flag lists the others in their order; one that it does not list is no part of the alert any more.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from passerelle.fhir.resource import Resource
from passerelle.fhir.urls import PASSERELLE
from passerelle.mappers.native.dossier import PERSON, Entry
from passerelle.mappers.native.dossier_naming import resource
from passerelle.mappers.native.dossier_reading import Reading
from passerelle.mappers.resources.entry_references import Entries
from passerelle.mappers.resources.fhir_elements import (
    Element,
    extensions,
    filled,
    own,
    own_of,
    own_value,
    value_of,
)

ALERT_KINDS = PASSERELLE + "/CodeSystem/alert-kind"
"""Our own: no French or HL7 code system says what an alert of coordination is about."""

CATEGORY = "http://terminology.hl7.org/CodeSystem/flag-category"
CATEGORIES = {"clinical": "clinical", "fall": "safety", "administrative": "admin"}
"""Kinds that HL7 has a category for as well."""

PRIORITY = "http://hl7.org/fhir/StructureDefinition/flag-priority"
DETAIL = "http://hl7.org/fhir/StructureDefinition/flag-detail"
PRIORITIES = "http://hl7.org/fhir/flag-priority-code"
SEVERITIES = {"information": "PL", "warning": "PM", "urgent": "PH"}
URGENCIES = {"information": "routine", "warning": "urgent", "urgent": "stat"}
"""Severity to the priority of the warning, by which it is looked for."""

STATUSES = {
    "active": "active",
    "acknowledged": "active",
    "resolved": "inactive",
    "entered-in-error": "entered-in-error",
}
NATIVE_STATUSES = {"inactive": "resolved", "entered-in-error": "entered-in-error"}

Made = tuple[Resource, Literal["primary", "supporting"], bytes | None]


def to_fhir(alert: Mapping[str, Any], entries: Entries) -> Iterator[Made]:
    """Make the Flag of an alert, a warning for each recipient, what says that it was noted."""
    yield _flag(alert, entries), "primary", None
    for member in alert.get("recipients", ()):
        yield _warning(alert, member, entries), "supporting", None
    for ack in alert.get("acks", ()):
        yield _acknowledgement(alert, ack, entries), "supporting", None


def from_fhir(key: str, flag: Resource, reading: Reading) -> Entry:
    """Read a native alert from its Flag and from what that lists."""
    period = flag.get("period", {})
    author = own_value(flag, "alert-author") or flag.get("author")
    detail = value_of(next(iter(extensions(flag, DETAIL)), None))
    warnings = _listed(flag, "alert-warning", reading, "revoked")
    noted = _listed(flag, "alert-acknowledgement", reading, "entered-in-error")
    return filled(
        {
            "key": key,
            "kind": _native_kind(flag),
            "title": flag.get("code", {}).get("text"),
            "text": own_value(flag, "alert-text"),
            "severity": _native_severity(flag),
            "status": _native_status(flag),
            "raisedAt": period.get("start"),
            "raisedBy": reading.member(author),
            "recipients": [reading.member(_first(warning, "recipient")) for warning in warnings],
            "acks": [
                filled({"by": reading.member(one.get("sender")), "at": one.get("sent")})
                for one in noted
            ],
            "about": reading.any_entry(detail),
            "until": period.get("end"),
        }
    )


def _flag(alert: Mapping[str, Any], entries: Entries) -> Resource:
    names, members = entries.names, entries.members
    identifier = names.identifier("alerts", alert["key"])
    by = alert.get("raisedBy")
    is_relative = by is not None and members.type_of(by) == "RelatedPerson"
    return filled(
        {
            **resource(names, "Flag", identifier, None, tagged=True),
            "extension": _extensions(alert, entries, is_relative=is_relative),
            "identifier": [identifier],
            "status": STATUSES[alert["status"]],
            "category": [_kind(alert)],
            "code": {"text": alert["title"]},
            "subject": members.to(PERSON),
            "period": filled({"start": alert["raisedAt"], "end": alert.get("until")}),
            "author": None if is_relative else members.to(by),
        }
    )


def _extensions(alert: Mapping[str, Any], entries: Entries, *, is_relative: bool) -> list[Element]:
    text, about, severity = alert.get("text"), alert.get("about"), alert.get("severity")
    author = entries.members.to(alert["raisedBy"]) if is_relative else None
    noted = alert["status"] == "acknowledged"
    priority = {"system": PRIORITIES, "code": SEVERITIES.get(severity or "")}
    return [
        *([{"url": PRIORITY, "valueCodeableConcept": {"coding": [priority]}}] if severity else ()),
        *([{"url": DETAIL, "valueReference": entries.about(about)}] if about else ()),
        *([own("alert-text", valueString=text)] if text else ()),
        *([own("alert-status", valueCode="acknowledged")] if noted else ()),
        *([own("alert-author", valueReference=author)] if author else ()),
        *(
            own("alert-warning", valueReference=_to_warning(alert, member, entries))
            for member in alert.get("recipients", ())
        ),
        *(
            own("alert-acknowledgement", valueReference=_to_acknowledgement(alert, ack, entries))
            for ack in alert.get("acks", ())
        ),
    ]


def _warning(alert: Mapping[str, Any], member: str, entries: Entries) -> Resource:
    """Make the CommunicationRequest to one recipient; it is done once that one took note."""
    names, members = entries.names, entries.members
    identifier = _part(alert, entries, "recipient", member)
    noted = any(ack["by"] == member for ack in alert.get("acks", ()))
    done = noted or alert["status"] == "resolved"
    withdrawn = alert["status"] == "entered-in-error"
    return filled(
        {
            **resource(names, "CommunicationRequest", identifier, None, tagged=True),
            "identifier": [identifier],
            "status": "entered-in-error" if withdrawn else "completed" if done else "active",
            "category": [_kind(alert)],
            "priority": URGENCIES.get(alert.get("severity", "")),
            "subject": members.to(PERSON),
            "about": [entries.to("alerts", alert["key"])],
            "payload": [{"contentString": alert["title"]}],
            "authoredOn": alert["raisedAt"],
            "requester": members.to(alert.get("raisedBy")),
            "recipient": [members.to(member)],
        }
    )


def _acknowledgement(
    alert: Mapping[str, Any], ack: Mapping[str, Any], entries: Entries
) -> Resource:
    """Make the Communication by which a member says that the alert was noted."""
    names, members = entries.names, entries.members
    identifier = _part(alert, entries, "ack", ack["by"], ack["at"])
    warned = ack["by"] in alert.get("recipients", ())
    withdrawn = alert["status"] == "entered-in-error"
    return filled(
        {
            **resource(names, "Communication", identifier, None, tagged=True),
            "identifier": [identifier],
            "basedOn": [_to_warning(alert, ack["by"], entries)] if warned else None,
            "status": "entered-in-error" if withdrawn else "completed",
            "category": [_kind(alert)],
            "subject": members.to(PERSON),
            "about": [entries.to("alerts", alert["key"])],
            "sent": ack["at"],
            "recipient": [members.to(alert["raisedBy"])] if "raisedBy" in alert else None,
            "sender": members.to(ack["by"]),
        }
    )


def _kind(alert: Mapping[str, Any]) -> Element:
    category = CATEGORIES.get(alert["kind"])
    also = [{"system": CATEGORY, "code": category}] if category else ()
    return {"coding": [{"system": ALERT_KINDS, "code": alert["kind"]}, *also]}


def _part(alert: Mapping[str, Any], entries: Entries, *path: str) -> Element:
    """Give the identifier of what supports the Flag."""
    return entries.names.identifier("alerts", alert["key"], *path)


def _to_warning(alert: Mapping[str, Any], member: str, entries: Entries) -> Element:
    identifier = _part(alert, entries, "recipient", member)
    return entries.names.reference("CommunicationRequest", identifier)


def _to_acknowledgement(
    alert: Mapping[str, Any], ack: Mapping[str, Any], entries: Entries
) -> Element:
    identifier = _part(alert, entries, "ack", ack["by"], ack["at"])
    return entries.names.reference("Communication", identifier)


def _listed(flag: Resource, extension: str, reading: Reading, over: str) -> list[Resource]:
    """Give what the Flag lists, but for what somebody else ended (``over``) on its own."""
    found = (reading.target(value_of(one)) for one in own_of(flag, extension))
    kept = [one for one in found if one is not None]
    if flag.get("status") == "entered-in-error":
        return kept
    return [one for one in kept if one.get("status") not in (over, "entered-in-error")]


def _first(holder: Resource, name: str) -> Element | None:
    return next(iter(holder.get(name, ())), None)


def _native_kind(flag: Resource) -> str | None:
    codings = (coding for one in flag.get("category", ()) for coding in one.get("coding", ()))
    return next((one.get("code") for one in codings if one.get("system") == ALERT_KINDS), None)


def _native_severity(flag: Resource) -> str | None:
    concept = value_of(next(iter(extensions(flag, PRIORITY)), None)) or {}
    codes = [c.get("code") for c in concept.get("coding", ()) if c.get("system") == PRIORITIES]
    return next((name for name, code in SEVERITIES.items() if code in codes), None)


def _native_status(flag: Resource) -> str:
    stated = flag["status"]
    return NATIVE_STATUSES.get(stated) or own_value(flag, "alert-status") or stated
