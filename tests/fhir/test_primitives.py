"""The primitive types: R4's own expressions, and what they cannot say."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.fhir.conformance.primitives import fault, in_order, quick_schema
from passerelle.fhir.conformance.structure_table import patterns

KINDS = sorted(set(patterns()) - {"xhtml"})


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("date", "2000-02-29"),
        ("date", "0001"),
        ("dateTime", "2015-02-07T13:28:17.239+02:00"),
        ("dateTime", "2015-12-31T23:59:60Z"),
        ("instant", "2015-02-07T13:28:17-14:00"),
        ("time", "23:59:59.123456789"),
        ("code", "a b"),
        ("id", "a" * 64),
        ("oid", "urn:oid:1.2.250.1.213.1.4.10"),
        ("uri", "urn:uuid:a"),
        ("string", "\u00a0"),
        ("markdown", "# a\n\n* b"),
        ("decimal", Decimal("1E+3")),
        ("decimal", 12),
        ("base64Binary", "AA==\r\n"),
        ("boolean", False),
    ],
)
def test_a_right_value_has_no_fault(kind: str, value: object) -> None:
    assert fault(kind, value) is None


@pytest.mark.parametrize(
    ("kind", "value", "rule"),
    [
        ("date", "1900-02-29", "no-such-day"),
        ("date", "2023-06-31", "no-such-day"),
        ("instant", "2023-02-30T10:00:00Z", "no-such-day"),
        ("date", "2023-6-1", "bad-format"),
        ("date", "2023-06-01\n", "bad-format"),
        ("dateTime", "2015-02-07T13:28:17", "bad-format"),
        ("dateTime", "2015-02-07T24:00:00Z", "bad-format"),
        ("instant", "2015-02-07", "bad-format"),
        ("time", "10:00", "bad-format"),
        ("code", "a  b", "bad-format"),
        ("id", "", "empty"),
        ("id", "é", "bad-format"),
        ("oid", "1.2.3", "bad-format"),
        ("uuid", "urn:uuid:0C3151BD-1CBF-4D64-B04D-CD9187A4C6E0", "bad-format"),
        ("url", "a b", "bad-format"),
        ("string", "\u000b", "bad-format"),
        ("string", "\ud800", "bad-format"),
        ("base64Binary", "A===", "bad-base64"),
        ("base64Binary", "AA=A", "bad-base64"),
        ("base64Binary", "AA_-", "bad-base64"),
        ("positiveInt", 0, "out-of-range"),
        ("unsignedInt", -1, "out-of-range"),
        ("integer", -(2**31) - 1, "out-of-range"),
        ("integer", "1", "wrong-type"),
        ("integer", Decimal("1.0"), "wrong-type"),
        ("decimal", 1.5, "wrong-type"),
        ("decimal", True, "wrong-type"),
        ("boolean", "true", "wrong-type"),
        ("string", ["a"], "wrong-type"),
    ],
)
def test_a_wrong_value_has_its_rule(kind: str, value: object, rule: str) -> None:
    assert fault(kind, value) == f"structure.{rule}"


values = st.one_of(
    st.text(max_size=20),
    st.text("0123456789-T:Z+. ", max_size=26),
    st.text("ABCab12+/=", max_size=12),
    st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:00:00Z)?", fullmatch=True),
    st.booleans(),
    st.integers(-(2**33), 2**33),
    st.decimals(allow_nan=False, allow_infinity=False),
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(KINDS), values)
def test_the_quick_schema_accepts_only_what_has_no_fault(kind: str, value: Any) -> None:
    schema = {"$schema": "http://json-schema.org/draft-04/schema#", **quick_schema(kind)}
    if jsonschema_rs.Draft4Validator(schema, pattern_options=jsonschema_rs.RegexOptions()).is_valid(
        value
    ):
        assert fault(kind, value) is None


def test_every_day_that_exists_and_no_other_is_a_date() -> None:
    schema = {"$schema": "http://json-schema.org/draft-04/schema#", **quick_schema("date")}
    quick = jsonschema_rs.Draft4Validator(schema)
    first = date(1899, 1, 1)
    real = {(first + timedelta(days=n)).isoformat() for n in range(366 * 6)}
    for year in range(1899, 1904):
        for month in range(1, 13):
            for day in range(1, 32):
                text = f"{year}-{month:02d}-{day:02d}"
                assert (fault("date", text) is None) == (text in real)
                if text[4:] != "-02-29":
                    assert quick.is_valid(text) == (text in real)


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        ("2020", "2020-01-01", True),
        ("2020-06", "2020", True),
        ("2021", "2020-12", False),
        ("2020-01-02", "2020-01-01T00:00:00Z", False),
        ("2020-01-01T10:00:00Z", "2020-01-01T10:30:00+01:00", False),
        ("2020-01-01T10:00:00+02:00", "2020-01-01T09:00:00Z", True),
        (None, "2020", True),
        (3, [], True),
        ("2020-01-01T10:00:60Z", "2020-01-01T10:00:00Z", True),
    ],
)
def test_two_dates_are_compared_as_far_as_both_go(first: Any, last: Any, expected: bool) -> None:
    assert in_order(first, last) is expected
