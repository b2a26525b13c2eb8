"""A dossier is suspended, closed, reopened: natively and over FHIR, with a dry run."""

import asyncio
import json
from typing import Any
from urllib.parse import quote

import pytest

from passerelle.demo import samples

pytestmark = pytest.mark.anyio
JSON = {"content-type": "application/json"}
TASK = {
    "key": "t1",
    "title": "Appeler la famille",
    "status": "requested",
    "createdAt": "2026-02-20T10:00:00+01:00",
    "requester": "m1",
}
DONE = TASK | {"key": "t2", "status": "completed"}
MEETING = {
    "key": "a1",
    "title": "Visite",
    "start": "2026-06-20T10:00:00+01:00",
    "end": "2026-06-20T11:00:00+01:00",
    "status": "booked",
    "participants": [{"member": "m1"}],
}
PAST = MEETING | {
    "key": "a2",
    "start": "2026-01-20T10:00:00+01:00",
    "end": "2026-01-20T11:00:00+01:00",
}
SERIES = PAST | {"key": "a3", "rrule": "FREQ=WEEKLY;COUNT=90"}
AT = "2026-03-01T09:00:00+01:00"
CLOSE = {"by": "m1", "reason": "moved", "at": AT, "tasks": "cancel", "appointments": "cancel"}


@pytest.fixture
def dossier():
    return samples.provisional(b"%PDF-1.4 test") | {
        "tasks": [TASK, DONE],
        "appointments": [MEETING, PAST, SERIES],
    }


def address(dossier: dict[str, Any], rest: str = "") -> str:
    return "/dossiers/" + quote(f"{dossier['id']['system']}|{dossier['id']['value']}", "") + rest


async def pushed(served, dossier) -> dict[str, Any]:
    answer = await served.ask("PUT", address(dossier), json.dumps(dossier).encode(), JSON)
    assert answer.status_code in (200, 201), answer.text
    return await pulled(served, dossier)


async def pulled(served, dossier) -> dict[str, Any]:
    found: dict[str, Any] = (await served.ask("GET", address(dossier))).json()
    return found


async def do(served, dossier, act: str, body: Any, query: str = "", **headers: str) -> Any:
    given = JSON | {name.replace("_", "-"): value for name, value in headers.items()}
    place = address(dossier, f":{act}{query}")
    return await served.ask("POST", place, json.dumps(body).encode(), given)


async def heads(served) -> dict[str, str]:
    found = {}
    for type_ in ("EpisodeOfCare", "CareTeam", "Task", "Appointment", "Patient", "Provenance"):
        bundle = (await served.ask("GET", f"/fhir/{type_}")).json()
        for entry in bundle.get("entry", ()):
            meta = entry["resource"]["meta"]
            found[f"{type_}/{entry['resource']['id']}"] = meta["versionId"]
    return found


def by_key(dossier: dict[str, Any], section: str) -> dict[str, Any]:
    return {entry["key"]: entry for entry in dossier[section]}


async def test_a_dossier_is_closed_and_what_is_open_is_cancelled(served, dossier):
    before = await pushed(served, dossier)
    answer = await do(served, dossier, "close", CLOSE | {"text": "Part à Albi."})
    assert answer.status_code == 200, answer.text
    receipt = answer.json()
    assert answer.headers["etag"] == f'"{receipt["version"]}"'
    changed = {(one["section"], one["key"]) for one in receipt["entries"]}
    assert changed == {
        ("dossier", dossier["id"]["value"]),
        ("tasks", "t1"),
        ("appointments", "a1"),
        ("appointments", "a3"),
    }
    found = await pulled(served, dossier)
    assert (found["status"], found["closedAt"]) == ("closed", AT)
    assert found["closure"] == {"reason": "moved", "text": "Part à Albi.", "by": "m1"}
    assert by_key(found, "tasks")["t1"]["status"] == "cancelled"
    assert by_key(found, "tasks")["t2"] == by_key(before, "tasks")["t2"]
    meetings = by_key(found, "appointments")
    assert (meetings["a1"]["status"], meetings["a1"]["cancelReason"]["code"]) == (
        "cancelled",
        "other",
    )
    assert meetings["a2"] == by_key(before, "appointments")["a2"]
    assert meetings["a3"]["rrule"] == "FREQ=WEEKLY;UNTIL=20260301T080000Z"
    assert found["circle"] == before["circle"]


async def test_what_was_done_has_a_provenance_with_the_versions(served, dossier):
    await pushed(served, dossier)
    await do(served, dossier, "close", CLOSE)
    (entry,) = (await served.ask("GET", "/fhir/Provenance")).json()["entry"]
    found = entry["resource"]
    assert found["activity"]["coding"][0]["code"] == "close"
    assert found["occurredDateTime"] == AT
    assert found["agent"][0]["who"]["reference"].startswith("PractitionerRole/")
    assert len(found["target"]) == 5
    for target in found["target"]:
        answer = await served.ask("GET", "/fhir/" + target["reference"])
        assert answer.status_code == 200
    (episode,) = (await served.ask("GET", "/fhir/EpisodeOfCare")).json()["entry"]
    history = episode["resource"]["statusHistory"]
    assert [one["status"] for one in history] == ["active"]


