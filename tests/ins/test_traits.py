"""Traits: normal form, alphabet, the first given name and its list."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.ins.traits import Traits, beginning, fits, insi_form, normal


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Jean-Pierre", "JEAN PIERRE"),
        ("d'Ornano", "D ORNANO"),
        ("D’Ornano", "d'ornano"),
        ("Lefèvre", "LEFEVRE"),
        ("Œuvrard", "OEUVRARD"),
        ("Lætitia", "LAETITIA"),
        ("Nguyễn", "NGUYEN"),
        ("Garçon--Dupré", "GARCON DUPRE"),
        ("  Marie \t Louise ", "MARIE-LOUISE"),
        ("Straße", "STRASSE"),
    ],
)
def test_writings_of_one_name_compare_equal(one, other):
    assert normal(one) == normal(other)


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=60))
def test_the_normal_form_of_a_normal_form_is_itself(text):
    assert normal(normal(text)) == normal(text)


@pytest.mark.parametrize(
    ("first", "given_names", "found"),
    [
        ("JEAN-PIERRE", "JEAN PIERRE PAUL", "begins"),
        ("PIERRE-ALAIN", "PIERRE-ALAIN MURIEL FLORIANT", "begins"),
        ("PIERRE", "PIERRE-ALAIN MURIEL FLORIANT", "cut"),
        ("Pierre", "Pierre Yves", "begins"),
        ("Zoé", "ZOE", "whole"),
        ("Yves", "Pierre Yves", "differs"),
        ("Jean Paul", "Jean", "differs"),
        ("", "Jean", "differs"),
        ("JEA", "JEAN PAUL", "differs"),
    ],
)
def test_the_first_given_name_begins_the_list_token_by_token(first, given_names, found):
    assert beginning(first, given_names) == found


@pytest.mark.parametrize(
    ("text", "family", "given_name"),
    [
        ("Pat-Trois", True, True),
        ("GARCON--DUPRE", True, False),
        ("GARCON---DUPRE", False, False),
        ("D'ORNANO", True, True),
        ("'T HOOFT", True, True),
        ("-DUPRE", False, False),
        ("DUPRE-", True, False),
        ("DUPRE' ARC", False, False),
        ("Jean, Paul", False, False),
        ("J3AN", False, False),
        ("", False, False),
        ("Łukasz", True, True),
        ("李", False, False),
        ("A" * 100, True, True),
        ("A" * 101, False, False),
    ],
)
def test_names_outside_the_alphabet_are_told(text, family, given_name):
    assert (fits(text, family=True), fits(text, family=False)) == (family, given_name)


def test_the_form_for_insi_keeps_hyphen_and_apostrophe():
    assert insi_form(" jean‑françois  d’œuvre ") == "JEAN-FRANCOIS D'OEUVRE"


def test_missing_traits_are_named_in_order_and_blank_ones_are_missing():
    traits = Traits("PAT-TROIS", " ", None, "1979-00-00", "female", None)
    assert traits.missing() == ("first_given_name", "given_names", "birth_place")


def test_traits_do_not_show_when_printed():
    assert "PAT" not in repr(Traits("PAT-TROIS", "DOMINIQUE", "DOMINIQUE"))


def test_traits_written_otherwise_have_the_same_normal_form():
    one = Traits(
        "Pat-Trois", "Dominique", "Dominique Marie-Louise", "1979-03-28", "female", "51215"
    )
    other = Traits(
        "PAT TROIS", "DOMINIQUE", "DOMINIQUE MARIE LOUISE", "1979-03-28", "female", "51215"
    )
    assert one != other
    assert one.normal() == other.normal()
