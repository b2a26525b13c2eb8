"""What there is to say about a request, as an OperationOutcome.

https://hl7.org/fhir/R4/operationoutcome.html . The rule's slug is a code of our own system, the
French text is for people, the English one for those who debug.
"""

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from passerelle.errors.refusals import Issue
from passerelle.fhir.urls import PASSERELLE

RULES = PASSERELLE + "/CodeSystem/rules"
"""The system of the rule slugs."""

LINE = "http://hl7.org/fhir/StructureDefinition/operationoutcome-issue-line"
COLUMN = "http://hl7.org/fhir/StructureDefinition/operationoutcome-issue-col"
"""The extensions that say where in the text an issue is."""

_UNSAYABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What no text of FHIR may hold, and XML cannot (https://hl7.org/fhir/R4/datatypes.html#string):
the name of a parameter or of a member may, and an expression says it again."""

_ENCODER = msgspec.json.Encoder()


def operation_outcome(issues: Iterable[Issue]) -> bytes:
    """Write the OperationOutcome of the issues, in their order; one says "all ok" when empty."""
    said = [_issue(issue) for issue in issues]
    if not said:
        said = [{"severity": "information", "code": "informational", "diagnostics": "All OK."}]
    return _ENCODER.encode({"resourceType": "OperationOutcome", "issue": said})


def _issue(issue: Issue) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "severity": issue.severity,
        "code": issue.code,
        "details": {
            "coding": [{"system": RULES, "code": issue.rule}],
            "text": _sayable(issue.text),
        },
        "diagnostics": _sayable(issue.text_en),
    }
    if issue.expression:
        entry["expression"] = [_sayable(issue.expression)]
    if issue.line is not None:
        entry["extension"] = [
            {"url": url, "valueInteger": value}
            for url, value in ((LINE, issue.line), (COLUMN, issue.column))
            if value is not None
        ]
    return entry


def _sayable(text: str) -> str:
    """Give a text with a mark in the place of each character that FHIR does not have."""
    return _UNSAYABLE.sub("\ufffd", text) if _UNSAYABLE.search(text) else text
