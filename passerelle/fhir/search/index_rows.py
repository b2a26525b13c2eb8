"""The rows that make a resource findable: one kind per search parameter type.

https://hl7.org/fhir/R4/search.html#ptypes . ``param`` is the integer id of a
:class:`search_parameters.Parameter`, which is unique per (resource type, code).
"""

from decimal import Decimal
from typing import NamedTuple


class Token(NamedTuple):
    """system|code; an absent system is the empty string."""

    param: int
    system: str
    value: str


class Text(NamedTuple):
    """A string: its normal form (case and accents folded) and the exact one."""

    param: int
    norm: str
    exact: str


class Link(NamedTuple):
    """A reference: ``("Patient", "1")`` when local, ``("", "https://…")`` when not."""

    param: int
    type: str
    id: str


class Span(NamedTuple):
    """A date as a half-open interval of microseconds since 1970 UTC."""

    param: int
    low: int
    high: int


class Number(NamedTuple):
    """A number as the interval that its precision stands for."""

    param: int
    low: Decimal
    high: Decimal


class Quantity(NamedTuple):
    """A quantity as given: unit system and code, and the interval of its value."""

    param: int
    system: str
    code: str
    low: Decimal
    high: Decimal


class Uri(NamedTuple):
    """A uri, url, canonical or oid, exact."""

    param: int
    value: str


class Composite(NamedTuple):
    """One combination of what the components of a composite parameter say within one element.

    ``head`` is the first component (a code, ``Type/id`` or the normal form of a string), ``tail``
    and the intervals the others; what is not used is empty or zero.
    """

    param: int
    head: str
    head_system: str
    tail: str = ""
    tail_system: str = ""
    low: float = 0.0
    high: float = 0.0
    low2: float = 0.0
    high2: float = 0.0


class Position(NamedTuple):
    """A place on earth in degrees (WGS84)."""

    param: int
    latitude: float
    longitude: float


class IndexRows(NamedTuple):
    """All rows of one resource version, without repeats."""

    tokens: tuple[Token, ...] = ()
    texts: tuple[Text, ...] = ()
    links: tuple[Link, ...] = ()
    spans: tuple[Span, ...] = ()
    numbers: tuple[Number, ...] = ()
    quantities: tuple[Quantity, ...] = ()
    uris: tuple[Uri, ...] = ()
    composites: tuple[Composite, ...] = ()
    positions: tuple[Position, ...] = ()
