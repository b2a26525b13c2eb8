"""What an entry made before and does not make now is ended, and stands again when it comes back."""

import json
from typing import Any

import pytest

from passerelle.dossiers.exchange.dossier_record import read_record
from passerelle.dossiers.exchange.extraction import extract
from passerelle.dossiers.exchange.reception import receive
from passerelle.dossiers.repository import Repository
from passerelle.errors.refusals import Conflict
from passerelle.fhir.urls import DOSSIER_TAG, PASSERELLE
from passerelle.mappers.native.dossier import Dossier, dump
from passerelle.store.caller import SYSTEM

pytestmark = pytest.mark.anyio

ALERT = {
    "key": "al1",
    "kind": "fall",
    "title": "Chute",
    "raisedAt": "2026-02-22T07:00:00+01:00",
    "raisedBy": "m1",
    "status": "active",
    "severity": "urgent",
}


def with_alert(sample: Dossier, **facts: Any) -> Dossier:
    content = json.loads(dump(sample))
    for section in ("documents", "appointments", "tasks"):
        content.pop(section, None)
    return Dossier(content | {"alerts": [ALERT | facts]})


async def push(gateway, dossier: Dossier, **how: Any) -> Any:
    options = {"if_match": None, "strict": True, "dry_run": False} | how
    return await receive(gateway, SYSTEM, dossier.tag, dump(dossier), **options)


async def pulled(gateway, dossier: Dossier) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((await extract(gateway, SYSTEM, dossier.tag)).body)
    return found


async def of_type(gateway, dossier: Dossier, type: str) -> list[dict[str, Any]]:
    record = await read_record(gateway, SYSTEM, dossier.tag)
    return [json.loads(v.body) for v in record.tagged if v.key.type == type]


async def statuses(gateway, dossier: Dossier, type: str) -> list[str]:
    return sorted(one["status"] for one in await of_type(gateway, dossier, type))


async def test_a_recipient_that_is_taken_out_has_its_warning_revoked(gateway, sample):
    await push(gateway, with_alert(sample, recipients=["m1", "m2"]))
    assert await statuses(gateway, sample, "CommunicationRequest") == ["active", "active"]
    one = with_alert(sample, recipients=["m2"])
    await push(gateway, one)
    assert await statuses(gateway, sample, "CommunicationRequest") == ["active", "revoked"]
    assert (await pulled(gateway, sample))["alerts"][0]["recipients"] == ["m2"]
    before = (await read_record(gateway, SYSTEM, sample.tag)).etag
    again = await push(gateway, one)
    assert again.etag == before
    assert {entry.action for entry in again.entries} == {"unchanged"}


async def test_a_recipient_that_comes_back_is_warned_by_the_same_request(gateway, sample):
    both = with_alert(sample, recipients=["m1", "m2"])
    await push(gateway, both)
    first = {one["id"] for one in await of_type(gateway, sample, "CommunicationRequest")}
    await push(gateway, with_alert(sample))
    assert await statuses(gateway, sample, "CommunicationRequest") == ["revoked", "revoked"]
    assert "recipients" not in (await pulled(gateway, sample))["alerts"][0]
    await push(gateway, both)
    assert await statuses(gateway, sample, "CommunicationRequest") == ["active", "active"]
    found = {one["id"] for one in await of_type(gateway, sample, "CommunicationRequest")}
    assert found == first
    assert (await pulled(gateway, sample))["alerts"][0]["recipients"] == ["m1", "m2"]


async def test_an_acknowledgement_that_is_taken_back_is_in_error_and_what_was_done_stays_done(
    gateway, sample
):
    acks = [{"by": "m1", "at": "2026-02-22T08:00:00+01:00"}]
    noted = with_alert(sample, recipients=["m1"], acks=acks, status="acknowledged")
    await push(gateway, noted)
    assert await statuses(gateway, sample, "CommunicationRequest") == ["completed"]
    assert await statuses(gateway, sample, "Communication") == ["completed"]
    await push(gateway, with_alert(sample))
    assert await statuses(gateway, sample, "Communication") == ["entered-in-error"]
    assert await statuses(gateway, sample, "CommunicationRequest") == ["completed"]
    assert "acks" not in (await pulled(gateway, sample))["alerts"][0]


