"""Recurrences: the same days as a library that is known for them, bounds, exceptions, clocks."""

import datetime as datetime_module
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from unittest import mock

import dateutil.rrule
import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.mappers.icalendar.recurrence import PARIS, STEPS_MAX, occurrences, read

START = datetime(2026, 3, 10, 14, 0, tzinfo=PARIS)
NO_LATER = SimpleNamespace(**vars(datetime_module) | {"MAXYEAR": 2031})
"""The calendar ends here for the other library, which looks for what never comes until it does."""

DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


@st.composite
def rules(draw) -> str:
    frequency = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    parts = [f"FREQ={frequency}"]
    if draw(st.booleans()):
        parts.append(f"INTERVAL={draw(st.integers(1, 4))}")
    ordinal = frequency in ("MONTHLY", "YEARLY") and draw(st.booleans())
    if draw(st.booleans()):
        days = draw(st.lists(st.sampled_from(DAYS), min_size=1, max_size=3, unique=True))
        nth = str(draw(st.sampled_from([-2, -1, 1, 2, 3]))) if ordinal else ""
        parts.append("BYDAY=" + ",".join(nth + day for day in days))
    if frequency != "WEEKLY" and draw(st.booleans()):
        numbers = st.sampled_from([-31, -1, 1, 10, 15, 29, 30, 31])
        some = draw(st.lists(numbers, min_size=1, max_size=3, unique=True))
        parts.append("BYMONTHDAY=" + ",".join(map(str, some)))
    if draw(st.booleans()):
        months = draw(st.lists(st.integers(1, 12), min_size=1, max_size=3, unique=True))
        parts.append("BYMONTH=" + ",".join(map(str, months)))
    if any(part.startswith("BY") for part in parts) and draw(st.booleans()):
        parts.append(f"BYSETPOS={draw(st.sampled_from([-1, 1, 2]))}")
    if draw(st.booleans()):
        parts.append(f"WKST={draw(st.sampled_from(DAYS))}")
    end = draw(st.sampled_from(["", "COUNT=7", "UNTIL=20271010T120000"]))
    return ";".join([*parts, *([end] if end else [])])


@settings(max_examples=60, deadline=None)
@given(rules(), st.integers(-5, 700), st.integers(1, 700))
def test_a_rule_makes_the_days_that_dateutil_makes(text: str, ahead: int, length: int) -> None:
    low = START + timedelta(days=ahead)
    high = low + timedelta(days=length)
    naive = rrulestr(text, dtstart=START.replace(tzinfo=None))
    with mock.patch.object(dateutil.rrule, "datetime", NO_LATER):
        expected = naive.between(
            low.replace(tzinfo=None) - timedelta(seconds=1), high.replace(tzinfo=None)
        )
    made = occurrences(START, read(text), low, high)
    assert [moment.replace(tzinfo=None) for moment in made] == [
        moment for moment in expected if moment < high.replace(tzinfo=None)
    ]


def test_the_time_of_day_stays_when_the_clocks_change_and_exceptions_count() -> None:
    text = "FREQ=WEEKLY\nEXDATE:20260317T130000Z\nRDATE:20260319T130000Z"
    found = occurrences(START, read(text), START, START + timedelta(days=28))
    assert [f"{moment:%d %H:%M %z}" for moment in found] == [
        "10 14:00 +0100",
        "19 14:00 +0100",
        "24 14:00 +0100",
        "31 14:00 +0200",
    ]
    assert read(read(text).native()) == read(text)


def test_a_day_as_the_end_counts_whole() -> None:
    found = occurrences(START, read("FREQ=DAILY;UNTIL=20260312"), START, START + timedelta(days=9))
    assert len(found) == 3


@pytest.mark.parametrize(
    "text",
    [
        "FREQ=SECONDLY",
        "FREQ=DAILY;BYHOUR=1",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;COUNT=100000",
        "FREQ=DAILY;COUNT=2;UNTIL=20270101",
        "FREQ=DAILY;FREQ=WEEKLY",
        "FREQ=WEEKLY;BYDAY=1MO",
        "FREQ=MONTHLY;BYMONTHDAY=32",
        "FREQ=MONTHLY;BYDAY=XX",
        "FREQ=DAILY;UNTIL=99999999",
        "FREQ=DAILY\nEXDATE:nonsense",
        "FREQ=DAILY\nX-OTHER:20260310",
        "FREQ=DAILY\nEXDATE:" + ",".join(["20260310"] * 201),
        "FREQ=DAILY;BYMONTHDAY=" + ",".join(["1"] * 101),
        "INTERVAL=2",
        "",
    ],
)
def test_what_is_not_admitted_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever is wrong with it
        read(text)


@pytest.mark.parametrize(
    "text",
    [
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=6",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;COUNT=3",
        "FREQ=YEARLY;INTERVAL=1000;BYDAY=53FR",
    ],
)
def test_a_rule_that_never_comes_true_ends(text: str) -> None:
    far = datetime(9999, 1, 1, tzinfo=UTC)
    assert occurrences(START, read(text), START, far) == []
    assert STEPS_MAX <= 20_000
