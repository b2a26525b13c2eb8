"""What is said of one input is bounded, and says so."""

from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.errors.issue_bounds import ISSUES_MAX, bounded
from passerelle.errors.rules import issue

RULES = {"warning": "reference.not-there", "error": "structure.empty"}


def test_of_15_000_faults_1_000_are_told_and_how_many_more_there_are():
    faults = [issue("structure.empty", f"Patient.name[{n}]") for n in range(15_000)]
    told = bounded(faults)
    assert list(told[:ISSUES_MAX]) == faults[:ISSUES_MAX]
    (last,) = told[ISSUES_MAX:]
    assert (last.severity, last.rule, last.expression) == (
        "information",
        "answer.more-issues",
        "Patient",
    )
    assert "14000" in last.text
    assert "14000" in last.text_en


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from(sorted(RULES)), max_size=12), st.integers(1, 6))
def test_what_is_left_out_is_counted_and_is_never_graver_than_what_is_told(severities, limit):
    said = [issue(RULES[each], f"Patient.name[{n}]") for n, each in enumerate(severities)]
    told = bounded(said, limit)
    if len(said) <= limit + 1:
        assert list(told) == said
        return
    assert len(told) == limit + 1
    left_out = [each for each in said if each not in told]
    assert len(left_out) == len(said) - limit
    assert f"{len(left_out)} " in told[-1].text_en
    if any(each.severity == "error" for each in left_out):
        assert all(each.severity == "error" for each in told[:-1])


def test_a_place_that_is_no_fhirpath_gives_the_last_one_none():
    assert bounded([issue("structure.empty", "/patients/0")] * 9, 3)[-1].expression is None
