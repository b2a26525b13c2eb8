"""FHIR dates as half-open intervals of microseconds since 1970 UTC.

https://hl7.org/fhir/R4/search.html#date : a date is the interval that its precision stands for. A
date without a zone is one of France (Europe/Paris), which is where the gateway's dossiers live.
"""

import re
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

BEFORE_ALL = -(2**62)
"""The low end of what has no beginning."""

AFTER_ALL = 2**62
"""The high end of what has no end."""

_PARIS = ZoneInfo("Europe/Paris")
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - only differences of naive instants are taken
_MICROSECOND = timedelta(microseconds=1)
_SECOND = 1_000_000
_MINUTE = 60 * _SECOND
_DAY_END = 24 * 60 * _MINUTE

_PATTERN = re.compile(
    r"(?P<year>[0-9]{4})(?:-(?P<month>0[1-9]|1[0-2])(?:-(?P<day>0[1-9]|[12][0-9]|3[01])"
    r"(?:T(?P<hour>[01][0-9]|2[0-3]):(?P<minute>[0-5][0-9])"
    r"(?::(?P<second>[0-5][0-9]|60)(?:\.(?P<fraction>[0-9]{1,12}))?)?"
    r"(?P<zone>Z|[+-](?:0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)?)?)?)?"
)


class Interval(NamedTuple):
    """From ``low`` (in it) to ``high`` (no longer in it), in microseconds since 1970 UTC."""

    low: int
    high: int


def _instant(naive: datetime, zone: str | None) -> int:
    """Give the microseconds of a wall time in its zone; by subtraction, so it cannot overflow."""
    local = (naive - _EPOCH) // _MICROSECOND
    if zone is None:
        offset = naive.replace(tzinfo=_PARIS).utcoffset()
        return local - (offset or timedelta(0)) // _MICROSECOND
    if zone == "Z":
        return local
    minutes = int(zone[1:3]) * 60 + int(zone[4:6])
    return local - (minutes if zone[0] == "+" else -minutes) * _MINUTE


def _day_after(year: int, month: int, day: int) -> int:
    """Give the instant at which a day of France ends."""
    start = datetime(year, month, day)  # noqa: DTZ001
    if (year, month, day) == (9999, 12, 31):
        return _instant(start, None) + _DAY_END
    return _instant(start + timedelta(days=1), None)


def _of_days(year: int, month: str | None, day: str | None) -> Interval:
    """Give the interval of a year, a month or a day of France."""
    if month is None:
        return Interval(_instant(datetime(year, 1, 1), None), _day_after(year, 12, 31))  # noqa: DTZ001
    if day is not None:
        start = datetime(year, int(month), int(day))  # noqa: DTZ001
        return Interval(_instant(start, None), _day_after(year, int(month), int(day)))
    first = datetime(year, int(month), 1)  # noqa: DTZ001
    if month == "12":
        return Interval(_instant(first, None), _day_after(year, 12, 31))
    following = datetime(year, int(month) + 1, 1)  # noqa: DTZ001
    return Interval(_instant(first, None), _instant(following, None))


def interval(text: str) -> Interval | None:
    """Give the interval that a date, dateTime or instant stands for; None when it is not one.

    ``2024`` is a year, ``2024-05-03T10:15`` a minute, ``…:07.25`` a hundredth of a second.
    """
    match = _PATTERN.fullmatch(text)
    if match is None or match["year"] == "0000":
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    try:
        if hour is None:
            return _of_days(int(year), month, day)
        # A leap second is counted with the second before it.
        whole = min(int(second), 59) if second else 0
        start = datetime(int(year), int(month), int(day), int(hour), int(minute), whole)  # noqa: DTZ001
    except ValueError:  # the 30th of February
        return None
    low = _instant(start, zone)
    if second is None:
        return Interval(low, low + _MINUTE)
    if fraction is None:
        return Interval(low, low + _SECOND)
    low += int(fraction[:6].ljust(6, "0"))
    return Interval(low, low + 10 ** max(0, 6 - len(fraction)))


def period(start: str | None, end: str | None) -> Interval | None:
    """Give the interval of a Period; an absent end is open. None when there is no date in it.

    https://hl7.org/fhir/R4/datatypes.html#Period : the end is included to its precision.
    """
    first = interval(start) if start else None
    last = interval(end) if end else None
    if first is None and last is None:
        return None
    if first and last:
        # A Period whose ends are swapped (against per-1) is still an interval.
        return Interval(min(first.low, last.low), max(first.high, last.high))
    return Interval(first.low if first else BEFORE_ALL, last.high if last else AFTER_ALL)
