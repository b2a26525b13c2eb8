"""A push with forms, where the record has their Questionnaires, and where it has not."""

import json
from typing import Any

import pytest

from passerelle.dossiers.exchange.reception import receive
from passerelle.dossiers.repository import Repository
from passerelle.errors.refusals import Unprocessable
from passerelle.mappers.native.dossier import Dossier, dump
from passerelle.store.caller import SYSTEM

pytestmark = pytest.mark.anyio
CODES = "https://source.example/codes"
URL = "https://coordination.example/Questionnaire/ppcs"
QUESTIONNAIRE = {
    "resourceType": "Questionnaire",
    "url": URL,
    "version": "1.0",
    "status": "active",
    "contained": [
        {
            "resourceType": "ValueSet",
            "id": "vs",
            "status": "active",
            "compose": {"include": [{"system": CODES, "concept": [{"code": "a"}]}]},
        }
    ],
    "item": [
        {"linkId": "1", "type": "date", "required": True},
        {"linkId": "2", "type": "choice", "answerValueSet": "#vs"},
        {"linkId": "3", "type": "choice", "answerValueSet": "urn:x:not-here"},
    ],
}
FORM = {
    "key": "f1",
    "definition": f"{URL}|1.0",
    "status": "completed",
    "author": "m1",
    "authoredAt": "2026-01-20T09:00:00+01:00",
}


def with_form(sample: Dossier, *answers: Any, **facts: Any) -> Dossier:
    content = json.loads(dump(sample))
    return Dossier(content | {"forms": [FORM | facts | {"answers": list(answers)}]})


async def push(gateway, dossier: Dossier, *, strict: bool = False) -> Any:
    return await receive(
        gateway, SYSTEM, dossier.tag, dump(dossier), if_match=None, strict=strict, dry_run=False
    )


def said(receipt: Any) -> list[tuple[str, str, str | None]]:
    return [(each.severity, each.rule, each.expression) for each in receipt.issues]


async def test_a_form_whose_definition_is_not_here_is_taken_with_a_warning(gateway, sample):
    dossier = with_form(sample, {"link": "1", "values": ["demain"]})
    for strict in (True, False):
        receipt = await push(gateway, dossier, strict=strict)
        assert said(receipt) == [("warning", "form.definition-unknown", "/forms/0/definition")]
    assert {entry.action for entry in receipt.entries} == {"unchanged"}


async def test_a_completed_form_is_compared_and_what_does_not_fit_is_told_or_refused(
    gateway, sample
):
    await Repository(gateway, SYSTEM).create(QUESTIONNAIRE)
    right = with_form(sample, {"link": "1", "values": [{"date": "2026-01-21"}]})
    assert said(await push(gateway, right, strict=True)) == []
    wrong = with_form(
        sample,
        {"link": "1", "values": ["2026-01-21"]},
        {"link": "2", "values": [{"system": CODES, "code": "b"}]},
        {"link": "3", "values": [{"system": CODES, "code": "whatever"}]},
    )
    with pytest.raises(Unprocessable) as refused:
        await push(gateway, wrong, strict=True)
    places = [
        ("form.answer-type", "/forms/0/answers/0/values/0"),
        ("form.not-an-option", "/forms/0/answers/1/values/0"),
    ]
    assert [(each.rule, each.expression) for each in refused.value.issues] == places
    receipt = await push(gateway, wrong)
    assert said(receipt) == [("warning", rule, place) for rule, place in places]
    assert ("forms", "f1", "updated") in {(e.section, e.key, e.action) for e in receipt.entries}


async def test_a_form_in_progress_may_lack_anything(gateway, sample):
    await Repository(gateway, SYSTEM).create(QUESTIONNAIRE)
    dossier = with_form(sample, {"link": "9", "values": [1]}, status="in-progress")
    assert said(await push(gateway, dossier, strict=True)) == []


async def test_a_definition_is_found_by_its_version_or_the_newest_is(gateway, sample):
    repository = Repository(gateway, SYSTEM)
    await repository.create(QUESTIONNAIRE)
    newer = {name: value for name, value in QUESTIONNAIRE.items() if name != "contained"}
    other = {"version": "2.0", "item": [{"linkId": "9", "type": "string"}]}
    await repository.create(newer | other)
    answer = {"link": "1", "values": [{"date": "2026-01-21"}]}
    assert said(await push(gateway, with_form(sample, answer))) == []
    newest = await push(gateway, with_form(sample, answer, definition=URL))
    assert said(newest) == [("warning", "form.link-unknown", "/forms/0/answers/0/link")]
    none = await push(gateway, with_form(sample, answer, definition=f"{URL}|3"))
    assert [rule for _, rule, _ in said(none)] == ["form.definition-unknown"]


async def test_scores_of_forms_are_found_by_their_value(gateway, sample):
    from passerelle.fhir.search.query import parse

    code = {"system": "http://loinc.org", "code": "9269-2"}
    dossier = with_form(sample, scores=[{"code": code, "value": 12}])
    await push(gateway, dossier)

    async def found(**asked: str) -> int:
        query = parse("Observation", list(asked.items()), strict=True, base_url=gateway.base_url)
        return len((await gateway.store.search(query, SYSTEM)).matches)

    assert await found(code="http://loinc.org|9269-2", **{"value-quantity": "gt8"}) == 1
    assert await found(**{"value-quantity": "lt8"}) == 0
    assert await found(category="survey", **{"code-value-quantity": "9269-2$12"}) == 1
