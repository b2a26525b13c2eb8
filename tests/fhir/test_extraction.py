"""The index rows of resources."""

import tarfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from passerelle.fhir.search.date_interval import AFTER_ALL, interval
from passerelle.fhir.search.extraction import extract
from passerelle.fhir.search.index_rows import Link, Number, Quantity, Span, Text, Token
from passerelle.fhir.search.index_values import EMITTERS, Row
from passerelle.fhir.search.search_parameters import by_id

PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "1",
    "meta": {
        "profile": ["https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-patient"],
        "tag": [{"system": "urn:t", "code": "a"}, {"system": "urn:t", "code": "a"}],
        "source": "urn:source",
    },
    "extension": [
        {
            "url": "http://hl7.org/fhir/StructureDefinition/patient-birthPlace",
            "valueAddress": {"city": "Évian", "country": "FR"},
        }
    ],
    "identifier": [{"system": "urn:oid:1.2.250.1.213.1.4.10", "value": "2790351215189"}],
    "active": True,
    "name": [{"use": "official", "family": "D'Œuvre", "given": ["Zoé", None, "Zoé"]}],
    "telecom": [{"system": "phone", "value": "0612345678"}, {"system": "email", "value": "a@b.fr"}],
    "gender": "female",
    "birthDate": "1979-03-05",
    "deceasedDateTime": "2024-01-02",
    "address": [{"line": ["3 rue des Lilas"], "city": "Aix", "postalCode": "13100"}],
    "communication": [{"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": "fr"}]}}],
    "generalPractitioner": [{"reference": "PractitionerRole/1"}],
    "managingOrganization": {"identifier": {"value": "1"}},
}


