"""The life line of a person: one order over all that is dated, page by page, on each database."""

import json
from urllib.parse import quote, urlencode

import pytest

from passerelle.demo import samples
from passerelle.store.caller import NOBODY
from passerelle.store.gathering import LifeLine

pytestmark = pytest.mark.anyio
JSON = {"content-type": "application/json"}
WHOLE = [
    # the moment that places it, the section, the end of the key
    ("2024-01-01", "dossier"),
    ("2024-05", "events/move"),
    ("2026-01-12", "documents"),
    ("2026-10-01", "events/stay"),
    ("2026-11-20", "tasks"),
    ("2026-11-21", "notes/n1"),
    ("2026-11-22", "notes/n2"),
    ("2026-12-10", "appointments"),
]


@pytest.fixture
def dossier():
    content = samples.qualified(b"%PDF-1.4 test")
    return content | {
        "openedAt": "2024-01-01",
        "circle": [
            {**member, "periods": [{"start": "2024-02-03", "end": "2025-03-04"}]}
            for member in content["circle"]
        ],
        "documents": [
            {**content["documents"][0], "depositedAt": "2026-01-12T10:00:00+01:00"},
            {
                **content["documents"][0],
                "key": "wrong",
                "status": "entered-in-error",
                "depositedAt": "2026-01-13T10:00:00+01:00",
            },
        ],
        "notes": [
            {
                "key": key,
                "kind": "OBS",
                "text": "Vu.",
                "author": "m1",
                "createdAt": f"2026-11-2{number}T08:00:00+01:00",
            }
            for number, key in ((1, "n1"), (2, "n2"))
        ],
        "events": [
            {"key": "stay", "kind": "hospital-stay", "title": "Séjour", "start": "2026-10-01"},
            {"key": "move", "kind": "move", "title": "Emménage", "start": "2024-05"},
            {
                "key": "none",
                "kind": "consultation",
                "title": "Erreur",
                "start": "2026-10-03",
                "status": "entered-in-error",
            },
        ],
    }


@pytest.fixture
async def person(served, dossier):
    """Push the dossier and another person's; give the id of its Patient."""
    for content in (samples.provisional(b"%PDF-1.4 autre"), dossier):
        name = f"{content['id']['system']}|{content['id']['value']}"
        answer = await served.ask("PUT", f"/dossiers/{name}", json.dumps(content).encode(), JSON)
        assert answer.status_code == 201, answer.text
    entries = answer.json()["entries"]
    reference = next(one["reference"] for one in entries if one["section"] == "person")
    return reference.partition("/")[2]


def told(resource):
    """Give where a resource comes from: its section, and the key where several are there."""
    identifiers = resource["identifier"]
    stated = identifiers[0] if isinstance(identifiers, list) else identifiers
    section = stated["system"].rpartition("/")[2]
    if section == "dossiers":
        return "circle" if resource["resourceType"] == "CareTeam" else "dossier"
    key = stated["value"].rpartition("/")[2]
    return f"{section}/{key}" if section in ("events", "notes") else section


async def line(served, person, **inputs):
    """Give the whole line: every page, and how many there were."""
    asked = f"/fhir/Patient/{person}/$ligne-de-vie?{urlencode(inputs)}"
    found, pages = [], 0
    while asked:
        answer = await served.ask("GET", asked)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert body["type"] == "searchset"
        entries = body.get("entry", [])
        assert {entry["search"]["mode"] for entry in entries} <= {"match"}
        found += [told(entry["resource"]) for entry in entries]
        links = {link["relation"]: link["url"] for link in body["link"]}
        asked, pages = links.get("next"), pages + 1
    return found, pages


async def test_everything_dated_stands_in_the_order_of_its_dates(served, person):
    sections = [section for _, section in WHOLE]
    sections.insert(2, "circle")  # all left in March 2025
    assert await line(served, person) == (sections, 1)
    assert await line(served, person, _sort="-date") == (sections[::-1], 1)


