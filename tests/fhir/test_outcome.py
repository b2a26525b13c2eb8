"""An OperationOutcome says each issue in French and in English, with its place and its rule."""

import json

from passerelle.errors.rules import issue
from passerelle.fhir import json_text
from passerelle.fhir.outcome import operation_outcome
from passerelle.fhir.urls import PASSERELLE
from passerelle.fhir.xml import writer


def test_each_issue_carries_its_rule_its_two_texts_and_its_place():
    outcome = json.loads(operation_outcome([issue("bundle.type", "Bundle.type")]))
    assert outcome == {
        "resourceType": "OperationOutcome",
        "issue": [
            {
                "severity": "error",
                "code": "value",
                "details": {
                    "coding": [{"system": PASSERELLE + "/CodeSystem/rules", "code": "bundle.type"}],
                    "text": "Bundle.type doit être transaction ou batch.",
                },
                "diagnostics": "Bundle.type must be transaction or batch.",
                "expression": ["Bundle.type"],
            }
        ],
    }


def test_an_outcome_has_an_issue_even_when_there_is_nothing_to_say():
    assert json.loads(operation_outcome([]))["issue"] == [
        {"severity": "information", "code": "informational", "diagnostics": "All OK."}
    ]


def test_an_outcome_holds_no_character_that_fhir_does_not_have():
    said = issue("search.unknown-parameter", "a\x00\x1b\ud800b", name="a\x0bb", type="Patient")
    written = operation_outcome([said])
    (told,) = json.loads(written)["issue"]
    assert told["expression"] == ["a\ufffd\ufffd\ufffdb"]
    assert "a\ufffdb" in told["diagnostics"]
    assert b"<OperationOutcome" in writer.encode(json_text.decode(written))


def test_an_outcome_holds_no_empty_text():
    (told,) = json.loads(operation_outcome([issue("bundle.type", "")]))["issue"]
    assert "expression" not in told