async def test_a_dry_run_shows_the_difference_and_writes_nothing(served, dossier):
    before, there = await pushed(served, dossier), await heads(served)
    answer = await do(served, dossier, "close", CLOSE, "?dryRun=true")
    assert answer.status_code == 200, answer.text
    (told,) = answer.json()["dossiers"]
    places = {(one["section"], one["key"], one["path"]) for one in told["changes"]}
    assert ("status", None, "") in places
    assert ("tasks", "t1", "/status") in places
    assert {one["action"] for one in answer.json()["entries"]} == {"updated"}
    assert (await pulled(served, dossier), await heads(served)) == (before, there)


async def test_open_entries_need_a_destiny(served, dossier, rules):
    before = await pushed(served, dossier)
    bare = {"by": "m1", "reason": "moved", "at": AT}
    answer = await do(served, dossier, "close", bare)
    assert (answer.status_code, rules(answer)) == (422, ["act.destiny-missing"] * 2)
    answer = await do(served, dossier, "close", bare | {"tasks": "keep", "appointments": "keep"})
    assert answer.status_code == 200
    found = await pulled(served, dossier)
    assert (found["tasks"], found["appointments"]) == (before["tasks"], before["appointments"])


@pytest.mark.parametrize("act", ["close", "suspend"])
async def test_an_act_done_twice_is_done_once_and_reopening_gives_back_what_was(
    served, dossier, act
):
    before = await pushed(served, dossier)
    body = CLOSE | {"tasks": "keep", "appointments": "keep"} if act == "close" else {"by": "m1"}
    assert (await do(served, dossier, act, body)).status_code == 200
    found, there = await pulled(served, dossier), await heads(served)
    again = await do(served, dossier, act, body)
    assert (again.status_code, again.json()["entries"]) == (200, [])
    assert (await pulled(served, dossier), await heads(served)) == (found, there)
    assert (await do(served, dossier, "reopen", {"by": "m2"})).status_code == 200
    found = await pulled(served, dossier)
    for one in (before, found):
        one.pop("updatedAt")
        one.pop("version", None)
    assert found == before
    (episode,) = (await served.ask("GET", "/fhir/EpisodeOfCare")).json()["entry"]
    history = [one["status"] for one in episode["resource"]["statusHistory"]]
    assert history == ["active", "finished" if act == "close" else "onhold"]


async def test_what_the_state_does_not_admit_is_refused_by_its_name(served, dossier, rules):
    await pushed(served, dossier)
    await do(served, dossier, "close", CLOSE)
    answer = await do(served, dossier, "suspend", {"by": "m1"})
    assert (answer.status_code, rules(answer)) == (409, ["act.state"])
    assert "closed" in answer.json()["issue"][0]["details"]["text"]
    answer = await do(served, dossier, "close", CLOSE | {"reason": "other"})
    assert (answer.status_code, rules(answer)) == (409, ["act.closed-otherwise"])
    body = json.dumps(dossier).encode()
    answer = await served.ask("PUT", address(dossier), body, JSON)
    assert (answer.status_code, rules(answer)) == (409, ["dossier.closed"])


@pytest.mark.parametrize(
    ("act", "body", "status", "rule"),
    [
        ("close", {"reason": "moved"}, 400, "act.malformed"),
        ("close", {"by": "m1"}, 400, "act.malformed"),
        ("close", {"by": "m1", "reason": "gone"}, 400, "act.malformed"),
        ("close", CLOSE | {"tasks": "burn"}, 400, "act.malformed"),
        ("close", CLOSE | {"at": "hier"}, 400, "dossier.date"),
        ("suspend", {"by": "m1", "reason": "moved"}, 400, "act.unknown-field"),
        ("suspend", {"by": "nobody"}, 422, "act.by-nobody"),
        ("close", CLOSE | {"by": "nobody"}, 422, "act.by-nobody"),
    ],
)
async def test_what_is_not_said_well_is_refused(served, dossier, rules, act, body, status, rule):
    before = await pushed(served, dossier)
    answer = await do(served, dossier, act, body)
    assert (answer.status_code, rules(answer)) == (status, [rule])
    assert await pulled(served, dossier) == before


async def test_a_dossier_is_not_closed_before_it_was_opened(served, dossier):
    before = await pushed(served, dossier)
    answer = await do(served, dossier, "close", CLOSE | {"at": "2020-01-01T00:00:00Z"})
    assert answer.status_code == 422, answer.text
    assert await pulled(served, dossier) == before


