"""The operators of `_filter` on real databases, one by one.

https://hl7.org/fhir/R4/search_filter.html#ops
"""

from typing import Any

import pytest

from passerelle.errors.refusals import Invalid
from tests.store.search_records import Record, ask, fill, find, ids, record

__all__ = ["record"]

LOINC = "http://loinc.org"
RECORDS: list[dict[str, Any]] = [
    {"resourceType": "Patient", "id": "a", "gender": "female", "birthDate": "1950-05-03",
     "name": [{"family": "Éléonore"}], "identifier": [{"system": "urn:s", "value": "Ab-12"}]},
    {"resourceType": "Patient", "id": "b", "gender": "male", "birthDate": "1950",
     "name": [{"family": "Thibaud"}], "identifier": [{"system": "urn:t", "value": "ab-12"}]},
    {"resourceType": "Observation", "id": "o", "status": "final",
     "subject": {"reference": "Patient/a"},
     "code": {"coding": [{"system": LOINC, "code": "8480-6"}]},
     "effectivePeriod": {"start": "2026-01-10", "end": "2026-01-20"},
     "valueQuantity": {"value": 120, "system": "http://unitsofmeasure.org", "code": "mm[Hg]"}},
    {"resourceType": "Observation", "id": "p", "status": "amended",
     "code": {"coding": [{"system": "urn:x", "code": "8480-6"}]},
     "effectiveDateTime": "2026-01-15"},
    {"resourceType": "DocumentReference", "id": "d", "status": "current", "relatesTo": [
        {"code": "replaces", "target": {"reference": "DocumentReference/x"}},
        {"code": "signs", "target": {"reference": "DocumentReference/y"}}]},
    {"resourceType": "Group", "id": "g", "type": "person", "actual": True, "characteristic": [
        {"code": {"coding": [{"system": "urn:c", "code": "risk"}]}, "exclude": False,
         "valueCodeableConcept": {"coding": [{"system": "urn:v", "code": "high"}]}},
        {"code": {"coding": [{"system": "urn:c", "code": "sex"}]}, "exclude": False,
         "valueCodeableConcept": {"coding": [{"system": "urn:v", "code": "f"}]}}]},
]  # fmt: skip


@pytest.mark.parametrize(
    ("type", "text", "found"),
    [
        # Values are never compared by case.
        ("Patient", "gender eq MALE", ["b"]),
        ("Patient", "gender ne Male", ["a"]),
        ("Patient", "identifier eq AB-12", ["a", "b"]),
        ("Patient", "identifier eq urn:s|aB-12", ["a"]),
        ("Patient", "identifier ne urn:s|ab-12", ["b"]),
        ("Patient", "identifier eq urn:s|", ["a"]),
        ("Patient", "identifier ne urn:s|", ["b"]),
        ("Patient", "identifier co B-1", ["a", "b"]),
        ("Patient", "identifier sw aB", ["a", "b"]),
        ("Patient", "identifier ew -12", ["a", "b"]),
        ("Patient", "identifier eq ab-1", []),
        ("Patient", 'family eq "ELEONORE"', ["a"]),
        ("Patient", "phonetic eq tibo", ["b"]),
        ("Patient", "not(phonetic ap tibo)", ["a"]),
        # Neither of both joins goes first.
        ("Patient", "gender eq male or gender eq female and birthdate eq 1950-05-03", ["a"]),
        ("Patient", "gender eq male or (gender eq female and birthdate eq 1950-05-03)", ["a", "b"]),
        # Intervals.
        ("Observation", "date co 2026-01-15", ["o", "p"]),
        ("Observation", "date co 2026-01-12", ["o"]),
        ("Observation", "date co 2026-01", []),
        ("Observation", "date po 2026-01-15", ["o", "p"]),
        ("Observation", "date po 2026", ["o", "p"]),
        ("Observation", "date sa 2026-01-12", ["p"]),
        ("Observation", "date eb 2026-01-16", ["p"]),
        ("Patient", "birthdate co 1950-07-14", ["b"]),
        # Systems by their codes.
        ("Observation", "code eq loinc|8480-6", ["o"]),
        ("Observation", "code eq snomed|8480-6", []),
        ("Observation", "value-quantity ge 100|ucum|mm[Hg", []),
        ("Observation", 'value-quantity ge "100|ucum|mm[Hg]"', ["o"]),
        ("Observation", "subject re Patient/a", ["o"]),
        ("Observation", 'patient[gender eq FEMALE].family sw "éléo"', ["o"]),
        ("Observation", "patient[not (gender eq male)].gender pr true", ["o"]),
        # Parts of one element.
        ("DocumentReference", "relatesTo[code eq replaces].target re DocumentReference/x", ["d"]),
        ("DocumentReference", "relatesTo[code eq signs].target re DocumentReference/x", []),
        ("DocumentReference", "relatesTo[target re DocumentReference/y].code eq signs", ["d"]),
        ("Group", "characteristic[code eq urn:c|risk].value eq urn:v|high", ["g"]),
        ("Group", "characteristic[code eq urn:c|sex].value eq urn:v|high", []),
    ],
)  # fmt: skip
def test_each_operator_finds_its_resources(
    record: Record, type: str, text: str, found: list[str]
) -> None:
    fill(record, RECORDS)
    assert ids(find(record, ask(type, ("_filter", text)))) == found


@pytest.mark.parametrize(
    ("type", "text", "rule", "place"),
    [
        ("Patient", "gender eq male and nonsense eq 1", "search.filter-path", 20),
        ("Patient", "gender eq male and (birthdate co", "search.filter-invalid", 31),
        ("Patient", "gender eq male or birthdate sw 1950", "search.filter-operator", 29),
        ("Patient", "gender eq male or birthdate ge never", "search.value-invalid", 32),
        ("Patient", "gender pr maybe", "search.value-invalid", 11),
        ("Patient", "gender zz x", "search.filter-invalid", 8),
        ("Patient", "gender eq male xor gender eq x", "search.filter-invalid", 16),
        ("Patient", "gender in http://x", "search.no-terminology", 11),
        ("Patient", "active eq true and name.family eq x", "search.chain-not-a-reference", 20),
        ("Observation", "patient[nothing eq 1].gender eq x", "search.filter-path", 1),
        ("Observation", "subject[gender eq 1] eq x", "search.filter-path", 1),
        ("DocumentReference", "relatesTo[code eq x].code eq x", "search.filter-path", 1),
        ("DocumentReference", "relatesTo[code co x].target re A/1", "search.filter-operator", 1),
        ("Observation", "value-quantity co 5", "search.filter-operator", 16),
    ],
)
def test_a_refusal_says_where_in_the_filter_it_is(
    type: str, text: str, rule: str, place: int
) -> None:
    with pytest.raises(Invalid) as refusal:
        ask(type, ("_filter", text))
    (issue,) = refusal.value.issues
    assert issue.rule == rule
    assert str(place) in issue.text
    assert str(place) in issue.text_en
