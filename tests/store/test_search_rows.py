"""Searches on rows as they stand: composites, places, quantities, logical references, codes."""

from collections.abc import Collection, Sequence
from decimal import Decimal
from math import asin, cos, radians, sin, sqrt
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from passerelle.errors.refusals import Invalid
from passerelle.fhir.search import ucum
from passerelle.fhir.search.language.near import EARTH_METRES
from passerelle.fhir.search.language.terminology import Code
from passerelle.fhir.search.query import parse
from passerelle.fhir.search.search_parameters import parameters
from tests.store.search_records import Record, ask, clear, fill, find, ids, record, through

__all__ = ["record"]

MAGNITUDE = ("param", "head", "head_system", "tail", "tail_system", "low", "high")


def put(record: Record, table: str, columns: Sequence[str], rows: list[tuple[Any, ...]]) -> None:
    """Keep index rows; what a composite does not use is zero."""
    if table == "composite":
        columns = (*columns, "low2", "high2")
        rows = [(*row[:-1], 0.0, 0.0, row[-1]) for row in rows]
    names = ",".join((*columns, "pid"))
    places = ",".join("?" * (len(columns) + 1))
    record.execute(f"INSERT INTO {table} ({names}) VALUES ({places})", rows)


def param(type: str, code: str) -> int:
    return parameters(type)[code].id


def three(record: Record, type: str) -> None:
    fill(record, [{"resourceType": type, "id": f"r{number}"} for number in (1, 2, 3)])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("urn:l|8480-6$gt130", ["r1"]),
        ("urn:l|8480-6$lt130", ["r2"]),
        ("8480-6$gt100|http://unitsofmeasure.org|mm[Hg]", ["r1", "r2"]),
        ("urn:l|8480-6$140|http://unitsofmeasure.org|mm[Hg]", ["r1"]),
        ("urn:l|8480-6$14|http://unitsofmeasure.org|cm[Hg]", ["r1"]),
        ("urn:x|8480-6$gt1", []),
        ("urn:l|9$gt1,urn:l|8480-6$120", ["r2", "r3"]),
    ],
)
def test_a_composite_holds_within_one_row(record: Record, text: str, found: list[str]) -> None:
    three(record, "Observation")
    code = param("Observation", "code-value-quantity")
    rows: list[tuple[Any, ...]] = []
    for pid, name, value in ((1, "8480-6", 140.0), (2, "8480-6", 120.0), (3, "9", 150.0)):
        ends = (value, value)
        rows.append((code, name, "urn:l", "mm[Hg]", ucum.SYSTEM, *ends, pid))
        brought = ucum.canonical("mm[Hg]", *(Decimal(str(end)) for end in ends))
        assert brought is not None
        low, high = brought.low, brought.high
        rows.append((code, name, "urn:l", brought.code, ucum.CANONICAL, low, high, pid))
    put(record, "composite", MAGNITUDE, rows)
    assert through(record, ask("Observation", ("code-value-quantity", text))) == found


def test_quantities_are_compared_in_canonical_units_and_else_as_written(record: Record) -> None:
    three(record, "Observation")
    value = param("Observation", "value-quantity")
    columns = ("param", "system", "code", "low", "high")
    put(
        record,
        *("quantity", columns),
        [
            (value, ucum.SYSTEM, "mg", 5.4, 5.4, 1),
            (value, ucum.CANONICAL, "g", 0.0054, 0.0054, 1),
            (value, ucum.SYSTEM, "kg", 99.0, 99.0, 2),
            (value, ucum.CANONICAL, "g", 99000.0, 99000.0, 2),
            (value, "", "drops", 12.0, 12.0, 3),
        ],
    )

    def found(text: str) -> list[str]:
        return through(record, ask("Observation", ("value-quantity", text)))

    assert found("0.0054|http://unitsofmeasure.org|g") == ["r1"]
    assert found("gt1|http://unitsofmeasure.org|kg") == ["r2"]
    assert found("5.4||mg") == ["r1"]
    assert found("gt90") == ["r2"]
    assert found("gt100") == []
    assert found("lt50") == ["r1", "r3"]
    assert through(record, ask("Observation", ("_sort", "-value-quantity"))) == ["r2", "r3", "r1"]


