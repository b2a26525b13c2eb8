"""A message that the platform sent or received by secure mail, to and from Communication.

https://hl7.org/fhir/R4/communication.html : base R4, no French profile exists. Those that the
gateway sends itself are Communications too, written by its own sendings (``mss-state``).
"""

from collections.abc import Mapping
from typing import Any

from passerelle.fhir.resource import Resource
from passerelle.fhir.urls import ADDRESS_SYSTEM, MESSAGE_ID_SYSTEM, PASSERELLE
from passerelle.mappers.native.dossier import PERSON, Entry
from passerelle.mappers.native.dossier_naming import resource
from passerelle.mappers.native.dossier_reading import Reading
from passerelle.mappers.resources.entry_references import Entries
from passerelle.mappers.resources.fhir_elements import (
    Element,
    chosen,
    filled,
    own,
    own_of,
    own_value,
    parts,
    parts_of,
)

DIRECTIONS = PASSERELLE + "/CodeSystem/message-direction"
_WRITTEN_MAIL = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationMode",
    "code": "EMAILWRIT",
}
_STATUSES = {
    "draft": "preparation",
    "queued": "preparation",
    "accepted": "in-progress",
    "delivered": "completed",
    "read": "completed",
    "failed": "not-done",
    "received": "completed",
    "entered-in-error": "entered-in-error",
}
"""Native status to Communication.status; the native one stands beside it, as it says more."""

_NATIVE_STATUSES = {
    "preparation": "draft",
    "in-progress": "accepted",
    "completed": "delivered",
    "not-done": "failed",
    "stopped": "failed",
    "entered-in-error": "entered-in-error",
}
"""What a Communication that somebody else changed says in the native form."""


def to_fhir(message: Mapping[str, Any], entries: Entries) -> Resource:
    """Make the Communication of a native message."""
    identifier = entries.names.identifier("messages", message["key"])
    number, answered, subject = map(message.get, ("messageId", "inReplyTo", "subject"))
    documents = [entries.to("documents", key) for key in message.get("documents", ())]
    text = message.get("text")
    return filled(
        {
            **resource(entries.names, "Communication", identifier, None, tagged=True),
            "extension": _facts(message, entries),
            "identifier": chosen(
                (identifier, {"system": MESSAGE_ID_SYSTEM, "value": number} if number else None)
            ),
            "inResponseTo": [_logical(MESSAGE_ID_SYSTEM, answered)] if answered else None,
            "status": _STATUSES[message["status"]],
            "category": [{"coding": [{"system": DIRECTIONS, "code": message["direction"]}]}],
            "medium": [{"coding": [_WRITTEN_MAIL]}],
            "subject": entries.members.to(PERSON),
            "topic": {"text": subject} if subject else None,
            "about": documents,
            "sent": message.get("sentAt"),
            "recipient": [_logical(ADDRESS_SYSTEM, address) for address in message["to"]],
            "sender": _logical(ADDRESS_SYSTEM, message["from"]),
            "payload": [
                *([{"contentString": text}] if text else ()),
                *({"contentReference": document} for document in documents),
            ],
        }
    )


def from_fhir(key: str, communication: Resource, reading: Reading) -> Entry:
    """Read a native message from its Communication."""
    texts = (part.get("contentString") for part in communication.get("payload", ()))
    status = own_value(communication, "message-status")
    shown = communication["status"]
    if _STATUSES.get(status) != shown:
        status = _NATIVE_STATUSES.get(shown, "draft")
    category: Element = next(iter(communication.get("category", ())), {})
    return filled(
        {
            "key": key,
            "messageId": _identifier(communication, MESSAGE_ID_SYSTEM),
            "direction": next((c.get("code") for c in category.get("coding", ())), None),
            "from": _value(communication.get("sender")),
            "to": [_value(one) for one in communication.get("recipient", ())],
            "subject": communication.get("topic", {}).get("text"),
            "text": next((text for text in texts if text), None),
            "documents": [
                found
                for one in communication.get("about", ())
                if (found := reading.entry("documents", one))
            ],
            "inReplyTo": _value(next(iter(communication.get("inResponseTo", ())), None)),
            "sentAt": communication.get("sent"),
            "status": status,
            "receipts": [
                filled({name: facts.get(name) for name in ("kind", "at", "recipient", "code")})
                for facts in map(parts_of, own_of(communication, "message-receipt"))
            ],
            "by": reading.member(own_value(communication, "message-by")),
            "onBehalfOf": reading.member(own_value(communication, "message-on-behalf-of")),
        }
    )


def _facts(message: Mapping[str, Any], entries: Entries) -> list[Element]:
    by, behalf = message.get("by"), message.get("onBehalfOf")
    to = entries.members.to
    return chosen(
        (
            own("message-status", valueCode=message["status"]),
            own("message-by", valueReference=to(by)) if by else None,
            own("message-on-behalf-of", valueReference=to(behalf)) if behalf else None,
            *(_receipt(receipt) for receipt in message.get("receipts", ())),
        )
    )


def _receipt(receipt: Mapping[str, Any]) -> Element | None:
    return parts(
        "message-receipt",
        {
            "kind": ("valueCode", receipt["kind"]),
            "at": ("valueDateTime", receipt["at"]),
            "recipient": ("valueString", receipt.get("recipient")),
            "code": ("valueString", receipt.get("code")),
        },
    )


def _logical(system: str, value: str) -> Element:
    return {"identifier": {"system": system, "value": value}}


def _value(reference: Mapping[str, Any] | None) -> str | None:
    value: str | None = (reference or {}).get("identifier", {}).get("value")
    return value


def _identifier(communication: Resource, system: str) -> str | None:
    found = (one for one in communication.get("identifier", ()) if one.get("system") == system)
    return next((one.get("value") for one in found), None)
