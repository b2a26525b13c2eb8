"""What a push makes of the dossier that the record holds."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from passerelle.mappers.native.dossier import SECTIONS, Dossier, dump, normal
from passerelle.mappers.native.dossier_form import parse
from passerelle.mappers.native.dossier_merge import merge
from passerelle.mappers.native.dossier_to_fhir import to_fhir
from tests.strategies.dossiers import circles, dossiers

LAW = settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
completes = st.lists(st.sampled_from(SECTIONS), unique=True)


def with_only(dossier: Dossier, *sections: str, **changes) -> Dossier:
    """Give a push of some sections of a dossier."""
    kept = {k: v for k, v in dossier.content.items() if k not in SECTIONS or k in sections}
    return normal({**kept, **changes})


@given(dossiers())
@LAW
def test_the_first_push_is_taken_as_it_is(dossier):
    assert merge(None, dossier) == dossier


@given(dossiers(), dossiers(), completes)
@LAW
def test_a_push_twice_is_a_push_once(current, pushed, complete):
    pushed = normal({**pushed.content, "complete": complete})
    once = merge(current, pushed)
    assert merge(once, pushed) == once
    assert "complete" not in once.content


@given(dossiers())
@LAW
def test_the_order_of_pushes_of_different_sections_does_not_matter(dossier):
    start = with_only(dossier)
    pushes = [with_only(dossier, section) for section in SECTIONS]
    forward, backward = start, start
    for push in pushes:
        forward = merge(forward, push)
    for push in reversed(pushes):
        backward = merge(backward, push)
    assert forward == backward == dossier


@given(dossiers(), completes)
@LAW
def test_nothing_is_ever_removed_and_current_entries_come_first(current, complete):
    pushed = with_only(current, complete=complete)
    merged = merge(current, pushed)
    for section in SECTIONS:
        keys = [entry["key"] for entry in merged.section(section)]
        assert keys == [entry["key"] for entry in current.section(section)]
        if section not in complete:
            assert merged.section(section) == current.section(section)


@given(dossiers())
@LAW
def test_what_is_absent_from_a_section_sent_whole_is_ended(current):
    merged = merge(current, with_only(current, complete=list(SECTIONS)))
    for member in merged.section("circle"):
        assert all("end" in period for period in member["periods"])
    for section in ("documents", "appointments", "tasks"):
        for entry in merged.section(section):
            assert entry["status"] == "entered-in-error"


@given(dossiers(), completes)
@LAW
def test_a_merged_dossier_is_a_right_dossier(current, complete):
    merged = merge(current, with_only(current, complete=complete))
    assert parse(dump(merged)).issues == ()
    to_fhir(merged, known_ids={})


@given(dossiers(), circles(max_size=2))
@LAW
def test_a_section_that_is_not_sent_whole_only_gains(current, circle):
    merged = merge(current, with_only(current, circle=circle))
    sent = [entry["key"] for entry in circle]
    for key in {*sent, *(entry["key"] for entry in current.section("circle"))}:
        source = circle if key in sent else current.section("circle")
        wanted = next(
            entry for entry in normal({"circle": source}).section("circle") if entry["key"] == key
        )
        assert merged.entry("circle", key) == wanted


def test_a_member_whose_period_starts_later_ends_when_it_starts():
    root = {"updatedAt": "2026-03-02T10:15:00+01:00"}
    periods = [
        {"start": "2026-01-01", "end": "2026-02-01"},
        {"start": "2026-02-20"},
    ]
    current = normal(
        {
            **root,
            "circle": [
                {"key": "m1", "periods": periods},
                {"key": "m2", "periods": [{"start": "2026-04-01"}]},
            ],
        }
    )
    merged = merge(current, normal({**root, "circle": [], "complete": ["circle"]}))
    assert [member["periods"] for member in merged.section("circle")] == [
        [periods[0], {"start": "2026-02-20", "end": "2026-03-02T10:15:00+01:00"}],
        [{"start": "2026-04-01", "end": "2026-04-01"}],
    ]
