"""Words: how a resource is folded into them, and how an expression asks for them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.errors.refusals import Invalid
from passerelle.fhir.search.full_text_query import BadText, Joined, Phrase, parse_full_text
from passerelle.fhir.search.full_text_words import (
    BYTES_MAX,
    GAP,
    MARK,
    REPEATS_MAX,
    WORD_MAX,
    WORDS_MAX,
    full_text,
    words_of,
)
from passerelle.fhir.search.query import parse, parse_criteria


def words(resource: dict[str, object]) -> tuple[list[str], list[str]]:
    found = full_text({"resourceType": "Patient", "id": "logical", **resource})
    return tuple([w for w in text.split(" ") if w not in (GAP, MARK)] for text in found)  # type: ignore[return-value]


def narrative(div: str) -> dict[str, object]:
    return {"text": {"status": "generated", "div": f'<div xmlns="urn:x">{div}</div>'}}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Éléonore D'ALMEIDA", ["eleonore", "d", "almeida"]),
        ("l’hôpital, Jean-Pierre", ["l", "hopital", "jean", "pierre"]),
        ("cœur & Straße", ["coeur", "strasse"]),
        ("日本_語 12,5 mg/L", ["日本", "語", "12", "5", "mg", "l"]),
        ("x" * 200, ["x" * WORD_MAX]),
        ("' \" * : ( ) - ^", []),
    ],
)
def test_a_text_is_folded_and_split_as_french_users_expect(text: str, wanted: list[str]) -> None:
    assert words_of(text) == wanted


def test_a_narrative_is_read_without_its_tags() -> None:
    div = '<p title="a > b">J<b>ean</b>&eacute; &amp; <br/>Paul</p><td>x</td><td>y</td><!-- z -->'
    assert words(narrative(div)) == (["jeane", "paul", "x", "y"], ["jeane", "paul", "x", "y"])


@pytest.mark.parametrize(
    "text", ["<", "<!--", '<"', "<a ", "</b", "&#", "&amp", "a:", "-->", "<p title='", "é\u0301"]
)
def test_no_text_takes_long_to_read(text: str) -> None:
    hostile = text * 100_000  # of a square this would be hours
    assert full_text({"resourceType": "Basic", "text": {"div": hostile}, "a": hostile})


def test_the_content_holds_what_is_said_and_no_id_address_or_bytes() -> None:
    found = words(
        {
            **narrative("dit"),
            "identifier": [{"system": "urn:oid:1.2", "value": "AB-12"}],
            "name": [{"family": "Œuvre", "given": ["Zoé"]}],
            "managingOrganization": {"reference": "Organization/abc", "display": "Clinique"},
            "extension": [{"url": "http://example.org/x", "valueString": "dedans"}],
            "photo": [{"data": "QUJD", "title": "portrait", "url": "http://example.org/p"}],
            "contained": [{"resourceType": "Basic", "id": "hidden", **narrative("aussi")}],
        }
    )
    content = ["dit", "ab", "12", "oeuvre", "zoe", "clinique", "dedans", "portrait"]
    assert found == (["dit"], [*content, "generated", "aussi"])


def test_no_resource_makes_more_than_the_bounds() -> None:
    many = full_text({"resourceType": "Basic", "note": [f"m{n} é" for n in range(20_000)]})
    assert len(many.content.split(" ")) == WORDS_MAX + 1
    assert many.content.split(" ").count("e") == REPEATS_MAX
    wide = full_text({"resourceType": "Basic", "note": [f"{'語' * 60}{n}" for n in range(9_000)]})
    assert BYTES_MAX - 1_000 < len(wide.content.replace(" ", "").encode()) < BYTES_MAX + 100


def test_an_expression_is_read_by_the_rank_of_its_operators() -> None:
    a, b, c = (Phrase((word,)) for word in "abc")
    assert parse_full_text("a b OR c") == Joined("or", (Joined("and", (a, b)), c))
    assert parse_full_text("(a or B) and not c") == Joined(
        "and", (Joined("or", (a, b)), Joined("not", (c,)))
    )
    assert parse_full_text("l'hôpit*") == Phrase(("l", "hopit"), begins=True)
    assert parse_full_text("« chute au domicile »") == Phrase(("chute", "au", "domicile"))
    assert parse_full_text('"or"') == Phrase(("or",))


@pytest.mark.parametrize(
    "text", ["", "-", '"a', "(a", "a)", "a OR", "AND", "not", "()", "a or or b", '""', "((((a)))"]
)
def test_what_is_no_expression_is_refused_by_name(text: str) -> None:
    with pytest.raises(BadText):
        parse_full_text(text)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("a " * 100, "search.full-text-too-large"),
        ("(" * 30 + "a" + ")" * 30, "search.full-text-too-large"),
        ("not " * 40 + "a", "search.full-text-too-large"),
        ("a" * 3_000, "search.value-too-long"),
        ("a,(", "search.full-text-invalid"),
        ("a\\", "search.full-text-invalid"),
    ],
)
def test_an_expression_is_bounded(text: str, rule: str) -> None:
    with pytest.raises(Invalid) as refusal:
        parse("Patient", [("_text", text)], strict=True)
    assert [said.rule for said in refusal.value.issues] == [rule]


@pytest.mark.parametrize("criteria", ["_text=a", "_content=a", "organization._text=a"])
def test_no_condition_is_decided_by_the_full_text(criteria: str) -> None:
    with pytest.raises(Invalid) as refusal:
        parse_criteria("Patient", criteria)
    assert [said.rule for said in refusal.value.issues] == ["search.full-text-condition"]


@given(st.text(max_size=60))
@settings(max_examples=200, deadline=None)
def test_folding_what_was_folded_changes_nothing(text: str) -> None:
    once = words_of(text)
    assert words_of(" ".join(once)) == once
    assert all(word == GAP or word.isalnum() for word in once)
