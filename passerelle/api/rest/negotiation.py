"""What a client can read, what it sends, what it prefers: headers and ``_format``, understood.

https://hl7.org/fhir/R4/http.html#general , https://www.rfc-editor.org/rfc/rfc9110#section-12.5.1
(Accept), https://www.rfc-editor.org/rfc/rfc7240 (Prefer). Answers are kept by spelling: a client
says the same thing each time.
"""

import re
from functools import lru_cache
from typing import Literal, NamedTuple, TypeAlias

from passerelle.errors.refusals import Invalid, NotAcceptable, UnsupportedMedia
from passerelle.errors.rules import issue
from passerelle.fhir.bundles.transaction_entries import etag_version

FHIR_JSON = "application/fhir+json"
JSON_TYPES = frozenset({FHIR_JSON, "application/json", "text/json", "json"})
JSON_RANGES = JSON_TYPES | {"*/*", "application/*", "text/html"}
"""What is answered in JSON. A browser asks for ``text/html`` first and is shown JSON too."""

XML = re.compile(r"(?:.*[/+])?xml\Z")
TURTLE = re.compile(r".*(?:turtle|ttl)\Z")
VERSIONS = frozenset({"4.0", "4.0.1"})
"""Values of the media type parameter ``fhirVersion`` that are this version."""

Return: TypeAlias = Literal["minimal", "representation", "OperationOutcome"]
RETURNS: dict[str, Return] = {
    "minimal": "minimal",
    "representation": "representation",
    "operationoutcome": "OperationOutcome",
}


class MediaRange(NamedTuple):
    """One range of an Accept header, with its weight and its parameters."""

    type: str
    weight: float
    parameters: tuple[tuple[str, str], ...]


class Preference(NamedTuple):
    """What the Prefer header asks for, as far as it is known here."""

    returns: Return | None = None
    handling: Literal["strict", "lenient"] | None = None


@lru_cache(maxsize=256)
def ranges(accept: str) -> tuple[MediaRange, ...]:
    """Read an Accept header, the heaviest range first; what is malformed weighs nothing."""
    found = []
    for part in accept.split(","):
        name, *rest = (piece.strip() for piece in part.split(";"))
        if not name:
            continue
        pairs = [tuple(piece.partition("=")[::2]) for piece in rest]
        given = {key.strip().lower(): value.strip().strip('"') for key, value in pairs}
        weight = _weight(given.pop("q", "1"))
        if weight > 0:
            # ``+`` of a media type arrives as a space when it was not escaped in a query.
            found.append(MediaRange(name.lower().replace(" ", "+"), weight, tuple(given.items())))
    return tuple(sorted(found, key=lambda each: -each.weight))


@lru_cache(maxsize=256)
def demand_json(accept: str, format_: str | None = None) -> None:
    """See that JSON is among what the client reads; ``_format`` goes before Accept.

    Raises NotAcceptable, which says so by name when XML or Turtle was asked for.
    """
    asked = ranges(accept if format_ is None else format_)
    if not asked and format_ is None:
        return
    refused = format_ is None and FHIR_JSON in _refused(accept)
    for media in () if refused else asked:
        version = dict(media.parameters).get("fhirversion")
        if media.type in JSON_RANGES and (version is None or version in VERSIONS):
            return
    if any(XML.match(media.type) for media in asked):
        raise NotAcceptable(issue("http.xml-not-served"))
    if any(TURTLE.match(media.type) for media in asked):
        raise NotAcceptable(issue("http.turtle-not-served"))
    if not refused and any(media.type in JSON_RANGES for media in asked):
        raise NotAcceptable(issue("http.fhir-version-not-served"))
    raise NotAcceptable(issue("http.format-not-served"))


@lru_cache(maxsize=256)
def demand_json_body(content_type: str) -> None:
    """See that a body is JSON in UTF-8. Raises UnsupportedMedia, by name for XML."""
    media = ranges(content_type)
    if not media:
        raise UnsupportedMedia(issue("http.content-type-missing"))
    if len(media) > 1:  # the header came twice: nobody knows which one is meant
        raise UnsupportedMedia(issue("http.content-type-not-read"))
    given = dict(media[0].parameters)
    if XML.match(media[0].type):
        raise UnsupportedMedia(issue("http.xml-not-read"))
    if media[0].type not in JSON_TYPES:
        raise UnsupportedMedia(issue("http.content-type-not-read"))
    if given.get("charset", "utf-8").lower() not in ("utf-8", "utf8"):
        raise UnsupportedMedia(issue("http.charset-not-read"))
    if given.get("fhirversion", "4.0") not in VERSIONS:
        raise UnsupportedMedia(issue("http.fhir-version-not-read"))


@lru_cache(maxsize=256)
def preference(prefer: str) -> Preference:
    """Read a Prefer header; what is not known is left out, as RFC 7240 asks. First one wins."""
    found: dict[str, str] = {}
    for part in prefer.split(","):
        key, _, value = part.split(";", 1)[0].partition("=")
        found.setdefault(key.strip().lower(), value.strip().strip('"').lower())
    handling = found.get("handling")
    return Preference(
        RETURNS.get(found.get("return", "")),
        "strict" if handling == "strict" else "lenient" if handling == "lenient" else None,
    )


def if_match(header: str | None) -> int | None:
    """Read the version of an If-Match header; None when there is none. Raises Invalid.

    ``*`` is no version: FHIR asks for the one that was read (https://hl7.org/fhir/R4/http.html
    #concurrency).
    """
    if header is None:
        return None
    version = etag_version(header)
    if version is None:
        raise Invalid(issue("http.if-match-malformed"))
    return version


def tags(header: str) -> frozenset[str]:
    """Read the entity tags of an If-None-Match header, compared weakly: ``W/`` is left out."""
    return frozenset(part.strip().removeprefix("W/").strip('"') for part in header.split(","))


def _refused(accept: str) -> frozenset[str]:
    """Give the media types that are said not to be read, by a weight of zero."""
    if "q=0" not in accept:
        return frozenset()
    found = set()
    for part in accept.lower().split(","):
        name, *rest = (piece.replace(" ", "") for piece in part.split(";"))
        if any(re.fullmatch(r"q=0(\.0{0,3})?", piece) for piece in rest):
            found.add(name)
    return frozenset(found)


def _weight(text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        return 0.0
    return weight if 0.0 <= weight <= 1.0 else 0.0
