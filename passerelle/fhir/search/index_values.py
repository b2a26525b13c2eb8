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
from passerelle.fhir.search.index_rows import Link, Number, Quantity, Span, Text, Token, Uri
from passerelle.fhir.search.number_interval import precision_interval
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

_SHORT = 64
"""Characters of a string whose normal form is remembered."""

Row: TypeAlias = Token | Text | Link | Span | Number | Quantity | Uri
Add: TypeAlias = Callable[[Row], None]
Emit: TypeAlias = Callable[[int, Any, Add], None]


def tokens(param: int, node: Any, add: Add) -> None:
    """Add the tokens of a code, boolean, Coding, CodeableConcept, Identifier or ContactPoint."""
    if type(node) is str:
        add(Token(param, "", index_bounds.key(node)))
    elif type(node) is bool:
        add(Token(param, "", "true" if node else "false"))
    elif type(node) is int:
        add(Token(param, "", str(node)))
    elif type(node) is dict:
        codings = node.get("coding")
        for coding in codings if type(codings) is list else (node,):
            if type(coding) is not dict:
                continue
            value = coding.get("code") or coding.get("value")
            system = coding.get("system")
            if type(value) is str:
                add(Token(param, index_bounds.key(system or ""), index_bounds.key(value)))


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


def links(param: int, node: Any, add: Add) -> None:
    """Add the links of a Reference or a canonical, the latter with and without its version."""
    literal = node.get("reference") if type(node) is dict else node
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
    """Add the interval of a number."""
    if type(node) is int or type(node) is Decimal:
        add(Number(param, *precision_interval(Decimal(node))))


def quantities(param: int, node: Any, add: Add) -> None:
    """Add the interval of a Quantity under its code and, when it differs, its unit."""
    if type(node) is not dict or type(node.get("value")) not in (int, Decimal):
        return
    low, high = precision_interval(Decimal(node["value"]))
    system = index_bounds.key(node.get("system") or "")
    code, unit = node.get("code"), node.get("unit")
    add(Quantity(param, system, index_bounds.key(code or unit or ""), low, high))
    if code and unit and code != unit:
        add(Quantity(param, "", index_bounds.key(unit), low, high))


def uris(param: int, node: Any, add: Add) -> None:
    """Add a uri, url, canonical or oid."""
    if type(node) is str:
        add(Uri(param, index_bounds.key(node)))


EMITTERS: dict[str, Emit] = {
    "token": tokens,
    "string": texts,
    "reference": links,
    "date": spans,
    "number": numbers,
    "quantity": quantities,
    "uri": uris,
}
"""By kind of parameter."""

SPECIAL: dict[tuple[str, str], Emit] = {("Practitioner", "identifier"): national_identifiers}
"""By (type, code), where a parameter says more than its kind."""
