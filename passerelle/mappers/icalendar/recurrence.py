"""A recurrence rule read, and the days that it makes, within bounds.

https://www.rfc-editor.org/rfc/rfc5545#section-3.3.10 . Parts that make several moments of one day
(BYHOUR, SECONDLY …), and BYWEEKNO and BYYEARDAY, are refused: no meeting is planned by them, and a
stranger's rule must not keep the gateway busy.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal, NamedTuple, cast
from zoneinfo import ZoneInfo

PARIS = ZoneInfo("Europe/Paris")
"""The zone of the calendars: times of day stay what they are when the clocks change."""

TEXT_MAX = 8_000
INTERVAL_MAX = 1_000
COUNT_MAX = 1_000
VALUES_MAX = 100
DATES_MAX = 200
"""Of EXDATE and of RDATE, together."""

STEPS_MAX = 12_000
"""Periods of a rule that are looked at: 32 years of days."""

DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
PARTS = frozenset(
    ["FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", "WKST"]
)  # fmt: skip

Frequency = Literal["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]
_NUMBER = re.compile(r"[0-9]{1,4}")
_DAY = re.compile(r"([+-]?[0-9]{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
_MOMENT = re.compile(r"[1-9][0-9]{7}(T[0-9]{6}Z?)?")


class Rule(NamedTuple):
    """A rule; ``by_day`` holds (which one in the month or year, 0: each; day of the week)."""

    frequency: Frequency
    interval: int = 1
    times: int | None = None
    until: datetime | None = None
    by_day: tuple[tuple[int, int], ...] = ()
    by_month_day: tuple[int, ...] = ()
    by_month: tuple[int, ...] = ()
    by_set_pos: tuple[int, ...] = ()
    week_start: int = 0


@dataclass(frozen=True, slots=True)
class Recurrence:
    """A rule, as text and read, with the moments that are left out and those that come beside."""

    text: str
    rule: Rule
    left_out: tuple[datetime, ...] = ()
    added: tuple[datetime, ...] = ()

    def native(self) -> str:
        """Write it as the native form has it: the rule, then EXDATE and RDATE on lines of their
        own, in UTC.
        """
        lines = [self.text]
        for name, moments in (("EXDATE", self.left_out), ("RDATE", self.added)):
            if moments:
                lines.append(f"{name}:{','.join(map(stamp, moments))}")
        return "\n".join(lines)


def stamp(moment: datetime) -> str:
    """Write a moment in UTC, ``20260310T130000Z``."""
    return f"{moment.astimezone(ZoneInfo('UTC')):%Y%m%dT%H%M%SZ}"


def moment_of(text: str) -> datetime:
    """Read a DATE or DATE-TIME; one without a zone is of Paris. Raises ValueError."""
    if not _MOMENT.fullmatch(text):
        raise ValueError("no moment")
    if len(text) == 8:
        return datetime.strptime(text, "%Y%m%d").replace(tzinfo=PARIS)
    zone = ZoneInfo("UTC") if text.endswith("Z") else PARIS
    return datetime.strptime(text[:15], "%Y%m%dT%H%M%S").replace(tzinfo=zone)


def read(text: str) -> Recurrence:
    """Read the native form of a recurrence. Raises ValueError for what is not admitted."""
    if len(text) > TEXT_MAX:
        raise ValueError("too long")
    first, *others = text.replace("\r\n", "\n").strip().split("\n")
    written = first.strip().upper().removeprefix("RRULE:")
    dates: dict[str, list[datetime]] = {"EXDATE": [], "RDATE": []}
    for line in others:
        name, _, values = line.strip().upper().partition(":")
        dates[name if name in dates else _refused()] += map(moment_of, values.split(","))
    if sum(map(len, dates.values())) > DATES_MAX:
        raise ValueError("too many dates")
    return Recurrence(written, rule_of(written), tuple(dates["EXDATE"]), tuple(dates["RDATE"]))


def rule_of(text: str) -> Rule:
    """Read the value of an RRULE. Raises ValueError."""
    given: dict[str, str] = {}
    for part in text.rstrip(";").split(";"):
        name, _, value = part.partition("=")
        if name not in PARTS or name in given or not value:
            _refused()
        given[name] = value
    frequency = given.get("FREQ")
    if frequency not in ("DAILY", "WEEKLY", "MONTHLY", "YEARLY"):
        _refused()
    if "COUNT" in given and "UNTIL" in given:
        _refused()
    by_day = tuple(map(_day, _values(given, "BYDAY")))
    if any(nth for nth, _ in by_day) and frequency in ("DAILY", "WEEKLY"):
        _refused()
    if "BYMONTHDAY" in given and frequency == "WEEKLY":
        _refused()
    return Rule(
        cast(Frequency, frequency),
        _number(given.get("INTERVAL", "1"), INTERVAL_MAX),
        _number(given["COUNT"], COUNT_MAX) if "COUNT" in given else None,
        _until(given["UNTIL"]) if "UNTIL" in given else None,
        by_day,
        tuple(_signed(each, 31) for each in _values(given, "BYMONTHDAY")),
        tuple(_number(each, 12) for each in _values(given, "BYMONTH")),
        tuple(_signed(each, 366) for each in _values(given, "BYSETPOS")),
        DAYS.index(given.get("WKST", "MO")),
    )


def occurrences(
    start: datetime, recurrence: Recurrence, low: datetime, high: datetime
) -> list[datetime]:
    """Give the moments when what begins at ``start`` begins again, from ``low`` and before
    ``high``, in their order.
    """
    local, rule = start.astimezone(PARIS), recurrence.rule
    found: set[datetime] = set()
    end = high if rule.until is None else min(high, rule.until + timedelta(seconds=1))
    for number, day in enumerate(_dates(rule, local.date(), low, end), 1):
        moment = _at(day, local.time())
        if moment >= end or (rule.times is not None and number > rule.times):
            break
        found.add(moment)
    found |= set(recurrence.added)
    found -= set(recurrence.left_out)
    return sorted(moment.astimezone(PARIS) for moment in found if low <= moment < high)


def _at(day: date, clock: time) -> datetime:
    """Give a time of day of Paris; one that the clocks jump over is an hour later."""
    utc = datetime.combine(day, clock, PARIS).astimezone(ZoneInfo("UTC"))
    return utc


def _dates(rule: Rule, first: date, low: datetime, high: datetime) -> Iterator[date]:
    """Give the days of a rule from the first on, and not long after ``high``."""
    last = high.astimezone(PARIS).date()
    skipped = 0
    if rule.times is None:  # what is counted is counted from the beginning
        ahead = (low.astimezone(PARIS).date() - first).days - 1
        skipped = max(0, ahead // (_LENGTH[rule.frequency] * rule.interval) - 1)
    for step in range(skipped, skipped + STEPS_MAX):
        try:
            opens, days = _PERIODS[rule.frequency](rule, first, step * rule.interval)
        except (OverflowError, ValueError):  # after the year 9999
            return
        if opens > last:
            return
        chosen = sorted(set(days))
        if rule.by_set_pos:
            places = {at - 1 if at > 0 else len(chosen) + at for at in rule.by_set_pos}
            chosen = [day for place, day in enumerate(chosen) if place in places]
        yield from (day for day in chosen if day >= first)


_LENGTH = {"DAILY": 1, "WEEKLY": 7, "MONTHLY": 31, "YEARLY": 366}
"""Days that a period has at most."""

Period = tuple[date, list[date]]


def _daily(rule: Rule, first: date, ahead: int) -> Period:
    day = first + timedelta(days=ahead)
    fits = (
        _in_month(rule, day)
        and (not rule.by_month_day or day in _month_days(rule, _month(day.year, day.month)))
        and (not rule.by_day or day.weekday() in {on for _, on in rule.by_day})
    )
    return day, [day] if fits else []


def _weekly(rule: Rule, first: date, ahead: int) -> Period:
    opens = first - timedelta(days=(first.weekday() - rule.week_start) % 7)
    opens += timedelta(days=7 * ahead)
    wanted = {on for _, on in rule.by_day} or {first.weekday()}
    week = [opens + timedelta(days=number) for number in range(7)]
    return opens, [day for day in week if day.weekday() in wanted and _in_month(rule, day)]


def _monthly(rule: Rule, first: date, ahead: int) -> Period:
    years, month = divmod(first.month - 1 + ahead, 12)
    opens = date(first.year + years, month + 1, 1)
    days = _in_one_month(rule, first, opens) if _in_month(rule, opens) else []
    return opens, days


def _yearly(rule: Rule, first: date, ahead: int) -> Period:
    opens = date(first.year + ahead, 1, 1)
    if rule.by_day and not rule.by_month and not rule.by_month_day:
        whole = [day for month in range(1, 13) for day in _month(opens.year, month)]
        return opens, _week_days(rule, whole)
    months = rule.by_month or (range(1, 13) if rule.by_month_day else (first.month,))
    found: list[date] = []
    for month in months:
        found += _in_one_month(rule, first, opens.replace(month=month))
    return opens, found


_PERIODS: Mapping[str, Callable[[Rule, date, int], Period]] = {
    "DAILY": _daily,
    "WEEKLY": _weekly,
    "MONTHLY": _monthly,
    "YEARLY": _yearly,
}


def _in_one_month(rule: Rule, first: date, opens: date) -> list[date]:
    """Give the days of a rule in a month."""
    days = _month(opens.year, opens.month)
    if not rule.by_day and not rule.by_month_day:
        return [day for day in days if day.day == first.day]
    if rule.by_day:
        on_days = _week_days(rule, days)
        return [day for day in _month_days(rule, days) if day in on_days]
    return _month_days(rule, days)


def _month(year: int, month: int) -> list[date]:
    opens = date(year, month, 1)
    following = date(year + month // 12, month % 12 + 1, 1)
    return [opens + timedelta(days=number) for number in range((following - opens).days)]


def _month_days(rule: Rule, days: list[date]) -> list[date]:
    if not rule.by_month_day:
        return days
    wanted = {on if on > 0 else len(days) + 1 + on for on in rule.by_month_day}
    return [day for day in days if day.day in wanted]


def _week_days(rule: Rule, days: list[date]) -> list[date]:
    found: list[date] = []
    for nth, on in rule.by_day:
        matching = [day for day in days if day.weekday() == on]
        if nth == 0:
            found += matching
        elif abs(nth) <= len(matching):
            found.append(matching[nth - 1 if nth > 0 else nth])
    return found


def _in_month(rule: Rule, day: date) -> bool:
    return not rule.by_month or day.month in rule.by_month


def _values(given: Mapping[str, str], name: str) -> list[str]:
    values = given[name].split(",") if name in given else []
    if len(values) > VALUES_MAX:
        raise ValueError("too many values")
    return values


def _number(text: str, most: int) -> int:
    if not _NUMBER.fullmatch(text) or not 1 <= int(text) <= most:
        _refused()
    return int(text)


def _signed(text: str, most: int) -> int:
    sign = -1 if text.startswith("-") else 1
    return sign * _number(text[1:] if text[:1] in "+-" else text, most)


def _day(text: str) -> tuple[int, int]:
    match = _DAY.fullmatch(text)
    if match is None:
        _refused()
    assert match is not None
    return (_signed(match[1], 53) if match[1] else 0), DAYS.index(match[2])


def _until(text: str) -> datetime:
    """Read the end of a rule; a day counts whole."""
    moment = moment_of(text)
    return moment + timedelta(days=1, seconds=-1) if len(text) == 8 else moment


def _refused() -> str:
    raise ValueError("a part of the rule that is not admitted")
