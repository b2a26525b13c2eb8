"""Parts of resources: what is left, and that it says so."""

import json
from typing import Any

from passerelle.fhir.subsets.subset import SUBSETTED, Subset

PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "p1",
    "meta": {"versionId": "1", "tag": [{"code": "own"}]},
    "implicitRules": "http://rules.example",
    "language": "fr",
    "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'},
    "contained": [{"resourceType": "Organization", "id": "o", "name": "x"}],
    "extension": [{"url": "http://e.example", "valueDecimal": 1}],
    "modifierExtension": [{"url": "http://m.example", "valueBoolean": True}],
    "identifier": [{"system": "urn:x", "value": "1"}],
    "_birthDate": {"extension": [{"url": "http://b.example", "valueString": "x"}]},
    "name": [{"family": "D'ALMEIDA", "given": ["Éléonore"]}],
    "deceasedBoolean": False,
    "maritalStatus": {"text": "x"},
    "contact": [{"name": {"family": "X"}}],
    "link": [{"other": {"reference": "Patient/2"}, "type": "seealso"}],
}


def kept(subset: Subset, resource: dict[str, Any]) -> list[str]:
    return list(subset.part(resource))


def test_a_summary_holds_what_the_definitions_flag() -> None:
    part = Subset("true").part(PATIENT)
    assert list(part) == [
        *("resourceType", "id", "meta", "implicitRules", "modifierExtension", "identifier"),
        *("_birthDate", "name", "deceasedBoolean", "link"),
    ]
    assert part["meta"] == {"versionId": "1", "tag": [{"code": "own"}, SUBSETTED]}
    assert PATIENT["meta"]["tag"] == [{"code": "own"}]


def test_the_text_alone_and_all_but_the_text() -> None:
    bare = ["resourceType", "id", "meta", "implicitRules", "text", "modifierExtension"]
    assert kept(Subset("text"), PATIENT) == bare
    assert kept(Subset("data"), PATIENT) == [name for name in PATIENT if name != "text"]


def test_elements_are_named_with_or_without_their_type() -> None:
    always = ["resourceType", "id", "meta", "implicitRules", "modifierExtension"]
    named = Subset(
        elements=frozenset({"name", "Patient.deceased", "Observation.link", "birthDate"})
    )
    assert kept(named, PATIENT) == [*always, "_birthDate", "name", "deceasedBoolean"]
    deeper = Subset(elements=frozenset({"link.other", "deceasedBoolean", "nothing"}))
    assert kept(deeper, PATIENT) == [*always, "deceasedBoolean", "link"]


def test_mandatory_elements_stay() -> None:
    observation = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "x"},
        "note": [{"text": "x"}],
    }
    for subset in (Subset("true"), Subset("text"), Subset(elements=frozenset({"subject"}))):
        part = subset.part(observation)
        assert list(part) == ["resourceType", "meta", "status", "code"]
        assert part["meta"] == {"tag": [SUBSETTED]}


def test_what_is_inside_a_backbone_element_is_flagged_by_itself() -> None:
    event = {
        "resourceType": "AuditEvent",
        "type": {"code": "x"},
        "recorded": "2026-01-01T00:00:00Z",
        "agent": [{"altId": "x", "requestor": True}, {"altId": "y", "requestor": False}],
        "source": {"site": "x", "observer": {"display": "x"}},
    }
    part = Subset("true").part(event)
    assert part["agent"] == [{"requestor": True}, {"requestor": False}]
    assert part["source"] == {"observer": {"display": "x"}}
    values = {
        "resourceType": "ValueSet",
        "status": "active",
        "compose": {"include": [{"system": "urn:x", "concept": [{"code": "1"}]}]},
    }
    assert "compose" not in Subset("true").part(values)


def test_what_is_whole_is_given_as_it_is() -> None:
    small = b'{"resourceType":"Patient", "id":"1", "active": true}'
    for subset in (Subset("true"), Subset("data"), Subset(elements=frozenset({"active"}))):
        assert subset.of(small) is small


def test_numbers_and_texts_stay_as_written() -> None:
    body = (
        '{"resourceType":"Observation","status":"final","code":{"text":"é\\u00e9"},'
        '"valueQuantity":{"value":1.500,"unit":"1e3"},"note":[{"text":"x"}],'
        '"component":[{"code":{"text":"x"},"valueQuantity":{"value":1E2}}]}'
    ).encode()
    part = Subset("true").of(body)
    assert b'"value":1.500' in part
    assert b'"value":1E2' in part
    assert "note" not in json.loads(part)
