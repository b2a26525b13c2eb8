"""The values of search parameters as asked for.

https://hl7.org/fhir/R4/search.html#ptypes
"""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Literal, NamedTuple, TypeAlias, cast, get_args

from passerelle.fhir.references import is_id, target
from passerelle.fhir.search import index_bounds, ucum
from passerelle.fhir.search.date_interval import interval
from passerelle.fhir.search.full_text_query import FullTextValue
from passerelle.fhir.search.number_interval import about, precision_interval
from passerelle.fhir.search.text_norm import normal

Prefix: TypeAlias = Literal["eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"]
"""https://hl7.org/fhir/R4/search.html#prefix"""

PREFIXES: frozenset[str] = frozenset(get_args(Prefix))

_ESCAPE = re.compile(r"\\([,|$\\])")
_SEPARATOR = re.compile(r"[,|$\\]")
_BAD_ESCAPE = re.compile(r"\\")
_NUMBER = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?([eE][+-]?[0-9]{1,2})?")


class TokenValue(NamedTuple):
    """``system|code``: None says any; the empty system says that there is none."""

    system: str | None
    code: str | None


class StringValue(NamedTuple):
    """A string to find: its normal form and as it was given."""

    norm: str
    exact: str


class ReferenceValue(NamedTuple):
    """``Patient/1``; ``("", url)`` for an absolute address; type None when only the id is known."""

    type: str | None
    id: str


class DateValue(NamedTuple):
    """A prefix and the half-open interval (microseconds since 1970 UTC) that a date stands for."""

    prefix: Prefix
    low: int
    high: int


class NumberValue(NamedTuple):
    """A prefix, a number and the interval that its precision, or ``ap``, stands for."""

    prefix: Prefix
    value: Decimal
    low: Decimal
    high: Decimal


class QuantityValue(NamedTuple):
    """A number with its unit: system None says any system, code None any unit.

    What is asked in a unit of UCUM is brought to its canonical unit, under ``ucum.CANONICAL``.
    """

    prefix: Prefix
    value: Decimal
    low: Decimal
    high: Decimal
    system: str | None
    code: str | None


class UriValue(NamedTuple):
    """An exact uri."""

    value: str


class MissingValue(NamedTuple):
    """What ``:missing`` asks: whether there is no value."""

    missing: bool


class CodesValue(NamedTuple):
    """Any of these codes, (system, code) as index rows have them: a value set, a hierarchy."""

    codes: tuple[tuple[str, str], ...]


class NearValue(NamedTuple):
    """A place in degrees, and how far from it in metres."""

    latitude: float
    longitude: float
    metres: float


class CompositeValue(NamedTuple):
    """The parts of a composite, each with the kind that it was read by."""

    parts: tuple[tuple[str, "Value"], ...]


Value: TypeAlias = (
    TokenValue
    | StringValue
    | ReferenceValue
    | DateValue
    | NumberValue
    | QuantityValue
    | UriValue
    | MissingValue
    | CodesValue
    | NearValue
    | CompositeValue
    | FullTextValue
)


class BadValue(ValueError):
    """A text that is no value of its kind; carries nothing of the text."""


def split(text: str, separator: str, limit: int = -1) -> list[str]:
    r"""Split at the separators that no backslash stands before; escapes are kept.

    https://hl7.org/fhir/R4/search.html#escaping
    """
    if "\\" not in text:
        return text.split(separator, limit)
    parts: list[str] = []
    start = place = 0
    while place < len(text) and len(parts) != limit:
        if text[place] == "\\":
            place += 1
        elif text[place] == separator:
            parts.append(text[start:place])
            start = place + 1
        place += 1
    return [*parts, text[start:]]


def unescape(text: str) -> str:
    r"""Read ``\,`` ``\|`` ``\$`` and ``\\`` as the character itself; raises BadValue for others."""
    if "\\" not in text:
        return text
    if _BAD_ESCAPE.search(_ESCAPE.sub("", text)):
        raise BadValue
    return _ESCAPE.sub(r"\1", text)


def escape(text: str) -> str:
    """Spell a value so that none of its characters separates; for criteria built by ourselves."""
    return _SEPARATOR.sub(r"\\\g<0>", text)


SAID_FOR: dict[str, str] = {
    f"urn:oid:1.2.250.1.213.1.1.{oid}": (
        "https://mos.esante.gouv.fr/NOS/TRE_R234-TypeNote/FHIR/TRE-R234-TypeNote"
    )
    for oid in ("5.98", "4.334")
}
"""What a guide's request names a code system by, to the address that codes are written with: CdL
3.0.0 (recherche_note) asks for types of notes under the OID of the value set JDV_J23."""