def metres(here: tuple[float, float], there: tuple[float, float]) -> float:
    (up, across), (high, far) = here, there
    chord = sin(radians(high - up) / 2) ** 2
    chord += cos(radians(up)) * cos(radians(high)) * sin(radians(far - across) / 2) ** 2
    return 2 * EARTH_METRES * asin(sqrt(min(1.0, chord)))


places = st.tuples(
    st.floats(-90, 90).map(lambda x: round(x, 3)), st.floats(-180, 180).map(lambda x: round(x, 3))
)


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(places, max_size=12), places, st.integers(1, 20_000))
def test_what_is_near_is_what_is_near_on_the_sphere(
    record: Record, found: list[tuple[float, float]], here: tuple[float, float], reach: int
) -> None:
    fill(record, [{"resourceType": "Location", "id": f"r{n}"} for n in range(len(found))])
    near = param("Location", "near")
    rows = [(near, *place, pid) for pid, place in enumerate(found, 1)]
    put(record, "position", ("param", "latitude", "longitude"), rows)
    asked = ask("Location", ("near", f"{here[0]:.3f}|{here[1]:.3f}|{reach}|km"))
    met = set(through(record, asked))
    for number, place in enumerate(found):
        distance = metres(here, place)
        if abs(distance - reach * 1000) > 1:
            assert (f"r{number}" in met) == (distance <= reach * 1000)


def test_a_place_is_asked_for_with_a_distance_and_its_unit(record: Record) -> None:
    three(record, "Location")
    near = param("Location", "near")
    spots = [(48.8566, 2.3522), (48.8049, 2.1204), (45.7640, 4.8357)]  # Paris, Versailles, Lyon
    rows = [(near, *spot, pid) for pid, spot in enumerate(spots, 1)]
    put(record, "position", ("param", "latitude", "longitude"), rows)

    def found(text: str) -> list[str]:
        return through(record, ask("Location", ("near", text)))

    assert found("48.8566|2.3522") == ["r1"]
    assert found("48.8566|2.3522|20") == ["r1", "r2"]
    assert found("48.8566|2.3522|20000|m") == ["r1", "r2"]
    assert found("48.8566|2.3522|12|[mi_i]") == ["r1", "r2"]
    assert found("48.8566|2.3522|450|km,45.7|4.8|10|km") == ["r1", "r2", "r3"]
    assert found("45.7|4.8|20|km") == ["r3"]


def test_a_reference_by_identifier_alone_leads_to_who_carries_it(record: Record) -> None:
    fill(
        record,
        [
            {
                "resourceType": "Patient",
                "id": "p",
                "identifier": [{"system": "urn:s", "value": "1"}],
                "gender": "male",
                "name": [{"family": "Dupont"}],
            },
            {"resourceType": "Task", "id": "t1", "status": "requested"},
            {"resourceType": "Task", "id": "t2", "status": "draft",
             "partOf": [{"reference": "Task/t1"}]},
            {"resourceType": "Task", "id": "t3", "status": "requested"},
        ],
    )  # fmt: skip
    tasks = param("Task", "patient")
    known = ("param", "value", "system")
    put(record, "token", known, [(tasks, "1", "urn:s", 2), (tasks, "2", "urn:s", 4)])

    def found(type: str, *pairs: tuple[str, str]) -> list[str]:
        return through(record, ask(type, *pairs))

    assert found("Task", ("patient:identifier", "urn:s|1")) == ["t1"]
    assert found("Task", ("patient.gender", "male")) == ["t1"]
    assert found("Task", ("patient.family", "dup"), ("_id", "t1,t3")) == ["t1"]
    assert found("Task", ("patient.gender:missing", "false"), ("_id", "t1,t3")) == ["t1"]
    assert found("Task", ("part-of.patient.gender", "male")) == ["t2"]
    assert found("Patient", ("_has:Task:patient:status", "requested")) == ["p"]
    assert found("Patient", ("_has:Task:patient:status", "draft")) == []
    assert found("Patient", ("_has:Task:patient:_id", "t1"), ("_id", "p")) == ["p"]
    assert found("Patient", ("_has:Task:patient:_has:Task:part-of:status", "draft")) == ["p"]


