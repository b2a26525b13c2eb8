"""The whole language of searches on real databases, against the same said in Python."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from passerelle.fhir.resource import Key
from passerelle.fhir.search.date_interval import interval
from passerelle.fhir.search.query import Query, parse, parse_compartment, parse_system
from passerelle.fhir.search.text_norm import normal
from tests.store.search_records import Record, ask, fill, find, ids, record, through

__all__ = ["record"]

FAMILIES = ("Dupont", "D'ALMEIDA", "Éléonore", "Le Gall", "Jean-Pierre", "de La Tour")
Resource = dict[str, Any]
World = dict[str, Resource]


class Term(NamedTuple):
    """A filter in the language of `_filter`, and in Python."""

    text: str
    holds: Callable[[Resource, World], bool]


people = st.fixed_dictionaries(
    {},
    optional={
        "active": st.booleans(),
        "gender": st.sampled_from(["male", "female"]),
        "birthDate": st.sampled_from(["1950", "1950-05", "1950-05-03", "1961"]),
        "name": st.lists(st.fixed_dictionaries({"family": st.sampled_from(FAMILIES)}), max_size=2),
        "identifier": st.lists(
            st.fixed_dictionaries(
                {"system": st.just("urn:a"), "value": st.sampled_from(["1", "2"])}
            ),
            max_size=1,
        ),
        "deleted": st.just(True),
    },
)
tasks = st.fixed_dictionaries(
    {"status": st.sampled_from(["requested", "completed"])},
    optional={
        "for": st.sampled_from([{"reference": f"Patient/p{n}"} for n in range(4)]),
        "owner": st.sampled_from([{"reference": "Patient/p1"}, {"reference": "Practitioner/1"}]),
        "partOf": st.lists(
            st.sampled_from([{"reference": f"Task/t{n}"} for n in range(3)]), max_size=1
        ),
        "deleted": st.just(True),
    },
)


@st.composite
def populations(draw: st.DrawFn) -> list[Resource]:
    made = [
        *(
            {"resourceType": "Patient", "id": f"p{n}", **each}
            for n, each in enumerate(draw(st.lists(people, max_size=6)))
        ),
        *(
            {"resourceType": "Task", "id": f"t{n}", **each}
            for n, each in enumerate(draw(st.lists(tasks, max_size=6)))
        ),
    ]
    return draw(st.permutations(made))


def families(person: Resource) -> list[str]:
    return [normal(name["family"]) for name in person.get("name", ())]


def begins(text: str) -> Callable[[Resource, World], bool]:
    return lambda r, w: any(each.startswith(text) for each in families(r))


def born(r: Resource, held: Callable[[Any, Any], bool], text: str) -> bool:
    own, asked = interval(r.get("birthDate", "")), interval(text)
    return own is not None and held(own, asked)


def there(world: World, reference: Any) -> Resource | None:
    found = world.get((reference or {}).get("reference", ""))
    return None if found is None or found.get("deleted") else found


def of_person(r: Resource, w: World, holds: Callable[[Resource], bool]) -> bool:
    found = there(w, r.get("for"))
    return found is not None and holds(found)


PEOPLE = (
    Term('family co "alm"', lambda r, w: any("alm" in each for each in families(r))),
    Term('family sw "le"', begins("le")),
    Term('family ew "nt"', lambda r, w: any(each.endswith("nt") for each in families(r))),
    Term('family eq "ELEONORE"', lambda r, w: "eleonore" in families(r)),
    Term('family ne "dupont"', lambda r, w: any(each != "dupont" for each in families(r))),
    Term('family gt "e"', lambda r, w: any(each > "e" for each in families(r))),
    Term('family le "e"', lambda r, w: any(each <= "e" for each in families(r))),
    Term("gender eq male", lambda r, w: r.get("gender") == "male"),
    Term("gender ne male", lambda r, w: r.get("gender") == "female"),
    Term("gender sw fem", lambda r, w: r.get("gender") == "female"),
    Term("active eq true", lambda r, w: r.get("active") is True),
    Term("active pr false", lambda r, w: "active" not in r),
    Term("name pr true", lambda r, w: bool(families(r))),
    Term(
        "birthdate ge 1950-05-02",
        lambda r, w: born(r, lambda own, at: own.high > at.high or own.low >= at.low, "1950-05-02"),
    ),
    Term(
        "birthdate po 1950-05-03",
        lambda r, w: born(r, lambda own, at: own.low < at.high and own.high > at.low, "1950-05-03"),
    ),
    Term(
        "identifier eq urn:a|1",
        lambda r, w: any(each["value"] == "1" for each in r.get("identifier", ())),
    ),
    Term("_id eq p1", lambda r, w: r["id"] == "p1"),
)
WORK = (
    Term("status eq requested", lambda r, w: r["status"] == "requested"),
    Term("patient re Patient/p1", lambda r, w: r.get("for") == {"reference": "Patient/p1"}),
    Term("patient eq p2", lambda r, w: r.get("for") == {"reference": "Patient/p2"}),
    Term(
        "patient.gender eq male",
        lambda r, w: of_person(r, w, lambda p: p.get("gender") == "male"),
    ),
    Term(
        'patient[gender eq male].family sw "d"',
        lambda r, w: of_person(r, w, lambda p: p.get("gender") == "male" and begins("d")(p, w)),
    ),
    Term(
        "subject:Patient.active pr false",
        lambda r, w: of_person(r, w, lambda p: "active" not in p),
    ),
    Term(
        "part-of.patient.gender eq female",
        lambda r, w: any(
            (parent := there(w, each)) is not None
            and of_person(parent, w, lambda p: p.get("gender") == "female")
            for each in r.get("partOf", ())
        ),
    ),
)


def joined(terms: tuple[Term, ...]) -> st.SearchStrategy[Term]:
    """Terms joined by and, or, not, with parentheses around each."""

    def more(inner: st.SearchStrategy[Term]) -> st.SearchStrategy[Term]:
        return st.one_of(
            st.tuples(inner, inner).map(
                lambda two: Term(
                    f"({two[0].text}) and ({two[1].text})",
                    lambda r, w: two[0].holds(r, w) and two[1].holds(r, w),
                )
            ),
            st.tuples(inner, inner).map(
                lambda two: Term(
                    f"({two[0].text}) or ({two[1].text})",
                    lambda r, w: two[0].holds(r, w) or two[1].holds(r, w),
                )
            ),
            inner.map(lambda one: Term(f"not ({one.text})", lambda r, w: not one.holds(r, w))),
        )

    return st.recursive(st.sampled_from(terms), more, max_leaves=4)


def world_of(resources: list[Resource]) -> World:
    return {f"{r['resourceType']}/{r['id']}": r for r in resources}


def expected(resources: list[Resource], type: str, term: Term) -> list[str]:
    world = world_of(resources)
    return [
        r["id"]
        for r in resources
        if r["resourceType"] == type and not r.get("deleted") and term.holds(r, world)
    ]


def check_filters(record: Record, resources: list[Resource], one: Term, other: Term) -> None:
    fill(record, resources)
    for type, term in (("Patient", one), ("Task", other)):
        query = replace(ask(type, ("_filter", term.text)), count=2)
        assert through(record, query) == expected(resources, type, term), term.text


LAW = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@LAW
@given(populations(), joined(PEOPLE), joined(WORK))
def test_a_filter_finds_what_the_same_in_python_finds(
    record: Record, resources: list[Resource], one: Term, other: Term
) -> None:
    check_filters(record, resources, one, other)


@pytest.mark.nightly
@settings(LAW, max_examples=1500)
@given(populations(), joined(PEOPLE), joined(WORK))
def test_many_filters_find_what_the_same_in_python_finds(
    record: Record, resources: list[Resource], one: Term, other: Term
) -> None:
    check_filters(record, resources, one, other)


POPULATION: list[Resource] = [
    {"resourceType": "Patient", "id": "a", "name": [{"family": "Éléonore"}], "gender": "female",
     "identifier": [{"system": "urn:s", "value": "1"}]},
    {"resourceType": "Patient", "id": "b", "gender": "male", "name": [{"family": "D'ALMEIDA"}],
     "identifier": [{"system": "urn:s", "value": "2"}]},
    {"resourceType": "Patient", "id": "c",
     "name": [{"family": "de La Tour", "given": ["Jean-Pierre"]}]},
    {"resourceType": "Task", "id": "t1", "status": "requested", "for": {"reference": "Patient/a"}},
    {"resourceType": "Task", "id": "t2", "status": "completed", "for": {"reference": "Patient/b"},
     "partOf": [{"reference": "Task/t1"}]},
    {"resourceType": "Task", "id": "t3", "status": "requested", "deleted": True,
     "for": {"reference": "Patient/c"}},
    {"resourceType": "CareTeam", "id": "ct", "subject": {"reference": "Patient/b"},
     "participant": [{"member": {"reference": "Practitioner/pr"}}]},
    {"resourceType": "Practitioner", "id": "pr", "name": [{"family": "Martin"}]},
    {"resourceType": "DocumentReference", "id": "d", "status": "current",
     "subject": {"reference": "Patient/a"}, "author": [{"reference": "Patient/b"}]},
    {"resourceType": "List", "id": "l", "status": "current", "mode": "working",
     "entry": [{"item": {"reference": "Patient/a"}}, {"item": {"reference": "Task/t2"}}]},
]  # fmt: skip


@pytest.mark.parametrize(
    ("type", "name", "text", "found"),
    [
        ("Patient", "_has:Task:patient:status", "requested", ["a"]),
        ("Patient", "_has:Task:patient:status:not", "requested", ["b"]),
        ("Patient", "_has:Task:patient:_id", "t1,t2,t3", ["a", "b"]),
        ("Patient", "_has:Task:patient:part-of.status", "requested", ["b"]),
        ("Patient", "_has:Task:patient:_has:Task:part-of:status", "completed", ["a"]),
        ("Task", "patient._has:CareTeam:subject:participant.name", "martin", ["t2"]),
        ("Practitioner", "_has:CareTeam:participant:subject:Patient.family", "dalmeida", []),
        ("Practitioner", "_has:CareTeam:participant:subject:Patient.family", "d almeida", ["pr"]),
        ("Task", "part-of.patient.identifier", "urn:s|1", ["t2"]),
        ("Task", "subject.gender", "female", ["t1"]),
        ("Task", "patient.gender:missing", "true", []),
        ("Task", "patient.gender:not", "male", ["t1"]),
        ("Patient", "family", "eleonore", ["a"]),
        ("Patient", "family", "ÉLÉO", ["a"]),
        ("Patient", "family", "d’almeida", ["b"]),
        ("Patient", "family", "La Tour", []),
        ("Patient", "family:contains", "La Tour", ["c"]),
        ("Patient", "given", "jean pierre", ["c"]),
        ("Patient", "given", "Jean-P", ["c"]),
        ("Patient", "name:exact", "Jean-Pierre", ["c"]),
        ("Patient", "name:exact", "jean-pierre", []),
    ],
)
def test_each_way_to_ask_finds_its_resources(
    record: Record, type: str, name: str, text: str, found: list[str]
) -> None:
    fill(record, POPULATION)
    assert through(record, replace(ask(type, (name, text)), count=1)) == found


def test_criteria_of_all_shapes_hold_together(record: Record) -> None:
    fill(record, POPULATION)
    query = ask(
        "Patient",
        ("identifier", "urn:s|2"),
        ("_has:Task:patient:part-of.status", "requested"),
        ("_has:CareTeam:subject:participant.name", "mar"),
        ("_filter", "gender eq male and not (active eq true)"),
    )
    assert ids(find(record, query)) == ["b"]
    assert ids(find(record, ask("Task", ("_id", "t2"), ("patient.family", "d alm")))) == ["t2"]
    assert ids(find(record, ask("Task", ("_id", "t2"), ("patient.family", "e")))) == []


def keys(record: Record, query: Query) -> list[str]:
    found: list[str] = []
    while True:
        page = find(record, query)
        found += [f"{each.key.type}/{each.key.id}" for each in page.matches]
        if page.next is None:
            return found
        query = replace(query, cursor=page.next)


@pytest.mark.parametrize(
    ("pairs", "found"),
    [
        ([], ["Patient/a", "Patient/b", "Patient/c", "Task/t1", "Task/t2", "CareTeam/ct",
              "Practitioner/pr", "DocumentReference/d", "List/l"]),
        ([("_type", "Task")], ["Task/t1", "Task/t2"]),
        ([("_type", "Task,Patient,List")],
         ["Patient/a", "Patient/b", "Patient/c", "Task/t1", "Task/t2", "List/l"]),
        ([("_id", "a,t2")], ["Patient/a", "Task/t2"]),
        ([("_type", "Task,CareTeam"), ("patient", "Patient/b")], ["Task/t2", "CareTeam/ct"]),
        ([("_type", "Patient,Task"), ("identifier", "urn:s|2")], ["Patient/b"]),
        ([("_type", "Patient,Task"), ("identifier:not", "urn:s|2")],
         ["Patient/a", "Patient/c", "Task/t1", "Task/t2"]),
        ([("_type", "Patient,Task"), ("identifier:missing", "true")],
         ["Patient/c", "Task/t1", "Task/t2"]),
        ([("_type", "Task,CareTeam"), ("patient.identifier", "urn:s|1,urn:s|2")],
         ["Task/t1", "Task/t2", "CareTeam/ct"]),
        ([("_type", "Patient,Task"), ("_filter", "not (identifier eq urn:s|1)")],
         ["Patient/b", "Patient/c", "Task/t1", "Task/t2"]),
        ([("_has:CareTeam:patient:_id", "ct")], ["Patient/b"]),
        ([("_lastUpdated", "gt1970-01-01T00:00:08Z"), ("_sort", "-_lastUpdated")],
         ["List/l", "DocumentReference/d"]),
    ],
)  # fmt: skip
def test_the_whole_system_is_searched(
    record: Record, pairs: list[tuple[str, str]], found: list[str]
) -> None:
    fill(record, POPULATION)
    assert keys(record, replace(parse_system(pairs, strict=True), count=2)) == found


@pytest.mark.parametrize(
    ("patient", "type", "pairs", "found"),
    [
        ("a", "DocumentReference", [], ["DocumentReference/d"]),
        ("b", "*", [], ["Patient/b", "CareTeam/ct", "DocumentReference/d"]),
        ("b", "*", [("_type", "CareTeam,Group")], ["CareTeam/ct"]),
        ("b", "DocumentReference", [("status", "current")], ["DocumentReference/d"]),
        ("b", "DocumentReference", [("status", "superseded")], []),
        ("b", "DocumentReference", [("subject:Patient.gender", "female")], ["DocumentReference/d"]),
        ("a", "Patient", [], ["Patient/a"]),
        ("c", "*", [], ["Patient/c"]),
    ],
)
def test_a_compartment_is_searched(
    record: Record, patient: str, type: str, pairs: list[tuple[str, str]], found: list[str]
) -> None:
    fill(record, POPULATION)
    query = parse_compartment(Key("Patient", patient), type, pairs, strict=True)
    assert query is not None
    assert keys(record, replace(query, count=1)) == found


def test_every_reference_is_followed_where_all_are_asked_for(record: Record) -> None:
    fill(record, POPULATION)

    def brought(*pairs: tuple[str, str]) -> set[str]:
        page = find(record, ask("Task", ("_id", "t2"), *pairs))
        return {f"{each.key.type}/{each.key.id}" for each in page.included}

    assert brought(("_include", "*")) == {"Patient/b", "Task/t1"}
    assert brought(("_include", "Task:*")) == {"Patient/b", "Task/t1"}
    assert brought(("_include", "Task:*:Patient")) == {"Patient/b"}
    assert brought(("_include:iterate", "*")) == {"Patient/b", "Task/t1", "Patient/a"}
    assert brought(("_include", "Task:patient"), ("_revinclude:iterate", "CareTeam:*")) == {
        *("Patient/b", "CareTeam/ct"),
    }
    assert brought(
        *(("_include", "Task:patient"), ("_revinclude:recurse", "CareTeam:subject")),
        ("_include:iterate", "CareTeam:participant:Practitioner"),
    ) == {"Patient/b", "CareTeam/ct", "Practitioner/pr"}


@pytest.mark.parametrize(
    ("type", "pairs"),
    [
        ("Patient", [("gender", "male")]),
        ("Patient", [("_has:Task:patient:status", "requested")]),
        ("Patient", [("_filter", "gender eq male or active pr false")]),
        ("Patient", [("_sort", "family,-birthdate")]),
        ("Patient", [("_sort", "-gender")]),
        ("Patient", [("_sort", "general-practitioner,-gender")]),
        ("Patient", [("gender", "male"), ("_sort", "-birthdate,family")]),
        ("Task", [("patient.gender", "male"), ("_sort", "status")]),
        ("", [("_type", "Patient,Task"), ("_sort", "-_lastUpdated")]),
        ("", [("_sort", "_id")]),
        ("", []),
        ("*", []),
    ],
)
def test_every_page_gives_each_match_once_while_others_are_written(
    record: Record, type: str, pairs: list[tuple[str, str]]
) -> None:
    def person(number: int) -> Resource:
        made: Resource = {"resourceType": "Patient", "id": f"p{number}"}
        made |= {"gender": "male"} if number % 3 else {}
        made |= {"birthDate": f"19{50 + number % 4}"} if number % 2 else {}
        made |= {"name": [{"family": FAMILIES[number % 3]}]} if number % 5 else {}
        made |= {"generalPractitioner": [{"reference": f"Practitioner/{number % 3}"}]}
        return made

    def task(number: int) -> Resource:
        patient = {"reference": f"Patient/p{number % 6}"}
        return {"resourceType": "Task", "id": f"t{number}", "status": "requested", "for": patient}

    def circle(number: int) -> Resource:
        patient = {"reference": f"Patient/p{number % 6}"}
        return {"resourceType": "CareTeam", "id": f"c{number}", "subject": patient}

    fill(record, [make(number) for number in range(17) for make in (person, task, circle)])
    query = (
        parse(type, pairs, strict=True) if type not in ("", "*")
        else parse_system(pairs, strict=True) if not type
        else parse_compartment(Key("Patient", "p1"), "*", pairs, strict=True)
    )  # fmt: skip
    assert query is not None
    first = find(record, replace(query, count=500))
    whole = {f"{each.key.type}/{each.key.id}" for each in first.matches}
    assert len(whole) > 3
    query, met, number = replace(query, count=3), list[str](), 100
    while True:
        page = find(record, query)
        met += [f"{each.key.type}/{each.key.id}" for each in page.matches]
        if page.next is None:
            break
        query = replace(query, cursor=page.next)
        number += 1
        add(record, number, "Organization")
        touch(record, f"t{number % 17}")
    assert len(met) == len(set(met))
    assert whole == {key for key in met if not key.startswith("Organization/")} or (
        "_lastUpdated" in str(pairs) and whole <= set(met)
    )


def add(record: Record, number: int, type: str) -> None:
    """Keep one more resource, that no search of the test is about."""
    record.execute(
        "INSERT INTO resource (pid, type, id, version, seq, updated, deleted, digest)"
        " VALUES (?,?,?,?,?,?,?,?)",
        [(number, type, f"o{number}", 1, number, number, False, b"")],
    )
    body = json.dumps({"resourceType": type, "id": f"o{number}"}).encode()
    record.execute(
        "INSERT INTO version (seq, pid, version, method, at, tx, author, body)"
        " VALUES (?,?,?,?,?,?,?,?)",
        [(number, number, 1, "PUT", number, 1, "test", body)],
    )


def touch(record: Record, id: str) -> None:
    """Give a resource another version, of which nothing that is searched changes."""
    record.execute("UPDATE resource SET version = version + 1 WHERE id = ?", [(id,)])
