"""A form: each kind of value has its place in R4; what R4 cannot carry is refused at its place."""

import json
from typing import Any

import pytest

from passerelle.demo.samples import qualified
from passerelle.errors.refusals import Unprocessable
from passerelle.mappers.native.dossier import Dossier, dump, normal
from passerelle.mappers.native.dossier_form import ParsedDossier, parse
from passerelle.mappers.native.dossier_from_fhir import from_fhir
from passerelle.mappers.native.dossier_to_fhir import to_fhir

FORM = {
    "key": "f1",
    "definition": "https://coordination.example/Questionnaire/ppcs|1",
    "title": "PPCS",
    "status": "completed",
    "author": "m1",
    "authoredAt": "2026-01-20T09:00:00+01:00",
}


def with_form(**facts: Any) -> Dossier:
    content = json.loads(dump(normal(qualified(b"%PDF-1.4 lettre"))))
    return Dossier(content | {"forms": [FORM | facts]})


def made(dossier: Dossier, type: str) -> list[dict[str, Any]]:
    resources = (one.resource for one in to_fhir(dossier, known_ids={}))
    return [one for one in resources if one["resourceType"] == type]


def back(dossier: Dossier) -> dict[str, Any]:
    found = from_fhir([one.resource for one in to_fhir(dossier, known_ids={})], None)
    return dict(found.section("forms")[0])


def answered(*values: Any) -> Dossier:
    return with_form(answers=[{"link": "1", "values": list(values)}])


def faults(parsed: ParsedDossier) -> list[tuple[str, str | None]]:
    return [(issue.rule, issue.expression) for issue in parsed.issues]


def pushed(form_answers: Any) -> ParsedDossier:
    body = json.dumps(with_form().content | {"forms": [FORM | {"answers": form_answers}]})
    return parse(body.encode())


@pytest.mark.parametrize(
    ("value", "element"),
    [
        (True, {"valueBoolean": True}),
        (False, {"valueBoolean": False}),
        (0, {"valueInteger": 0}),
        (2**31 - 1, {"valueInteger": 2**31 - 1}),
        (2**31, {"valueDecimal": 2**31}),
        ({"decimal": 70}, {"valueDecimal": 70}),
        ("2026-01-20", {"valueString": "2026-01-20"}),
        ({"date": "2026-01"}, {"valueDate": "2026-01"}),
        ({"dateTime": "2026-01-20T09:00:00Z"}, {"valueDateTime": "2026-01-20T09:00:00Z"}),
        ({"time": "14:30:00"}, {"valueTime": "14:30:00"}),
        ({"uri": "urn:oid:1.2.3"}, {"valueUri": "urn:oid:1.2.3"}),
        ({"system": "urn:x:s", "code": "a"}, {"valueCoding": {"system": "urn:x:s", "code": "a"}}),
        ({"value": 70, "unit": "kg"}, {"valueQuantity": {"value": 70, "unit": "kg"}}),
    ],
)
def test_a_value_has_one_element_and_comes_back_as_it_was(value, element):
    dossier = answered(value)
    (response,) = made(dossier, "QuestionnaireResponse")
    assert response["item"] == [{"linkId": "1", "answer": [element]}]
    assert back(dossier)["answers"] == [{"link": "1", "values": [value]}]


def test_an_answer_that_names_an_entry_refers_to_its_resource():
    dossier = answered({"entry": "d1"}, {"entry": "person"})
    (response,) = made(dossier, "QuestionnaireResponse")
    document, person = (one["valueReference"] for one in response["item"][0]["answer"])
    assert document["reference"].startswith("DocumentReference/")
    assert person["reference"].startswith("Patient/")
    assert back(dossier) == dossier.section("forms")[0]


