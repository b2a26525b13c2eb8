"""The functions of FHIRPath over one value: conversion, text, numbers.

http://hl7.org/fhirpath/N1/#conversion , http://hl7.org/fhirpath/N1/#string-manipulation ,
http://hl7.org/fhirpath/N1/#math . Of an empty collection all are empty; of several items, an error.
"""

import math
import re
from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any

from passerelle.fhir.fhirpath.collection_functions import Function, whole
from passerelle.fhir.fhirpath.nodes import Items, value_of
from passerelle.fhir.fhirpath.operators import CannotEvaluate, said, single
from passerelle.fhir.fhirpath.quantities import CALENDAR, Quantity
from passerelle.fhir.fhirpath.temporals import Temporal, temporal

REGEX_MAX = 1000
"""How long a regular expression may be."""

_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_DECIMAL = re.compile(r"[+-]?\d+(?:\.\d+)?", re.ASCII)
_QUANTITY = re.compile(r"([+-]?\d+(?:\.\d+)?)\s*(?:'([^']+)'|([a-z]+))?", re.ASCII)
_TRUE = frozenset({"true", "t", "yes", "y", "1", "1.0"})
_FALSE = frozenset({"false", "f", "no", "n", "0", "0.0"})


def integer(value: Any) -> int | None:
    """Give a value as an integer, None when it is none."""
    if type(value) in (bool, int):
        return int(value)
    return int(value) if isinstance(value, str) and _INTEGER.fullmatch(value) else None


def decimal(value: Any) -> Decimal | None:
    """Give a value as a decimal, None when it is none."""
    if isinstance(value, bool | int | Decimal):
        return Decimal(value)
    return Decimal(value) if isinstance(value, str) and _DECIMAL.fullmatch(value) else None


def boolean(value: Any) -> bool | None:
    """Give a value as a boolean, None when it is none."""
    if type(value) is bool:
        return value
    if isinstance(value, int | Decimal):
        return bool(value) if value in (0, 1) else None
    text = value.lower() if isinstance(value, str) else ""
    return True if text in _TRUE else False if text in _FALSE else None


def text_of(value: Any) -> str | None:
    """Give a value as text, None when it has none."""
    if type(value) is bool:
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    return str(value) if isinstance(value, str | int | Temporal | Quantity) else None


def quantity(value: Any) -> Quantity | None:
    """Give a value as a quantity, None when it is none."""
    if isinstance(value, Quantity):
        return value
    if isinstance(value, int | Decimal):
        return Quantity(Decimal(value), "1")
    match = _QUANTITY.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    unit = match[2] or (CALENDAR.get(match[3]) if match[3] else "1")
    return None if unit is None else Quantity(Decimal(match[1]), unit)


def _moment(kind: str) -> Callable[[Any], Temporal | None]:
    def read(value: Any) -> Temporal | None:
        if isinstance(value, Temporal):
            if value.kind == kind:
                return value
            if "time" in (value.kind, kind):
                return None
            text = value.text[:10] if kind == "date" else value.text
            return temporal(kind, text)
        return temporal(kind, value) if isinstance(value, str) else None

    return read


CONVERSIONS: dict[str, Callable[[Any], Any]] = {
    "Integer": integer,
    "Decimal": decimal,
    "Boolean": boolean,
    "String": text_of,
    "Quantity": quantity,
    "Date": _moment("date"),
    "DateTime": _moment("dateTime"),
    "Time": _moment("time"),
}


def _to(convert: Callable[[Any], Any]) -> Function:
    def act(items: Items) -> Items:
        value = single(items)
        return [] if value is None else said(convert(value))

    return Function(act)


def _converts(convert: Callable[[Any], Any]) -> Function:
    def act(items: Items) -> Items:
        value = single(items)
        return [] if value is None else [convert(value) is not None]

    return Function(act)


def _text(items: Items) -> str | None:
    """Give the one text of a collection. Raises CannotEvaluate."""
    value = single(items)
    if isinstance(value, Temporal):
        return value.text
    if value is not None and not isinstance(value, str):
        raise CannotEvaluate("a text is wanted")
    return value


def _textual(act: Callable[..., Any], least: int = 0, most: int = 0) -> Function:
    """A function of a text and of texts; empty when one of them is."""

    def run(items: Items, *arguments: Items) -> Items:
        texts = [_text(held) for held in (items, *arguments)]
        return [] if None in texts else [act(*texts)]

    return Function(run, least, most)


