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
from passerelle.fhir.bundles.entry_conditions import etag_version

FHIR_JSON = "application/fhir+json"
FHIR_XML = "application/fhir+xml"
JSON_TYPES = frozenset({FHIR_JSON, "application/json", "text/json", "json"})
XML_TYPES = frozenset({FHIR_XML, "application/xml", "text/xml", "xml"})
ANY = frozenset({"*/*", "application/*"})
JSON_RANGES = JSON_TYPES | ANY | {"text/html"}
"""What is answered in JSON. A browser asks for ``text/html`` first and is shown JSON too."""

Format: TypeAlias = Literal["json", "xml"]
"""The two forms that a resource is served in."""

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
    responds_async: bool = False


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
def answer_format(accept: str, format_: str | None = None, *, only_json: bool = False) -> Format:
    """Give the form of the answer: the heaviest range that we serve; ``_format`` goes before.

    Without a wish it is JSON. Raises NotAcceptable, which says so by name when Turtle was asked
    for, or another version of FHIR.
    """
    asked = ranges(accept if format_ is None else format_)
    if not asked and format_ is None:
        return "json"
    refused = _refused(accept) if format_ is None else frozenset()
    for media in asked:
        version = dict(media.parameters).get("fhirversion")
        if version is not None and version not in VERSIONS:
            continue
        if media.type in JSON_RANGES and FHIR_JSON not in refused:
            return "json"
        if media.type in XML_TYPES | ANY and FHIR_XML not in refused and not only_json:
            return "xml"
    if only_json and any(media.type in XML_TYPES for media in asked):
        raise NotAcceptable(issue("http.only-json-served"))
    if any(TURTLE.match(media.type) for media in asked):
        raise NotAcceptable(issue("http.turtle-not-served"))
    if any(media.type in JSON_RANGES | XML_TYPES and media.parameters for media in asked):
        raise NotAcceptable(issue("http.fhir-version-not-served"))
    raise NotAcceptable(issue("http.format-not-served"))


def demand_json(accept: str, format_: str | None = None) -> None:
    """See that JSON is among what the client reads, where nothing else is served.

    Raises NotAcceptable.
    """
    answer_format(accept, format_, only_json=True)


@lru_cache(maxsize=256)
def body_format(content_type: str) -> Format:
    """Give the form of a body, which is in UTF-8. Raises UnsupportedMedia."""
    media = ranges(content_type)
    if not media:
        raise UnsupportedMedia(issue("http.content-type-missing"))
    if len(media) > 1:  # the header came twice: nobody knows which one is meant
        raise UnsupportedMedia(issue("http.content-type-not-read"))
    given = dict(media[0].parameters)
    if media[0].type not in JSON_TYPES | XML_TYPES:
        raise UnsupportedMedia(issue("http.content-type-not-read"))
    if given.get("charset", "utf-8").lower() not in ("utf-8", "utf8"):
        raise UnsupportedMedia(issue("http.charset-not-read"))
    if given.get("fhirversion", "4.0") not in VERSIONS:
        raise UnsupportedMedia(issue("http.fhir-version-not-read"))
    return "json" if media[0].type in JSON_TYPES else "xml"


def demand_json_body(content_type: str) -> None:
    """See that a body is JSON in UTF-8, where nothing else is read. Raises UnsupportedMedia."""
    if body_format(content_type) != "json":
        raise UnsupportedMedia(issue("http.only-json-read"))


def spoken_format(accept: str, format_: str | None) -> Format:
    """Give the form in which a client is told what went wrong: what it asked for, or else JSON."""
    try:
        return answer_format(accept, format_)
    except NotAcceptable:
        return "json"


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
        "respond-async" in found,
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
