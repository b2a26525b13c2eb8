"""Dates of the native form: partial dates and instants, exactly as R4 can write them.

https://hl7.org/fhir/R4/datatypes.html#dateTime . They are kept as text: the offset and the
precision of the source come back as they were written.
"""

import re
from collections.abc import Callable
from datetime import date, datetime

_DAY = re.compile(r"[1-9][0-9]{3}(-[0-9]{2}(-[0-9]{2})?)?")
_INSTANT = re.compile(
    r"[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?"
    r"(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)"
)


def is_day(text: str) -> bool:
    """Tell whether it is a year, a month or a day of the calendar."""
    return _DAY.fullmatch(text) is not None and _reads(date.fromisoformat, _first_day(text))


def is_instant(text: str) -> bool:
    """Tell whether it is a moment with its offset; a leap second is not one."""
    return _INSTANT.fullmatch(text) is not None and _reads(datetime.fromisoformat, text)


def ends_before(start: str, end: str) -> bool:
    """Tell whether an end surely comes before a start; both are days or instants.

    Two instants are compared as moments, all else by the digits that both have.
    """
    if "T" in start and "T" in end:
        return datetime.fromisoformat(end) < datetime.fromisoformat(start)
    common = min(len(start.partition("T")[0]), len(end.partition("T")[0]))
    return end[:common] < start[:common]


def _first_day(text: str) -> str:
    return (text + "-01-01")[:10]


def _reads(parse: Callable[[str], date], text: str) -> bool:
    try:
        parse(text)
    except ValueError:
        return False
    return True
