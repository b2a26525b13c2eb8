"""What a node of a resource says to a search parameter: its index rows, one kind at a time.

https://hl7.org/fhir/R4/search.html#table : which data types each kind of parameter is used on. The
type of a node is known by its members, as the structure has been checked at the door.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeAlias

from passerelle.fhir.references import target
from passerelle.fhir.search import index_bounds
from passerelle.fhir.search.date_interval import Interval, interval, period
from passerelle.fhir.search.index_rows import (
    Composite,
    Link,
    Number,
    Position,
    Quantity,
    Span,
    Text,
    Token,
    Uri,
)
from passerelle.fhir.search.phonetic import sounds, together
from passerelle.fhir.search.quantity_values import number_of, quantities_of
from passerelle.fhir.search.text_norm import normal

RPPS = "https://rpps.esante.gouv.fr"
IDNPS = "urn:oid:1.2.250.1.71.4.2.1"
_RPPS_FORMS = {
    RPPS: re.compile(r"8?([0-9]{11})"),
    # Other identifiers stand under this OID too; 11 digits are an RPPS number by its first digit.
    IDNPS: re.compile(r"8([0-9]{11})|([19][0-9]{10})"),
}

_TEXT_MEMBERS = frozenset(
    (
        # HumanName
        *("family", "given", "prefix", "suffix"),
        # Address
        *("line", "city", "district", "state", "postalCode", "country"),
        "text",
    )
)

_NONE = type(None)
_LATITUDE_MAX, _LONGITUDE_MAX = 90, 180
_SHORT = 64
"""Characters of a string whose normal form is remembered."""

Row: TypeAlias = Token | Text | Link | Span | Number | Quantity | Uri | Composite | Position
Add: TypeAlias = Callable[[Row], None]
Emit: TypeAlias = Callable[[int, Any, Add], None]


def tokens(param: int, node: Any, add: Add) -> None:
    """Add the tokens of a code, boolean, Coding, CodeableConcept, Identifier or ContactPoint.

    What is written beside a code (https://hl7.org/fhir/R4/search.html#token, ``:text``) is a string
    of the same parameter; an Identifier whose type is coded has rows under the parameter's negative
    id too (``:of-type``).
    """
    if type(node) is str:
        add(Token(param, "", index_bounds.key(node)))
    elif type(node) is dict:
        codings = node.get("coding")
        for coding in codings if type(codings) is list else (node,):
            if type(coding) is not dict:
                continue
            value = coding.get("code") or coding.get("value")
            if type(value) is str and type(coding.get("value")) in (str, _NONE):
                system = coding.get("system")
                add(Token(param, index_bounds.key(system or ""), index_bounds.key(value)))
            if "display" in coding:
                texts(param, coding["display"], add)
        if "text" in node:
            texts(param, node["text"], add)
        if type(node.get("type")) is dict:
            _typed_identifier(param, node, add)
    elif type(node) is bool:
        add(Token(param, "", "true" if node else "false"))
    elif type(node) is int:
        add(Token(param, "", str(node)))


def _typed_identifier(param: int, identifier: Any, add: Add) -> None:
    """Add what the type of an Identifier lets it be found by: with its value, and as a text."""
    kind, value = identifier["type"], identifier.get("value")
    codings = kind.get("coding")
    for coding in codings if type(codings) is list else ():
        if type(coding) is dict and type(coding.get("code")) is str and type(value) is str:
            both = index_bounds.key(f"{coding['code']}|{value}")
            add(Token(-param, index_bounds.key(coding.get("system") or ""), both))
    if "text" in kind:
        texts(param, kind["text"], add)


def national_identifiers(param: int, node: Any, add: Add) -> None:
    """Add the tokens of an Identifier of a professional, an RPPS number under all its forms.

    It circulates with 11 digits, or 12 with the type digit 8 before it, under the system of the
    RPPS or the OID of the IDNPS (ANS, annexe "Sources des données métier"): each form finds it.
    """
    tokens(param, node, add)
    forms = _RPPS_FORMS.get(node.get("system") or "") if type(node) is dict else None
    match = forms.fullmatch(node.get("value") or "") if forms else None
    if match is None:
        return
    number = match[1] or match[2]
    for system in (RPPS, IDNPS):
        add(Token(param, system, number))
        add(Token(param, system, "8" + number))


def texts(param: int, node: Any, add: Add) -> None:
    """Add the strings of a string, or of the parts of a HumanName or an Address."""
    if type(node) is str:
        norm = _short_norm(node) if len(node) <= _SHORT else index_bounds.text(normal(node))
        if norm:
            add(Text(param, norm, index_bounds.key(node)))
    elif type(node) is dict:
        for member, part in node.items():
            if member in _TEXT_MEMBERS:
                for text in part if type(part) is list else (part,):
                    if type(text) is str:
                        texts(param, text, add)


@lru_cache(8_192)
def _short_norm(text: str) -> str:
    """Remember the normal forms of short strings: each is asked for by several parameters."""
    return index_bounds.text(normal(text))


def phonetics(param: int, node: Any, add: Add) -> None:
    """Add each word of a string, or of the parts of a HumanName, as it sounds in French."""
    if type(node) is str:
        for sound, word in _short_sounds(node[:_SHORT]):
            add(Text(param, sound, word))
    elif type(node) is dict:
        for member, part in node.items():
            if member in _TEXT_MEMBERS:
                for text in part if type(part) is list else (part,):
                    if type(text) is str:
                        phonetics(param, text, add)


@lru_cache(8_192)
def _short_sounds(text: str) -> tuple[tuple[str, str], ...]:
    """Remember how short texts sound, words together too: names come again and again."""
    words = sounds(text)
    return (*words, *together(words))


def links(param: int, node: Any, add: Add) -> None:
    """Add the links of a Reference or a canonical, the latter with and without its version.

    The business identifier of a Reference is a token of the same parameter (``:identifier``). A
    resource that stands there itself, in a Bundle, is what is referred to.
    """
    literal = node
    if type(node) is dict:
        literal = node.get("reference")
        if "identifier" in node and "resourceType" not in node:
            tokens(param, node["identifier"], add)
        elif "resourceType" in node and type(node.get("id")) is str:
            literal = f"{node['resourceType']}/{node['id']}"
    if type(literal) is not str:
        return
    found = target(literal)
    if found is None:
        return
    add(Link(param, found.type, index_bounds.key(found.id)))
    if node is literal and "|" in literal:
        add(Link(param, found.type, index_bounds.key(found.id.split("|", 1)[0])))


def _span_of(node: Any) -> Interval | None:
    """Give the interval of a date, an instant, a Period or a Timing."""
    if type(node) is str:
        return interval(node)
    if type(node) is not dict:
        return None
    if "event" in node or "repeat" in node:
        events = [found for text in node.get("event", ()) if text and (found := interval(text))]
        bounds = _span_of((node.get("repeat") or {}).get("boundsPeriod"))
        spans = [*events, *([bounds] if bounds else [])]
        if not spans:
            return None
        return Interval(min(span.low for span in spans), max(span.high for span in spans))
    return period(node.get("start"), node.get("end"))


def spans(param: int, node: Any, add: Add) -> None:
    """Add the interval of a date, dateTime, instant, Period or Timing; nothing for another."""
    found = _span_of(node)
    if found is not None:
        add(Span(param, found.low, found.high))


def numbers(param: int, node: Any, add: Add) -> None:
    """Add the interval of a number or a Range."""
    found = number_of(node)
    if found is not None:
        add(Number(param, *found))


def quantities(param: int, node: Any, add: Add) -> None:
    """Add the intervals of a Quantity, Money, Range or SampledData, in each of its units."""
    if type(node) is dict:
        for found in quantities_of(node):
            add(Quantity(param, *found))


def uris(param: int, node: Any, add: Add) -> None:
    """Add a uri, url, canonical or oid; a canonical with and without its version."""
    if type(node) is str:
        add(Uri(param, index_bounds.key(node)))
        if "|" in node:
            add(Uri(param, index_bounds.key(node.split("|", 1)[0])))


def positions(param: int, node: Any, add: Add) -> None:
    """Add the place of a Location.position that is on earth."""
    if type(node) is not dict:
        return
    latitude, longitude = node.get("latitude"), node.get("longitude")
    if not isinstance(latitude, int | Decimal) or not isinstance(longitude, int | Decimal):
        return
    north, east = float(latitude), float(longitude)
    if abs(north) <= _LATITUDE_MAX and abs(east) <= _LONGITUDE_MAX:
        add(Position(param, north, east))


EMITTERS: dict[str, Emit] = {
    "token": tokens,
    "string": texts,
    "reference": links,
    "date": spans,
    "number": numbers,
    "quantity": quantities,
    "uri": uris,
    "special": positions,
}
"""By kind of parameter; a composite is put together of these (``composite_rows``)."""

SPECIAL: dict[tuple[str, str], Emit] = {("Practitioner", "identifier"): national_identifiers}
"""By (type, code), where a parameter says more than its kind."""

BY_CODE: dict[str, Emit] = {"phonetic": phonetics}
"""By code, on every type."""
