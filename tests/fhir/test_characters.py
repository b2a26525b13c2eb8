"""What is changed character by character is what it was as a whole, however it is accented."""

import unicodedata
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

import passerelle
from passerelle.fhir.characters import KEPT_MAX, ByCharacter
from passerelle.fhir.search.text_norm import normal
from passerelle.ins import traits

MARKS = "\u0301\u0323\u0345\u0327\u20d0"
TEXTS = st.text(
    st.one_of(
        st.characters(), st.sampled_from(MARKS), st.sampled_from("ﷺ™ℌŉǰΐßﬁœÆé가\u1100\u1161")
    ),
    max_size=40,
)


def normal_as_a_whole(text: str) -> str:
    """As the normal form is defined, for short texts."""
    letters = {"æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "ł": "l", "ħ": "h", "ı": "i"}

    def between(char: str) -> bool:
        category = unicodedata.category(char)
        return char in "`´ʼ−" or (char != "@" and (category[0] in "PZ" or category == "Cc"))

    def fold(some: str) -> str:
        apart = unicodedata.normalize("NFKD", some.casefold())
        bare = "".join(char for char in apart if not unicodedata.combining(char))
        return "".join(" " if between(char) else letters.get(char, char) for char in bare)

    folded = fold(text)
    while (again := fold(folded)) != folded:
        folded = again
    return " ".join(folded.split())


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_the_normal_form_is_that_of_the_text_as_a_whole(text: str) -> None:
    assert normal(text) == normal_as_a_whole(text)


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_a_name_is_folded_as_it_was_as_a_whole(text: str) -> None:
    upper = unicodedata.normalize("NFKD", text).upper()
    ligatures = upper.translate({ord("Œ"): "OE", ord("Æ"): "AE"})
    bare = "".join(char for char in ligatures if not unicodedata.combining(char))
    assert traits.normal(text) == traits.normal(bare)


def test_a_name_of_very_many_accents_is_read_to_its_end() -> None:
    """As a whole this would take an hour."""
    name = "a" + "\u0301\u0323" * 1_000_000
    assert normal(name) == "a"
    assert traits.normal(name) == "A"


def test_only_so_many_characters_are_kept() -> None:
    table = ByCharacter(str.upper)
    text = "".join(map(chr, range(0x4E00, 0x4E00 + KEPT_MAX + 500)))
    assert text.translate(table) == text
    assert len(table) == KEPT_MAX


def test_no_text_of_others_is_taken_apart_as_a_whole() -> None:
    """``normalize`` is asked for one character, named ``char``, wherever it is asked."""
    root = Path(passerelle.__file__).parent
    for path in root.rglob("*.py"):
        for line in path.read_text("utf-8").splitlines():
            if "unicodedata.normalize(" in line:
                assert ", char)" in line or "casefold" in line, path