@pytest.mark.parametrize("order", ["date", "-date"])
async def test_pages_of_any_size_make_the_same_line(served, person, order):
    whole, _ = await line(served, person, _sort=order)
    for count in (1, 2, len(whole)):
        found, pages = await line(served, person, _sort=order, _count=count)
        assert found == whole
        assert pages == -(-len(whole) // count)


async def test_a_period_and_kinds_narrow_it(served, person):
    for inputs, wanted in (
        ({"kind": "notes"}, ["notes/n1", "notes/n2"]),
        ({"kind": "events,documents"}, ["events/move", "documents", "events/stay"]),
        ({"kind": "circle"}, ["circle"]),
        ({"kind": "alerts"}, []),
        ({"start": "2026-11-21"}, ["events/stay", "notes/n1", "notes/n2", "appointments"]),
        ({"end": "2024-05-02"}, ["dossier", "circle", "events/move"]),
        ({"start": "2026-11-21", "end": "2026-11-21", "kind": "notes"}, ["notes/n1"]),
        ({"start": "2024-02-01", "end": "2024-02-28", "kind": "circle"}, ["circle"]),
        ({"start": "2024-06", "end": "2024-12", "kind": "circle"}, []),
    ):
        found, _ = await line(served, person, **inputs)
        assert [one for one in found if one != "dossier" or "end" in inputs] == wanted, inputs


async def test_the_patients_that_a_person_is_linked_to_are_looked_at_along(served, person):
    other = {
        "resourceType": "Patient",
        "id": "hospital",
        "link": [{"other": {"reference": f"Patient/{person}"}, "type": "seealso"}],
    }
    await served.kept(other)
    whole, _ = await line(served, person)
    assert (await line(served, "hospital"))[0] == whole
    stay = {
        "resourceType": "Encounter",
        "id": "stay",
        "identifier": [{"system": "https://hopital.example/venues", "value": "1"}],
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
        "subject": {"reference": "Patient/hospital"},
        "period": {"start": "2020-01-01"},
    }
    await served.kept(stay)
    assert (await line(served, "hospital"))[0] == ["venues", *whole]


async def test_measures_are_no_events(served, person):
    whole = await line(served, person)
    measure = {
        "resourceType": "Observation",
        "id": "weight",
        "status": "final",
        "code": {"text": "poids"},
        "subject": {"reference": f"Patient/{person}"},
        "effectiveDateTime": "2026-01-01",
    }
    await served.kept(measure)
    assert await line(served, person) == whole


@pytest.mark.parametrize(
    "query", ["start=hier", "end=2026-13", "kind=autre", "_sort=name", "_cursor=AAAA"]
)
async def test_what_cannot_be_read_is_refused(served, person, query):
    answer = await served.ask("GET", f"/fhir/Patient/{person}/$ligne-de-vie?{query}")
    assert answer.status_code == 400


async def test_a_cursor_is_good_for_its_own_line_only(served, person):
    address = f"/fhir/Patient/{person}/$ligne-de-vie"
    body = (await served.ask("GET", f"{address}?_count=1")).json()
    following = next(link["url"] for link in body["link"] if link["relation"] == "next")
    cursor = following.rpartition("_cursor=")[2]
    for query in (f"_cursor={cursor}&kind=notes", f"_cursor={cursor}&_sort=-date"):
        answer = await served.ask("GET", f"{address}?{query}")
        assert answer.status_code == 400, query


async def test_who_may_see_nothing_sees_no_line(served, person):
    page = await served.gateway.store.life_line(LifeLine((person,), 10), NOBODY)
    assert page.matches == ()


async def test_a_patient_that_is_not_there_has_no_line(served, person):
    assert (await served.ask("GET", "/fhir/Patient/nobody/$ligne-de-vie")).status_code == 404


async def test_it_is_claimed_and_defined(served):
    body = (await served.ask("GET", "/fhir/metadata")).json()
    patient = next(one for one in body["rest"][0]["resource"] if one["type"] == "Patient")
    (defined,) = [
        one["definition"] for one in patient["operation"] if one["name"] == "ligne-de-vie"
    ]
    found = await served.ask("GET", f"/fhir/OperationDefinition?url={quote(defined)}")
    (entry,) = found.json()["entry"]
    names = [one["name"] for one in entry["resource"]["parameter"]]
    assert names == ["start", "end", "kind", "_sort", "_count", "_cursor", "return"]


async def test_an_alert_that_was_entered_in_error_is_told_from_one_that_stands(served, person):
    for id_, status in (("stands", "active"), ("error", "entered-in-error")):
        flag = {
            "resourceType": "Flag",
            "id": id_,
            "identifier": [{"system": "https://hopital.example/alerts", "value": id_}],
            "status": status,
            "code": {"text": "chute"},
            "subject": {"reference": f"Patient/{person}"},
            "period": {"start": "2026-06-01"},
        }
        await served.kept(flag)
    assert await line(served, person, kind="alerts") == (["alerts"], 1)
    for status, ids in (("active", ["stands"]), ("entered-in-error", ["error"])):
        body = (await served.ask("GET", f"/fhir/Flag?status={status}")).json()
        assert [entry["resource"]["id"] for entry in body["entry"]] == ids
