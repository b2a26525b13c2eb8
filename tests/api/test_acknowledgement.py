"""An alert is acknowledged: over FHIR, over the native form, by the same act."""

import asyncio
import json
from typing import Any
from urllib.parse import quote

import pytest

from passerelle.demo import samples

pytestmark = pytest.mark.anyio
JSON = {"content-type": "application/json"}
ALERT = {
    "key": "al/1",
    "kind": "fall",
    "title": "Chute",
    "raisedAt": "2026-02-22T07:00:00+01:00",
    "raisedBy": "m1",
    "status": "active",
    "recipients": ["m1", "m2"],
}


@pytest.fixture
def dossier():
    return samples.provisional(b"%PDF-1.4 test")


def address(dossier: dict[str, Any], rest: str = "") -> str:
    return "/dossiers/" + quote(f"{dossier['id']['system']}|{dossier['id']['value']}", "") + rest


async def pushed(served, dossier, **facts: Any) -> None:
    body = dossier | {"alerts": [ALERT | facts]}
    answer = await served.ask("PUT", address(dossier), json.dumps(body).encode(), JSON)
    assert answer.status_code in (200, 201), answer.text


async def alert(served, dossier) -> dict[str, Any]:
    answer = await served.ask("GET", address(dossier))
    (found,) = answer.json()["alerts"]
    return found


async def ack(served, dossier, body: Any, query: str = "", key: str = "al%2F1") -> Any:
    place = address(dossier, f"/alerts/{key}:ack{query}")
    return await served.ask("POST", place, json.dumps(body).encode(), JSON)


async def flag_of(served) -> dict[str, Any]:
    (entry,) = (await served.ask("GET", "/fhir/Flag")).json()["entry"]
    return entry["resource"]


async def acknowledge(served, by: str, **more: Any) -> Any:
    parameters = [{"name": "by", "valueReference": {"reference": by}}]
    parameters += [{"name": name, "value" + kind: value} for name, (kind, value) in more.items()]
    body = {"resourceType": "Parameters", "parameter": parameters}
    flag = await flag_of(served)
    return await served.ask("POST", f"/fhir/Flag/{flag['id']}/$acknowledge", body)


async def recipient(served, number: int) -> str:
    found = (await served.ask("GET", "/fhir/CommunicationRequest")).json()["entry"]
    return found[number]["resource"]["recipient"][0]["reference"]


async def test_an_alert_is_acknowledged_natively_and_the_warning_is_done(served, dossier):
    await pushed(served, dossier)
    at = "2026-02-22T08:00:00+01:00"
    answer = await ack(served, dossier, {"by": "m1", "at": at})
    assert answer.status_code == 200, answer.text
    receipt = answer.json()
    assert answer.headers["etag"] == f'"{receipt["version"]}"'
    changed = [e["section"] for e in receipt["entries"] if e["action"] != "unchanged"]
    assert changed == ["alerts"]
    found = await alert(served, dossier)
    assert (found["status"], found["acks"]) == ("acknowledged", [{"by": "m1", "at": at}])
    warnings = (await served.ask("GET", "/fhir/CommunicationRequest?status=active")).json()
    assert len(warnings["entry"]) == 1
    (said,) = (await served.ask("GET", "/fhir/Communication")).json()["entry"]
    based_on = said["resource"]["basedOn"][0]["reference"]
    done = (await served.ask("GET", f"/fhir/{based_on}")).json()
    assert done["status"] == "completed"


async def test_the_same_act_over_fhir_is_the_same(served, dossier):
    await pushed(served, dossier)
    answer = await acknowledge(served, await recipient(served, 0))
    assert answer.status_code == 200, answer.text
    said = {one["name"]: one for one in answer.json()["parameter"]}
    assert said["action"]["valueCode"] == "updated"
    found = await alert(served, dossier)
    assert [one["by"] for one in found["acks"]] == ["m1"]
    whole = "http://127.0.0.1:8080/fhir/" + await recipient(served, 0)
    again = await acknowledge(served, whole)
    said = {one["name"]: one for one in again.json()["parameter"]}
    assert said["action"]["valueCode"] == "unchanged"
    assert await alert(served, dossier) == found


async def test_a_dry_run_tells_and_writes_nothing(served, dossier):
    await pushed(served, dossier)
    answer = await ack(served, dossier, {"by": "m1"}, "?dryRun=true")
    assert {e["action"] for e in answer.json()["entries"] if e["section"] == "alerts"} == {
        "updated"
    }
    answer = await acknowledge(
        served,
        await recipient(served, 0),
        dryRun=("Boolean", True),
        at=("Instant", ALERT["raisedAt"]),
    )
    assert answer.status_code == 200, answer.text
    assert "acks" not in await alert(served, dossier)


async def test_the_person_acknowledges_what_is_about_them(served, dossier):
    await pushed(served, dossier)
    subject = (await flag_of(served))["subject"]["reference"]
    assert (await acknowledge(served, subject)).status_code == 200
    assert (await alert(served, dossier))["acks"][0]["by"] == "person"
    await served.kept({"resourceType": "Patient", "id": "another"})
    assert (await acknowledge(served, "Patient/another")).status_code == 422


@pytest.mark.parametrize(
    ("body", "status", "rule"),
    [
        ({"by": "nobody"}, 422, "alert.by-nobody"),
        ({}, 400, "alert.acknowledgement-malformed"),
        ({"by": 3}, 400, "alert.acknowledgement-malformed"),
        ({"by": "m1", "for": "m2"}, 400, "alert.acknowledgement-malformed"),
        ({"by": "m1", "at": "hier"}, 400, "dossier.date"),
    ],
)
async def test_what_cannot_be_acknowledged_so_is_refused(
    served, dossier, rules, body, status, rule
):
    await pushed(served, dossier)
    answer = await ack(served, dossier, body)
    assert (answer.status_code, rules(answer)) == (status, [rule])
    assert "acks" not in await alert(served, dossier)


async def test_what_is_not_there_or_over_is_refused_by_name(served, dossier, rules):
    answer = await ack(served, dossier, {"by": "m1"})
    assert (answer.status_code, rules(answer)) == (404, ["dossier.not-found"])
    await pushed(served, dossier, status="resolved")
    answer = await ack(served, dossier, {"by": "m1"}, key="al2")
    assert (answer.status_code, rules(answer)) == (404, ["alert.unknown"])
    answer = await ack(served, dossier, {"by": "m1"})
    assert (answer.status_code, rules(answer)) == (409, ["alert.over"])
    answer = await acknowledge(served, await recipient(served, 0))
    assert (answer.status_code, rules(answer)) == (409, ["alert.over"])


async def test_a_flag_of_no_dossier_is_refused_by_name(served, dossier, rules):
    await served.kept({"resourceType": "Patient", "id": "p"})
    await served.kept(
        {
            "resourceType": "Flag",
            "id": "f",
            "status": "active",
            "code": {"text": "Allergie"},
            "subject": {"reference": "Patient/p"},
        }
    )
    answer = await acknowledge(served, "Patient/p")
    assert (answer.status_code, rules(answer)) == (422, ["alert.of-no-dossier"])


async def test_several_who_acknowledge_at_once_are_all_noted(served, dossier):
    await pushed(served, dossier)
    members = ("m1", "m2", "person")
    answers = await asyncio.gather(*(ack(served, dossier, {"by": by}) for by in members))
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert sorted(one["by"] for one in (await alert(served, dossier))["acks"]) == sorted(members)
