"""The intervals and units that numbers and quantities stand for.

https://hl7.org/fhir/R4/search.html#quantity : Quantity and what is one (Age, Count, Duration …),
Money, Range, SampledData. Each in the unit as written, by its code and by its word, and where UCUM
is known in the canonical unit.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from passerelle.fhir.search import index_bounds, ucum
from passerelle.fhir.search.number_interval import (
    ABOVE_ALL,
    BELOW_ALL,
    NumberInterval,
    exactly,
)

CURRENCIES = "urn:iso:std:iso:4217"
"""The system of the codes of Money (https://hl7.org/fhir/R4/datatypes.html#Money)."""

_NUMBERS = (int, Decimal)

Unit = tuple[str, str, Decimal, Decimal]
"""System, code, and the interval from low to high."""


def number_of(node: Any) -> NumberInterval | None:
    """Give the interval of a number or a Range; None for anything else."""
    if type(node) in _NUMBERS:
        return exactly(Decimal(node))
    return _range_of(node) if type(node) is dict else None


def quantities_of(node: Mapping[str, Any]) -> Iterator[Unit]:
    """Give the intervals of a Quantity, Money, Range or SampledData, in each of its units."""
    if "low" in node or "high" in node:
        found, unit = _range_of(node), node.get("low") or node.get("high")
    elif "origin" in node:
        found, unit = _samples_of(node), node["origin"]
    else:
        found, unit = _value_of(node), node
    if found is None or type(unit) is not dict:
        return
    low, high = found
    if "currency" in unit:
        yield CURRENCIES, index_bounds.key(unit["currency"] or ""), low, high
        return
    system = unit.get("system") or ""
    code, word = unit.get("code"), unit.get("unit")
    yield index_bounds.key(system), index_bounds.key(code or word or ""), low, high
    if code and word and code != word:
        yield "", index_bounds.key(word), low, high
    if code and system == ucum.SYSTEM:
        # An open end is open in any unit.
        known = [end for end in found if end not in (BELOW_ALL, ABOVE_ALL)] or [Decimal(0)]
        same = ucum.canonical(code, known[0], known[-1])
        if same is not None:
            low = low if low == BELOW_ALL else Decimal(same.low)
            yield ucum.CANONICAL, same.code, low, high if high == ABOVE_ALL else Decimal(same.high)


def _value_of(quantity: Any) -> NumberInterval | None:
    """Give the interval of the value of a Quantity."""
    value = quantity.get("value") if type(quantity) is dict else None
    if not isinstance(value, _NUMBERS):
        return None
    return exactly(Decimal(value))


def _range_of(node: Mapping[str, Any]) -> NumberInterval | None:
    """Give the interval of a Range; an absent end is open. None when it has neither."""
    low, high = _value_of(node.get("low")), _value_of(node.get("high"))
    if low is None and high is None:
        return None
    return NumberInterval(low.low if low else BELOW_ALL, high.high if high else ABOVE_ALL)


def _samples_of(node: Mapping[str, Any]) -> NumberInterval | None:
    """Give the interval that holds all samples of a SampledData; its origin when it has none.

    https://hl7.org/fhir/R4/datatypes.html#SampledData : ``E``, ``L`` and ``U`` are no samples.
    """
    origin = _value_of(node["origin"])
    factor, data = node.get("factor", 1), node.get("data")
    if origin is None or type(data) is not str or type(factor) not in _NUMBERS:
        return origin
    try:
        samples = [float(word) for word in data.split() if word not in ("E", "L", "U")]
        ends = [Decimal(str(end)) * factor for end in (min(samples), max(samples))]
    except (ValueError, InvalidOperation):  # no samples, or what is no number
        return origin
    return NumberInterval(min(ends) + origin.low, max(ends) + origin.low)
