"""How a half-open interval that is kept stands to one that is asked for.

https://hl7.org/fhir/R4/search.html#prefix : ``eq`` contains the kept one, ``gt`` meets what is
above, ``sa`` ends before it begins … A condition that follows from the others is written besides
where it lets the index, which begins with ``low``, be used.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import ColumnElement, and_, or_

Column: TypeAlias = ColumnElement[Any]
Next: TypeAlias = Callable[[], Column]
"""Gives the place of the next argument."""


class Comparison(NamedTuple):
    """Which ends of what is asked for it takes, in their order, and what it writes with them.

    ``surely``, of one that no index serves: what implies it and an index does serve.
    """

    ends: tuple[str, ...]
    write: Callable[[Column, Column, Next], ColumnElement[bool]]
    surely: Callable[[Column, Column, Next], ColumnElement[bool]] | None = None


def _second(first: Column, second: Column) -> Column:
    """Pass an end over."""
    return second


COMPARISONS: dict[str, Comparison] = {
    "eq": Comparison(
        ("low", "high", "high"),
        lambda low, high, end: and_(low >= end(), high <= end(), low < end()),
    ),
    "ne": Comparison(
        ("low", "high"),
        lambda low, high, end: or_(low < end(), high > end()),
        lambda low, high, end: low < end(),
    ),
    "gt": Comparison(
        ("high",),
        lambda low, high, end: high > end(),
        lambda low, high, end: low >= end(),
    ),
    "lt": Comparison(("low",), lambda low, high, end: low < end()),
    "ge": Comparison(
        ("high", "low"),
        lambda low, high, end: or_(high > end(), low >= end()),
        lambda low, high, end: low >= _second(end(), end()),
    ),
    "le": Comparison(
        ("low", "high", "high"),
        lambda low, high, end: and_(or_(low < end(), high <= end()), low <= end()),
    ),
    "sa": Comparison(("high",), lambda low, high, end: low >= end()),
    "eb": Comparison(("low", "low"), lambda low, high, end: and_(high <= end(), low < end())),
    "ap": Comparison(
        ("wide_high", "wide_low"),
        lambda low, high, end: and_(low < end(), high > end()),
        lambda low, high, end: and_(low < end(), low >= end()),
    ),
    "co": Comparison(("low", "high"), lambda low, high, end: and_(low <= end(), high >= end())),
    "po": Comparison(("high", "low"), lambda low, high, end: and_(low < end(), high > end())),
}
"""By prefix. ``ap`` meets what is asked for, widened by its own width on each side; ``co``
and ``po`` are operators of `_filter`: it holds all of what is asked for, the two overlap."""

NUMBERS: dict[str, Comparison] = {
    "eq": Comparison(
        ("low", "high", "high"),
        lambda low, high, end: and_(low >= end(), high < end(), low < end()),
    ),
    "ne": Comparison(("low", "high"), lambda low, high, end: or_(low < end(), high >= end())),
    "gt": Comparison(
        ("high",), lambda low, high, end: high > end(), lambda low, high, end: low > end()
    ),
    "lt": Comparison(("low",), lambda low, high, end: low < end()),
    "ge": Comparison(
        ("high",), lambda low, high, end: high >= end(), lambda low, high, end: low >= end()
    ),
    "le": Comparison(("low",), lambda low, high, end: low <= end()),
    "sa": Comparison(("high",), lambda low, high, end: low > end()),
    "eb": Comparison(("low",), lambda low, high, end: high < end()),
    "ap": Comparison(("high", "low"), lambda low, high, end: and_(low <= end(), high >= end())),
}
"""The same where what is kept is a number, whose ends are one, or a range with both its ends.

``eq`` and ``ne`` look at the precision of what is asked, ``ap`` at what is about it, the others at
the very number."""

POINTS: dict[str, Comparison] = {
    "eq": Comparison(("low", "high"), lambda at, _, end: and_(at >= end(), at < end())),
    "ne": Comparison(("low", "high"), lambda at, _, end: or_(at < end(), at >= end())),
    "gt": Comparison(("high",), lambda at, _, end: at >= end()),
    "lt": Comparison(("low",), lambda at, _, end: at < end()),
    "ge": Comparison(("low",), lambda at, _, end: at >= end()),
    "le": Comparison(("high",), lambda at, _, end: at < end()),
    "sa": Comparison(("high",), lambda at, _, end: at >= end()),
    "eb": Comparison(("low",), lambda at, _, end: at < end()),
    "ap": Comparison(("wide_low", "wide_high"), lambda at, _, end: and_(at >= end(), at < end())),
}
"""The same where what is kept is one instant (`_lastUpdated`)."""


def ends_of(comparison: Comparison, low: Any, high: Any) -> tuple[Any, ...]:
    """Give the arguments of a comparison with the interval from ``low`` to ``high``."""
    ends = {
        "low": low,
        "high": high,
        "wide_low": low - (high - low),
        "wide_high": high + (high - low),
    }
    return tuple(ends[name] for name in comparison.ends)