def token_value(text: str) -> TokenValue:
    """Read ``code``, ``system|code``, ``|code`` or ``system|``; raises BadValue."""
    parts = split(text, "|", 1)
    if len(parts) == 1:
        return TokenValue(None, index_bounds.key(unescape(text)))
    system, code = unescape(parts[0]), unescape(parts[1])
    if not system and not code:
        raise BadValue
    system = SAID_FOR.get(system, system)
    return TokenValue(index_bounds.key(system), index_bounds.key(code) if code else None)


def plain_token_value(text: str, system: str) -> TokenValue:
    """Read a token whose values carry no system, ``system`` being implied; raises BadValue."""
    value = token_value(text)
    return value._replace(system="") if value.system in (None, system) else value


def string_value(text: str) -> StringValue:
    """Read a string; raises BadValue when nothing is left of it once punctuation is dropped."""
    exact = unescape(text)
    norm = index_bounds.text(normal(exact))
    if not norm:
        raise BadValue
    return StringValue(norm, index_bounds.key(exact))


def reference_value(text: str, base_url: str = "") -> ReferenceValue:
    """Read ``Type/id``, ``id`` or an absolute address; raises BadValue.

    An address under ``base_url`` is the local resource.
    """
    literal = unescape(text)
    if base_url and literal.startswith(base_url + "/"):
        literal = literal[len(base_url) + 1 :]
    found = target(literal)
    if found is not None:
        return ReferenceValue(found.type, index_bounds.key(found.id))
    if is_id(literal):
        return ReferenceValue(None, literal)
    raise BadValue


def _prefixed(text: str) -> tuple[Prefix, str]:
    """Take the prefix off; without one it is ``eq``."""
    if text[:2] in PREFIXES:
        return cast(Prefix, text[:2]), text[2:]
    return "eq", text


def date_value(text: str) -> DateValue:
    """Read a date with its prefix; raises BadValue."""
    prefix, literal = _prefixed(text)
    # In a URL that was not encoded, the plus of a zone arrives as a blank.
    found = interval(literal.replace(" ", "+"))
    if found is None:
        raise BadValue
    return DateValue(prefix, found.low, found.high)


def _number(literal: str) -> Decimal:
    """Read a number; raises BadValue."""
    if not _NUMBER.fullmatch(literal):
        raise BadValue
    return Decimal(literal)


def number_value(text: str) -> NumberValue:
    """Read a number with its prefix; raises BadValue."""
    prefix, literal = _prefixed(text)
    number = _number(literal)
    width = about if prefix == "ap" else precision_interval
    return NumberValue(prefix, number, *width(number))


def quantity_value(text: str) -> QuantityValue:
    """Read ``[prefix]number``, or ``[prefix]number|system|code``; raises BadValue.

    A unit of UCUM is brought to its canonical unit, where there is one.
    """
    parts = split(text, "|")
    if len(parts) not in (1, 3):
        raise BadValue
    number = number_value(parts[0])
    system, code = (unescape(part) for part in parts[1:]) if len(parts) == 3 else ("", "")
    if system == ucum.SYSTEM and code:
        ends = ucum.canonical(code, number.low, number.high)
        point = ucum.canonical(code, number.value, number.value)
        if ends is not None and point is not None:
            value, low, high = Decimal(point.low), Decimal(ends.low), Decimal(ends.high)
            return QuantityValue(number.prefix, value, low, high, ucum.CANONICAL, ends.code)
    return QuantityValue(
        *number,
        system=index_bounds.key(system) if system else None,
        code=index_bounds.key(code) if code else None,
    )


def uri_value(text: str) -> UriValue:
    """Read a uri; raises BadValue."""
    return UriValue(index_bounds.key(unescape(text)))


def missing_value(text: str) -> MissingValue:
    """Read ``true`` or ``false``; raises BadValue."""
    if text not in ("true", "false"):
        raise BadValue
    return MissingValue(text == "true")


READERS: dict[str, Callable[[str], Value]] = {
    "token": token_value,
    "string": string_value,
    "date": date_value,
    "number": number_value,
    "quantity": quantity_value,
    "uri": uri_value,
}
"""By kind of parameter; a reference is read by :func:`reference_value`, which knows the base."""
