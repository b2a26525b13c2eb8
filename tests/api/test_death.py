"""A death is declared over all open dossiers of a person, and cancelled: all is as it was."""

import json
from typing import Any
from urllib.parse import quote

import pytest

from passerelle.demo import samples
from tests.api.test_dossier_acts import MEETING, PAST, SERIES, TASK
from tests.api.test_dossier_acts import address as address_of

pytestmark = pytest.mark.anyio
JSON = {"content-type": "application/json"}
ALERT = {
    "key": "al1",
    "kind": "fall",
    "title": "Chute",
    "raisedAt": "2026-02-22T07:00:00+01:00",
    "raisedBy": "m1",
    "status": "active",
    "recipients": ["m2"],
}
AT = "2026-03-01T09:00:00+01:00"
DEATH = {
    "by": "m1",
    "date": "2026-02-28",
    "place": "À son domicile",
    "placeCode": "81004",
    "at": AT,
}


@pytest.fixture
def dossiers():
    one = samples.provisional(b"%PDF-1.4 test") | {
        "tasks": [TASK],
        "appointments": [MEETING, PAST, SERIES],
        "alerts": [ALERT],
    }
    other = one | {"id": one["id"] | {"value": "D-other"}, "documents": [], "version": "9"}
    done = one | {"id": one["id"] | {"value": "D-closed"}, "documents": [], "status": "closed"}
    done |= {"closedAt": "2026-02-01", "closure": {"reason": "moved"}}
    return [one, other, done]


async def pushed(served, dossiers) -> list[dict[str, Any]]:
    for dossier in dossiers:
        answer = await served.ask("PUT", address_of(dossier), json.dumps(dossier).encode(), JSON)
        assert answer.status_code == 201, answer.text
    return await pulled(served, dossiers)


async def pulled(served, dossiers) -> list[dict[str, Any]]:
    return [(await served.ask("GET", address_of(dossier))).json() for dossier in dossiers]


async def do(served, dossier, act: str, body: Any, query: str = "") -> Any:
    place = address_of(dossier, f":{act}{query}")
    return await served.ask("POST", place, json.dumps(body).encode(), JSON)


def statuses(dossier: dict[str, Any]) -> dict[str, str]:
    sections = ("tasks", "appointments", "alerts")
    return {one["key"]: one["status"] for name in sections for one in dossier[name]}


@pytest.mark.parametrize("close", [False, True])
async def test_what_is_open_ends_in_all_open_dossiers_and_comes_back(served, dossiers, close):
    before = await pushed(served, dossiers)
    answer = await do(served, dossiers[0], "declare-death", DEATH | {"close": close})
    assert answer.status_code == 200, answer.text
    assert [one["dossier"].rpartition("|")[2] for one in answer.json()["dossiers"]] == [
        dossiers[0]["id"]["value"],
        "D-other",
    ]
    found = await pulled(served, dossiers)
    for one in found[:2]:
        assert statuses(one) == {
            "t1": "cancelled",
            "a1": "cancelled",
            "a2": "booked",
            "a3": "booked",
            "al1": "resolved",
        }
        assert one["status"] == ("closed" if close else "active")
        assert one["appointments"][0]["cancelReason"]["code"] == "pat-dec"
        assert one["person"]["death"]["place"] == "À son domicile"
    assert found[0]["person"]["death"] == {
        "date": "2026-02-28",
        "place": "À son domicile",
        "placeCode": "81004",
        "source": "declared",
        "declaredAt": AT,
        "declaredBy": "m1",
    }
    assert statuses(found[2]) == statuses(before[2])
    (entry,) = (await served.ask("GET", "/fhir/Patient")).json()["entry"]
    assert entry["resource"]["deceasedDateTime"] == "2026-02-28"
    places = [one["url"].rpartition("/")[2] for one in entry["resource"]["extension"]]
    assert "fr-core-patient-death-place" in places
    answer = await do(served, dossiers[1], "cancel-death", {"by": "m1"})
    assert answer.status_code == 200, answer.text
    assert await pulled(served, dossiers) == before
    (entry,) = (await served.ask("GET", "/fhir/Provenance")).json()["entry"]
    assert entry["resource"]["activity"]["coding"][0]["code"] == "cancel-death"


async def test_dry_runs_tell_all_and_write_nothing(served, dossiers):
    before = await pushed(served, dossiers)
    answer = await do(served, dossiers[0], "declare-death", DEATH, "?dryRun=true")
    assert answer.status_code == 200, answer.text
    changed = {(one["section"], one["key"]) for one in answer.json()["dossiers"][1]["changes"]}
    assert ("tasks", "t1") in changed
    assert await pulled(served, dossiers) == before
    assert (await do(served, dossiers[0], "declare-death", DEATH)).status_code == 200
    after = await pulled(served, dossiers)
    answer = await do(served, dossiers[0], "cancel-death", {"by": "m1"}, "?dryRun=true")
    assert answer.status_code == 200, answer.text
    sections = {one["section"] for one in answer.json()["dossiers"][0]["changes"]}
    assert sections == {"person", "tasks", "appointments", "alerts"}
    assert await pulled(served, dossiers) == after


