"""`$everything`: all that is about somebody and what that refers to, each resource once."""

import pytest

from passerelle.store.caller import NOBODY
from passerelle.store.gathering import Everything

pytestmark = pytest.mark.anyio

MINE = {"reference": "Patient/one"}
OTHER = {"reference": "Patient/two"}


def task(id, owner="PractitionerRole/role", **more):
    return {
        "resourceType": "Task",
        "id": id,
        "status": "requested",
        "intent": "order",
        "for": MINE,
        "owner": {"reference": owner},
    } | more


RECORD = [
    {"resourceType": "Organization", "id": "whole", "name": "Whole"},
    {
        "resourceType": "Organization",
        "id": "part",
        "name": "Part",
        "partOf": {"reference": "Organization/whole"},
    },
    {"resourceType": "Organization", "id": "nobody-asks", "name": "Other"},
    {"resourceType": "Practitioner", "id": "doctor"},
    {
        "resourceType": "PractitionerRole",
        "id": "role",
        "practitioner": {"reference": "Practitioner/doctor"},
        "organization": {"reference": "Organization/part"},
    },
    {"resourceType": "Patient", "id": "two"},
    {"resourceType": "Patient", "id": "one"},
    task("a", executionPeriod={"start": "2026-01-10", "end": "2026-01-12"}),
    task("b", executionPeriod={"start": "2026-03-10"}),
    task("other", **{"for": OTHER}),
    {
        "resourceType": "Appointment",
        "id": "shared",
        "status": "booked",
        "start": "2026-02-01T10:00:00Z",
        "end": "2026-02-01T10:15:00Z",
        "participant": [
            {"actor": MINE, "status": "accepted"},
            {"actor": OTHER, "status": "accepted"},
        ],
    },
    {
        "resourceType": "Communication",
        "id": "said",
        "status": "completed",
        "subject": MINE,
    },
]
ABOUT_ONE = {
    "Patient/one",
    "Task/a",
    "Task/b",
    "Appointment/shared",
    "Communication/said",
}
ALONG = {
    "PractitionerRole/role",
    "Practitioner/doctor",
    "Organization/part",
    "Organization/whole",
}


