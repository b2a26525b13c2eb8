"""Dates, dateTimes and times as FHIRPath compares them: as far as both are precise.

http://hl7.org/fhirpath/N1/#equals , http://hl7.org/fhirpath/N1/#greater-than . Two values that
agree as far as the less precise one goes are neither equal nor not: there is no answer.
"""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

_DATE = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?"
    r"(?:T(\d\d)(?::(\d\d)(?::(\d\d(?:\.\d+)?))?)?(Z|[+-]\d\d:\d\d)?)?",
    re.ASCII,
)
_TIME = re.compile(r"(\d\d)(?::(\d\d)(?::(\d\d(?:\.\d+)?))?)?", re.ASCII)


class Temporal(NamedTuple):
    """A date, dateTime or time: its text, its parts from the largest, and whether it has a zone.

    With a zone the parts are those of UTC (of a zone's hour without minutes, too).
    """

    kind: str
    text: str
    parts: tuple[Decimal, ...]
    zoned: bool = False

    def __str__(self) -> str:
        """Write it as it came."""
        return self.text


def temporal(kind: str, text: str) -> Temporal | None:
    """Read a ``date``, ``dateTime`` or ``time``; None when there is no such."""
    if kind == "time":
        match = _TIME.fullmatch(text)
        if match is None:
            return None
        parts = tuple(Decimal(part) for part in match.groups() if part is not None)
        return Temporal(kind, text, parts) if _is_time(parts) else None
    match = _DATE.fullmatch(text)
    if match is None or (kind == "date" and "T" in text):
        return None
    *numbers, zone = match.groups()
    parts = tuple(Decimal(part) for part in numbers if part is not None)
    try:
        year, month, of_month = (int(part) for part in (*parts[:3], Decimal(1), Decimal(1))[:3])
        day = datetime(year, month, of_month, tzinfo=UTC)
    except ValueError:
        return None
    if not _is_time(parts[3:]):
        return None
    if zone is None:
        return Temporal(kind, text, parts)
    return Temporal(kind, text, _in_utc(day, parts, zone), zoned=True)


def _is_time(parts: tuple[Decimal, ...]) -> bool:
    return all(part < limit for part, limit in zip(parts, (24, 60, 61), strict=False))


def _in_utc(day: datetime, parts: tuple[Decimal, ...], zone: str) -> tuple[Decimal, ...]:
    """Give the parts of an instant in UTC, as many as it has."""
    minutes = 0
    if zone != "Z":
        minutes = int(zone[1:3]) * 60 + int(zone[4:])
        minutes = -minutes if zone[0] == "-" else minutes
    hour, minute = int(parts[3]), int(parts[4]) if len(parts) > 4 else 0
    try:
        moved = day + timedelta(hours=hour, minutes=minute - minutes)
    except OverflowError:
        return parts
    moved_parts = (moved.year, moved.month, moved.day, moved.hour, moved.minute)
    return (*map(Decimal, moved_parts[: len(parts)]), *parts[5:])


def order(left: Temporal, right: Temporal) -> int | None:
    """Tell -1, 0 or 1; None when their precision does not decide, or only one has a zone."""
    if len(left.parts) > 3 and len(right.parts) > 3 and left.zoned != right.zoned:
        return None
    for one, other in zip(left.parts, right.parts, strict=False):
        if one != other:
            return -1 if one < other else 1
    return 0 if len(left.parts) == len(right.parts) else None
