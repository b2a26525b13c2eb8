"""Versions of a canonical."""

import pytest

from passerelle.fhir.terminology.canonicals import Canonical, best, parse, shown


def resources(*versions, dates=None):
    listed = dates or [""] * len(versions)
    return [{"version": v, "date": d} for v, d in zip(versions, listed, strict=True)]


def test_a_canonical_is_read():
    assert parse("urn:a|1.0#x") == Canonical("urn:a", "1.0")
    assert parse("urn:a|") == Canonical("urn:a")
    assert str(Canonical("urn:a", "1")) == "urn:a|1"
    assert len(shown("a\x00" * 300)) == 100


@pytest.mark.parametrize(
    ("versions", "newest"),
    [
        (["1.9.0", "1.10.0"], "1.10.0"),
        (["2.0.0", "2.0.0-ballot"], "2.0.0"),
        (["1.2.0-snapshot-2", "1.2.0-snapshot-10"], "1.2.0-snapshot-10"),
        (["20231215120000", "20240329120000"], "20240329120000"),
        (["2018-08-12", "2019-01-01"], "2019-01-01"),
    ],
)
def test_the_newest_is_found_among_versions_spelled_alike(versions, newest):
    for order in (versions, versions[::-1]):
        assert best(resources(*order), None)["version"] == newest


def test_between_numbers_and_dates_the_date_of_the_resource_decides():
    found = resources("1.5.0", "20250523120000", dates=["2024-12-13", "2025-05-23"])
    assert best(found, None)["version"] == "20250523120000"
    found = resources("3.0.0", "2018-08-12", dates=["2022-01-01", "2018-08-12"])
    assert best(found, None)["version"] == "3.0.0"


def test_a_version_that_is_asked_for_is_that_one_or_begins_so():
    found = resources("4.0.1", "4.3.0", "5.0.0")
    assert best(found, "4.3.0")["version"] == "4.3.0"
    assert best(found, "4.0")["version"] == "4.0.1"
    assert best(found, "4")["version"] == "4.3.0"
    assert best(found, "6") is None
    assert best([{}], None) == {}