def test_an_answer_that_names_nobody_is_refused_at_its_place_at_any_depth():
    below = [{"link": "1.1", "values": ["x", {"entry": "nobody"}]}]
    parsed = pushed([{"link": "1", "values": [1], "items": below}])
    place = "/forms/0/answers/0/items/0/values/1/entry"
    assert faults(parsed) == [("dossier.reference-unresolved", place)]
    assert parsed.dossier.section("forms") == ()


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        [],
        {},
        ["a"],
        {"code": "a"},
        {"system": "urn:x:s", "code": "a", "date": "2026"},
        {"value": 1, "code": "kg"},
        {"date": "2026-02-30"},
        {"time": "14:30"},
        {"decimal": 0.5},
        {"data": "YQ=="},
    ],
)
def test_what_r4_has_no_value_for_is_refused_at_its_place(value):
    parsed = pushed([{"link": "1", "values": ["bon", value]}])
    assert {place for _, place in faults(parsed)} == {"/forms/0/answers/0/values/1"}
    assert parsed.refused == {("forms", "f1")}


def test_a_number_with_more_digits_than_r4_carries_is_refused():
    body = json.dumps(with_form().content).replace(
        '"key": "f1"', '"key": "f1", "answers": [{"link": "1", "values": [0.1234567890123456789]}]'
    )
    assert faults(parse(body.encode())) == [
        ("dossier.number-digits", "/forms/0/answers/0/values/0")
    ]
    parsed = pushed([{"link": "1", "values": [10**18, 10**18 - 1]}])
    assert faults(parsed) == [("dossier.number-digits", "/forms/0/answers/0/values/0")]


def test_answers_have_bounds_in_depth_and_number():
    deep: dict[str, Any] = {"link": "x"}
    for _ in range(12):
        deep = {"link": "x", "items": [deep]}
    assert [rule for rule, _ in faults(pushed([deep]))] == ["dossier.answers-too-deep"]
    assert faults(pushed(deep["items"])) == []
    many = [{"link": "x", "items": [{"link": "y"}] * 1000}] * 5
    assert faults(pushed(many)) == [("dossier.answers-too-many", "/forms/0/answers")]


def test_what_stands_below_an_answered_question_hangs_on_its_first_answer():
    answers = [{"link": "1", "values": ["a", "b"], "items": [{"link": "1.1", "values": [True]}]}]
    dossier = with_form(answers=answers)
    (response,) = made(dossier, "QuestionnaireResponse")
    first, second = response["item"][0]["answer"]
    assert first["item"] == [{"linkId": "1.1", "answer": [{"valueBoolean": True}]}]
    assert "item" not in second
    assert "item" not in response["item"][0]
    assert back(dossier)["answers"] == answers


def test_a_score_keeps_its_observation_when_others_come_before_it():
    one = {"code": {"system": "http://loinc.org", "code": "9269-2"}, "value": 12}
    other = {"code": {"text": "AGGIR"}, "value": 3}
    (alone,) = made(with_form(scores=[one]), "Observation")
    first, second = made(with_form(scores=[other, one]), "Observation")
    assert second == alone
    assert first["code"] == {"text": "AGGIR"}
    assert alone["valueQuantity"]["value"] == 12
    assert alone["derivedFrom"][0]["reference"].startswith("QuestionnaireResponse/")
    twice = with_form(scores=[one, one | {"value": 13}])
    assert len({each["id"] for each in made(twice, "Observation")}) == 2
    assert back(twice) == twice.section("forms")[0]


def test_a_response_whose_values_somebody_made_unreadable_is_refused_and_loses_nothing():
    resources = [one.resource for one in to_fhir(answered("x"), known_ids={})]
    for resource in resources:
        if resource["resourceType"] == "QuestionnaireResponse":
            resource["item"][0]["answer"] = [{"valueAttachment": {"title": "t"}}]
    with pytest.raises(Unprocessable):
        from_fhir(resources, None)


@pytest.mark.parametrize(("written", "read"), [("1e3", "1000"), ("0.0000001", "0.0000001")])
def test_a_number_that_is_written_otherwise_is_taken_as_it_was_written(written, read):
    body = json.dumps(with_form(answers=[{"link": "1", "values": [4711]}]).content)
    parsed = parse(body.replace("4711", written).encode())
    assert parsed.issues == ()
    assert f'"values":[{read}]' in dump(parsed.dossier).decode()
