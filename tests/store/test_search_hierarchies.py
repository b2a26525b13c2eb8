"""What lies above and below a resource in its hierarchy, and the versions of a canonical.

https://hl7.org/fhir/R4/search.html#recursive
"""

from typing import Any

import pytest

from passerelle.errors.refusals import Invalid
from passerelle.fhir.search.query import parse
from tests.store.search_records import Record, ask, fill, find, ids, record

__all__ = ["record"]


def place(id: str, above: str | None = None, **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"resourceType": "Location", "id": id, "name": id, **more}
    return made if above is None else {**made, "partOf": {"reference": f"Location/{above}"}}


def act(id: str, where: str) -> dict[str, Any]:
    return {
        "resourceType": "Procedure", "id": id, "status": "completed",
        "location": {"reference": f"Location/{where}"},
    }  # fmt: skip


def answers(id: str, canonical: str) -> dict[str, Any]:
    return {
        "resourceType": "QuestionnaireResponse", "id": id, "status": "completed",
        "questionnaire": canonical, "meta": {"profile": [canonical]},
    }  # fmt: skip


Q = "http://e.fr/Questionnaire/q"
RECORDS: list[dict[str, Any]] = [
    place("hospital"),
    place("wing", "hospital"),
    place("floor", "wing"),
    place("room", "floor"),
    place("other"),
    place("gone", "hospital", deleted=True),
    place("behind", "gone"),
    # Two that hold each other.
    place("x", "y"),
    place("y", "x"),
    act("in-hospital", "hospital"),
    act("in-room", "room"),
    act("in-wing", "wing"),
    act("in-other", "other"),
    act("in-x", "x"),
    act("nowhere", "unknown"),
    {"resourceType": "Task", "id": "t1", "status": "requested"},
    {"resourceType": "Task", "id": "t2", "status": "requested",
     "partOf": [{"reference": "Task/t1"}], "location": {"reference": "Location/room"}},
    {"resourceType": "Task", "id": "t3", "status": "requested",
     "partOf": [{"reference": "Task/t2"}]},
    answers("q0", Q),
    answers("q1", f"{Q}|1"),
    answers("q12", f"{Q}|1.2"),
    answers("q10", f"{Q}|10"),
    answers("q2", f"{Q}|2.0.0"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("type", "name", "text", "found"),
    [
        ("Procedure", "location:below", "Location/hospital", ["in-hospital", "in-room", "in-wing"]),
        ("Procedure", "location:below", "wing", ["in-room", "in-wing"]),
        ("Procedure", "location:below", "http://a.fr/fhir/Location/wing", ["in-room", "in-wing"]),
        ("Procedure", "location:above", "Location/wing", ["in-hospital", "in-wing"]),
        ("Procedure", "location:above", "room", ["in-hospital", "in-room", "in-wing"]),
        ("Procedure", "location:below", "x", ["in-x"]),
        ("Procedure", "location:above", "y", ["in-x"]),
        ("Procedure", "location:below", "unknown", ["nowhere"]),
        ("Procedure", "location:below", "floor,other", ["in-room", "in-other"]),
        ("Location", "partof:below", "hospital", ["wing", "floor", "room"]),
        ("Location", "partof:below", "gone", ["behind"]),
        ("Location", "partof:above", "floor", ["wing", "floor", "room"]),
        ("Location", "_has:Procedure:location:location:below", "wing", ["wing", "room"]),
        ("Task", "part-of:below", "t1", ["t2", "t3"]),
        ("Task", "part-of.part-of:below", "Task/t1", ["t3"]),
        ("QuestionnaireResponse", "questionnaire:below", Q, ["q0", "q1", "q12", "q10", "q2"]),
        ("QuestionnaireResponse", "questionnaire:below", f"{Q}|1", ["q1", "q12"]),
        ("QuestionnaireResponse", "questionnaire:below", f"{Q}|2.0", ["q2"]),
        ("QuestionnaireResponse", "questionnaire", f"{Q}|1", ["q1"]),
        ("QuestionnaireResponse", "_profile:below", f"{Q}|1", ["q1", "q12"]),
        ("QuestionnaireResponse", "_profile:below", Q, ["q0", "q1", "q12", "q10", "q2"]),
        ("QuestionnaireResponse", "_profile:below", "http://e.fr",
         ["q0", "q1", "q12", "q10", "q2"]),
    ],
)  # fmt: skip
def test_what_lies_in_the_hierarchy_is_found(
    record: Record, type: str, name: str, text: str, found: list[str]
) -> None:
    fill(record, RECORDS)
    query = parse(type, [(name, text)], strict=True, base_url="http://a.fr/fhir")
    assert ids(find(record, query)) == found
    beside = parse(
        type, [(name, text), ("_id", found[0])], strict=True, base_url="http://a.fr/fhir"
    )
    assert ids(find(record, beside)) == found[:1]


@pytest.mark.parametrize(
    ("type", "name", "text", "rule"),
    [
        ("Observation", "subject:below", "Patient/1", "search.no-hierarchy"),
        ("Observation", "patient:below", "1", "search.modifier-not-supported"),
        ("Provenance", "target:below", "1", "search.no-hierarchy"),
        ("Procedure", "location:above", "http://e.fr/l", "search.no-hierarchy"),
        ("QuestionnaireResponse", "questionnaire:above", Q, "search.modifier-not-supported"),
        ("Procedure", "location:below", "a b", "search.value-invalid"),
    ],
)
def test_where_there_is_no_hierarchy_it_is_refused(
    type: str, name: str, text: str, rule: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        ask(type, (name, text))
    assert [each.rule for each in refusal.value.issues] == [rule]


def test_a_deep_hierarchy_is_walked_to_its_end(record: Record) -> None:
    rooms = [place("l0"), *(place(f"l{n}", f"l{n - 1}") for n in range(1, 300))]
    fill(record, [*rooms, act("deep", "l299")])
    assert ids(find(record, ask("Procedure", ("location:below", "l0")))) == ["deep"]
    assert len(ids(find(record, ask("Location", ("partof:above", "l40"))))) == 41
