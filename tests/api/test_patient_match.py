"""`$match` over HTTP: the likeliest first, each with its grade."""

import pytest

from tests.ins.ins_patients import ins, patient

pytestmark = pytest.mark.anyio

ASKED = {
    "resourceType": "Patient",
    "name": [{"family": "Pat-Trois", "given": ["Dominique"]}],
    "birthDate": "1979-03-28",
}


@pytest.fixture
async def record(served):
    await served.kept(patient(id="sure"))
    await served.kept(ASKED | {"id": "like", "gender": "female"})
    await served.kept(
        ASKED | {"id": "slip", "name": [{"family": "Pat-Troi", "given": ["Dominique"]}]}
    )
    await served.kept(
        ASKED | {"id": "other", "name": [{"family": "Zoé"}], "birthDate": "1950-01-01"}
    )
    return served


def asking(resource, **inputs):
    kinds = {"onlyCertainMatches": "valueBoolean", "count": "valueInteger"}
    listed = [{"name": name, kinds[name]: value} for name, value in inputs.items()]
    return {
        "resourceType": "Parameters",
        "parameter": [{"name": "resource", "resource": resource}, *listed],
    }


async def matched(served, body):
    answer = await served.ask("POST", "/fhir/Patient/$match", body)
    assert answer.status_code == 200, answer.text
    bundle = answer.json()
    assert (bundle["resourceType"], bundle["type"]) == ("Bundle", "searchset")
    found = [e for e in bundle.get("entry", ()) if e["search"]["mode"] == "match"]
    assert bundle["total"] == len(found)
    said = [e["resource"] for e in bundle.get("entry", ()) if e["search"]["mode"] == "outcome"]
    return [
        (
            each["resource"]["id"],
            each["search"]["extension"][0]["valueCode"],
            each["search"]["score"],
        )
        for each in found
    ], said


async def test_persons_are_given_by_likeness_with_their_grades(record):
    for body in (asking(ASKED), ASKED):
        found, said = await matched(record, body)
        assert {(id_, grade) for id_, grade, _ in found} == {
            ("sure", "probable"),
            ("like", "probable"),
            ("slip", "possible"),
        }
        assert said == []
        scores = [score for _, _, score in found]
        assert scores == sorted(scores, reverse=True)


async def test_a_qualified_matricule_finds_its_person(record):
    asked = {"resourceType": "Patient", "identifier": [ins()]}
    found, _ = await matched(record, asking(asked, onlyCertainMatches=True))
    assert found == [("sure", "certain", 1.0)]


async def test_only_certain_matches_gives_one_person_or_none(record):
    found, _ = await matched(record, asking(ASKED, onlyCertainMatches=True))
    assert found == []
    await record.kept(patient(id="twice"))
    asked = {"resourceType": "Patient", "identifier": [ins()]}
    found, said = await matched(record, asking(asked, onlyCertainMatches=True))
    assert found == []
    assert said[0]["issue"][0]["code"] == "multiple-matches"


async def test_as_many_are_given_as_are_asked_for(record):
    found, said = await matched(record, asking(ASKED, count=1))
    assert len(found) == 1
    assert said[0]["issue"][0]["code"] == "incomplete"


async def test_a_matricule_that_stands_aside_finds_nobody_and_is_not_told(record):
    provisional = patient(id="aside", identifier=[ins(number="285072B50202465")])
    provisional["extension"] = provisional["extension"][:1]
    await record.kept(provisional)
    asked = {"resourceType": "Patient", "identifier": [ins(number="285072B50202465")]}
    found, _ = await matched(record, asking(asked))
    assert found == []


async def test_signs_of_a_search_in_a_name_are_no_signs(record):
    strange = {
        "resourceType": "Patient",
        "identifier": [{"system": "urn:a|b", "value": "a,b$c\\d"}],
    }
    await record.kept(strange | {"id": "strange", "birthDate": "1979-03-28"})
    found, _ = await matched(
        record, asking(strange | {"name": [{"family": "a,b", "given": ["|"]}]})
    )
    assert found == [("strange", "probable", 0.9)]


@pytest.mark.parametrize(
    ("asked", "rule"),
    [
        ({"resourceType": "Patient"}, "operation.match-needs-more"),
        ({"resourceType": "Patient", "birthDate": "1979"}, "operation.match-needs-more"),
        ({"resourceType": "Person"}, "http.type-mismatch"),
        ({"resourceType": "Patient", "nothing": 1}, "structure.unknown-element"),
    ],
)
async def test_too_little_or_malformed_is_refused(record, rules, asked, rule):
    answer = await record.ask("POST", "/fhir/Patient/$match", asking(asked))
    assert (answer.status_code, rules(answer)) == (400, [rule])


async def test_a_person_must_be_described(record, rules):
    answer = await record.ask("POST", "/fhir/Patient/$match", asking(ASKED) | {"parameter": []})
    assert answer.status_code == 400
    answer = await record.ask("GET", "/fhir/Patient/$match")
    assert (answer.status_code, rules(answer)) == (400, ["operation.input-missing"])