async def test_an_alert_that_is_gone_from_all_of_them_is_withdrawn_with_its_warnings(
    gateway, sample
):
    await push(gateway, with_alert(sample, recipients=["m1", "m2"]))
    content = {n: v for n, v in with_alert(sample).content.items() if n != "alerts"}
    receipt = await push(gateway, Dossier(content | {"complete": ["alerts"]}))
    assert ("al1", "ended") in {(entry.key, entry.action) for entry in receipt.entries}
    for type in ("Flag", "CommunicationRequest"):
        assert set(await statuses(gateway, sample, type)) == {"entered-in-error"}
    (alert,) = (await pulled(gateway, sample))["alerts"]
    assert (alert["status"], alert["recipients"]) == ("entered-in-error", ["m1", "m2"])


async def test_what_other_entries_made_is_left_alone(gateway, sample):
    await push(gateway, with_alert(sample, recipients=["m1"]))
    content = json.loads(dump(with_alert(sample)))
    other = Dossier(content | {"alerts": [ALERT | {"key": "al2", "recipients": ["m2"]}]})
    await push(gateway, other)
    assert await statuses(gateway, sample, "CommunicationRequest") == ["active", "active"]
    alerts = {one["key"]: one for one in (await pulled(gateway, sample))["alerts"]}
    assert {key: one["recipients"] for key, one in alerts.items()} == {
        "al1": ["m1"],
        "al2": ["m2"],
    }


async def test_a_file_that_a_document_has_no_more_is_in_error_and_claims_no_profile(
    gateway, sample
):
    content = json.loads(dump(sample))
    document = content["documents"][0]
    document["files"] = [
        {"mimeType": "text/plain", "data": "YQ=="},
        {"mimeType": "text/plain", "data": "Yg=="},
    ]
    two = Dossier(content | {"documents": [document]})
    await push(gateway, two)
    files = document["files"].pop()
    await push(gateway, Dossier(content | {"documents": [document]}))
    found = await of_type(gateway, sample, "DocumentReference")
    gone = [one for one in found if one["status"] == "entered-in-error"]
    assert len(found) == 2
    assert len(gone) == 1
    assert "profile" not in gone[0]["meta"]
    assert (await pulled(gateway, sample))["documents"] == [document]
    document["files"].append(files)
    await push(gateway, Dossier(content | {"documents": [document]}))
    assert (await pulled(gateway, sample))["documents"] == [document]
    found = await of_type(gateway, sample, "DocumentReference")
    assert {one["status"] for one in found} == {document["status"]}


async def test_a_score_that_is_taken_out_is_in_error(gateway, sample):
    score = {"code": {"text": "AGGIR"}, "value": 3}
    form = {
        "key": "f1",
        "definition": "urn:x:y",
        "status": "completed",
        "author": "m1",
        "authoredAt": "2026-01-20T09:00:00+01:00",
    }
    content = json.loads(dump(sample))
    await push(gateway, Dossier(content | {"forms": [form | {"scores": [score]}]}))
    assert await statuses(gateway, sample, "Observation") == ["final"]
    await push(gateway, Dossier(content | {"forms": [form]}))
    assert await statuses(gateway, sample, "Observation") == ["entered-in-error"]
    assert (await pulled(gateway, sample))["forms"] == [form]


async def test_a_push_that_ends_something_of_a_closed_dossier_is_refused(gateway, sample):
    closure = {"status": "closed", "closedAt": "2026-11-01", "closure": {"reason": "goals-met"}}
    content = json.loads(dump(with_alert(sample, recipients=["m1"]))) | closure
    await push(gateway, Dossier(content))
    alert = {name: value for name, value in content["alerts"][0].items() if name != "recipients"}
    with pytest.raises(Conflict):
        await push(gateway, Dossier(content | {"alerts": [alert]}))


async def test_a_dry_run_ends_nothing(gateway, sample):
    await push(gateway, with_alert(sample, recipients=["m1"]))
    await push(gateway, with_alert(sample), dry_run=True)
    assert await statuses(gateway, sample, "CommunicationRequest") == ["active"]


async def test_sendings_of_secure_mail_are_no_acknowledgements(gateway, sample):
    await push(gateway, with_alert(sample))
    etag = (await read_record(gateway, SYSTEM, sample.tag)).etag
    sending = {
        "resourceType": "Communication",
        "meta": {"tag": [{"system": DOSSIER_TAG, "code": sample.tag}]},
        "identifier": [{"system": PASSERELLE + "/NamingSystem/mss-sending", "value": "s-1"}],
        "status": "in-progress",
    }
    await Repository(gateway, SYSTEM).create(sending)
    record = await read_record(gateway, SYSTEM, sample.tag)
    assert record.etag == etag
    assert "Communication" in {version.key.type for version in record.tagged}