async def test_if_match_is_of_the_dossier_as_it_stands(served, dossier, rules):
    answer = await do(served, dossier, "suspend", {"by": "m1"})
    assert (answer.status_code, rules(answer)) == (404, ["dossier.not-found"])
    await pushed(served, dossier)
    answer = await do(served, dossier, "suspend", {"by": "m1"}, if_match='"other"')
    assert (answer.status_code, rules(answer)) == (412, ["dossier.version-conflict"])
    answer = await do(served, dossier, "suspend", {"by": "m1"}, if_match='"1"')
    assert answer.status_code == 200, answer.text
    answer = await do(served, dossier, "reopen", {"by": "m1"}, if_match='"1"')
    assert answer.status_code == 412  # the source's version is not of what stands now
    tag = (await served.ask("GET", address(dossier))).headers["etag"]
    answer = await do(served, dossier, "reopen", {"by": "m1"}, if_match=tag)
    assert answer.status_code == 200


async def test_the_same_acts_over_fhir(served, dossier, rules):
    before = await pushed(served, dossier)
    (entry,) = (await served.ask("GET", "/fhir/EpisodeOfCare")).json()["entry"]
    manager = entry["resource"]["careManager"]
    place = f"/fhir/EpisodeOfCare/{entry['resource']['id']}"
    by = {"name": "by", "valueReference": {"reference": manager["reference"]}}

    async def invoke(act: str, *more: dict[str, Any]) -> Any:
        body = {"resourceType": "Parameters", "parameter": [by, *more]}
        return await served.ask("POST", f"{place}/${act}", body)

    reason = {"name": "reason", "valueCode": "goals-met"}
    answer = await invoke("close", reason)
    assert (answer.status_code, rules(answer)) == (422, ["act.destiny-missing"] * 2)
    asked = [reason, {"name": "at", "valueInstant": AT}]
    asked += [{"name": name, "valueCode": "cancel"} for name in ("tasks", "appointments")]
    answer = await invoke("close", *asked, {"name": "dryRun", "valueBoolean": True})
    assert answer.status_code == 200, answer.text
    said = answer.json()["parameter"]
    assert {"name": "status", "valueCode": "closed"} in said
    assert await pulled(served, dossier) == before
    answer = await invoke("close", *asked)
    assert answer.status_code == 200, answer.text
    names = [one["name"] for one in answer.json()["parameter"]]
    assert (names.count("entry"), "change" in names) == (4, True)
    found = await pulled(served, dossier)
    assert (found["closure"], found["closedAt"]) == ({"reason": "goals-met", "by": "m1"}, AT)
    assert (await invoke("suspend")).status_code == 409
    assert (await invoke("reopen")).status_code == 200
    assert (await pulled(served, dossier))["status"] == "active"


async def test_an_episode_of_no_dossier_and_a_reference_to_nobody_are_refused(
    served, dossier, rules
):
    await pushed(served, dossier)
    (entry,) = (await served.ask("GET", "/fhir/EpisodeOfCare")).json()["entry"]
    await served.kept({"resourceType": "Patient", "id": "p"})
    await served.kept(
        {
            "resourceType": "EpisodeOfCare",
            "id": "e",
            "status": "active",
            "patient": {"reference": "Patient/p"},
        }
    )
    by = [{"name": "by", "valueReference": {"reference": "Patient/p"}}]
    body = {"resourceType": "Parameters", "parameter": by}
    answer = await served.ask("POST", "/fhir/EpisodeOfCare/e/$suspend", body)
    assert (answer.status_code, rules(answer)) == (422, ["act.of-no-dossier"])
    place = f"/fhir/EpisodeOfCare/{entry['resource']['id']}/$suspend"
    answer = await served.ask("POST", place, body)
    assert (answer.status_code, rules(answer)) == (422, ["act.by-nobody"])


async def test_what_others_wrote_by_fhir_stays(served, dossier):
    await pushed(served, dossier)
    (entry,) = (await served.ask("GET", "/fhir/Patient")).json()["entry"]
    patient = entry["resource"] | {"photo": [{"title": "Portrait"}]}
    await served.kept(patient)
    assert (await do(served, dossier, "suspend", {"by": "m1"})).status_code == 200
    (entry,) = (await served.ask("GET", "/fhir/Patient")).json()["entry"]
    assert entry["resource"]["photo"] == [{"title": "Portrait"}]


async def test_several_acts_at_once_are_one(served, dossier):
    await pushed(served, dossier)
    asked = (do(served, dossier, "suspend", {"by": "m1", "at": AT}) for _ in range(4))
    answers = await asyncio.gather(*asked)
    assert [answer.status_code for answer in answers] == [200] * 4
    assert len((await served.ask("GET", "/fhir/Provenance")).json()["entry"]) == 1
