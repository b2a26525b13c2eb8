"""Dates, numbers and quantities in their order: a plain reading of the standard.

https://hl7.org/fhir/R4/search.html#prefix . A date without a zone is one of France; ``ap`` widens a
date by its own width and a number by a tenth; a number that is kept is as exact as it is written.
"""

import re
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

PARIS = ZoneInfo("Europe/Paris")
UCUM = "http://unitsofmeasure.org"
_PREFIXES = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")


class Between(NamedTuple):
    """An interval; None for an open end."""

    low: Any
    high: Any


def prefixed(text: str) -> tuple[str, str]:
    """Part a prefix from its value."""
    return (text[:2], text[2:]) if text[:2] in _PREFIXES else ("eq", text)


# Dates: https://hl7.org/fhir/R4/search.html#date


def _at(year: int, month: int = 1, day: int = 1) -> datetime:
    return datetime(year, month, day, tzinfo=PARIS).astimezone(timezone.utc)  # noqa: UP017


def moment(text: str) -> Between:
    """Give the interval that a date stands for, in France where it has no zone."""
    if len(text) == 4:
        return Between(_at(int(text)), _at(int(text) + 1))
    if len(text) == 7:
        year, month = map(int, text.split("-"))
        return Between(_at(year, month), _at(year + month // 12, month % 12 + 1))
    if len(text) == 10:
        day = datetime.strptime(text, "%Y-%m-%d")  # noqa: DTZ007
        after = day + timedelta(days=1)
        return Between(_at(day.year, day.month, day.day), _at(after.year, after.month, after.day))
    fraction = re.search(r"\.(\d+)", text)
    width = timedelta(seconds=1)
    if fraction:
        width = timedelta(microseconds=10 ** (6 - len(fraction[1])))
    elif text.count(":") - ("+" in text or text[11:].count("-")) == 1:
        width = timedelta(minutes=1)
    start = datetime.fromisoformat(text).astimezone(timezone.utc)  # noqa: UP017
    return Between(start, start + width)


def span(node: Any) -> Between | None:
    """Give the interval of a date, a Period or a Timing."""
    if isinstance(node, str):
        # Procedure.performed may be a text, which is no date.
        return moment(node) if re.match(r"\d{4}(-\d\d|$)", node) else None
    if not isinstance(node, dict):
        return None
    if "event" in node or "repeat" in node:
        found = [moment(each) for each in node.get("event", ())]
        bounds = span(node.get("repeat", {}).get("boundsPeriod", {}))
        found += [bounds] if bounds else []
        if not found:
            return None
        ends = [each.high for each in found]
        starts = [each.low for each in found]
        return Between(None if None in starts else min(starts), None if None in ends else max(ends))
    start, end = node.get("start"), node.get("end")
    if not start and not end:
        return None
    first = moment(start) if start else Between(None, None)
    last = moment(end) if end else Between(None, None)
    if start and end:
        return Between(min(first.low, last.low), max(first.high, last.high))
    return Between(first.low, last.high)


def _key(end: Any, least: bool) -> tuple[int, Any]:
    """Give what orders ends, open ones outside of all others."""
    return (0, end) if end is not None else (-1 if least else 1, 0)


def compares(prefix: str, own: Between, asked: Between) -> bool:
    """Tell how half-open intervals stand to each other: the table of #prefix, line by line."""
    low, high = _key(own.low, True), _key(own.high, False)
    first, last = (0, asked.low), (0, asked.high)
    contained = low >= first and high <= last
    overlaps = low < last and high > first
    wide = asked.high - asked.low
    return {
        "eq": contained,
        "ne": not contained,
        "gt": high > last,
        "lt": low < first,
        "ge": high > last or contained,
        "le": low < first or contained,
        "sa": low >= last and not overlaps,
        "eb": high <= first and not overlaps,
        "ap": low < (0, asked.high + wide) and high > (0, asked.low - wide),
        "co": low <= first and high >= last,
        "po": overlaps,
    }[prefix]


# Numbers and quantities: https://hl7.org/fhir/R4/search.html#number


def amount(node: Any) -> Between | None:
    """Give a number as it is, or the ends of a Range."""
    if isinstance(node, dict) and "origin" in node:
        samples = [Decimal(each) for each in node["data"].split() if each not in ("E", "L", "U")]
        origin, factor = Decimal(str(node["origin"]["value"])), Decimal(node.get("factor", 1))
        return Between(origin + factor * min(samples), origin + factor * max(samples))
    if isinstance(node, dict):
        ends = [node.get(name, {}).get("value") for name in ("low", "high")]
        if ends == [None, None]:
            return None
        return Between(*(None if end is None else Decimal(str(end)) for end in ends))
    value = Decimal(str(node))
    return Between(value, value)


def number_compares(prefix: str, own: Between, text: str) -> bool:
    """Tell how a number or a closed range stands to a number that is asked for.

    Only ``eq`` and ``ne`` look at the precision of what is asked; a number that is kept is as exact
    as it is written.
    """
    asked = Decimal(text)
    half = Decimal(1).scaleb(int(asked.as_tuple().exponent)) / 2
    low, high = _key(own.low, True), _key(own.high, False)
    point = (0, asked)
    equal = low >= (0, asked - half) and high < (0, asked + half)
    tenth = max(abs(asked) / 10, half)
    return {
        "eq": equal,
        "ne": not equal,
        "gt": high > point,
        "lt": low < point,
        "ge": high >= point,
        "le": low <= point,
        "sa": low > point,
        "eb": high < point,
        "ap": low <= (0, asked + tenth) and high >= (0, asked - tenth),
    }[prefix]


_WORTH = {
    **{"mg": ("g", Decimal("0.001")), "g": ("g", Decimal(1)), "kg": ("g", Decimal(1000))},
    **{"cm": ("m", Decimal("0.01")), "m": ("m", Decimal(1))},
}


def _unit(node: Any) -> Any:
    if "origin" in node:
        return node["origin"]
    return (node.get("low") or node.get("high")) if "low" in node or "high" in node else node


def quantity_compares(text: str, node: Any) -> bool:
    """Tell whether a Quantity, Money or Range is ``number`` or ``number|system|code``."""
    parts = text.split("|")
    prefix, number = prefixed(parts[0])
    system, code = parts[1:] if len(parts) == 3 else ("", "")
    unit = _unit(node)
    if "low" in node or "high" in node or "origin" in node:
        own = amount(node)
    else:
        own = amount(node["value"]) if "value" in node else None
    if own is None:
        return False
    if "currency" in unit:
        unit = {"system": "urn:iso:std:iso:4217", "code": unit["currency"]}
    if not code:
        return number_compares(prefix, own, number)
    if system == UCUM and unit.get("system") == UCUM:
        asked_base, factor = _WORTH.get(code, (code, Decimal(1)))
        own_base, own_factor = _WORTH.get(unit.get("code", ""), (unit.get("code"), Decimal(1)))
        if asked_base != own_base:
            return False
        ratio = own_factor / factor
        brought = Between(*(end if end is None else end * ratio for end in own))
        return number_compares(prefix, brought, number)
    if system:
        held = unit.get("system") == system and code == (unit.get("code") or unit.get("unit"))
    else:
        held = code in (unit.get("code"), unit.get("unit"))
    return held and number_compares(prefix, own, number)
