"""From a resource to its rows to the searches that find it: what several rows say together."""

from typing import Any

import pytest

from tests.store.search_records import Record, ask, fill, record, through

__all__ = ["record"]

UCUM = "http://unitsofmeasure.org"
MR = {"coding": [{"system": "urn:type", "code": "MR"}], "text": "Numéro de dossier"}


def pressure(systolic: int, diastolic: int) -> list[dict[str, Any]]:
    def one(code: str, value: int) -> dict[str, Any]:
        quantity = {"value": value, "unit": "mmHg", "system": UCUM, "code": "mm[Hg]"}
        coding = [{"system": "http://loinc.org", "code": code}]
        return {"code": {"coding": coding}, "valueQuantity": quantity}

    return [one("8480-6", systolic), one("8462-4", diastolic)]


RESOURCES: list[dict[str, Any]] = [
    {
        "resourceType": "Patient",
        "id": "p",
        "identifier": [{"type": MR, "system": "urn:h", "value": "12"}],
        "gender": "female",
    },
    {"resourceType": "Observation", "id": "o1", "component": pressure(150, 80)},
    {"resourceType": "Observation", "id": "o2", "component": pressure(120, 95)},
    {
        "resourceType": "Observation",
        "id": "o3",
        "subject": {"type": "Patient", "identifier": {"system": "urn:h", "value": "12"}},
        "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}], "text": "Poids"},
        "valueQuantity": {"value": 5400, "system": UCUM, "code": "g"},
    },
    {"resourceType": "Location", "id": "l", "position": {"latitude": 48.8566, "longitude": 2.3522}},
]


@pytest.mark.parametrize(
    ("type", "name", "text", "found"),
    [
        ("Observation", "component-code-value-quantity", "http://loinc.org|8480-6$gt140", ["o1"]),
        ("Observation", "component-code-value-quantity", "8462-4$gt90", ["o2"]),
        ("Observation", "component-code-value-quantity", "8480-6$95", []),
        (
            "Observation",
            "component-code-value-quantity",
            f"http://loinc.org|8480-6$15|{UCUM}|cm[Hg]",
            ["o1"],
        ),
        ("Observation", "value-quantity", f"5.4|{UCUM}|kg", ["o3"]),
        ("Observation", "value-quantity", "lt10", []),
        ("Observation", "code-value-quantity", f"29463-7$lt6|{UCUM}|kg", ["o3"]),
        ("Observation", "code:text", "poids", ["o3"]),
        ("Observation", "patient:identifier", "urn:h|12", ["o3"]),
        ("Observation", "patient.gender", "female", ["o3"]),
        ("Observation", "subject:Patient.identifier:of-type", "urn:type|MR|12", ["o3"]),
        ("Patient", "identifier:of-type", "urn:type|MR|12", ["p"]),
        ("Patient", "identifier:text", "numero", ["p"]),
        ("Patient", "_has:Observation:patient:code", "29463-7", ["p"]),
        ("Location", "near", "48.85|2.35|2|km", ["l"]),
        ("Location", "near", "48.85|2.35|100|m", []),
    ],
)
def test_a_resource_is_found_by_what_it_says(
    record: Record, type: str, name: str, text: str, found: list[str]
) -> None:
    fill(record, RESOURCES)
    assert through(record, ask(type, (name, text))) == found
