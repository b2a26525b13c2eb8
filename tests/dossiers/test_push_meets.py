"""A push meets what others did to the record: another platform, a FHIR client, a second dossier."""

import json
from collections.abc import Awaitable
from dataclasses import replace
from typing import Any

import pytest

from passerelle.dossiers.exchange.dossier_record import read_record, root_keys
from passerelle.dossiers.exchange.extraction import extract
from passerelle.dossiers.exchange.reception import receive
from passerelle.dossiers.repository import Repository
from passerelle.dossiers.writing_policy import WritingPolicy
from passerelle.errors.refusals import Conflict, PasserelleError, PreconditionFailed
from passerelle.fhir import json_text
from passerelle.fhir.resource import Key
from passerelle.fhir.urls import DOSSIER_TAG, SENDING_SYSTEM
from passerelle.mappers.native.dossier import Dossier, dump
from passerelle.store.caller import SYSTEM

pytestmark = pytest.mark.anyio
SHARED = {"system": "urn:oid:1.2.250.1.999", "value": "R-1"}
"""An identifier of the person that several platforms carry."""


async def push(gateway, content: dict[str, Any], **how: Any):
    dossier = Dossier(content)
    options = {"if_match": None, "strict": True, "dry_run": False} | how
    return await receive(gateway, SYSTEM, dossier.tag, dump(dossier), **options)


async def pull(gateway, content: dict[str, Any]) -> dict[str, Any]:
    found = await extract(gateway, SYSTEM, Dossier(content).tag)
    return dict(json.loads(found.body))


@pytest.fixture
def content(sample) -> dict[str, Any]:
    return dict(json.loads(dump(sample)))


def elsewhere(content: dict[str, Any], platform: str, value: str) -> dict[str, Any]:
    """The dossier of the same person at another platform."""
    made = json.loads(json.dumps(content))
    made["source"]["platform"] = platform
    made["id"] = {"system": f"{platform}/dossiers", "value": value}
    return dict(made)


def told(refusal: PasserelleError) -> list[tuple[str, str | None]]:
    return [(said.rule, said.expression) for said in refusal.issues]


async def status(asked: Awaitable[Any]) -> int:
    """Give the status of a refusal, or 200."""
    try:
        await asked
    except PasserelleError as refusal:
        return refusal.status
    return 200


async def patient_of(gateway, content: dict[str, Any]) -> dict[str, Any]:
    record = await read_record(gateway, SYSTEM, Dossier(content).tag)
    (patient,) = (v for v in record.versions if v.key.type == "Patient")
    return dict(json_text.decode(patient.body or b""))


async def changed(gateway, key: Key, change) -> None:
    repository = Repository(gateway, SYSTEM)
    resource = json_text.decode((await repository.read(key)).body or b"")
    change(resource)
    await repository.update(key, resource)


async def test_each_platform_has_a_patient_of_its_own_whatever_identifier_they_share(
    gateway, content
):
    content["person"]["identifiers"] = [SHARED]
    other = elsewhere(content, "https://autre.example", "A-1")
    await push(gateway, content)
    await push(gateway, other)
    one, two = await patient_of(gateway, content), await patient_of(gateway, other)
    assert one["id"] != two["id"]
    assert [p["meta"]["source"] for p in (one, two)] == [
        content["source"]["platform"],
        "https://autre.example",
    ]
    for again in (content, other):
        receipt = await push(gateway, again)
        assert {entry.action for entry in receipt.entries} == {"unchanged"}
        assert (await pull(gateway, again))["person"] == (await pull(gateway, content))["person"]


async def test_a_platform_keeps_its_patient_when_the_one_before_it_is_deleted(gateway, content):
    content["person"]["identifiers"] = [SHARED]
    other = elsewhere(content, "https://autre.example", "A-1")
    await push(gateway, content)
    await push(gateway, other)
    before = await patient_of(gateway, other)
    first = await patient_of(gateway, content)
    allowing = replace(gateway, writing=WritingPolicy(delete_referenced="allow"))
    await Repository(allowing, SYSTEM).delete(Key("Patient", first["id"]))
    await push(gateway, other)
    assert await patient_of(gateway, other) == before


async def test_a_dossier_belongs_to_the_platform_that_brought_it(gateway, content):
    await push(gateway, content)
    before = await pull(gateway, content)
    taken = json.loads(json.dumps(content))
    taken["source"]["platform"] = "https://autre.example"
    with pytest.raises(Conflict) as refused:
        await push(gateway, taken)
    assert told(refused.value) == [("dossier.other-source", "/source/platform")]
    assert await pull(gateway, content) == before


async def test_an_identifier_that_another_resource_holds_is_named_in_the_body(gateway, content):
    platform = content["source"]["platform"]
    task = {"system": f"{platform}/tasks", "value": f"{content['id']['value']}/taken"}
    squatter = {
        "resourceType": "Task",
        "meta": {"source": platform},
        "identifier": [task],
        "status": "draft",
        "intent": "plan",
    }
    await Repository(gateway, SYSTEM).create(squatter)
    content["tasks"].append(content["tasks"][0] | {"key": "taken"})
    with pytest.raises(Conflict) as refused:
        await push(gateway, content)
    place = f"/tasks/{len(content['tasks']) - 1}"
    assert told(refused.value) == [("record.identifier-taken", place)]