async def test_declared_or_cancelled_twice_is_once(served, dossiers, rules):
    before = await pushed(served, dossiers)
    assert (await do(served, dossiers[0], "declare-death", DEATH)).status_code == 200
    found = await pulled(served, dossiers)
    again = await do(served, dossiers[0], "declare-death", DEATH)
    assert (again.status_code, again.json()["entries"]) == (200, [])
    assert await pulled(served, dossiers) == found
    answer = await do(served, dossiers[0], "declare-death", DEATH | {"date": "2026-02-27"})
    assert (answer.status_code, rules(answer)) == (409, ["act.death-known"])
    answer = await do(served, dossiers[0], "declare-death", DEATH | {"close": True})
    assert (answer.status_code, rules(answer)) == (409, ["act.death-settled"])
    assert (await do(served, dossiers[0], "cancel-death", {"by": "m1"})).status_code == 200
    answer = await do(served, dossiers[0], "cancel-death", {"by": "m1"})
    assert (answer.status_code, rules(answer)) == (409, ["act.death-not-declared"])
    assert await pulled(served, dossiers) == before
    assert (await do(served, dossiers[0], "declare-death", DEATH)).status_code == 200
    assert (await do(served, dossiers[0], "cancel-death", {"by": "m2"})).status_code == 200
    assert await pulled(served, dossiers) == before


async def test_what_was_changed_since_is_named_and_nothing_is_undone(served, dossiers, rules):
    await pushed(served, dossiers)
    await do(served, dossiers[0], "declare-death", DEATH)
    task = (await served.ask("GET", "/fhir/Task")).json()["entry"][0]["resource"]
    await served.kept(task | {"priority": "urgent"})
    found = await pulled(served, dossiers)
    answer = await do(served, dossiers[0], "cancel-death", {"by": "m1"})
    assert (answer.status_code, rules(answer)) == (409, ["act.changed-since"])
    assert f"Task/{task['id']}" in answer.json()["issue"][0]["details"]["text"]
    assert await pulled(served, dossiers) == found


async def test_the_same_over_fhir(served, dossiers, rules):
    before = await pushed(served, dossiers)
    (entry,) = (await served.ask("GET", "/fhir/Patient")).json()["entry"]
    role = (await served.ask("GET", "/fhir/EpisodeOfCare")).json()["entry"][0]["resource"]
    by = {"name": "by", "valueReference": {"reference": role["careManager"]["reference"]}}

    async def invoke(act: str, *more: dict[str, Any]) -> Any:
        body = {"resourceType": "Parameters", "parameter": [by, *more]}
        place = f"/fhir/Patient/{entry['resource']['id']}/${act}"
        return await served.ask("POST", place, body)

    date = {"name": "date", "valueDateTime": "2026-02-28"}
    close = {"name": "close", "valueBoolean": True}
    answer = await invoke("declare-death", date, close, {"name": "at", "valueInstant": AT})
    assert answer.status_code == 200, answer.text
    assert [one["status"] for one in await pulled(served, dossiers)] == ["closed"] * 3
    answer = await invoke("declare-death", {"name": "date", "valueString": "hier"})
    assert answer.status_code == 400
    answer = await invoke("cancel-death")
    assert answer.status_code == 200, answer.text
    assert await pulled(served, dossiers) == before
    await served.kept({"resourceType": "Patient", "id": "p"})
    body = {"resourceType": "Parameters", "parameter": [by]}
    answer = await served.ask("POST", "/fhir/Patient/p/$declare-death", body)
    assert (answer.status_code, rules(answer)) == (422, ["act.of-no-dossier"])
    by["valueReference"] = {"reference": "PractitionerRole/nobody"}
    answer = await invoke("declare-death")
    assert (answer.status_code, rules(answer)) == (422, ["act.by-nobody"])


@pytest.mark.parametrize(
    ("body", "status", "rule"),
    [
        ({"date": "2026-02-28"}, 400, "act.malformed"),
        (DEATH | {"date": "hier"}, 400, "dossier.date"),
        (DEATH | {"placeCode": "Albi"}, 400, "act.malformed"),
        (DEATH | {"source": "cancelled"}, 400, "act.malformed"),
        (DEATH | {"close": "oui"}, 400, "act.malformed"),
        (DEATH | {"cause": "x"}, 400, "act.unknown-field"),
        (DEATH | {"by": "person"}, 422, "act.by-nobody"),
    ],
)
async def test_what_is_not_said_well_is_refused(served, dossiers, rules, body, status, rule):
    before = await pushed(served, dossiers[:1])
    answer = await do(served, dossiers[0], "declare-death", body)
    assert (answer.status_code, rules(answer)) == (status, [rule])
    assert await pulled(served, dossiers[:1]) == before


async def test_a_dossier_that_is_not_there_has_no_death(served, dossiers, rules):
    name = quote("https://coord.example/dossiers|none", "")
    for act, body in (("declare-death", DEATH), ("cancel-death", {"by": "m1"})):
        place = f"/dossiers/{name}:{act}"
        answer = await served.ask("POST", place, json.dumps(body).encode(), JSON)
        assert (answer.status_code, rules(answer)) == (404, ["dossier.not-found"])


async def test_a_trace_that_somebody_rewrote_undoes_nothing(served, dossiers, rules):
    await pushed(served, dossiers[:1])
    await do(served, dossiers[0], "declare-death", DEATH)
    found = await pulled(served, dossiers[:1])
    (entry,) = (await served.ask("GET", "/fhir/Provenance")).json()["entry"]
    trace = entry["resource"]
    what = trace["entity"][0]["what"]["reference"].partition("/_history/")[0]
    for version in (f"{what}/_history/{10**30}", f"{what}/_history/none", what):
        rewritten = trace | {"entity": [{"role": "revision", "what": {"reference": version}}]}
        await served.kept(rewritten)
        answer = await do(served, dossiers[0], "cancel-death", {"by": "m1"})
        assert (answer.status_code, rules(answer)) == (409, ["dossier.record-unreadable"])
    assert await pulled(served, dossiers[:1]) == found
