"""Dossiers are found by what people know of them, in the order that they ask for, page by page."""

import json
from urllib.parse import quote

import pytest

from passerelle.demo import samples
from tests.dossiers.many_dossiers import small, tag_of

pytestmark = pytest.mark.anyio
JSON = {"content-type": "application/json"}
PATHWAY = {"system": "https://coordination.example/parcours", "code": "PAERPA", "display": "PAERPA"}
PEOPLE = (
    ("MARTIN", "ANNE", "1950-01-02", "active"),
    ("DURAND", "BOB", "1940-05-06", "active"),
    ("MARTINEZ", "CARLA", "1960-07-08", "suspended"),
    ("ABADIE", "DENIS", "1931", "entered-in-error"),
    ("Éloi", "EVE", "1950-11-30", "proposed"),
)


@pytest.fixture
async def pushed(served):
    """Some dossiers, pushed in this order."""
    given = []
    for number, (family, first, birth, status) in enumerate(PEOPLE):
        dossier = small(number, status=status)
        dossier["person"]["identity"] |= {
            "birthName": family,
            "birthFirstNames": [first],
            "birthDate": birth,
        }
        if number % 2 == 0:
            pathway = {"key": "p1", "kind": PATHWAY, "start": "2026-01-01"}
            dossier["pathways"] = [pathway]
        given.append(dossier)
    given[0]["lead"] = "m1"
    given[4]["circle"] = [each for each in given[4]["circle"] if each["key"] == "m1"]
    for each in given:
        body = json.dumps(each).encode()
        answer = await served.ask("PUT", f"/dossiers/{tag_of(each)}", body, JSON)
        assert answer.status_code == 201, answer.text
    return given


async def found(served, query=""):
    answer = await served.ask("GET", f"/dossiers?{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def first_names(told):
    return [row["person"]["birthFirstNames"][0] for row in told["dossiers"]]


async def test_a_row_tells_who_it_is_and_how_the_dossier_stands(served, pushed):
    told = await found(served, "name=martin&status=active&total=true")
    assert told["total"] == 1
    (row,) = told["dossiers"]
    assert row["dossier"] == tag_of(pushed[0])
    assert row["status"] == "active"
    assert row["person"] == {
        "birthName": "MARTIN",
        "birthFirstNames": ["ANNE"],
        "sex": "F",
        "birthDate": "1950-01-02",
        "status": "provisional",
    }
    assert row["pathways"] == [{"system": PATHWAY["system"], "code": "PAERPA", "text": "PAERPA"}]
    assert row["openedAt"] == pushed[0]["openedAt"]
    assert row["lead"] == "Anne DUPONT"
    assert row["managing"]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["EVE", "CARLA", "BOB", "ANNE"]),
        ("_sort=updated", ["ANNE", "BOB", "CARLA", "EVE"]),
        ("_sort=name", ["BOB", "EVE", "ANNE", "CARLA"]),
        ("_sort=-birthdate", ["CARLA", "EVE", "ANNE", "BOB"]),
        ("name=mart&_sort=birthdate", ["ANNE", "CARLA"]),
        ("name=martin anne", ["ANNE"]),
        ("name=eloi", ["EVE"]),
        ("birthdate=1950&_sort=name", ["EVE", "ANNE"]),
        ("birthdate=ge1955", ["CARLA"]),
        ("status=suspended,proposed&_sort=name", ["EVE", "CARLA"]),
        ("status=entered-in-error", ["DENIS"]),
        ("pathway=PAERPA&_sort=name", ["EVE", "ANNE", "CARLA"]),
        ("pathway=https://coordination.example/parcours|PAERPA&birthdate=lt1960", ["EVE", "ANNE"]),
        ("pathway=AUTRE", []),
        ("member=martin&_sort=name", ["BOB", "ANNE", "CARLA"]),
        ("member=martin&_sort=updated&limit=1", ["ANNE"]),
        ("structure=nulle part", []),
    ],
)
async def test_what_is_asked_for_is_found(served, pushed, query, names):
    told = await found(served, quote(query, safe="=&,|-_"))
    assert first_names(told) == names


