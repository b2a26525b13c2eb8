"""What is asked of a history, understood."""

import pytest

from passerelle.errors.refusals import Invalid, NotSupported
from passerelle.fhir.history_query import HistoryQuery, parse
from passerelle.fhir.search.date_interval import interval


def test_what_is_not_given_is_the_newest_first() -> None:
    assert parse(None, None, [], strict=True) == HistoryQuery()
    levels = [HistoryQuery(*key).level for key in ((), ("Patient",), ("Patient", "1"))]
    assert levels == ["system", "type", "instance"]


def test_everything_that_is_given_is_understood() -> None:
    pairs = [("_since", "2026-01-01T00:00:00 01:00"), ("_count", "7")]
    pairs += [("_sort", "_lastUpdated"), ("_cursor", "x")]
    query = parse("Patient", "1", pairs, strict=True)
    assert query.since == 1_767_222_000_000_000
    assert parse("Patient", "1", [("_at", "2026")], strict=True).current == interval("2026")
    assert (query.count, query.ascending, query.cursor, query.only_count) == (7, True, "x", False)
    assert query.pairs("y") == (pairs[0], pairs[2], ("_count", "7"), ("_cursor", "y"))


def test_what_changed_since_and_what_was_current_are_not_asked_at_once() -> None:
    with pytest.raises(Invalid) as refusal:
        parse("Patient", None, [("_since", "2026"), ("_at", "2026")], strict=False)
    assert [each.rule for each in refusal.value.issues] == ["http.history-since-and-at"]


@pytest.mark.parametrize(("text", "count"), [("0", 50), ("1", 1), ("999999999", 1000)])
def test_a_count_is_bounded_and_zero_asks_for_the_total(text: str, count: int) -> None:
    query = parse(None, None, [("_count", text)], strict=True)
    assert (query.count, query.only_count) == (count, text == "0")
    assert query.pairs(None) == (("_count", "0" if text == "0" else str(count)),)


def test_all_faults_are_told_at_once() -> None:
    pairs = [("_since", "x"), ("_at", ""), ("_count", "-1"), ("_sort", "name"), ("other", "1")]
    with pytest.raises(Invalid) as refusal:
        parse("Patient", None, [*pairs, ("_count", "2")], strict=True)
    assert [(each.rule, each.expression) for each in refusal.value.issues] == [
        *(("http.parameter-malformed", name) for name in ("_since", "_at", "_count", "_sort")),
        ("http.parameter-unknown", None),
        ("search.repeated", "_count"),
    ]
    assert parse("Patient", None, [("other", "1")], strict=False) == HistoryQuery("Patient")


def test_a_list_is_refused_by_name() -> None:
    with pytest.raises(NotSupported) as refusal:
        parse("Patient", None, [("_list", "1")], strict=False)
    assert refusal.value.issues[0].expression == "_list"
