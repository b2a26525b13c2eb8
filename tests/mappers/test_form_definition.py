"""The answers of a form beside its Questionnaire: each fault at its place."""

from decimal import Decimal
from typing import Any

import pytest

from passerelle.mappers.native.form_definition import compare

SYSTEM = "https://source.example/codes"


def coding(code: str) -> dict[str, str]:
    return {"system": SYSTEM, "code": code}


def faults(items: list[dict[str, Any]], answers: list[dict[str, Any]]) -> list[tuple[str, str]]:
    found = compare({"answers": answers}, {"resourceType": "Questionnaire", "item": items})
    return [(rule, "/".join(map(str, place))) for rule, place, _ in found.faults]


def question(type_: str, **facts: Any) -> dict[str, Any]:
    return {"linkId": "1", "type": type_, **facts}


def answered(*values: Any, link: str = "1", **facts: Any) -> dict[str, Any]:
    return {"link": link, "values": list(values), **facts}


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("boolean", False),
        ("integer", 3),
        ("decimal", Decimal("1.5")),
        ("decimal", {"decimal": 70}),
        ("date", {"date": "2026-01"}),
        ("dateTime", {"dateTime": "2026-01-20"}),
        ("time", {"time": "14:30:00"}),
        ("string", "oui"),
        ("text", "oui\nnon"),
        ("url", {"uri": "urn:x:y"}),
        ("choice", coding("a")),
        ("open-choice", coding("a")),
        ("open-choice", "autre"),
        ("quantity", {"value": 70, "unit": "kg"}),
        ("reference", {"entry": "d1"}),
    ],
)
def test_an_answer_of_the_type_of_its_question_is_right(type_, value):
    assert faults([question(type_)], [answered(value)]) == []


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("boolean", "oui"),
        ("integer", True),
        ("integer", Decimal("1.5")),
        ("decimal", 70),
        ("date", "2026-01-20"),
        ("string", 3),
        ("choice", "autre"),
        ("attachment", {"entry": "d1"}),
        ("reference", "d1"),
    ],
)
def test_an_answer_of_another_type_is_told_at_its_place(type_, value):
    assert faults([question(type_)], [answered(value)]) == [
        ("form.answer-type", "answers/0/values/0")
    ]


def test_a_question_that_the_definition_has_not_there_is_told():
    items = [{"linkId": "g", "type": "group", "item": [question("string")]}]
    assert faults(items, [answered("a")]) == [("form.link-unknown", "answers/0/link")]
    below = [{"link": "g", "items": [answered("a"), answered("b", link="2")]}]
    assert faults(items, below) == [("form.link-unknown", "answers/0/items/1/link")]


def test_what_is_required_and_lacks_is_told_where_it_should_stand():
    items = [
        {"linkId": "g", "type": "group", "item": [question("string", required=True)]},
        question("boolean", required=True) | {"linkId": "2"},
    ]
    assert faults(items, [{"link": "g", "items": []}]) == [
        ("form.answer-missing", "answers/0/items"),
        ("form.answer-missing", "answers"),
    ]
    assert faults(items, [answered(True, link="2")]) == []
    assert faults([question("string", required=True)], [{"link": "1"}]) == [
        ("form.answer-missing", "answers/0")
    ]


def test_only_what_repeats_takes_several_answers():
    assert faults([question("string", repeats=True)], [answered("a", "b")]) == []
    assert faults([question("string")], [answered("a", "b")]) == [
        ("form.answered-twice", "answers/0/values/1")
    ]
    group = {"linkId": "g", "type": "group"}
    twice = [{"link": "g"}, {"link": "g"}]
    assert faults([group | {"repeats": True}], twice) == []
    assert faults([group], twice) == [("form.answered-twice", "answers/1")]


def test_a_group_and_a_display_take_no_answer():
    for type_ in ("group", "display"):
        assert faults([question(type_, required=True)], [answered("a")]) == [
            ("form.no-question", "answers/0/values")
        ]


def test_an_answer_is_one_of_the_options():
    options = [{"valueCoding": coding("a") | {"display": "A"}}, {"valueInteger": 2}]
    choice = question("choice", answerOption=options, repeats=True)
    assert faults([choice], [answered(coding("a"), 2)]) == []
    told = faults([choice], [answered(coding("b"), 3, "2")])
    assert [rule for rule, _ in told] == ["form.not-an-option"] * 3
    either = choice | {"type": "open-choice"}
    assert faults([either], [answered("libre")]) == []


def test_a_text_is_no_longer_than_the_definition_says():
    asked = [question("string", maxLength=3)]
    assert faults(asked, [answered("abc")]) == []
    assert faults(asked, [answered("abcd")]) == [("form.answer-too-long", "answers/0/values/0")]


def test_a_coded_answer_is_told_with_the_value_set_that_it_is_bound_to():
    asked = question("choice", answerValueSet="urn:x:vs|1")
    found = compare({"answers": [answered(coding("a"))]}, {"item": [asked]})
    assert found.faults == ()
    assert found.bound == ((("answers", 0, "values", 0), "urn:x:vs|1", coding("a")),)


@pytest.mark.parametrize(
    ("condition", "values", "enabled"),
    [
        ({"operator": "exists", "answerBoolean": True}, [], False),
        ({"operator": "exists", "answerBoolean": True}, [3], True),
        ({"operator": "exists", "answerBoolean": False}, [], True),
        ({"operator": "=", "answerCoding": coding("a")}, [coding("a")], True),
        ({"operator": "=", "answerCoding": coding("a")}, [coding("b")], False),
        ({"operator": "!=", "answerCoding": coding("a")}, [coding("b")], True),
        ({"operator": "!=", "answerCoding": coding("a")}, [coding("b"), coding("a")], False),
        ({"operator": ">", "answerInteger": 3}, [4], True),
        ({"operator": ">", "answerInteger": 3}, [3], False),
        ({"operator": ">=", "answerDecimal": Decimal("3.5")}, [4], True),
        ({"operator": "<", "answerDate": "2026-01-01"}, [{"date": "2025-12-31"}], True),
        ({"operator": "<=", "answerInteger": 3}, ["2"], False),
        ({"operator": "<", "answerInteger": 3}, [True], False),
        ({"operator": ">", "answerQuantity": {"value": 3, "unit": "kg"}}, [{"value": 4}], True),
        ({"operator": ">", "answerQuantity": {"value": 3, "code": "kg"}}, [{"value": 4}], False),
    ],
)
def test_what_is_required_is_so_only_where_its_conditions_hold(condition, values, enabled):
    items = [
        {"linkId": "q", "type": "string", "repeats": True},
        question("string", required=True, enableWhen=[{"question": "q", **condition}]),
    ]
    answers = [answered(*values, link="q")] if values else []
    found = [one for one in faults(items, answers) if one[0] == "form.answer-missing"]
    assert bool(found) is enabled


def test_conditions_hold_all_or_any_as_the_definition_says():
    conditions = [
        {"question": "a", "operator": "exists", "answerBoolean": True},
        {"question": "b", "operator": "exists", "answerBoolean": True},
    ]
    items = [
        {"linkId": "a", "type": "boolean"},
        {"linkId": "b", "type": "boolean"},
        question("string", required=True, enableWhen=conditions, enableBehavior="all"),
    ]
    one = [answered(True, link="a")]
    assert faults(items, one) == []
    items[2]["enableBehavior"] = "any"
    assert faults(items, one) == [("form.answer-missing", "answers")]