async def test_a_member_is_found_by_a_national_identifier(served, pushed):
    doctor = next(each for each in pushed[0]["circle"] if each["key"] == "m2")
    number = doctor["professional"]["nationalId"]
    assert len(first_names(await found(served, f"member={number}&_sort=name"))) == 3
    assert first_names(await found(served, "member=899900000000")) == []


async def test_the_managing_structure_is_found_by_its_name(served, pushed):
    name = quote(pushed[0]["managing"]["name"])
    assert len(first_names(await found(served, f"structure={name}"))) == 4


async def test_a_person_is_found_by_the_matricule(served, pushed):
    dossier = samples.qualified(b"%PDF-1.4")
    await served.ask("PUT", f"/dossiers/{tag_of(dossier)}", dossier, JSON)
    for ins in ("279035121518989", "1.2.250.1.213.1.4.10|279035121518989"):
        told = await found(served, f"ins={ins}")
        assert [row["dossier"] for row in told["dossiers"]] == [tag_of(dossier)]
        assert told["dossiers"][0]["person"]["ins"] == "279035121518989"
        assert told["dossiers"][0]["counts"] == {"appointments": 1, "documents": 1, "tasks": 1}


async def test_notes_and_events_are_counted_apart_from_documents(served):
    note = {
        "kind": "OBS",
        "text": "Vu.",
        "author": "m1",
        "createdAt": "2026-11-20T08:00:00+01:00",
    }
    event = {"title": "Vu", "start": "2026-11-20"}
    dossier = samples.provisional(b"%PDF-1.4") | {
        "notes": [note | {"key": "n1"}, note | {"key": "n2"}],
        "events": [event | {"key": "e1", "kind": "move"}, event | {"key": "e2", "kind": "respite"}],
    }
    await served.ask("PUT", f"/dossiers/{tag_of(dossier)}", dossier, JSON)
    (row,) = (await found(served, ""))["dossiers"]
    assert row["counts"] == {"documents": 1, "events": 2, "notes": 2}


@pytest.mark.parametrize("sort", ["name", "-name", "updated", "-birthdate"])
async def test_pages_go_on_from_each_other_in_any_order(served, pushed, sort):
    whole = first_names(await found(served, f"_sort={sort}"))
    told, paged = await found(served, f"_sort={sort}&limit=1"), []
    while True:
        paged += first_names(told)
        if "next" not in told:
            break
        told = await found(served, f"_sort={sort}&limit=1&page={told['next']}")
    assert paged == whole


async def test_the_two_dossiers_of_one_person_are_told_apart_by_their_circles(served, pushed):
    twin = small(9)
    twin["person"] = pushed[4]["person"]
    await served.ask("PUT", f"/dossiers/{tag_of(twin)}", twin, JSON)
    told = await found(served, "name=eloi&_sort=name")
    assert {row["dossier"] for row in told["dossiers"]} == {tag_of(twin), tag_of(pushed[4])}
    for sort in ("name", "updated"):
        told = await found(served, f"name=eloi&member=martin&_sort={sort}")
        assert [row["dossier"] for row in told["dossiers"]] == [tag_of(twin)]


@pytest.mark.parametrize(
    ("query", "rule"),
    [
        ("_sort=age", "dossier.sort-unknown"),
        ("status=open", "dossier.status-unknown"),
        ("nom=martin", "dossier.parameter-unknown"),
        ("wait=3", "dossier.parameter-unknown"),
        ("birthdate=hier", "search.value-invalid"),
        ("page=x", "search.cursor-invalid"),
        ("limit=1000", "http.parameter-malformed"),
    ],
)
async def test_what_cannot_be_listed_is_refused(served, rules, query, rule):
    answer = await served.ask("GET", f"/dossiers?{query}")
    assert answer.status_code == 400
    if rule != "search.value-invalid":
        assert rules(answer) == [rule]
