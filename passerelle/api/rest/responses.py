"""What goes back: status, headers and bytes, ready to be sent.

https://hl7.org/fhir/R4/http.html#return . A body is what the record keeps; nothing is modelled
again on the way out.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Any, NamedTuple

import msgspec

from passerelle.errors.issue_bounds import bounded
from passerelle.errors.refusals import Issue
from passerelle.fhir.instants import http_date
from passerelle.fhir.outcome import operation_outcome
from passerelle.store.contract import Version

Header = tuple[bytes, bytes]

FHIR_JSON = (b"content-type", b"application/fhir+json; charset=utf-8")
FHIR_XML = (b"content-type", b"application/fhir+xml; charset=utf-8")
JSON = (b"content-type", b"application/json; charset=utf-8")
TEXT = (b"content-type", b"text/plain; charset=utf-8")
CLOSE = (b"connection", b"close")
BODYLESS = frozenset({204, 304})

HANDLED = {
    "strict": (b"preference-applied", b"handling=strict"),
    "lenient": (b"preference-applied", b"handling=lenient"),
}
RETURNED = {
    name: (b"preference-applied", b"return=" + name.encode())
    for name in ("minimal", "representation", "OperationOutcome")
}
"""What is said of a preference that was followed (https://www.rfc-editor.org/rfc/rfc7240
#section-3); one that was not is not mentioned."""


class Reply(NamedTuple):
    """An answer: ``stream`` takes the place of ``body`` when its length is not known.

    ``version`` is the one of the record that it is about, if it is about one.
    """

    status: int
    headers: tuple[Header, ...]
    body: bytes = b""
    stream: AsyncIterator[bytes] | None = None
    version: Version | None = None


def served(version: Version, *, status: int = 200, more: Sequence[Header] = ()) -> Reply:
    """Give a version as kept, with its ETag and Last-Modified."""
    headers = (FHIR_JSON, *version_headers(version), *more)
    return Reply(status, headers, version.body or b"", version=version)


def bare(version: Version, status: int, more: Sequence[Header] = ()) -> Reply:
    """Give the headers of a version alone (304, or ``return=minimal``)."""
    return Reply(status, (*version_headers(version), *more), version=version)


def said(status: int, issues: Sequence[Issue], more: Sequence[Header] = ()) -> Reply:
    """Give an OperationOutcome, of as many issues as are told: see ``bounded``."""
    return Reply(status, (FHIR_JSON, *more), operation_outcome(bounded(issues)))


def fhir(body: bytes, status: int = 200, more: Sequence[Header] = ()) -> Reply:
    """Give a resource that is not of the record: a Bundle, Parameters, a CapabilityStatement."""
    return Reply(status, (FHIR_JSON, *more), body)


def etag(version: int) -> bytes:
    """Write the weak entity tag of a version, ``W/"3"``."""
    return b'W/"%d"' % version


def version_headers(version: Version) -> tuple[Header, Header]:
    """Give ETag and Last-Modified of a version."""
    return (
        (b"etag", etag(version.version)),
        (b"last-modified", http_date(version.at).encode()),
    )


def pretty(reply: Reply) -> Reply:
    """Lay the JSON of an answer out for people; numbers and texts stay as written."""
    if not reply.body:
        return reply
    return reply._replace(body=msgspec.json.format(reply.body, indent=2))


async def send_reply(
    send: Any, reply: Reply, *, head: bool, more: Sequence[Header] = (), last: bool = True
) -> None:
    """Send an answer over ASGI; to HEAD without its body, and with the length it would have.

    When it is not the ``last`` to be sent, the answer of known length stays open after it.
    """
    headers = [*reply.headers, *more]
    if reply.stream is None and reply.status not in BODYLESS:
        headers.append((b"content-length", b"%d" % len(reply.body)))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    if reply.stream is None or head:
        body = b"" if head else reply.body
        await send({"type": "http.response.body", "body": body, "more_body": not last})
        return
    async for chunk in reply.stream:
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
