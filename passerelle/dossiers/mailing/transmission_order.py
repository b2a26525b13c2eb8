"""What a job was told to send, to whom: fixed when it was asked for, and nowhere else since.

A Communication can be written by any client, so nothing that decides about a mail is read from it:
neither the recipient, nor the document, nor its state (reliability: no mail without a request, no
other recipient, none lost because a state was written by hand).
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from passerelle.fhir import json_text
from passerelle.fhir.resource import Key

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Order:
    """This version of this document to this address, under this Message-ID, asked for then."""

    document: Key
    version: int
    recipient: str
    message_id: str
    at: int  # microseconds since 1970 UTC

    @property
    def instant(self) -> datetime:
        """Give when it was asked for: the Date of the message."""
        return _EPOCH + timedelta(microseconds=self.at)


def dump(order: Order) -> bytes:
    """Write an order as the payload of its job."""
    return json_text.encode(
        {
            "document": order.document.id,
            "version": order.version,
            "recipient": order.recipient,
            "messageId": order.message_id,
            "at": order.at,
        }
    )


def parse(payload: bytes) -> Order:
    """Read the payload of a job that :func:`dump` wrote."""
    told = json_text.decode(payload)
    return Order(
        Key("DocumentReference", told["document"]),
        int(told["version"]),
        told["recipient"],
        told["messageId"],
        int(told["at"]),
    )
