"""The answer to `$match`: a searchset whose entries tell how alike they are.

https://hl7.org/fhir/R4/patient-operation-match.html
"""

from collections.abc import Sequence
from typing import NamedTuple

from passerelle.errors.refusals import Issue
from passerelle.fhir.bundles.bundle import Found
from passerelle.fhir.json_text import encode
from passerelle.fhir.outcome import operation_outcome

MATCH_GRADE = "http://hl7.org/fhir/StructureDefinition/match-grade"


class Graded(NamedTuple):
    """A resource, its grade and its score."""

    found: Found
    grade: str
    score: float


def match_set(base_url: str, matches: Sequence[Graded], issues: Sequence[Issue] = ()) -> bytes:
    """Join the Bundle, in the order handed in; ``issues`` as an outcome entry."""
    entries = [_entry(base_url.encode(), each) for each in matches]
    if issues:
        entries.append(
            b'{"resource":' + operation_outcome(issues) + b',"search":{"mode":"outcome"}}'
        )
    head = {"resourceType": "Bundle", "type": "searchset", "total": len(matches)}
    joined = b',"entry":[' + b",".join(entries) + b"]" if entries else b""
    return encode(head)[:-1] + joined + b"}"


def _entry(base: bytes, each: Graded) -> bytes:
    search = {
        "extension": [{"url": MATCH_GRADE, "valueCode": each.grade}],
        "mode": "match",
        "score": round(each.score, 2),
    }
    return b"".join(
        (
            b'{"fullUrl":"' + base + b"/" + str(each.found.key).encode() + b'"',
            b',"resource":' + each.found.body,
            b',"search":' + encode(search) + b"}",
        )
    )
