"""Primitive values between the text of an attribute and JSON.

https://hl7.org/fhir/R4/datatypes.html#primitive . Only the types whose JSON value is no text are
here; every other value is the same text in both. A decimal keeps the way it is written.
"""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from passerelle.fhir import json_text

_BOOLEANS = {"true": True, "false": False}
_INTEGER = re.compile(r"\+?(-?(?:0|[1-9][0-9]{0,18}))")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


def _boolean(text: str) -> bool:
    """Read ``true`` or ``false``. Raises ValueError."""
    value = _BOOLEANS.get(text)
    if value is None:
        raise ValueError
    return value


def _integer(text: str) -> int:
    """Read a whole number; whether it is in the range of its type is asked elsewhere."""
    found = _INTEGER.fullmatch(text)
    if found is None:
        raise ValueError
    return int(found[1])


def _decimal(text: str) -> int | Decimal:
    """Read a decimal as JSON would. Raises ValueError, ArithmeticError out of bounds."""
    if _DECIMAL.fullmatch(text) is None:
        raise ValueError
    return json_text.decode_number(text)


def _spelled_boolean(value: object) -> str:
    if type(value) is not bool:
        raise TypeError
    return "true" if value else "false"


def _spelled_integer(value: object) -> str:
    if type(value) is bool or not isinstance(value, int | Decimal) or value != int(value):
        raise TypeError
    return str(int(value))


def _spelled_decimal(value: object) -> str:
    if type(value) is bool or not isinstance(value, int | Decimal):
        raise TypeError
    return json_text.encode(value).decode()


READERS: Mapping[str, Callable[[str], Any]] = {
    "boolean": _boolean,
    "decimal": _decimal,
    "integer": _integer,
    "positiveInt": _integer,
    "unsignedInt": _integer,
}
"""By type, what reads the text of a value; raises ValueError or ArithmeticError."""

WRITERS: Mapping[str, Callable[[Any], str]] = {
    "boolean": _spelled_boolean,
    "decimal": _spelled_decimal,
    "integer": _spelled_integer,
    "positiveInt": _spelled_integer,
    "unsignedInt": _spelled_integer,
}
"""By type, what writes a JSON value as text; raises TypeError for one of another type."""
