"""Bundles of answers, joined from the bytes as kept: a body is never parsed to be served.

https://hl7.org/fhir/R4/bundle.html , https://hl7.org/fhir/R4/http.html#search ,
https://hl7.org/fhir/R4/http.html#history and #transaction-response .
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from passerelle.errors.refusals import Issue
from passerelle.fhir.instants import dump_instant
from passerelle.fhir.outcome import operation_outcome
from passerelle.fhir.resource import Key

REASONS = {
    200: "200 OK",
    201: "201 Created",
    204: "204 No Content",
    304: "304 Not Modified",
    400: "400 Bad Request",
    401: "401 Unauthorized",
    403: "403 Forbidden",
    404: "404 Not Found",
    405: "405 Method Not Allowed",
    409: "409 Conflict",
    410: "410 Gone",
    412: "412 Precondition Failed",
    413: "413 Content Too Large",
    422: "422 Unprocessable Content",
    429: "429 Too Many Requests",
    500: "500 Internal Server Error",
    501: "501 Not Implemented",
    503: "503 Service Unavailable",
}
"""Status to what ``Bundle.entry.response.status`` says."""

HISTORY_STATUS = {"POST": "201 Created", "PUT": "200 OK", "DELETE": "204 No Content"}


class Found(NamedTuple):
    """A resource of a search page: its key and its body as kept."""

    key: Key
    body: bytes


class Past(NamedTuple):
    """A version of a history page; ``body`` is None for a deletion."""

    key: Key
    version: int
    at: int
    method: str
    body: bytes | None


class Answer(NamedTuple):
    """The answer to one entry of a batch or a transaction.

    ``resource`` is served as it is (a body as kept, or a Bundle); ``issues`` become the outcome.
    """

    status: int
    full_url: str | None = None
    location: str | None = None
    version: int | None = None
    at: int | None = None
    resource: bytes | None = None
    issues: tuple[Issue, ...] = ()


def searchset(
    base_url: str,
    matches: Iterable[Found],
    included: Iterable[Found] = (),
    *,
    self_url: str,
    next_url: str | None = None,
    total: int | None = None,
    issues: Sequence[Issue] = (),
) -> bytes:
    """Join a searchset; ``total`` is said only when known, ``issues`` as an outcome entry."""
    base = base_url.encode()
    entries = [_found(base, found, b"match") for found in matches]
    entries += [_found(base, found, b"include") for found in included]
    if issues:
        entries.append(
            b'{"resource":' + operation_outcome(issues) + b',"search":{"mode":"outcome"}}'
        )
    return _bundle(b"searchset", entries, _links(self_url, next_url), total)


def history(
    base_url: str,
    versions: Iterable[Past],
    *,
    self_url: str,
    next_url: str | None = None,
    total: int | None = None,
) -> bytes:
    """Join a history, newest first as handed in."""
    base = base_url.encode()
    entries = [_past(base, past) for past in versions]
    return _bundle(b"history", entries, _links(self_url, next_url), total)


def collection(base_url: str, made: Iterable[tuple[str, bytes]], kept: Iterable[Found]) -> bytes:
    """Join a collection: what was made for it, each under an address of its own, then what is kept.

    https://hl7.org/fhir/R4/bundle.html#collection
    """
    entries = [b'{"fullUrl":' + _text(url) + b',"resource":' + body + b"}" for url, body in made]
    base = base_url.encode()
    entries += [
        b'{"fullUrl":"%s/%s","resource":%s}' % (base, str(found.key).encode(), found.body)
        for found in kept
    ]
    return _bundle(b"collection", entries, b"", None)


def responses(kind: str, answers: Iterable[Answer]) -> bytes:
    """Join a ``transaction-response`` or ``batch-response``, one entry per answer, in order."""
    return _bundle(kind.encode(), [_answer(answer) for answer in answers], b"", None)


def outcome_location(base_url: str, key: Key, version: int) -> str:
    """Give the address of a version, as Location and ``entry.response.location`` say it."""
    return f"{base_url}/{key.type}/{key.id}/_history/{version}"


def _found(base: bytes, found: Found, mode: bytes) -> bytes:
    return b"".join(
        (
            b'{"fullUrl":"',
            base,
            b"/",
            found.key.type.encode(),
            b"/",
            found.key.id.encode(),
            b'","resource":',
            found.body,
            b',"search":{"mode":"',
            mode,
            b'"}}',
        )
    )


def _past(base: bytes, past: Past) -> bytes:
    type_, id_ = past.key.type.encode(), past.key.id.encode()
    target = type_ if past.method == "POST" else type_ + b"/" + id_
    # An update may have made it, under an id of the client's.
    method = "POST" if past.version == 1 else past.method
    return b"".join(
        (
            b'{"fullUrl":"' + base + b"/" + type_ + b"/" + id_ + b'"',
            b"" if past.body is None else b',"resource":' + past.body,
            b',"request":{"method":"' + past.method.encode() + b'","url":"' + target + b'"}',
            b',"response":{"status":"' + HISTORY_STATUS.get(method, "200 OK").encode() + b'"',
            b',"etag":"W/\\"' + str(past.version).encode() + b'\\""',
            b',"lastModified":"' + dump_instant(past.at).encode() + b'"}}',
        )
    )


def _answer(answer: Answer) -> bytes:
    parts = [b"{"]
    if answer.full_url is not None:
        parts.append(b'"fullUrl":' + _text(answer.full_url) + b",")
    if answer.resource is not None:
        parts.append(b'"resource":' + answer.resource + b",")
    status = REASONS.get(answer.status, str(answer.status))
    parts.append(b'"response":{"status":"' + status.encode() + b'"')
    if answer.location is not None:
        parts.append(b',"location":' + _text(answer.location))
    if answer.version is not None:
        parts.append(b',"etag":"W/\\"' + str(answer.version).encode() + b'\\""')
    if answer.at is not None:
        parts.append(b',"lastModified":"' + dump_instant(answer.at).encode() + b'"')
    if answer.issues:
        parts.append(b',"outcome":' + operation_outcome(answer.issues))
    parts.append(b"}}")
    return b"".join(parts)


def _links(self_url: str, next_url: str | None) -> bytes:
    links = [b'{"relation":"self","url":' + _text(self_url) + b"}"]
    if next_url is not None:
        links.append(b'{"relation":"next","url":' + _text(next_url) + b"}")
    return b',"link":[' + b",".join(links) + b"]"


def _bundle(kind: bytes, entries: list[bytes], links: bytes, total: int | None) -> bytes:
    """Join the parts; JSON of FHIR has no empty arrays, so no entry means no ``entry``."""
    return b"".join(
        (
            b'{"resourceType":"Bundle","type":"',
            kind,
            b'"',
            b"" if total is None else b',"total":' + str(total).encode(),
            links,
            b',"entry":[' + b",".join(entries) + b"]" if entries else b"",
            b"}",
        )
    )


def _text(value: str) -> bytes:
    return msgspec.json.encode(value)