@pytest.fixture
async def record(served):
    entries = [
        {
            "resource": resource,
            "request": {"method": "PUT", "url": f"{resource['resourceType']}/{resource['id']}"},
        }
        for resource in RECORD
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    answer = await served.ask("POST", "/fhir", bundle)
    assert answer.status_code == 200, answer.text
    return served


async def pages(served, address):
    """Follow the pages to the end; give the keys in the order they came."""
    found = []
    while address:
        answer = await served.ask("GET", address)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        found.append(
            [
                f"{e['resource']['resourceType']}/{e['resource']['id']}"
                for e in body.get("entry", [])
            ]
        )
        address = next((link["url"] for link in body["link"] if link["relation"] == "next"), None)
    return found


async def keys(served, address):
    listed = [key for page in await pages(served, address) for key in page]
    assert len(listed) == len(set(listed)), "a resource comes once"
    return set(listed)


@pytest.mark.parametrize("count", [1, 3, 50])
async def test_all_that_is_about_a_patient_comes_once_with_what_it_refers_to(record, count):
    found = await pages(record, f"/fhir/Patient/one/$everything?_count={count}")
    assert all(len(page) == count for page in found[:-1])
    listed = [key for page in found for key in page]
    assert len(listed) == len(set(listed))
    assert set(listed) == ABOUT_ONE | ALONG


async def test_it_is_asked_by_post_as_well(record):
    given = [{"name": "_count", "valueInteger": 2}, {"name": "_type", "valueCode": "Task"}]
    body = {"resourceType": "Parameters", "parameter": given}
    answer = (await record.ask("POST", "/fhir/Patient/one/$everything", body)).json()
    assert [entry["resource"]["id"] for entry in answer["entry"]] == ["a", "b"]
    (link,) = answer["link"]
    assert link["url"].endswith("/Patient/one/$everything?_type=Task&_count=2")


async def test_dates_of_care_narrow_what_is_about_the_patient(record):
    found = await keys(record, "/fhir/Patient/one/$everything?start=2026-01-11&end=2026-02-28")
    assert "Task/a" in found
    assert "Appointment/shared" in found
    assert "Task/b" not in found
    assert "Patient/one" in found
    assert "Task/b" in await keys(record, "/fhir/Patient/one/$everything?start=2026-03-01")


async def test_types_and_the_last_change_narrow_it(record):
    address = "/fhir/Patient/one/$everything?_type=Task,Practitioner&_type=Organization"
    assert await keys(record, address) == {
        "Task/a",
        "Task/b",
        "Practitioner/doctor",
        "Organization/part",
        "Organization/whole",
    }
    changed = await record.kept(task("b", owner="PractitionerRole/role", description="x"))
    since = changed["meta"]["lastUpdated"]
    assert await keys(record, f"/fhir/Patient/one/$everything?_since={since}") == {"Task/b"}


async def test_what_was_deleted_is_left_out(record):
    await record.ask("DELETE", "/fhir/Task/a")
    assert await keys(record, "/fhir/Patient/one/$everything") == (ABOUT_ONE - {"Task/a"}) | ALONG


async def test_everything_about_every_patient(record):
    found = await keys(record, "/fhir/Patient/$everything?_count=2")
    assert found == ABOUT_ONE | ALONG | {"Patient/two", "Task/other"}


async def test_what_is_not_there_is_refused(record, rules):
    ask = record.ask
    answer = await ask("GET", "/fhir/Patient/none/$everything")
    assert (answer.status_code, rules(answer)) == (404, ["record.not-found"])
    await ask("DELETE", "/fhir/Task/other")
    answer = await ask("GET", "/fhir/Patient/one/$everything?_type=Nothing")
    assert (answer.status_code, rules(answer)) == (400, ["http.type-unknown"])
    answer = await ask("GET", "/fhir/Patient/one/$everything?start=yesterday")
    assert (answer.status_code, rules(answer)) == (400, ["operation.input-malformed"])
    answer = await ask("GET", "/fhir/Task/a/$everything")
    assert (answer.status_code, rules(answer)) == (501, ["http.not-there-yet"])


async def test_a_place_belongs_to_its_own_request(record, rules):
    answer = (await record.ask("GET", "/fhir/Patient/one/$everything?_count=1")).json()
    following = next(link["url"] for link in answer["link"] if link["relation"] == "next")
    foreign = following.replace("Patient/one", "Patient/two")
    answer = await record.ask("GET", foreign)
    assert (answer.status_code, rules(answer)) == (400, ["search.cursor-invalid"])


async def test_hundreds_come_page_by_page_while_others_write(record):
    for start in range(0, 800, 400):
        entries = [
            {"resource": task(f"t{n}"), "request": {"method": "PUT", "url": f"Task/t{n}"}}
            for n in range(start, start + 400)
        ]
        bundle = {"resourceType": "Bundle", "type": "batch", "entry": entries}
        content = await record.ask("POST", "/fhir", bundle)
        assert content.status_code == 200
    found, address = [], "/fhir/Patient/one/$everything?_count=150"
    while address:
        answer = (await record.ask("GET", address)).json()
        found += [entry["fullUrl"] for entry in answer["entry"]]
        await record.kept(task(f"late{len(found)}"))
        await record.kept(task("t1", description=f"{len(found)}"))
        address = next((link["url"] for link in answer["link"] if link["relation"] == "next"), None)
    assert len(found) == len(set(found))
    wanted = {f"http://127.0.0.1:8080/fhir/Task/t{n}" for n in range(800)}
    assert wanted <= set(found)


async def test_nobody_is_shown_anything(record):
    store = record.gateway.store
    for id_ in ("one", None):
        page = await store.everything(Everything("Patient", id_, 10), NOBODY)
        assert page.matches == ()
