"""Quantities as FHIRPath compares them: a number and a unit.

http://hl7.org/fhirpath/N1/#quantity . Units of time have a UCUM and a calendar name; weeks, days
and below are the same thing, months and years are not. Other units compare with themselves, and
those of mass and length with their like.
"""

from decimal import Decimal
from typing import NamedTuple

_SPOKEN = {
    "year": "year",
    "month": "month",
    "week": "wk",
    "day": "d",
    "hour": "h",
    "minute": "min",
    "second": "s",
    "millisecond": "ms",
}
CALENDAR = {**_SPOKEN, **{word + "s": code for word, code in _SPOKEN.items()}}
"""The units that may be written without quotes."""

_SCALES: dict[str, tuple[str, Decimal]] = {
    "wk": ("s", Decimal(604_800)),
    "d": ("s", Decimal(86_400)),
    "h": ("s", Decimal(3600)),
    "min": ("s", Decimal(60)),
    "s": ("s", Decimal(1)),
    "ms": ("s", Decimal("0.001")),
    "year": ("month", Decimal(12)),
    "month": ("month", Decimal(1)),
    "a": ("mo", Decimal(12)),
    "mo": ("mo", Decimal(1)),
    "kg": ("g", Decimal(1000)),
    "g": ("g", Decimal(1)),
    "mg": ("g", Decimal("0.001")),
    "m": ("m", Decimal(1)),
    "cm": ("m", Decimal("0.01")),
    "mm": ("m", Decimal("0.001")),
}


class Quantity(NamedTuple):
    """A number with a unit; ``1`` is the unit of what has none."""

    value: Decimal
    unit: str

    def __str__(self) -> str:
        """Write it as FHIRPath does."""
        return f"{self.value} '{self.unit}'"


def scaled(quantity: Quantity) -> Quantity:
    """Give a quantity in the one unit of its kind."""
    unit, factor = _SCALES.get(quantity.unit, (quantity.unit, Decimal(1)))
    return Quantity(quantity.value * factor, unit)


def order(left: Quantity, right: Quantity) -> int | None:
    """Tell -1, 0 or 1; None when the units are not of one kind."""
    one, other = scaled(left), scaled(right)
    if one.unit != other.unit:
        return None
    return (one.value > other.value) - (one.value < other.value)
