"""The ends of words that are not heard: left out as they were, in steps that grow as the word."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.fhir.search.phonetic import _SOUNDS, phonetic
from tests.steps import steps_of

BEFORE = re.compile(r"(?<=.)(?:e[tsxz]*|[dtsxz]+)$")
(AFTER,) = [one for one, _ in _SOUNDS if "[dtsxz]++" in one.pattern]


@settings(max_examples=500, deadline=None)
@given(st.text("adetsxzu", max_size=9))
def test_what_is_left_out_at_the_end_does_not_depend_on_how_it_is_looked_for(word: str) -> None:
    assert AFTER.sub("", word) == BEFORE.sub("", word)


def test_a_word_without_end_is_heard_at_once() -> None:
    assert phonetic("dt" * 20_000 + "a").endswith("a")
    assert steps_of(lambda: phonetic.__wrapped__("dt" * 20_000 + "a")) < 1_000
