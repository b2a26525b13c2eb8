"""Numbers as the interval that their precision stands for.

https://hl7.org/fhir/R4/search.html#number : ``100`` is from 99.5 to 100.5 and
``100.00`` from 99.995 to 100.005.
"""

from decimal import Decimal
from typing import NamedTuple

BELOW_ALL = Decimal("-1e300")
"""The low end of what has no least value."""

ABOVE_ALL = Decimal("1e300")
"""The high end of what has no greatest value."""


class NumberInterval(NamedTuple):
    """From ``low`` (in it) to ``high`` (no longer in it)."""

    low: Decimal
    high: Decimal


def precision_interval(value: Decimal) -> NumberInterval:
    """Give the interval that a finite number stands for; ``1e2`` has the precision of hundreds."""
    exponent = value.as_tuple().exponent
    half = Decimal((0, (5,), exponent - 1)) if isinstance(exponent, int) else Decimal(0)
    return NumberInterval(value - half, value + half)
