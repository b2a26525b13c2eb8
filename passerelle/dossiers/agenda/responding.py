"""Somebody answers an invitation: an AppointmentResponse that moves its Appointment along.

https://hl7.org/fhir/R4/appointmentresponse.html . R4 leaves the update of the Appointment to the
system that holds it; here both are written in one transaction, or neither. One answer stands for
each who answers: answering again is a version of it.
"""

from typing import Any

from passerelle.dossiers.entry_answer import EntryAnswer
from passerelle.dossiers.repository import Repository
from passerelle.dossiers.retrying import settle
from passerelle.dossiers.transactions import Transaction
from passerelle.errors.refusals import PreconditionFailed, Unprocessable
from passerelle.errors.rules import issue
from passerelle.fhir import json_text
from passerelle.fhir.reference_places import key_of
from passerelle.fhir.resource import Key, Resource
from passerelle.mappers.icalendar.icalendar_codes import ANSWERS
from passerelle.mappers.native.dossier_naming import own_uuid
from passerelle.mappers.resources.fhir_elements import is_supplied, own_value
from passerelle.store.contract import Stale

RESPONSE = "AppointmentResponse"


async def respond(repository: Repository, key: Key, response: Resource) -> list[EntryAnswer]:
    """Keep an answer to an Appointment and move the participant's status; the answers are those of
    the Appointment and of the AppointmentResponse.

    Raises NotFound and Gone (no such Appointment), Unprocessable (the answer is to another one, of
    nobody who takes part, or none that an Appointment knows), and what a transaction raises.
    """
    _demand(repository, key, response)

    async def attempt() -> list[EntryAnswer]:
        version = await repository.read(key)
        appointment = json_text.decode(version.body or b"{}")
        changed = await _answered(repository, appointment, response)
        actor = str(response["actor"]["reference"])
        own = str(own_uuid(RESPONSE, str(key), actor.rpartition("/fhir/")[2]))
        entries = [
            _put(str(key), changed) | {"ifMatch": f'W/"{version.version}"'},
            _put(f"{RESPONSE}/{own}", {**response, "id": own}),
        ]
        bundle = {
            "resourceType": "Bundle",
            "type": "transaction",
            "entry": [
                {
                    "resource": one.pop("resource"),
                    "request": {"method": "PUT", **one},
                }
                for one in entries
            ],
        }
        try:
            return await Transaction(repository).run(bundle)
        except PreconditionFailed:
            raise Stale from None  # somebody else answered meanwhile: look again

    return await settle(attempt)


def _put(url: str, resource: Resource) -> dict[str, Any]:
    return {"url": url, "resource": resource}


def _demand(repository: Repository, key: Key, response: Resource) -> None:
    """See that it is an answer to that Appointment. Raises Unprocessable with every fault."""
    faults = []
    if response.get("resourceType") != RESPONSE:
        raise Unprocessable(issue("http.type-mismatch", "resourceType", type=RESPONSE))
    named = (response.get("appointment") or {}).get("reference", "")
    if key_of(str(named), repository.gateway.base_url) != key:
        faults.append(issue("agenda.response-to-another", f"{RESPONSE}.appointment"))
    if response.get("participantStatus") not in ANSWERS:
        faults.append(issue("agenda.answer-unknown", f"{RESPONSE}.participantStatus"))
    if not (response.get("actor") or {}).get("reference"):
        faults.append(issue("agenda.not-a-participant", f"{RESPONSE}.actor"))
    if faults:
        raise Unprocessable(*faults)


async def _answered(repository: Repository, appointment: Resource, response: Resource) -> Resource:
    """Give the Appointment with the answer. Raises Unprocessable for who takes no part."""
    base = repository.gateway.base_url
    actor = key_of(str(response["actor"]["reference"]), base)
    stated = [_actor(one, base) for one in appointment.get("participant", ())]
    practitioners = await _practitioners(repository, [key for key in (*stated, actor) if key])
    asked = {actor, practitioners.get(actor) if actor else None} - {None}
    answering = [
        key is not None and (key in asked or practitioners.get(key) == actor) for key in stated
    ]
    if not any(answering):
        raise Unprocessable(issue("agenda.not-a-participant", f"{RESPONSE}.actor"))
    status = response["participantStatus"]
    return {
        **appointment,
        "participant": [
            _with(one, status) if answers else one
            for one, answers in zip(appointment["participant"], answering, strict=True)
        ],
    }


def _with(participant: dict[str, Any], status: str) -> dict[str, Any]:
    """Give a participant with an answer; one that was supplied is so no more."""
    left = {name: value for name, value in participant.items() if name != "_status"}
    if not is_supplied(participant.get("_status")) and "_status" in participant:
        left["_status"] = participant["_status"]
    return {**left, "status": status}


def _actor(participant: dict[str, Any], base: str) -> Key | None:
    organisation = own_value(participant, "appointment-organisation") or {}
    actor = organisation or participant.get("actor") or {}
    return key_of(str(actor.get("reference", "")), base)


async def _practitioners(repository: Repository, keys: list[Key]) -> dict[Key, Key]:
    """Give whom each PractitionerRole is a role of."""
    roles = tuple(dict.fromkeys(key for key in keys if key.type == "PractitionerRole"))
    heads = await repository.gateway.store.read_many(roles, repository.caller)
    found = {}
    for key in roles:
        body = heads[key].body if key in heads else None
        named = json_text.decode(body or b"{}").get("practitioner") or {}
        practitioner = key_of(str(named.get("reference", "")), repository.gateway.base_url)
        if practitioner is not None:
            found[key] = practitioner
    return found
