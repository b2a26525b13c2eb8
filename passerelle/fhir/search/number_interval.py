"""Numbers as the interval that their precision stands for.

https://hl7.org/fhir/R4/search.html#number : ``100`` is from 99.5 to 100.5 and
``100.00`` from 99.995 to 100.005. That is so of what is asked for with ``eq`` and ``ne``; a number
that is kept is the number that is written, so that ``lt100`` never finds 100.
"""

from decimal import Decimal
from typing import NamedTuple

BELOW_ALL = Decimal("-1e300")
"""The low end of what has no least value."""

ABOVE_ALL = Decimal("1e300")
"""The high end of what has no greatest value."""


class NumberInterval(NamedTuple):
    """From ``low`` (in it) to ``high`` (in it where it is kept, no longer where it is asked)."""

    low: Decimal
    high: Decimal


def precision_interval(value: Decimal) -> NumberInterval:
    """Give the interval that a finite number stands for; ``1e2`` has the precision of hundreds."""
    exponent = value.as_tuple().exponent
    half = Decimal((0, (5,), exponent - 1)) if isinstance(exponent, int) else Decimal(0)
    return NumberInterval(value - half, value + half)


def exactly(value: Decimal) -> NumberInterval:
    """Give a number that is kept, as exact as it is written."""
    return NumberInterval(value, value)


def about(value: Decimal) -> NumberInterval:
    """Give what is near a number: a tenth of it, and no less than its precision.

    https://hl7.org/fhir/R4/search.html#prefix : 10 % is what the standard recommends for ``ap``.
    """
    low, high = precision_interval(value)
    wide = max(abs(value) / 10, (high - low) / 2)
    return NumberInterval(value - wide, value + wide)
