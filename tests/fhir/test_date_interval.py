"""Dates as intervals."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.fhir.search.date_interval import AFTER_ALL, BEFORE_ALL, interval, period


def at(text: str) -> int:
    moment = datetime.fromisoformat(text)
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("2024", "2024-01-01T00:00:00+01:00", "2025-01-01T00:00:00+01:00"),
        ("2024-02", "2024-02-01T00:00:00+01:00", "2024-03-01T00:00:00+01:00"),
        ("2024-12", "2024-12-01T00:00:00+01:00", "2025-01-01T00:00:00+01:00"),
        ("2024-02-29", "2024-02-29T00:00:00+01:00", "2024-03-01T00:00:00+01:00"),
        ("2024-07-14", "2024-07-14T00:00:00+02:00", "2024-07-15T00:00:00+02:00"),
        # The clocks go back: this day of France has 25 hours.
        ("2024-10-27", "2024-10-27T00:00:00+02:00", "2024-10-28T00:00:00+01:00"),
        ("2024-07-14T10:15", "2024-07-14T10:15:00+02:00", "2024-07-14T10:16:00+02:00"),
        ("2024-07-14T10:15Z", "2024-07-14T10:15:00+00:00", "2024-07-14T10:16:00+00:00"),
        ("2024-07-14T10:15:30", "2024-07-14T10:15:30+02:00", "2024-07-14T10:15:31+02:00"),
        (
            "2024-07-14T10:15:30.25-03:30",
            "2024-07-14T10:15:30.25-03:30",
            "2024-07-14T10:15:30.26-03:30",
        ),
        (
            "2024-07-14T10:15:30.1234567Z",
            "2024-07-14T10:15:30.123456+00:00",
            "2024-07-14T10:15:30.123457+00:00",
        ),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59+00:00", "2017-01-01T00:00:00+00:00"),
    ],
)
def test_a_date_is_the_interval_of_its_precision(text: str, low: str, high: str) -> None:
    assert interval(text) == (at(low), at(high))


@pytest.mark.parametrize(
    "text",
    [
        *("", "24", "2024-13", "2024-02-30", "2024-1-1", "0000", "2024-01-01T25:00:00Z", " 2024"),
        *("2024-01-01T10", "2024-01-01T10:00:00+15:00", "2024-01-01Z", "2024\n", "٢٠٢٤", "20245"),
    ],
)
def test_what_is_no_date_has_no_interval(text: str) -> None:
    assert interval(text) is None


def test_the_first_and_the_last_year_have_an_interval() -> None:
    for text in ("0001", "0001-01-01", "9999", "9999-12", "9999-12-31", "9999-12-31T23:59:59Z"):
        found = interval(text)
        assert found is not None
        assert BEFORE_ALL < found.low < found.high < AFTER_ALL


@settings(max_examples=50, deadline=None)
@given(st.dates())
def test_a_day_lies_in_its_month_and_its_month_in_its_year(day: object) -> None:
    text = str(day)
    year, month, whole = interval(text[:4]), interval(text[:7]), interval(text)
    assert year is not None
    assert month is not None
    assert whole is not None
    assert year.low <= month.low <= whole.low < whole.high <= month.high <= year.high


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=30))
def test_any_text_is_a_date_or_is_not(text: str) -> None:
    found = interval(text)
    assert found is None or found.low < found.high


def test_a_period_is_open_where_it_has_no_end() -> None:
    year = interval("2024")
    assert year is not None
    assert period("2024", "2024") == year
    assert period("2024", None) == (year.low, AFTER_ALL)
    assert period(None, "2024") == (BEFORE_ALL, year.high)
    assert period(None, None) is None
    assert period("nonsense", None) is None


def test_a_period_whose_ends_are_swapped_is_still_an_interval() -> None:
    assert period("2024-02-01", "2024-01-01") == period("2024-01-01", "2024-02-01")