class Codes:
    """A terminology of three codes."""

    def expansion(self, value_set: str) -> Collection[Code] | None:
        return {("urn:c", "a"), ("urn:c", "b")} if value_set == "urn:set" else None

    def above(self, system: str, code: str) -> Collection[Code] | None:
        return {"a": [("urn:c", "a")], "b": [("urn:c", "a"), ("urn:c", "b")]}.get(code)

    def below(self, system: str, code: str) -> Collection[Code] | None:
        return {"a": [("urn:c", "a"), ("urn:c", "b")], "b": [("urn:c", "b")]}.get(code)


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("code:in", "urn:set", ["t1", "t2"]),
        ("code:not-in", "urn:set", ["t3", "t4"]),
        ("code:below", "urn:c|a", ["t1", "t2"]),
        ("code:below", "urn:c|b", ["t2"]),
        ("code:above", "urn:c|b", ["t1", "t2"]),
        ("code:above", "urn:c|a", ["t1"]),
        ("_filter", "code in urn:set", ["t1", "t2"]),
        ("_filter", "code ni urn:set", ["t3", "t4"]),
        ("_filter", "code ss urn:c|a and not (code eq a)", ["t2"]),
        ("_filter", "code sb urn:c|b", ["t1", "t2"]),
    ],
)
def test_a_terminology_tells_which_codes_are_meant(
    record: Record, name: str, text: str, found: list[str]
) -> None:
    def task(number: int, coding: dict[str, str]) -> dict[str, Any]:
        return {"resourceType": "Task", "id": f"t{number}", "code": {"coding": [coding]}}

    codes = ({"system": "urn:c", "code": "a"}, {"system": "urn:c", "code": "b"})
    others = ({"system": "urn:other", "code": "a"}, {})
    fill(record, [task(number, coding) for number, coding in enumerate((*codes, *others), 1)])
    query = parse("Task", [(name, text)], strict=True, terminology=Codes())
    assert through(record, query) == found


def test_an_address_is_found_above_and_below(record: Record) -> None:
    three(record, "Patient")
    source = param("Patient", "_source")
    uris = ("http://a.example/x", "http://a.example/x/y|2", "http://a.example/xy")
    put(record, "uri", ("param", "value"), [(source, uri, pid) for pid, uri in enumerate(uris, 1)])

    def found(name: str, text: str) -> list[str]:
        return ids(find(record, ask("Patient", (name, text))))

    assert found("_source:below", "http://a.example/x") == ["r1", "r2"]
    assert found("_source:below", "http://a.example/") == ["r1", "r2", "r3"]
    assert found("_source:below", "http://a.example/x/y") == ["r2"]
    assert found("_source:above", "http://a.example/x/y/z") == ["r1"]
    assert found("_source:above", "http://a.example/xy/1") == ["r3"]


def test_an_identifier_is_found_by_its_type_and_a_code_by_its_text(record: Record) -> None:
    three(record, "Patient")
    identifier = param("Patient", "identifier")
    known = ("param", "value", "system")
    put(record, "token", known, [(-identifier, "MR|12", "urn:type", 1), (identifier, "12", "", 2)])
    columns = ("param", "norm", "exact")
    put(record, "string", columns, [(identifier, "numero de dossier", "Numéro de dossier", 3)])
    assert through(record, ask("Patient", ("identifier:of-type", "urn:type|MR|12"))) == ["r1"]
    assert through(record, ask("Patient", ("identifier:of-type", "urn:type|XX|12"))) == []
    assert through(record, ask("Patient", ("identifier:text", "NUMÉRO DE"))) == ["r3"]


def test_nothing_is_left_of_a_record_that_is_cleared(record: Record) -> None:
    clear(record)
    assert ids(find(record, ask("Patient"))) == []
    with pytest.raises(Invalid):
        ask("Location", ("near", "91|0"))
