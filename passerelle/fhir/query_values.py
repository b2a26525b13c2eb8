"""The values of search parameters as asked for.

https://hl7.org/fhir/R4/search.html#ptypes
"""

from decimal import Decimal
from typing import Literal, NamedTuple, TypeAlias

Prefix: TypeAlias = Literal["eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"]
"""https://hl7.org/fhir/R4/search.html#prefix"""


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
    """A prefix, a number and the interval that its precision stands for."""

    prefix: Prefix
    value: Decimal
    low: Decimal
    high: Decimal


class QuantityValue(NamedTuple):
    """A number with its unit: system None says any system, code None any unit."""

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


Value: TypeAlias = (
    TokenValue
    | StringValue
    | ReferenceValue
    | DateValue
    | NumberValue
    | QuantityValue
    | UriValue
    | MissingValue
)
