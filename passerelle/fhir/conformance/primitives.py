"""The primitive types: what a value of each may be.

https://hl7.org/fhir/R4/datatypes.html#primitive . The regular expressions are R4's own, from the
table; what they cannot say is said here: real calendar dates, 32-bit integers, whole base64.
"""

import binascii
import re
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from passerelle.fhir.conformance import structure_table

STRING_MAX = 1_048_576
"""A string may not be longer than that (https://hl7.org/fhir/R4/datatypes.html#string)."""

INTEGERS = {
    "integer": (-(2**31), 2**31 - 1),
    "unsignedInt": (0, 2**31 - 1),
    "positiveInt": (1, 2**31 - 1),
}
_TEXTS = frozenset({"string", "markdown", "xhtml"})
_DATED = frozenset({"date", "dateTime", "instant"})
_SPACES = re.compile(r"[ \t\r\n\f\v]+")
_BASE64 = "(?:[0-9a-zA-Z+/]{4})*(?:[0-9a-zA-Z+/]{2}==|[0-9a-zA-Z+/]{3}=)?"

_ALLOWED = "^[^\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f]+$"
_FORBIDDEN = re.compile("[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\ud800-\udfff]")
_YEAR = "(?:[1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])"
# Every day that exists whatever the year: the 29th of February is left to `fault`.
_DAY = (
    "(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])"
    "|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
)
_TIME = "(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\\.[0-9]+)?"
_ZONE = "(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))"
_QUICK = {
    "base64Binary": _BASE64,
    "code": "[^\\t-\\r ]+(?:[\\t-\\r ][^\\t-\\r ]+)*",
    "date": f"{_YEAR}(?:-(?:0[1-9]|1[0-2])|-{_DAY})?",
    "dateTime": f"{_YEAR}(?:-(?:0[1-9]|1[0-2])|-{_DAY}(?:T{_TIME}{_ZONE})?)?",
    "instant": f"{_YEAR}-{_DAY}T{_TIME}{_ZONE}",
    "time": _TIME,
    "id": "[A-Za-z0-9\\-.]+",
    "oid": "urn:oid:[0-2](?:\\.(?:0|[1-9][0-9]*))+",
    "uuid": "urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    "uri": "[^\\t-\\r ]+",
    "url": "[^\\t-\\r ]+",
    "canonical": "[^\\t-\\r ]+",
}


def quick_schema(kind: str) -> dict[str, Any]:
    """Give a JSON Schema (draft 4) that accepts only right values of a type, though not all."""
    if kind == "boolean":
        return {"type": "boolean"}
    if kind == "decimal":
        return {"type": "number"}
    if kind in INTEGERS:
        least, most = INTEGERS[kind]
        return {"type": "integer", "minimum": least, "maximum": most}
    schema: dict[str, Any] = {"type": "string", "minLength": 1}
    if kind == "xhtml":
        return {**schema, "maxLength": STRING_MAX, "format": "xhtml"}
    if kind in _TEXTS:
        return {**schema, "maxLength": STRING_MAX, "pattern": _ALLOWED}
    if kind == "id":
        schema["maxLength"] = 64
    return {**schema, "pattern": f"^(?:{_QUICK[kind]})$"}


def fault(kind: str, value: object) -> str | None:
    """Give the rule that a value of a primitive type breaks, or None. Value sets are not asked."""
    if kind in INTEGERS and type(value) is Decimal and value.as_tuple().exponent == 0:
        value = int(value)  # it is written without a fraction
    expected = _json_type(kind)
    if type(value) is bool or not isinstance(value, expected):
        return None if type(value) is bool and kind == "boolean" else "structure.wrong-type"
    if kind in INTEGERS:
        assert isinstance(value, int)
        least, most = INTEGERS[kind]
        return None if least <= value <= most else "structure.out-of-range"
    if not isinstance(value, str):
        return None
    if value == "":
        return "structure.empty"
    if kind in _TEXTS:
        return "structure.too-long" if len(value) > STRING_MAX else _control(value)
    if kind == "base64Binary":
        return _base64(value)
    if not _pattern(kind).fullmatch(value):
        return "structure.bad-format"
    return _calendar(value) if kind in _DATED else None


def _json_type(kind: str) -> type | tuple[type, ...]:
    """Give the Python type that a primitive is decoded as."""
    if kind == "boolean":
        return bool
    if kind in INTEGERS:
        return int
    return (int, Decimal) if kind == "decimal" else str


@cache
def _pattern(kind: str) -> re.Pattern[str]:
    """Compile R4's expression; white space is that of ASCII, so that French spaces are text."""
    return re.compile(structure_table.patterns()[kind], re.ASCII)


def _base64(value: str) -> str | None:
    """Refuse what is not whole base64; white space may stand in it."""
    try:
        binascii.a2b_base64(_SPACES.sub("", value), strict_mode=True)
    except ValueError:
        return "structure.bad-base64"
    return None


def _control(value: str) -> str | None:
    """Refuse the characters below 32 but tab, line feed and carriage return, and half ones."""
    return "structure.bad-format" if _FORBIDDEN.search(value) else None


def _calendar(value: str) -> str | None:
    """Refuse a day that its month does not have."""
    if len(value) < 10:
        return None
    try:
        date.fromisoformat(value[:10])
    except ValueError:
        return "structure.no-such-day"
    return None


def in_order(first: object, last: object) -> bool:
    """Tell whether a date, dateTime or instant is not surely after another.

    Two full instants are compared as such; what is less precise is compared as far as both go.
    """
    if not isinstance(first, str) or not isinstance(last, str):
        return True
    if "T" in first and "T" in last:
        try:
            return datetime.fromisoformat(first) <= datetime.fromisoformat(last)
        except (ValueError, TypeError, OverflowError):
            return True
    shorter = min(len(first), len(last), 10)
    return first[:shorter] <= last[:shorter]
