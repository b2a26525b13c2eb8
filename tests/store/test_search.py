"""Searches on real databases: against a filter in Python, and to the end of their pages."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from passerelle.errors.refusals import Invalid
from passerelle.fhir.search.date_interval import interval, period
from passerelle.fhir.search.text_norm import normal
from passerelle.store.caller import NOBODY, SYSTEM, Caller
from passerelle.store.contract import Page
from passerelle.store.search_sql.search import matching_statement
from tests.store.search_records import Record, ask, fill, find, ids, record, through

__all__ = ["record"]

# --- what is searched, and the same said in Python ---------------------------------------------

FAMILIES = ("Dupont", "d'Œuvre", "LE GALL", "Dupond", "dûpont-Martin", "Ñandú")
DATES = ("1950", "1950-05", "1950-05-03", "1950-05-04", "1951-01-01", "2024-10-27")
TIMES = (
    *DATES,
    "1950-05-03T10:00:00Z",
    "1950-05-03T23:30:00+02:00",
    "2024-10-27T02:30:00+01:00",
)

patients = st.fixed_dictionaries(
    {},
    optional={
        "active": st.booleans(),
        "gender": st.sampled_from(["male", "female", "other"]),
        "birthDate": st.sampled_from(DATES),
        "name": st.lists(
            st.fixed_dictionaries(
                {},
                optional={
                    "family": st.sampled_from(FAMILIES),
                    "given": st.lists(st.sampled_from(["Zoé", "Jean"]), max_size=2),
                },
            ),
            max_size=2,
        ),
        "identifier": st.lists(
            st.fixed_dictionaries(
                {"value": st.sampled_from(["1", "2", "1,2"])},
                optional={"system": st.sampled_from(["urn:a", "urn:b"])},
            ),
            max_size=2,
        ),
        "generalPractitioner": st.lists(
            st.sampled_from(
                [
                    {"reference": "Practitioner/1"},
                    {"reference": "PractitionerRole/1"},
                    {"reference": "https://elsewhere.example/fhir/Practitioner/1"},
                ]
            ),
            max_size=2,
        ),
        "deleted": st.booleans(),
    },
)
tasks = st.fixed_dictionaries(
    {"status": st.sampled_from(["requested", "completed"])},
    optional={
        "for": st.sampled_from([{"reference": f"Patient/p{n}"} for n in range(4)]),
        "owner": st.sampled_from([{"reference": "Organization/9"}, {"reference": "Patient/p1"}]),
        "executionPeriod": st.fixed_dictionaries(
            {},
            optional={
                "start": st.sampled_from(TIMES[:5]),
                "end": st.sampled_from(TIMES[5:]),
            },
        ),
        "code": st.fixed_dictionaries(
            {"coding": st.lists(
                st.fixed_dictionaries(
                    {"code": st.sampled_from(["x", "y"])},
                    optional={"system": st.sampled_from(["urn:a", "urn:b"])},
                ),
                max_size=2,
            )}
        ),
        "meta": st.just({"tag": [{"system": "urn:t", "code": "a|b"}]}),
        "deleted": st.booleans(),
    },
)  # fmt: skip


@st.composite
def populations(draw: st.DrawFn) -> list[dict[str, Any]]:
    people = draw(st.lists(patients, max_size=8))
    work = draw(st.lists(tasks, max_size=8))
    made = [
        *({"resourceType": "Patient", "id": f"p{n}", **person} for n, person in enumerate(people)),
        *({"resourceType": "Task", "id": f"t{n}", **task} for n, task in enumerate(work)),
    ]
    return draw(st.permutations(made))


World = dict[str, dict[str, Any]]
Test = Callable[[dict[str, Any], World], bool]


class Criterion(NamedTuple):
    name: str
    text: str
    holds: Test


def names(patient: dict[str, Any], *members: str) -> list[str]:
    found: list[str] = []
    for name in patient.get("name", ()):
        for member in members:
            value = name.get(member, [])
            found += value if isinstance(value, list) else [value]
    return found


def spans(resource: dict[str, Any], member: str) -> list[tuple[int, int]]:
    value = resource.get(member)
    if value is None:
        return []
    found = (
        interval(value) if isinstance(value, str) else period(value.get("start"), value.get("end"))
    )
    return [found] if found else []


COMPARE: dict[str, Callable[[int, int, int, int], bool]] = {
    "eq": lambda low, high, s, e: s <= low and high <= e,
    "ne": lambda low, high, s, e: not (s <= low and high <= e),
    "gt": lambda low, high, s, e: high > e,
    "lt": lambda low, high, s, e: low < s,
    "ge": lambda low, high, s, e: high > e or (s <= low and high <= e),
    "le": lambda low, high, s, e: low < s or (s <= low and high <= e),
    "sa": lambda low, high, s, e: low >= e,
    "eb": lambda low, high, s, e: high <= s,
}


def dated(name: str, member: str, prefix: str, text: str) -> Criterion:
    asked = interval(text)
    assert asked is not None

    def holds(resource: dict[str, Any], world: World) -> bool:
        return any(COMPARE[prefix](*span, *asked) for span in spans(resource, member))

    return Criterion(name, prefix + text, holds)


def begins(values: list[str], text: str) -> bool:
    return any(normal(value).startswith(normal(text)) for value in values)


def target(resource: dict[str, Any], member: str, world: World) -> dict[str, Any]:
    found = world.get((resource.get(member) or {}).get("reference", ""), {})
    return {} if found.get("deleted") else found


def identified(resource: dict[str, Any], system: str | None, value: str | None) -> bool:
    return any(
        (system is None or entry.get("system", "") == system)
        and (value is None or entry["value"] == value)
        for entry in resource.get("identifier", ())
    )


def coded(task: dict[str, Any], system: str | None, code: str) -> bool:
    return any(
        coding["code"] == code and (system is None or coding.get("system", "") == system)
        for coding in task.get("code", {}).get("coding", ())
    )


def practitioner(patient: dict[str, Any], *references: str) -> bool:
    given_ones = [entry["reference"] for entry in patient.get("generalPractitioner", ())]
    return any(reference in given_ones for reference in references)


ELSEWHERE = "https://elsewhere.example/fhir/Practitioner/1"
PATIENT_CRITERIA = (
    Criterion("family", "dup", lambda r, w: begins(names(r, "family"), "dup")),
    Criterion("family", "D’OE", lambda r, w: begins(names(r, "family"), "d oe")),
    Criterion("family:exact", "Dupont", lambda r, w: "Dupont" in names(r, "family")),
    Criterion(
        "family:contains", "MART", lambda r, w: any("Martin" in n for n in names(r, "family"))
    ),
    Criterion(
        "name",
        "zoe,le",
        lambda r, w: any(begins(names(r, "family", "given"), t) for t in ("zoe", "le")),
    ),
    Criterion("given:missing", "true", lambda r, w: not names(r, "given")),
    Criterion("given:missing", "false", lambda r, w: bool(names(r, "given"))),
    Criterion("gender", "male", lambda r, w: r.get("gender") == "male"),
    Criterion("gender", "male,female", lambda r, w: r.get("gender") in ("male", "female")),
    Criterion("gender:not", "male", lambda r, w: r.get("gender") != "male"),
    Criterion(
        "gender",
        "http://hl7.org/fhir/administrative-gender|other",
        lambda r, w: r.get("gender") == "other",
    ),
    Criterion("active", "true", lambda r, w: r.get("active") is True),
    Criterion("deceased", "false", lambda r, w: True),
    Criterion("identifier", "urn:a|1", lambda r, w: identified(r, "urn:a", "1")),
    Criterion("identifier", "1", lambda r, w: identified(r, None, "1")),
    Criterion("identifier", "|1", lambda r, w: identified(r, "", "1")),
    Criterion("identifier", "urn:b|", lambda r, w: identified(r, "urn:b", None)),
    Criterion("identifier", "1\\,2", lambda r, w: identified(r, None, "1,2")),
    Criterion(
        "identifier",
        "urn:a|1,urn:b|2,urn:a|2",
        lambda r, w: any(
            identified(r, *p) for p in (("urn:a", "1"), ("urn:b", "2"), ("urn:a", "2"))
        ),
    ),
    Criterion("identifier:not", "urn:a|1", lambda r, w: not identified(r, "urn:a", "1")),
    Criterion(
        "general-practitioner", "Practitioner/1", lambda r, w: practitioner(r, "Practitioner/1")
    ),
    Criterion(
        "general-practitioner",
        "1",
        lambda r, w: practitioner(r, "Practitioner/1", "PractitionerRole/1"),
    ),
    Criterion(
        "general-practitioner:PractitionerRole",
        "1",
        lambda r, w: practitioner(r, "PractitionerRole/1"),
    ),
    Criterion("general-practitioner", ELSEWHERE, lambda r, w: practitioner(r, ELSEWHERE)),
    Criterion("_id", "p1,p3,p5", lambda r, w: r["id"] in ("p1", "p3", "p5")),
    Criterion("_id", "p2", lambda r, w: r["id"] == "p2"),
    *(dated("birthdate", "birthDate", prefix, text) for prefix in COMPARE for text in DATES),
)
TASK_CRITERIA = (
    Criterion("status", "completed", lambda r, w: r["status"] == "completed"),
    Criterion("code", "urn:a|x", lambda r, w: coded(r, "urn:a", "x")),
    Criterion("code", "x,urn:b|y", lambda r, w: coded(r, None, "x") or coded(r, "urn:b", "y")),
    Criterion("code:not", "x", lambda r, w: not coded(r, None, "x")),
    Criterion("_tag", "urn:t|a\\|b", lambda r, w: "meta" in r),
    Criterion("patient", "Patient/p1", lambda r, w: r.get("for") == {"reference": "Patient/p1"}),
    Criterion("patient", "p1", lambda r, w: r.get("for") == {"reference": "Patient/p1"}),
    Criterion("patient:missing", "true", lambda r, w: "for" not in r),
    Criterion(
        "patient.identifier", "urn:a|1", lambda r, w: identified(target(r, "for", w), "urn:a", "1")
    ),
    Criterion(
        "patient.family", "dup", lambda r, w: begins(names(target(r, "for", w), "family"), "dup")
    ),
    Criterion("patient._id", "p2", lambda r, w: target(r, "for", w).get("id") == "p2"),
    Criterion(
        "patient.gender:not",
        "male",
        lambda r, w: bool(t := target(r, "for", w)) and t.get("gender") != "male",
    ),
    Criterion(
        "owner:Patient.birthdate",
        "1950",
        lambda r, w: any(
            COMPARE["eq"](*span, *interval("1950"))  # type: ignore[misc]
            for span in spans(target(r, "owner", w), "birthDate")
        ),
    ),
    *(dated("period", "executionPeriod", prefix, text) for prefix in COMPARE for text in TIMES),
)
CRITERIA = {"Patient": PATIENT_CRITERIA, "Task": TASK_CRITERIA}
SORTS = {
    "Patient": ("family", "birthdate", "gender", "_id", "_lastUpdated", "identifier"),
    "Task": ("period", "status", "code", "_id", "_lastUpdated"),
}


@st.composite
def searches(draw: st.DrawFn) -> tuple[str, list[Criterion]]:
    type = draw(st.sampled_from(["Patient", "Task"]))
    return type, draw(st.lists(st.sampled_from(CRITERIA[type]), max_size=3))


def expected(
    resources: Sequence[dict[str, Any]], type: str, criteria: Sequence[Criterion]
) -> list[str]:
    world = {f"{entry['resourceType']}/{entry['id']}": entry for entry in resources}
    return [
        entry["id"]
        for entry in resources
        if entry["resourceType"] == type
        and not entry.get("deleted")
        and all(criterion.holds(entry, world) for criterion in criteria)
    ]


def check_search(
    record: Record, resources: list[dict[str, Any]], asked: tuple[str, list[Criterion]]
) -> None:
    fill(record, resources)
    type, criteria = asked
    query = ask(type, *((c.name, c.text) for c in criteria), ("_total", "accurate"))
    wanted = expected(resources, type, criteria)
    page = find(record, query)
    assert sorted(ids(page)) == sorted(wanted)
    assert page.total == len(wanted)
    statement = matching_statement(query, SYSTEM, record.dialect, limit=2)
    assert [row[0] for row in record.rows(*statement)] == wanted[:2]
    assert find(record, query, NOBODY) == Page((), total=0)


_RELAXED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]


@settings(max_examples=50, deadline=None, suppress_health_check=_RELAXED)
@given(resources=populations(), asked=searches())
def test_a_search_finds_what_a_filter_in_python_finds(
    record: Record, resources: list[dict[str, Any]], asked: tuple[str, list[Criterion]]
) -> None:
    check_search(record, resources, asked)


@pytest.mark.nightly
@settings(max_examples=3000, deadline=None, suppress_health_check=_RELAXED)
@given(resources=populations(), asked=searches())
def test_a_search_finds_what_a_filter_in_python_finds_at_length(
    record: Record, resources: list[dict[str, Any]], asked: tuple[str, list[Criterion]]
) -> None:
    check_search(record, resources, asked)


def test_each_criterion_alone_finds_what_a_filter_in_python_finds(record: Record) -> None:
    resources: list[dict[str, Any]] = [
        {
            "resourceType": "Patient",
            "id": f"p{n}",
            "name": [{"family": FAMILIES[n % 6], **({"given": ["Zoé"]} if n % 2 else {})}],
            "gender": ("male", "female", "other")[n % 3],
            "active": n % 2 == 0,
            "identifier": [
                {"system": ("urn:a", "urn:b")[n % 2], "value": ("1", "2", "1,2")[n % 3]}
            ],
            "birthDate": DATES[n % 6],
            "generalPractitioner": [
                {"reference": ("Practitioner/1", "PractitionerRole/1", ELSEWHERE)[n % 3]}
            ],
        }
        for n in range(8)
    ] + [
        {
            "resourceType": "Task",
            "id": f"t{n}",
            "status": ("requested", "completed")[n % 2],
            **({"for": {"reference": f"Patient/p{n % 4}"}} if n % 3 else {}),
            "owner": {"reference": "Patient/p1"},
            "executionPeriod": {("start", "end")[n % 2]: TIMES[n % 9]},
            "code": {"coding": [{"system": ("urn:a", "urn:b")[n % 2], "code": ("x", "y")[n % 2]}]},
            **({"meta": {"tag": [{"system": "urn:t", "code": "a|b"}]}} if n % 2 else {}),
        }
        for n in range(9)
    ]
    fill(record, resources)
    for type, criteria in CRITERIA.items():
        for criterion in criteria:
            wanted = expected(resources, type, [criterion])
            found = ids(find(record, ask(type, (criterion.name, criterion.text))))
            assert sorted(found) == sorted(wanted), criterion[:2]


def sort_value(resource: dict[str, Any], pid: int, code: str, descending: bool) -> Any:
    """Give what a resource is sorted by; None when it has no such value."""
    values: dict[str, Callable[[], list[Any]]] = {
        "_id": lambda: [resource["id"]],
        "_lastUpdated": lambda: [pid],
        "family": lambda: [normal(text) for text in names(resource, "family")],
        "birthdate": lambda: [span[0] for span in spans(resource, "birthDate")],
        "period": lambda: [span[0] for span in spans(resource, "executionPeriod")],
        "gender": lambda: [resource["gender"]] if "gender" in resource else [],
        "status": lambda: [resource["status"]],
        "identifier": lambda: [entry["value"] for entry in resource.get("identifier", ())],
        "code": lambda: [entry["code"] for entry in resource.get("code", {}).get("coding", ())],
    }
    found = values[code]()
    return (max if descending else min)(found) if found else None


@settings(max_examples=50, deadline=None, suppress_health_check=_RELAXED)
@given(resources=populations(), asked=searches(), data=st.data())
def test_the_pages_of_a_sorted_search_give_each_match_once_and_in_order(
    record: Record,
    resources: list[dict[str, Any]],
    asked: tuple[str, list[Criterion]],
    data: st.DataObject,
) -> None:
    fill(record, resources)
    type, criteria = asked
    keys = data.draw(st.lists(st.sampled_from(SORTS[type]), max_size=3, unique=True))
    directions = [data.draw(st.booleans()) for _ in keys]
    count = data.draw(st.integers(1, 5))
    order = ",".join(
        ("-" if down else "") + key for key, down in zip(keys, directions, strict=True)
    )
    pairs = [(c.name, c.text) for c in criteria] + [("_count", str(count))]
    found = through(record, ask(type, *pairs, *([("_sort", order)] if order else [])))
    wanted = expected(resources, type, criteria)
    assert sorted(found) == sorted(wanted)
    pids = {entry["id"]: pid for pid, entry in enumerate(resources, 1)}
    sorted_by: dict[str, list[Any]] = {id: [] for id in wanted}
    for code, down in reversed(list(zip(keys, directions, strict=True))):
        values = {id: sort_value(resources[pids[id] - 1], pids[id], code, down) for id in wanted}
        present = [id for id in wanted if values[id] is not None]
        absent = [id for id in wanted if values[id] is None]
        wanted = sorted(present, key=values.__getitem__, reverse=down) + absent
        for id in wanted:
            sorted_by[id].append(values[id])
    # In which order those come that are alike in all that is sorted by, nobody asked.
    assert [sorted_by[id] for id in found] == [sorted_by[id] for id in wanted]


def test_what_begins_so_comes_once_in_the_order_of_its_index_page_by_page(record: Record) -> None:
    families = ("Dupré", "dupont", "Dupond", "DUPRÉ", "Durand", "Dup", "Martin", "dup")
    patients = [
        {
            "resourceType": "Patient",
            "id": f"p{n}",
            "name": [{"family": families[n % 8]}, {"family": families[n % 3]}],
            "gender": ("male", "female")[n % 2],
        }
        for n in range(24)
    ]
    fill(record, [*patients, {**patients[0], "id": "gone", "deleted": True}])

    def first(id: str) -> tuple[str, str]:
        names = [entry["family"] for entry in patients[int(id[1:])]["name"]]  # type: ignore
        return min((normal(name), name) for name in names if normal(name).startswith("dup"))

    for gender in ((), (("gender", "male"),)):
        whole = through(record, ask("Patient", ("family", "dup"), *gender, ("_count", "50")))
        for count in ("1", "2", "7"):
            query = ask("Patient", ("family", "dup"), *gender, ("_count", count))
            assert through(record, query) == whole
        assert len(set(whole)) == len(whole) == (12 if gender else 24)
        order = [(first(id), int(id[1:])) for id in whole]
        assert order == sorted(order)


def test_a_cursor_is_refused_by_another_search_and_by_another_caller(record: Record) -> None:
    fill(record, [{"resourceType": "Patient", "id": f"p{n}", "gender": "male"} for n in range(5)])
    query = ask("Patient", ("gender", "male"), ("_count", "2"))
    cursor = find(record, query).next
    assert cursor is not None
    assert ids(find(record, replace(query, cursor=cursor))) == ["p2", "p3"]
    assert ids(find(record, replace(query, cursor=cursor, count=1))) == ["p2"]
    other = ask("Patient", ("gender", "female"), ("_count", "2"))
    for refused, caller in (
        (replace(other, cursor=cursor), SYSTEM),
        (replace(query, cursor=cursor), Caller("another")),
        (replace(query, cursor=cursor[:-2] + ("AA" if cursor[-2:] != "AA" else "BB")), SYSTEM),
        (replace(query, cursor="@"), SYSTEM),
        (replace(query, cursor=""), SYSTEM),
        (replace(query, sort=ask("Patient", ("_sort", "_id")).sort, cursor=cursor), SYSTEM),
    ):
        with pytest.raises(Invalid) as refusal:
            find(record, refused, caller)
        assert [issue.rule for issue in refusal.value.issues] == ["search.cursor-invalid"]


def test_what_a_page_refers_to_and_what_refers_to_it_come_along_once(record: Record) -> None:
    fill(
        record,
        [
            {"resourceType": "Patient", "id": "1"},
            {"resourceType": "Patient", "id": "2"},
            {"resourceType": "Patient", "id": "gone", "deleted": True},
            {"resourceType": "Task", "id": "1", "for": {"reference": "Patient/1"}},
            {"resourceType": "Task", "id": "2", "for": {"reference": "Patient/1"},
             "partOf": [{"reference": "Task/1"}]},
            {"resourceType": "Task", "id": "3", "for": {"reference": "Patient/gone"}},
        ],
    )  # fmt: skip
    along = find(record, ask("Task", ("_include", "Task:patient"), ("_include", "Task:part-of")))
    assert ids(along) == ["1", "2", "3"]
    assert [str(version.key) for version in along.included] == ["Patient/1"]
    page = ask("Task", ("_id", "2"), ("_include", "Task:patient"), ("_include", "Task:part-of"))
    assert [str(v.key) for v in find(record, page).included] == ["Patient/1", "Task/1"]
    narrowed = ask("Task", ("_id", "2"), ("_include", "Task:subject:Patient"))
    assert [str(v.key) for v in find(record, narrowed).included] == ["Patient/1"]
    against = find(record, ask("Patient", ("_revinclude", "Task:patient")))
    assert ids(against) == ["1", "2"]
    assert [str(version.key) for version in against.included] == ["Task/1", "Task/2"]
    elsewhere = ask("Patient", ("_id", "2"), ("_revinclude", "Task:subject:Patient"))
    assert find(record, elsewhere).included == ()


def test_what_is_included_is_followed_when_it_is_asked_to_iterate(record: Record) -> None:
    fill(record, [
        {"resourceType": "CareTeam", "id": "c",
         "participant": [{"member": {"reference": "PractitionerRole/r"}}]},
        {"resourceType": "PractitionerRole", "id": "r",
         "practitioner": {"reference": "Practitioner/p"},
         "organization": {"reference": "Organization/o"}},
        {"resourceType": "Practitioner", "id": "p"},
        {"resourceType": "Organization", "id": "o", "partOf": {"reference": "Organization/above"}},
        {"resourceType": "Organization", "id": "above", "partOf": {"reference": "Organization/o"}},
    ])  # fmt: skip
    followed = ask(
        "CareTeam",
        ("_include", "CareTeam:participant"),
        ("_include:iterate", "PractitionerRole:practitioner"),
        ("_include:iterate", "PractitionerRole:organization"),
        ("_include:iterate", "Organization:partof"),
    )
    assert [str(version.key) for version in find(record, followed).included] == [
        *("PractitionerRole/r", "Practitioner/p", "Organization/o", "Organization/above")
    ]
    once = ask("CareTeam", ("_include", "CareTeam:participant"))
    assert [str(v.key) for v in find(record, once).included] == ["PractitionerRole/r"]
    back = ask(
        "Practitioner",
        ("_revinclude", "PractitionerRole:practitioner"),
        ("_revinclude:iterate", "CareTeam:participant"),
    )
    assert [str(v.key) for v in find(record, back).included] == ["PractitionerRole/r", "CareTeam/c"]


def test_a_page_brings_along_so_many_resources_and_says_so(record: Record) -> None:
    fill(
        record,
        [
            {"resourceType": "Patient", "id": "1"},
            *({"resourceType": "Task", "id": str(n), "for": {"reference": "Patient/1"}}
              for n in range(1001)),
        ],
    )  # fmt: skip
    page = find(record, ask("Patient", ("_revinclude", "Task:patient")))
    assert len(page.included) == 1000
    assert [issue.rule for issue in page.issues] == ["search.included-bounded"]  # type: ignore[attr-defined]


def test_a_count_alone_reads_no_resource(record: Record) -> None:
    fill(record, [{"resourceType": "Patient", "id": str(n)} for n in range(3)])
    assert find(record, ask("Patient", ("_summary", "count"))) == Page((), total=3)
    assert find(record, ask("Patient", ("_count", "0"))) == Page((), total=3)


def test_any_type_can_be_searched_by_id_and_last_change(record: Record) -> None:
    fill(record, [{"resourceType": "Observation", "id": str(n)} for n in range(3)])
    assert ids(find(record, ask("Observation", ("_id", "1")))) == ["1"]
    after = ask("Observation", ("_lastUpdated", "ge1970-01-01T00:00:02Z"))
    assert ids(find(record, after)) == ["1", "2"]
    last = ask("Observation", ("_sort", "-_lastUpdated"), ("_count", "1"))
    assert through(record, last) == ["2", "1", "0"]


def test_a_professional_is_found_under_each_form_of_the_rpps_number(record: Record) -> None:
    forms = (
        "https://rpps.esante.gouv.fr|10001234567",
        "https://rpps.esante.gouv.fr|810001234567",
        "urn:oid:1.2.250.1.71.4.2.1|810001234567",
        "urn:oid:1.2.250.1.71.4.2.1|10001234567",
        "10001234567",
        "810001234567",
    )
    for form in forms[:4]:
        system, value = form.split("|")
        fill(record, [
            {"resourceType": "Practitioner", "id": "1",
             "identifier": [{"system": system, "value": value}]},
            {"resourceType": "PractitionerRole", "id": "r",
             "practitioner": {"reference": "Practitioner/1"}},
            {"resourceType": "CareTeam", "id": "c", "status": "active",
             "participant": [{"member": {"reference": "PractitionerRole/r"}}]},
        ])  # fmt: skip
        for asked in forms:
            assert ids(find(record, ask("Practitioner", ("identifier", asked)))) == ["1"]
        chain = "participant:PractitionerRole.practitioner:Practitioner.identifier"
        assert ids(find(record, ask("CareTeam", (chain, forms[0])))) == ["c"]


def test_long_values_are_found_whole_and_not_by_their_beginning(record: Record) -> None:
    value = "é" * 3000
    fill(record, [
        {"resourceType": "Patient", "id": "1",
         "identifier": [{"system": "urn:" + "s" * 3000, "value": value[:1500]}],
         "name": [{"family": value}], "meta": {"source": "urn:" + "x" * 3000}},
    ])  # fmt: skip
    assert ids(find(record, ask("Patient", ("identifier", value[:1500])))) == ["1"]
    assert ids(find(record, ask("Patient", ("identifier", value[:1499])))) == []
    assert ids(find(record, ask("Patient", ("family", value[:1999])))) == ["1"]
    assert ids(find(record, ask("Patient", ("family:exact", value[:1999])))) == []
