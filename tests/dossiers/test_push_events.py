"""Events in the record: pushed, changed from one type to another, and back."""

import json
from typing import Any

import pytest

from passerelle.dossiers.exchange.dossier_record import read_record, resource_of
from passerelle.dossiers.exchange.extraction import extract
from passerelle.dossiers.exchange.reception import receive
from passerelle.dossiers.repository import Repository
from passerelle.errors.refusals import PasserelleError
from passerelle.mappers.native.dossier import dump
from passerelle.store.caller import SYSTEM

pytestmark = pytest.mark.anyio
STAY = {
    "key": "e1",
    "kind": "hospital-stay",
    "title": "Hospitalisation",
    "start": "2026-10-01",
    "status": "in-progress",
    "structure": {"name": "CH de l'Exemple"},
    "participants": ["m1", "person"],
}


async def push(gateway, sample, **changes: Any):
    content = {**json.loads(dump(sample)), **changes}
    body = json.dumps(content).encode()
    return await receive(
        gateway, SYSTEM, sample.tag, body, if_match=None, strict=True, dry_run=False
    )


async def events(gateway, sample) -> list[dict[str, Any]]:
    found = await extract(gateway, SYSTEM, sample.tag, sections=("events",))
    return json.loads(found.body).get("events", [])


async def statuses(gateway, sample) -> dict[str, str]:
    record = await read_record(gateway, SYSTEM, sample.tag)
    held = (resource_of(version) for version in record.versions)
    return {
        one["resourceType"]: one["status"]
        for one in held
        if one["resourceType"] in ("Encounter", "Observation")
    }


async def test_an_event_that_becomes_another_type_is_one_event_still(gateway, sample):
    await push(gateway, sample, events=[STAY])
    assert await events(gateway, sample) == [STAY]
    move = {**STAY, "kind": "move", "title": "Entrée en EHPAD"}
    receipt = await push(gateway, sample, events=[move])
    told = {(one.section, one.key): one for one in receipt.entries}
    assert told["events", "e1"].action == "created"
    assert told["events", "e1"].reference.startswith("Observation/")
    assert await events(gateway, sample) == [move]
    assert await statuses(gateway, sample) == {
        "Encounter": "entered-in-error",
        "Observation": "preliminary",
    }
    again = await push(gateway, sample, events=[move])
    assert {one.action for one in again.entries} == {"unchanged"}
    await push(gateway, sample, events=[STAY])
    assert await events(gateway, sample) == [STAY]
    assert await statuses(gateway, sample) == {
        "Encounter": "in-progress",
        "Observation": "entered-in-error",
    }


async def test_an_event_that_a_whole_section_leaves_out_is_ended(gateway, sample):
    document = sample.content["documents"][0]["key"]
    move = {**STAY, "key": "e2", "kind": "move", "documents": [document]}
    await push(gateway, sample, events=[STAY, move])
    receipt = await push(gateway, sample, events=[move], complete=["events"])
    told = {(one.section, one.key): one.action for one in receipt.entries}
    assert (told["events", "e1"], told["events", "e2"]) == ("ended", "unchanged")
    ended = {**STAY, "status": "entered-in-error"}
    assert await events(gateway, sample) == [ended, move]


async def test_a_task_about_an_event_finds_it_wherever_it_lives(gateway, sample):
    move = {**STAY, "kind": "move"}
    await push(gateway, sample, events=[move])
    task = {**sample.content["tasks"][0], "about": "e1"}
    receipt = await push(gateway, sample, tasks=[task])
    assert {one.action for one in receipt.entries if one.section == "tasks"} == {"updated"}
    found = json.loads((await extract(gateway, SYSTEM, sample.tag)).body)
    assert found["tasks"][0]["about"] == "e1"


NOTE = {
    "key": "n1",
    "kind": "OBS",
    "text": "Vu.",
    "author": "m1",
    "createdAt": "2026-11-20T08:00:00+01:00",
    "readBy": [{"member": "m1", "at": "2026-11-20T09:00:00+01:00"}],
}


@pytest.mark.parametrize("type_", ["Encounter", "Observation", "DocumentReference"])
async def test_an_entry_stripped_by_fhir_is_read_or_refused(gateway, sample, type_):
    move = {**STAY, "key": "e2", "kind": "move"}
    content: dict[str, Any] = {"notes": [NOTE], "events": [STAY, move]}
    await push(gateway, sample, documents=[], **content)
    record = await read_record(gateway, SYSTEM, sample.tag)
    key = next(
        version.key
        for version in record.tagged
        if version.key.type == type_ and resource_of(version)["identifier"][0]["value"][-2] in "ne"
    )
    mandatory = ("resourceType", "id", "meta", "identifier", "status", "content", "class", "code")
    repository = Repository(gateway, SYSTEM)
    resource = resource_of(await repository.read(key))
    for name in [name for name in resource if name not in mandatory]:
        del resource[name]
    if type_ == "DocumentReference":
        resource["content"] = [{"attachment": {"title": "sans texte"}}]
    await repository.update(key, resource)
    whole = {"notes": [], "events": [], "complete": ["notes", "events"]}
    for body in (content, whole, content):
        for ask in (push(gateway, sample, **body), extract(gateway, SYSTEM, sample.tag)):
            try:
                await ask
            except PasserelleError as refusal:
                assert refusal.status == 409  # noqa: PT017
