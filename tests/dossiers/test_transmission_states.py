"""The table of states: every pair, and none goes back."""

from itertools import product

import pytest

from passerelle.dossiers.mailing.transmission_states import (
    EVENTS_MAX,
    FHIR_STATUS,
    NEXT,
    State,
    advance,
    after,
    history_of,
    state_of,
)

ORDER: tuple[State, ...] = (
    "queued",
    "sending",
    "uncertain",
    "sent",
    "relayed",
    "delivered",
    "read",
    "failed",
    "cancelled",
)
ENDS = ("read", "failed", "cancelled")


def test_the_table_knows_every_state_and_no_other() -> None:
    assert set(NEXT) == set(FHIR_STATUS) == set(ORDER)


@pytest.mark.parametrize(("before", "event"), list(product(ORDER, ORDER)))
def test_no_state_goes_back_whatever_event_comes(before: State, event: State) -> None:
    reached = after(before, event)
    assert reached == (event if event in NEXT[before] else before)
    assert ORDER.index(reached) >= ORDER.index(before)
    if before in ENDS:
        assert reached == before
    communication = advance({}, before, at=0)
    changed = advance(communication, event, at=1, before=before)
    assert state_of(changed) == reached
    assert changed["status"] == FHIR_STATUS[reached]
    assert [told for told, _, _ in history_of(changed)] == [before, event]


def test_a_state_written_by_hand_is_set_right_by_the_next_event() -> None:
    forged = advance({}, "read", at=0)
    assert state_of(advance(forged, "sent", at=1, before="sending")) == "sent"


def test_events_are_bounded() -> None:
    communication = advance({}, "queued", at=0)
    for at in range(EVENTS_MAX + 5):
        communication = advance(communication, "delivered", at=at)
    assert len(history_of(communication)) == EVENTS_MAX