def said(resource: dict[str, Any]) -> dict[str, list[tuple[Any, ...]]]:
    """Give the rows by code of their parameter, without its id."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    for group in extract(resource):
        for row in group:
            found.setdefault(by_id(row.param).code, []).append(tuple(row[1:]))
    return found


def test_a_patient_is_found_by_what_it_says() -> None:
    day, death = interval("1979-03-05"), interval("2024-01-02")
    assert said(PATIENT) == {
        "_profile": [("https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-patient",)],
        "_source": [("urn:source",)],
        "_tag": [("urn:t", "a")],
        "active": [("", "true")],
        "address": [
            ("3 rue des lilas", "3 rue des Lilas"),
            ("aix", "Aix"),
            ("13100", "13100"),
        ],
        "address-city": [("aix", "Aix")],
        "address-postalcode": [("13100", "13100")],
        "birthdate": [day],
        "birthplace": [("evian", "Évian"), ("fr", "FR")],
        "death-date": [death],
        "deceased": [("", "true")],
        "email": [("email", "a@b.fr")],
        "family": [("d oeuvre", "D'Œuvre")],
        "gender": [("", "female")],
        "general-practitioner": [("PractitionerRole", "1")],
        "given": [("zoe", "Zoé")],
        "identifier": [("urn:oid:1.2.250.1.213.1.4.10", "2790351215189")],
        "language": [("urn:ietf:bcp:47", "fr")],
        "name": [("d oeuvre", "D'Œuvre"), ("zoe", "Zoé")],
        "organization": [("", "1")],
        "phone": [("phone", "0612345678")],
        "phonetic": [("d", "d"), ("8vr", "oeuvre"), ("d8vr", "doeuvre"), ("zo", "zoe")],
        "telecom": [("phone", "0612345678"), ("email", "a@b.fr")],
    }


@pytest.mark.parametrize(
    ("member", "dead"),
    [
        ({}, "false"),
        ({"deceasedBoolean": False}, "false"),
        ({"deceasedBoolean": True}, "true"),
        ({"deceasedDateTime": "2024"}, "true"),
    ],
)
def test_the_living_are_told_from_the_dead(member: dict[str, Any], dead: str) -> None:
    assert said({"resourceType": "Patient", **member})["deceased"] == [("", dead)]


def test_a_parameter_with_a_type_keeps_the_references_to_that_type() -> None:
    appointment = {
        "resourceType": "Appointment",
        "participant": [
            {"actor": {"reference": "Patient/1"}, "status": "accepted"},
            {"actor": {"reference": "PractitionerRole/2"}, "status": "accepted"},
            {"actor": {"reference": "https://a.example/fhir/Patient/3"}, "status": "tentative"},
            {"actor": {"reference": "#x"}, "status": "tentative"},
        ],
        "priority": 5,
        "description": "Contrôle",
        "comment": "À jeun",
    }
    found = said(appointment)
    away = ("", "https://a.example/fhir/Patient/3")
    assert found["patient"] == [("Patient", "1"), away]
    assert found["actor"] == [("Patient", "1"), ("PractitionerRole", "2"), away]
    assert "practitioner" not in found
    assert found["part-status"] == [("", "accepted"), ("", "tentative")]
    assert found["priority"] == [("", "5")]
    assert found["description"] == [("a jeun", "À jeun"), ("controle", "Contrôle")]


def test_a_care_team_is_found_by_the_dates_of_its_members() -> None:
    start = interval("2024-01-01")
    assert start is not None
    found = said(
        {
            "resourceType": "CareTeam",
            "period": {"start": "2024-01-01"},
            "participant": [{"period": {"start": "2024-01-01", "end": "2024-01-01"}}],
        }
    )
    assert found["date"] == [(start.low, AFTER_ALL)]
    assert found["start"] == found["participant-start"] == found["participant-end"] == [start]
    assert "end" not in found


def test_a_document_is_found_by_both_of_its_identifiers_and_by_its_archive_mark() -> None:
    url = "https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/pdsm-ext-is-archived"
    found = said(
        {
            "resourceType": "DocumentReference",
            "masterIdentifier": {"system": "urn:ietf:rfc:3986", "value": "urn:oid:1.2.3"},
            "identifier": [{"system": "urn:a", "value": "1"}],
            "extension": [{"url": url, "valueBoolean": False}],
            "content": [{"attachment": {"contentType": "text/xml", "url": "Binary/1"}}],
        }
    )
    assert found["identifier"] == [("urn:ietf:rfc:3986", "urn:oid:1.2.3"), ("urn:a", "1")]
    assert found["isArchived"] == [("", "false")]
    assert found["contenttype"] == [("", "text/xml")]
    assert found["location"] == [("Binary/1",)]


def test_a_canonical_is_found_with_and_without_its_version() -> None:
    found = said(
        {"resourceType": "Communication", "instantiatesCanonical": ["http://a.example/Plan|1.0"]}
    )
    assert found["instantiates-canonical"] == [
        ("", "http://a.example/Plan|1.0"),
        ("", "http://a.example/Plan"),
    ]


def test_other_identifiers_of_professionals_are_left_as_they_are() -> None:
    for system, value in (
        ("urn:oid:1.2.250.1.71.4.2.1", "0123456789"),
        ("urn:oid:1.2.250.1.71.4.2.1", "31234567890"),
        ("urn:a", "10001234567"),
        ("https://rpps.esante.gouv.fr", "1000"),
    ):
        practitioner = {
            "resourceType": "Practitioner",
            "identifier": [{"system": system, "value": value}],
        }
        assert said(practitioner)["identifier"] == [(system, value)]


def emitted(kind: str, node: Any) -> list[Row]:
    rows: list[Row] = []
    EMITTERS[kind](7, node, rows.append)
    return rows


def test_each_kind_reads_the_types_it_is_used_on() -> None:
    day, other = interval("2024-01-01"), interval("2024-03-01")
    assert day is not None
    assert other is not None
    timing = {
        "event": ["2024-01-01", "2024-03-01"],
        "repeat": {"boundsPeriod": {"start": "2024-02-01", "end": "2024-02-02"}},
    }
    assert emitted("date", timing) == [Span(7, day.low, other.high)]
    assert emitted("date", {"repeat": {"count": 1}}) == []
    assert emitted("date", "no date") == []
    assert emitted("number", Decimal("1.50")) == [Number(7, Decimal("1.50"), Decimal("1.50"))]
    assert emitted("number", 100) == [Number(7, Decimal(100), Decimal(100))]
    weight = {"value": Decimal("5"), "unit": "kilo", "system": "http://unitsofmeasure.org", "code": "kg"}  # fmt: skip # noqa: E501
    assert emitted("quantity", weight) == [
        Quantity(7, "http://unitsofmeasure.org", "kg", Decimal(5), Decimal(5)),
        Quantity(7, "", "kilo", Decimal(5), Decimal(5)),
        Quantity(7, "ucum:canonical", "g", Decimal(5000), Decimal(5000)),
    ]
    assert emitted("token", {"coding": [{"code": "a"}, None, {"display": "x"}]}) == [
        Token(7, "", "a"),
        Text(7, "x", "x"),
    ]
    assert emitted("string", "''") == []
    assert emitted("reference", {"reference": "Patient/1"}) == [Link(7, "Patient", "1")]
    assert emitted("string", {"text": "Zoé"}) == [Text(7, "zoe", "Zoé")]


def test_the_official_examples_have_rows_without_repeats(shared: Path) -> None:
    seen = 0
    decoder = msgspec.json.Decoder(float_hook=Decimal)
    with tarfile.open(shared / "data/r4-examples/r4-examples-half.tgz") as archive:
        for member in archive:
            file = archive.extractfile(member)
            if file is None or not member.name.endswith(".json"):
                continue
            for group in extract(decoder.decode(file.read())):
                assert len(set(group)) == len(group)
                seen += len(group)
    assert seen > 500
