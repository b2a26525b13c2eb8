"""Times: local with offset in CDA, UTC in the metadata."""

import pytest

from passerelle.mappers.cda.cda_times import hl7_time, utc_time


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("20210401134745+0100", "20210401124745"),
        ("20210101003000+0100", "20201231233000"),
        ("202101040735+0100", "202101040635"),
        ("2021010407+0200", "2021010405"),
        ("20210401134745.123+0100", "20210401124745"),
        ("20210401134745-1030", "20210402001745"),
        ("20210401134745", "20210401134745"),
        ("20210401", "20210401"),
        ("20210401+0100", "20210401"),
        ("2021", "2021"),
        ("20211301000000+0100", None),
        ("00010101000000+0100", None),
        ("2021-04-01", None),
        ("20210401134745+9900", None),
        ("202104011", None),
        ("", None),
        (None, None),
    ],
)
def test_a_time_stamp_turns_to_utc_with_its_precision(
    value: str | None, expected: str | None
) -> None:
    assert utc_time(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-01-12T10:15:00.123+01:00", "20260112101500+0100"),
        ("2026-01-12T10:15:00Z", "20260112101500+0000"),
        ("2026-01-12", "20260112"),
        ("2026-01", "202601"),
        ("2026", "2026"),
        ("12/01/2026", None),
        (None, None),
    ],
)
def test_a_fhir_time_turns_to_a_time_stamp(value: str | None, expected: str | None) -> None:
    assert hl7_time(value) == expected
