"""Likeness of two persons: certain only by a qualified matricule or by all strict traits."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.ins.matching import Match, compare, is_one_slip, person
from tests.ins.ins_patients import (
    LOCAL,
    birth_place,
    given_names,
    ins,
    patient,
    reliability,
)

NAME = patient()["name"][1]


def grade(asked, known=None, *, allow_test=True):
    return compare(person(asked), person(known or patient()), allow_test=allow_test).grade


def described(**changes):
    """A Patient as a client describes it: one name without a use, no extension."""
    made = {
        "resourceType": "Patient",
        "name": [{"family": "Pat Trois", "given": ["Dominique"]}],
        "birthDate": "1979-03-28",
        "gender": "female",
    } | changes
    return {name: value for name, value in made.items() if value is not None}


def strict(**changes):
    """All strict traits, no matricule."""
    official = {
        "use": "official",
        "family": "Pat-Trois",
        "given": ["Dominique"],
        "extension": [given_names("Dominique Marie Louise")],
    }
    made = {"name": [official | changes.pop("official", {})], "extension": [birth_place()]}
    return described(**(made | changes))


def test_a_qualified_matricule_that_nothing_contradicts_is_certain():
    assert grade({"resourceType": "Patient", "identifier": [ins()]}) == "certain"
    assert grade(described(identifier=[ins()])) == "certain"


def test_a_matricule_is_no_proof_when_the_identity_is_not_qualified():
    known = patient(extension=[birth_place(), reliability("PROV", method=None, mode=None)])
    assert grade(described(identifier=[ins()]), known) == "probable"


def test_a_matricule_that_a_trait_contradicts_is_for_a_person_to_decide():
    asked = described(identifier=[ins()], birthDate="1980-03-28")
    assert grade(asked) == "probable"


def test_a_matricule_is_the_pair_of_number_and_oid():
    other = ins(system="urn:oid:1.2.250.1.213.1.4.11", code="INS-NIR-DEMO")
    assert grade({"resourceType": "Patient", "identifier": [other]}) == "certainly-not"


def test_a_matricule_of_test_counts_only_where_it_is_admitted():
    asked = {"resourceType": "Patient", "identifier": [ins()]}
    assert grade(asked, allow_test=False) == "certainly-not"


def test_a_former_matricule_and_a_wrong_one_say_nothing():
    former = {"resourceType": "Patient", "identifier": [ins(use="old")]}
    assert grade(former) == "certainly-not"
    wrong = {"resourceType": "Patient", "identifier": [ins(number="27903512151898")]}
    assert grade(wrong) == "certainly-not"


def test_all_strict_traits_together_are_certain_in_their_normal_form():
    assert grade(strict()) == "certain"


@pytest.mark.parametrize(
    "changes",
    [
        {"gender": None},
        {"birthDate": None},
        {"extension": []},
        {"extension": [birth_place("99999")]},
        {"official": {"extension": []}},
        {"official": {"use": "usual"}},
        {"official": {"family": "Pat-Troi"}},
        {"birthDate": "1979-03-29"},
    ],
)
def test_short_of_one_strict_trait_nothing_is_certain(changes):
    assert grade(strict(**changes)) in ("probable", "possible")


def test_traits_are_not_certain_when_a_homonym_is_known():
    coded = reliability(comments=("HOMD",))
    assert grade(strict(), patient(extension=[birth_place(), coded])) == "probable"


@pytest.mark.parametrize("code", ["DOUT", "FICT"])
def test_a_doubtful_or_fictive_identity_is_possible_at_most(code):
    known = patient(extension=[birth_place(), reliability("PROV", comments=(code,))])
    assert grade(strict(identifier=[ins()]), known) == "possible"


def test_two_different_matricules_are_two_persons_until_a_person_says_otherwise():
    rival = ins(number="285072B50202465")
    assert grade(strict(identifier=[rival])) == "possible"


def test_name_given_name_and_birth_date_are_probable():
    assert grade(described()) == "probable"
    assert grade(described(gender=None)) == "probable"


@pytest.mark.parametrize(
    "changes",
    [
        {"name": [{"family": "Pat Troix", "given": ["Dominique"]}]},
        {"birthDate": "1979-03-27"},
        {"gender": "male"},
        {"birthDate": None, "gender": None},
        {"name": [{"family": "Durand", "given": ["Dominique"]}]},
    ],
)
def test_with_one_slip_it_is_possible(changes):
    assert grade(described(**changes)) == "possible"


@pytest.mark.parametrize(
    "changes",
    [
        {"name": [{"family": "Martin", "given": ["Jeanne"]}]},
        {"birthDate": "1950-01-01", "name": [{"family": "Pat Trois", "given": ["Jeanne"]}]},
    ],
)
def test_another_person_is_certainly_not_this_one(changes):
    assert grade(described(**changes)) == "certainly-not"


def test_an_identifier_of_the_same_domain_is_probable_unless_a_trait_contradicts_it():
    assert grade({"resourceType": "Patient", "identifier": [LOCAL]}) == "probable"
    asked = {"resourceType": "Patient", "identifier": [LOCAL], "birthDate": "1950-01-01"}
    assert grade(asked) == "certainly-not"


def test_nothing_known_is_nothing_alike():
    nobody = {"resourceType": "Patient"}
    assert compare(person(nobody), person(patient()), allow_test=True) == Match(
        "certainly-not", 0.0
    )


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("DUPONT", "DUPOND", True),
        ("DUPONT", "DUPON", True),
        ("DUPONT", "DDUPONT", True),
        ("DUPONT", "UDPONT", True),
        ("DUPONT", "DUPONT", True),
        ("DUPONT", "DUBOND", False),
        ("LI", "LU", False),
        ("", "A", False),
    ],
)
def test_a_slip_of_the_pen(one, other, expected):
    assert is_one_slip(one, other) is expected


@settings(max_examples=50, deadline=None)
@given(st.text("ABC", max_size=6), st.text("ABC", max_size=6))
def test_a_slip_is_one_both_ways(one, other):
    assert is_one_slip(one, other) == is_one_slip(other, one)


CHOICES = st.fixed_dictionaries(
    {},
    optional={
        "birthDate": st.sampled_from(["1979", "1979-03-28", "1980-01-01"]),
        "gender": st.sampled_from(["male", "female", "unknown"]),
        "identifier": st.sampled_from([[ins()], [LOCAL], [ins(number="1")], []]),
        "extension": st.sampled_from(
            [[birth_place()], [reliability()], [birth_place(), reliability()]]
        ),
        "name": st.sampled_from([[NAME], [{"family": "A"}], [{"text": "x"}], []]),
    },
)


@settings(max_examples=50, deadline=None)
@given(CHOICES, CHOICES)
def test_certain_is_never_said_without_a_qualified_matricule_or_all_strict_traits(one, other):
    asked, known = {"resourceType": "Patient"} | one, {"resourceType": "Patient"} | other
    made = compare(person(asked), person(known), allow_test=True)
    assert 0.0 <= made.score <= 1.0
    if made.grade == "certain":
        same = one.get("identifier") == other.get("identifier") == [ins()]
        traits = person(asked).traits
        assert same or (not traits.missing() and traits.normal() == person(known).traits.normal())
