"""What composites, units, sounds, types of identifiers and places make index rows of."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.fhir.search import ucum
from passerelle.fhir.search.extraction import extract
from passerelle.fhir.search.number_interval import ABOVE_ALL, BELOW_ALL, exactly
from passerelle.fhir.search.phonetic import phonetic
from passerelle.fhir.search.quantity_values import quantities_of
from passerelle.fhir.search.search_parameters import indexed

UCUM = "http://unitsofmeasure.org"


def composites(resource: dict[str, Any], code: str) -> list[tuple[Any, ...]]:
    param = indexed(resource["resourceType"])[code].id
    return [tuple(row[1:]) for row in extract(resource).composites if row.param == param]


def pressure(code: str, value: int) -> dict[str, Any]:
    quantity = {"value": value, "system": UCUM, "code": "mm[Hg]"}
    return {"code": {"coding": [{"system": "urn:l", "code": code}]}, "valueQuantity": quantity}


def test_a_composite_keeps_together_what_stands_in_one_element() -> None:
    observation = {
        "resourceType": "Observation",
        "component": [pressure("high", 120), pressure("low", 80)],
    }
    found = composites(observation, "component-code-value-quantity")
    as_written = [row for row in found if row[3] == UCUM]
    assert as_written == [
        ("high", "urn:l", "mm[Hg]", UCUM, 120.0, 120.0, 0.0, 0.0),
        ("low", "urn:l", "mm[Hg]", UCUM, 80.0, 80.0, 0.0, 0.0),
    ]
    assert composites(observation, "combo-code-value-quantity") == found
    assert composites(observation, "code-value-quantity") == []


def test_a_composite_of_a_document_holds_what_it_relates_to() -> None:
    related = [{"code": "replaces", "target": {"reference": "DocumentReference/1"}}]
    document = {"resourceType": "DocumentReference", "relatesTo": related}
    assert composites(document, "relationship") == [
        ("replaces", "", "DocumentReference/1", "", 0.0, 0.0, 0.0, 0.0)
    ]


def test_a_composite_takes_no_identifier_of_a_reference() -> None:
    target = {"type": "DocumentReference", "identifier": {"system": "urn:b", "value": "2"}}
    document = {
        "resourceType": "DocumentReference",
        "relatesTo": [{"code": "signs", "target": target}],
    }
    assert composites(document, "relationship") == []
    target["reference"] = "DocumentReference/1"
    assert [row[2] for row in composites(document, "relationship")] == ["DocumentReference/1"]


def test_a_composite_of_three_takes_what_is_the_resources() -> None:
    sequence = {
        "resourceType": "MolecularSequence",
        "referenceSeq": {"chromosome": {"coding": [{"code": "1"}]}},
        "variant": [{"start": 10, "end": 12}],
    }
    assert composites(sequence, "chromosome-variant-coordinate") == [
        ("1", "", "", "", 10.0, 10.0, 12.0, 12.0)
    ]


def test_codes_too_long_for_an_index_entry_are_in_no_composite() -> None:
    coded = {"coding": [{"system": "\U0001f600" * 300, "code": "\U0001f600" * 300}]}
    observation = {"resourceType": "Observation", "code": coded, "valueCodeableConcept": coded}
    assert composites(observation, "code-value-concept") == []


@pytest.mark.parametrize(
    ("code", "value", "other", "same"),
    [
        ("mg", "5.4", "g", "0.0054"),
        ("mg/dL", "100", "g/L", "1"),
        ("mmol/L", "5", "umol/mL", "5"),
        ("10*9/L", "4", "10*3/uL", "4"),
        ("Cel", "37", "[degF]", "98.6"),
        ("/min", "5.4", "/h", "324"),
        ("{beats}/min", "60", "Hz", "1"),
        ("m[IU]/L", "2", "u[iU]/mL", "2"),
        ("cm", "180", "m", "1.8"),
        ("mm[Hg]", "1000", "m[Hg]", "1"),
        ("%", "5", "1", "0.05"),
        ("kcal", "1", "kJ", "4.184"),
    ],
)
def test_equal_amounts_are_equal_numbers(code: str, value: str, other: str, same: str) -> None:
    one = ucum.canonical(code, Decimal(value), Decimal(value))
    assert one is not None
    assert one == ucum.canonical(other, Decimal(same), Decimal(same))


@pytest.mark.parametrize(
    "code", ["", "bad", "mg/", "/", "g%", "mg..L", "mg{", "a" * 99, "10*999", "/0"]
)
def test_what_is_no_known_unit_has_no_canonical_form(code: str) -> None:
    assert ucum.canonical(code, Decimal(1), Decimal(2)) is None


def test_amounts_beyond_all_measure_are_not_converted() -> None:
    assert ucum.canonical("mg", Decimal("1e999999999"), Decimal("1e999999999")) is None


@given(st.text("mgLsol/.*^10-{}[]%inU", max_size=20))
@settings(max_examples=200, deadline=None)
def test_any_text_is_a_unit_or_none(code: str) -> None:
    found = ucum.canonical(code, Decimal(1), Decimal(2))
    assert found is None or found.low <= found.high


def test_a_range_with_an_open_end_and_money_are_quantities() -> None:
    low = {"value": 3, "system": UCUM, "code": "kat"}
    ranged = list(quantities_of({"low": low}))
    assert ranged[0] == (UCUM, "kat", Decimal(3), ABOVE_ALL)
    assert list(quantities_of({"high": {"value": 3}})) == [("", "", BELOW_ALL, Decimal(3))]
    euros = exactly(Decimal("12.50"))
    assert list(quantities_of({"value": Decimal("12.50"), "currency": "EUR"})) == [
        ("urn:iso:std:iso:4217", "EUR", *euros)
    ]


def test_samples_are_the_interval_that_holds_them() -> None:
    sampled = {"origin": {"value": 10}, "period": 1, "factor": 2, "data": "1 E 4 -2 U"}
    assert list(quantities_of(sampled)) == [("", "", Decimal(6), Decimal(18))]
    assert list(quantities_of({**sampled, "data": "E U"})) == [("", "", Decimal(10), Decimal(10))]


@pytest.mark.parametrize(
    "names",
    [
        ("Dupont", "Dupond", "Dupon"),
        ("Lefèvre", "Lefebvre"),
        ("Meyer", "Maier", "Mayer"),
        ("Gauthier", "Gautier"),
        ("Philippe", "Filippe"),
        ("DUPONS", "Dupont"),
        ("Thibault", "Thibaud", "Tibo"),
        ("Geoffroy", "Joffroi"),
        ("Schmitt", "Shmit", "Schmidt"),
        ("Levesque", "Lévêque"),
        ("Duchesne", "Duchêne"),
        ("Renault", "Raynaud", "Reno"),
        ("Georges", "Jorge"),
        ("Fernandez", "Fernandes"),
    ],
)
def test_names_that_sound_alike_are_alike(names: tuple[str, ...]) -> None:
    assert len({phonetic(name) for name in names}) == 1


def test_names_that_sound_different_are_different() -> None:
    names = ("Martin", "Bernard", "Rousseau", "Roux", "Petit", "Durand", "Moreau", "12", "Marie")
    names += ("Petite", "Lacaze", "Lacasse", "Jean", "Jeanne", "Martine", "Loup", "Laure", "Boyer")
    assert len({phonetic(name) for name in names}) == len(names)


def test_an_identifier_is_found_by_its_type_and_its_value() -> None:
    kind = {"coding": [{"system": "urn:t", "code": "PI", "display": "Numéro"}], "text": "IPP"}
    patient = {
        "resourceType": "Patient",
        "identifier": [{"type": kind, "system": "urn:ipp", "value": "7"}],
    }
    param = indexed("Patient")["identifier"].id
    rows = extract(patient)
    assert [tuple(row) for row in rows.tokens if abs(row.param) == param] == [
        (param, "urn:ipp", "7"),
        (-param, "urn:t", "PI|7"),
    ]
    assert [tuple(row) for row in rows.texts] == [(param, "ipp", "IPP")]


def test_a_place_is_indexed_where_it_is_on_earth() -> None:
    here = {"latitude": Decimal("48.85"), "longitude": Decimal("2.35")}
    found = extract({"resourceType": "Location", "position": here}).positions
    assert [tuple(row[1:]) for row in found] == [(48.85, 2.35)]
    nowhere = {"latitude": 91, "longitude": 0}
    assert extract({"resourceType": "Location", "position": nowhere}).positions == ()
