"""The R4B model as a second opinion: it is told, and never decides."""

import pytest

from passerelle.fhir.conformance import structure
from passerelle.fhir.conformance.second_opinion import disagreements


def told(resource):
    refused = {said.expression for said in structure.check(resource)}
    return [
        (said.rule, said.severity, said.expression) for said in disagreements(resource, refused)
    ]


def test_where_both_agree_nothing_is_told():
    assert told({"resourceType": "Patient", "birthDate": "1974-01-02"}) == []


def test_a_fault_that_both_see_is_not_told_again():
    assert told({"resourceType": "Patient", "active": "maybe"}) == []


def test_what_only_the_check_refuses_is_told_once():
    empty = {"resourceType": "Patient", "id": "a", "gender": "sometimes"}
    assert structure.check(empty)
    assert told(empty) == [("structure.r4b-accepts", "information", "Patient")]


def test_what_only_the_r4b_model_refuses_is_told_at_its_place():
    said = disagreements({"resourceType": "Patient", "active": "maybe"}, ())
    assert [(one.rule, one.expression) for one in said] == [
        ("structure.r4b-refuses", "Patient.active")
    ]
    assert "maybe" not in repr(said)


@pytest.mark.parametrize("type_", ["EffectEvidenceSynthesis", "Nothing"])
def test_a_type_without_a_model_is_said(type_):
    assert told({"resourceType": type_})[0][0] == "structure.r4b-no-model"