def _substring(items: Items, start: Items, length: Items | None = None) -> Items:
    text = _text(items)
    if text is None or not start:
        return []
    first = whole(start)
    if not 0 <= first < len(text):
        return []
    return [text[first : first + max(0, whole(length))] if length else text[first:]]


@lru_cache(maxsize=256)
def pattern(text: str) -> re.Pattern[str]:
    """Read a regular expression. Raises CannotEvaluate when it is none."""
    if len(text) > REGEX_MAX:
        raise CannotEvaluate("a regular expression that long")
    try:
        return re.compile(text, re.DOTALL | re.ASCII)
    except (re.error, OverflowError, RecursionError):
        raise CannotEvaluate("no regular expression") from None


def _replaced(text: str, expression: str, by: str) -> str:
    if not expression:
        return text
    spelled = re.sub(r"\$(\d)", r"\\g<\1>", by.replace("\\", "\\\\"))
    try:
        return pattern(expression).sub(spelled, text)
    except (re.error, IndexError):
        raise CannotEvaluate("no such group") from None


def _split(items: Items, by: Items) -> Items:
    text, between = _text(items), _text(by)
    return [] if text is None else text.split(between) if between else list(text)


def _join(items: Items, by: Items | None = None) -> Items:
    texts = [value_of(item) for item in items]
    if not all(isinstance(text, str) for text in texts):
        raise CannotEvaluate("texts are wanted")
    return [((_text(by) if by else "") or "").join(texts)]


def _characters(items: Items) -> Items:
    return list(_text(items) or "")


def _number(items: Items) -> Any:
    value = single(items)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | Decimal)):
        raise CannotEvaluate("a number is wanted")
    return value


def _numeric(act: Callable[..., Any]) -> Function:
    """A function of one number; what has no answer is empty."""

    def run(items: Items) -> Items:
        value = _number(items)
        try:
            return [] if value is None else [act(value)]
        except (ArithmeticError, ValueError):
            return []

    return Function(run)


def _rounded(items: Items, digits: Items | None = None) -> Items:
    value = _number(items)
    places = whole(digits) if digits else 0
    if not 0 <= places <= 28:
        raise CannotEvaluate("so many digits")
    step = Decimal(1).scaleb(-places)
    return [] if value is None else [Decimal(value).quantize(step, ROUND_HALF_UP)]


def _to_whole(rounding: str) -> Function:
    return _numeric(lambda value: int(Decimal(value).to_integral_value(rounding)))


def _log(items: Items, base: Items) -> Items:
    value, root = _number(items), _number(base)
    try:
        return [] if value is None or root is None else [Decimal(str(math.log(value, root)))]
    except (ArithmeticError, ValueError):
        return []


def _size(value: Any) -> Any:
    return Quantity(abs(value.value), value.unit) if isinstance(value, Quantity) else abs(value)


def _absolute(items: Items) -> Items:
    value = single(items)
    return (
        [_size(value)] if isinstance(value, Quantity) else [_size(n) for n in said(_number(items))]
    )


VALUE_FUNCTIONS: dict[str, Function] = {
    **{f"to{name}": _to(convert) for name, convert in CONVERSIONS.items()},
    **{f"convertsTo{name}": _converts(convert) for name, convert in CONVERSIONS.items()},
    "indexOf": _textual(str.find, 1, 1),
    "substring": Function(_substring, 1, 2),
    "startsWith": _textual(str.startswith, 1, 1),
    "endsWith": _textual(str.endswith, 1, 1),
    "contains": _textual(str.__contains__, 1, 1),
    "upper": _textual(str.upper),
    "lower": _textual(str.lower),
    "trim": _textual(str.strip),
    "length": _textual(len),
    "replace": _textual(str.replace, 2, 2),
    "matches": _textual(lambda text, regex: pattern(regex).search(text) is not None, 1, 1),
    "matchesFull": _textual(lambda text, regex: pattern(regex).fullmatch(text) is not None, 1, 1),
    "replaceMatches": _textual(_replaced, 2, 2),
    "split": Function(_split, 1, 1),
    "join": Function(_join, 0, 1),
    "toChars": Function(_characters),
    "abs": Function(_absolute),
    "ceiling": _to_whole(ROUND_CEILING),
    "floor": _to_whole(ROUND_FLOOR),
    "truncate": _to_whole(ROUND_DOWN),
    "round": Function(_rounded, 0, 1),
    "sqrt": _numeric(lambda value: Decimal(value).sqrt()),
    "exp": _numeric(lambda value: Decimal(str(math.exp(value)))),
    "ln": _numeric(lambda value: Decimal(str(math.log(value)))),
    "log": Function(_log, 1, 1),
}
