"""Searches of the whole system and of compartments, and what their links say."""

from urllib.parse import parse_qsl, urlsplit

import pytest

pytestmark = pytest.mark.anyio
BASE = "http://127.0.0.1:8080/fhir"
FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture
async def people(served):
    """Two patients with a circle each, and a document about the first."""
    for id, name in (("a", "Éléonore"), ("b", "D'ALMEIDA")):
        identifier = [{"system": "urn:x", "value": id}]
        kept = {"resourceType": "Patient", "id": id, "identifier": identifier}
        await served.kept(kept | {"name": [{"family": name}]})
        subject = {"reference": f"Patient/{id}"}
        await served.kept({"resourceType": "CareTeam", "id": f"c-{id}", "subject": subject})
    return served


def keys(answer):
    assert answer.status_code == 200, answer.text
    return [
        entry["fullUrl"].removeprefix(BASE + "/")
        for entry in answer.json().get("entry", [])
        if entry["search"]["mode"] == "match"
    ]


def link(answer, relation="self"):
    return next((e["url"] for e in answer.json()["link"] if e["relation"] == relation), None)


async def test_the_whole_system_is_searched_by_get_and_by_post(people):
    every = ["Patient/a", "CareTeam/c-a", "Patient/b", "CareTeam/c-b"]
    answer = await people.ask("GET", "/fhir")
    assert keys(answer) == every
    assert link(answer) == f"{BASE}?_count=50"
    assert keys(await people.ask("GET", "/fhir/_search?_id=b,c-b")) == every[2:]
    answer = await people.ask("POST", "/fhir/_search", b"_type=CareTeam&_id=c-a,a", FORM)
    assert keys(answer) == ["CareTeam/c-a"]
    assert parse_qsl(urlsplit(link(answer)).query) == [
        *(("_type", "CareTeam"), ("_id", "c-a,a"), ("_count", "50")),
    ]


async def test_the_pages_of_the_whole_system_are_followed_by_their_links(people):
    found, address = [], "/fhir?_type=Patient,CareTeam&_count=1&_sort=-_lastUpdated"
    while address is not None:
        answer = await people.ask("GET", address)
        found += keys(answer)
        address = link(answer, "next")
    assert found == ["CareTeam/c-b", "Patient/b", "CareTeam/c-a", "Patient/a"]


async def test_a_parameter_that_not_all_types_have_is_not_known_to_the_system(people, rules):
    strict = {"Prefer": "handling=strict"}
    answer = await people.ask("GET", "/fhir?family=x", headers=strict)
    assert (answer.status_code, rules(answer)) == (400, ["search.unknown-parameter"])
    answer = await people.ask("GET", "/fhir?family=x")
    assert answer.json()["entry"][-1]["search"]["mode"] == "outcome"
    answer = await people.ask("GET", "/fhir?_type=Nothing")
    assert (answer.status_code, rules(answer)) == (400, ["search.type-unknown"])


async def test_a_compartment_is_searched_for_a_type_and_for_all(people):
    answer = await people.ask("GET", "/fhir/Patient/a/CareTeam")
    assert keys(answer) == ["CareTeam/c-a"]
    assert link(answer) == f"{BASE}/Patient/a/CareTeam?_count=50"
    assert keys(await people.ask("GET", "/fhir/Patient/b/*")) == ["Patient/b", "CareTeam/c-b"]
    answer = await people.ask("GET", "/fhir/Patient/b/*?_type=CareTeam&_id=c-b")
    assert keys(answer) == ["CareTeam/c-b"]
    answer = await people.ask("GET", "/fhir/Patient/b/CareTeam?subject:Patient.family=eleo")
    assert keys(answer) == []
    assert keys(await people.ask("GET", "/fhir/Patient/nobody/CareTeam")) == []


async def test_the_pages_of_a_compartment_are_followed_by_their_links(people):
    found, address = [], "/fhir/Patient/a/*?_count=1"
    while address is not None:
        answer = await people.ask("GET", address)
        found += keys(answer)
        address = link(answer, "next")
    assert found == ["Patient/a", "CareTeam/c-a"]
    answer = await people.ask("GET", "/fhir/Patient/a/*?_count=1")
    cursor = dict(parse_qsl(urlsplit(link(answer, "next")).query))["_cursor"]
    answer = await people.ask("GET", f"/fhir/Patient/b/*?_count=1&_cursor={cursor}")
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "address", ["Patient/a/Task", "CareTeam/c-a/Patient", "Patient/a!/CareTeam"]
)
async def test_what_is_no_compartment_is_not_found(people, address):
    assert (await people.ask("GET", f"/fhir/{address}")).status_code == 404


async def test_the_self_link_says_what_was_understood_of_every_shape(people):
    asked = [
        ("_has:CareTeam:subject:_id", "c-a"),
        ("_filter", 'family sw "ele" and not (gender eq male)'),
        ("identifier:not", "urn:x|b"),
    ]
    query = "&".join(f"{name}={text.replace('&', '%26')}" for name, text in asked)
    answer = await people.ask(
        "GET", f"/fhir/Patient?{query}&nonsense=1&_include:recurse=Patient:link"
    )
    assert keys(answer) == ["Patient/a"]
    assert parse_qsl(urlsplit(link(answer)).query) == [
        *asked,
        ("_include:iterate", "Patient:link"),
        ("_count", "50"),
    ]
    again = await people.ask("GET", link(answer))
    assert (keys(again), link(again)) == (["Patient/a"], link(answer))


async def test_a_part_of_what_is_found_is_served_where_it_is_asked_for(people):
    answer = await people.ask("GET", "/fhir/Patient?_id=a&_elements=identifier")
    resource = answer.json()["entry"][0]["resource"]
    assert "identifier" in resource
    assert "name" not in resource
    assert ("_elements", "identifier") in parse_qsl(urlsplit(link(answer)).query)
    answer = await people.ask("GET", "/fhir/Patient?_summary=count")
    assert (answer.json()["total"], answer.json().get("entry")) == (2, None)