async def test_an_entry_deleted_by_fhir_comes_back_with_the_next_push(gateway, content):
    receipt = await push(gateway, content)
    (task,) = (e for e in receipt.entries if (e.section, e.key) == ("tasks", "t1"))
    assert task.reference is not None
    type_, _, id_ = task.reference.partition("/")
    await Repository(gateway, SYSTEM).delete(Key(type_, id_))
    with pytest.raises(PreconditionFailed):
        await push(gateway, content, if_match=receipt.etag)
    again = {(e.section, e.key): e.action for e in (await push(gateway, content)).entries}
    assert again[("tasks", "t1")] == "created"


BREAKS = {
    "no member": (1, lambda team: team.pop("participant")),
    "no facts": (0, lambda episode: episode.pop("extension")),
    "a person by name": (0, lambda episode: episode.update(patient={"display": "Quelqu'un"})),
    "a subject by name": (1, lambda team: team.update(subject={"display": "Quelqu'un"})),
    "no period": (0, lambda episode: episode.pop("period")),
    "no tag": (0, lambda episode: episode["meta"].pop("tag")),
    "no tag on the team": (1, lambda team: team["meta"].pop("tag")),
    "another status": (0, lambda episode: episode.update(status="waitlist")),
    "another status of the team": (1, lambda team: team.update(status="entered-in-error")),
    "a strange extension": (0, lambda episode: episode["extension"][0].update(url="urn:x")),
}
"""What is broken: of the EpisodeOfCare (0) or of the CareTeam (1), and how."""


@pytest.mark.parametrize("what", BREAKS)
async def test_a_root_changed_by_fhir_is_read_or_refused_and_never_a_fault_of_ours(
    gateway, content, what
):
    await push(gateway, content)
    which, breaking = BREAKS[what]
    key = root_keys(Dossier(content).tag)[which]
    before = await Repository(gateway, SYSTEM).read(key)
    await changed(gateway, key, breaking)
    for ask in (pull, push):
        assert await status(ask(gateway, content)) in (200, 404, 409)
    assert await Repository(gateway, SYSTEM).vread(key, 1) == before


@pytest.mark.parametrize("type_", ["PractitionerRole", "Task", "Appointment", "DocumentReference"])
async def test_an_entry_stripped_by_fhir_is_read_or_refused(gateway, content, type_):
    await push(gateway, content)
    record = await read_record(gateway, SYSTEM, Dossier(content).tag)
    key = next(v.key for v in record.tagged if v.key.type == type_)
    mandatory = ("resourceType", "id", "meta", "identifier", "status", "intent", "content")

    def strip(resource: dict[str, Any]) -> None:
        for name in [name for name in resource if name not in mandatory]:
            del resource[name]
        if type_ == "DocumentReference":  # what declares the profile may not be stripped
            del resource["meta"]["profile"]
        if type_ == "Appointment":
            someone = {"status": "accepted", "type": [{"text": "quelqu'un"}]}
            resource.update(participant=[someone], status="proposed")

    await changed(gateway, key, strip)
    sections = ("circle", "documents", "appointments", "tasks")
    whole = {name: [] for name in sections[1:]} | {"complete": list(sections[1:])}
    for body in (content, content | whole):
        for ask in (pull, push):
            assert await status(ask(gateway, body)) in (200, 409)


async def test_a_second_team_tagged_with_the_dossier_is_no_root_of_it(gateway, content):
    tag = {"system": DOSSIER_TAG, "code": Dossier(content).tag}
    stranger = {"resourceType": "CareTeam", "meta": {"tag": [tag]}}
    await Repository(gateway, SYSTEM).create(stranger)
    await push(gateway, content)
    before = await pull(gateway, content)
    await Repository(gateway, SYSTEM).create(stranger)
    assert await pull(gateway, content) == before
    receipt = await push(gateway, content)
    assert {entry.action for entry in receipt.entries} == {"unchanged"}


async def test_a_person_changed_by_a_second_dossier_is_a_change_of_the_first(gateway, content):
    other = json.loads(json.dumps(content))
    other["id"]["value"] = "D-2"
    await push(gateway, other)
    first = await push(gateway, content)
    version = content["version"]
    other["person"]["identity"]["usedName"] = "Autrement"
    await push(gateway, other)
    for tag in (first.etag, version):
        with pytest.raises(PreconditionFailed):
            await push(gateway, content, if_match=tag)


async def test_a_document_sent_meanwhile_is_no_change_of_the_dossier(gateway, content):
    first = await push(gateway, content)
    tag = {"system": DOSSIER_TAG, "code": Dossier(content).tag}
    sent = {
        "resourceType": "Communication",
        "meta": {"tag": [tag]},
        "identifier": [{"system": SENDING_SYSTEM, "value": "1"}],
        "status": "completed",
    }
    await Repository(gateway, SYSTEM).create(sent)
    for tag_ in (first.etag, content["version"]):
        await push(gateway, content, if_match=tag_)


async def test_a_new_dossier_matches_no_version(gateway, content):
    with pytest.raises(PreconditionFailed):
        await push(gateway, content, if_match=content["version"])
    assert (await read_record(gateway, SYSTEM, Dossier(content).tag)).versions == ()
