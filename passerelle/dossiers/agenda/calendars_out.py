"""Calendars going out: those of a dossier, and those of somebody who takes part.

GAP 3.0.0 (https://interop.esante.gouv.fr/ig/fhir/gap/) gives the correspondence with iCalendar; the
calendar of somebody is ``$agenda``, an operation of our own.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from passerelle.dossiers.exchange.dossier_record import read_record, resources_of
from passerelle.dossiers.gateway import Gateway
from passerelle.dossiers.operations.life_line import PATIENT, patients_of
from passerelle.dossiers.repository import Repository
from passerelle.errors.refusals import NotFound, Unprocessable
from passerelle.errors.rules import issue
from passerelle.fhir import json_text
from passerelle.fhir.reference_places import key_of
from passerelle.fhir.resource import Key, Resource
from passerelle.fhir.search.query import parse
from passerelle.mappers.icalendar.calendar_parties import ACTORS, parties
from passerelle.mappers.icalendar.calendar_write import Window, calendar, recurring
from passerelle.mappers.resources.fhir_elements import own_value
from passerelle.store.caller import Caller

APPOINTMENTS_MAX = 2_000
"""Of one calendar; with more it is refused, never cut short: a window narrows it."""

RECURRING_MAX = 200
"""Rules that are followed for one calendar."""

PAGE = 200


async def of_dossier(gateway: Gateway, caller: Caller, dossier_id: str) -> tuple[bytes, str]:
    """Give the calendar of a dossier (``system|value``) and the tag of the dossier.

    Raises NotFound, Unprocessable for too many appointments.
    """
    record = await read_record(gateway, caller, dossier_id)
    if record.root is None:
        raise NotFound(issue("dossier.not-found"))
    resources = resources_of(record.versions)
    appointments = [one for one in resources if one["resourceType"] == "Appointment"]
    _demand_few(appointments, window=None)
    known = parties(resources, gateway.base_url)
    return await asyncio.to_thread(calendar, appointments, known), record.etag


async def of_party(repository: Repository, key: Key, window: Window | None) -> bytes:
    """Give the calendar of a Patient, a Practitioner or a PractitionerRole.

    That of a Patient holds what is planned for the Patients that it is linked to as well. Raises
    NotFound or Gone, Unprocessable for too many appointments.
    """
    appointments = await appointments_of(repository, key, window)
    _demand_few(appointments, window)
    known = parties(await _actors(repository, appointments), repository.gateway.base_url)
    return await asyncio.to_thread(calendar, appointments, known, window=window)


async def appointments_of(
    repository: Repository, key: Key, window: Window | None
) -> list[Resource]:
    """Give the appointments that somebody takes part in, those in a window or with a rule."""
    if key.type == PATIENT:
        named = [f"{PATIENT}/{id}" for id in await patients_of(repository, key.id)]
    else:
        await repository.read(key)
        named = [str(key)]
    found = await searched(repository, [("actor", ",".join(named))])
    if window is None:
        return found
    # A rule that began long ago may reach into the window: no index says so.
    return [one for one in found if _may_reach(one, window)]


async def searched(repository: Repository, criteria: list[tuple[str, str]]) -> list[Resource]:
    """Give all appointments that match. Raises Unprocessable for too many."""
    gateway = repository.gateway
    query = parse(
        "Appointment",
        [*criteria, ("_count", str(PAGE)), ("_sort", "date")],
        strict=True,
        base_url=gateway.base_url,
        registry=gateway.store.parameters.registry,
    )
    found: list[Resource] = []
    while True:
        page = await repository.search(query)
        found += [json_text.decode(version.body or b"{}") for version in page.matches]
        if len(found) > APPOINTMENTS_MAX:
            raise Unprocessable(issue("agenda.too-many", limit=APPOINTMENTS_MAX))
        if page.next is None:
            return found
        query = replace(query, cursor=page.next)


def _may_reach(appointment: Resource, window: Window) -> bool:
    if "start" not in appointment:
        return False
    begins = datetime.fromisoformat(appointment["start"])
    if begins >= window.high:
        return False
    if own_value(appointment, "appointment-rrule") is not None:
        return True
    return datetime.fromisoformat(str(appointment.get("end") or appointment["start"])) >= window.low


def _demand_few(appointments: list[Resource], window: Window | None) -> None:
    if len(appointments) > APPOINTMENTS_MAX:
        raise Unprocessable(issue("agenda.too-many", limit=APPOINTMENTS_MAX))
    if window is not None and recurring(appointments) > RECURRING_MAX:
        raise Unprocessable(issue("agenda.too-many", limit=RECURRING_MAX))


async def _actors(repository: Repository, appointments: Iterable[Resource]) -> list[Resource]:
    """Read those who take part, as far as they are there."""
    keys: dict[Key, None] = {}
    for appointment in appointments:
        for participant in appointment.get("participant", ()):
            organisation = own_value(participant, "appointment-organisation") or {}
            actor = organisation or participant.get("actor") or {}
            key = key_of(str(actor.get("reference", "")), repository.gateway.base_url)
            if key is not None and key.type in ACTORS:
                keys[key] = None
    heads = await repository.gateway.store.read_many(tuple(keys), repository.caller)
    bodies = (heads[key].body for key in keys if key in heads)
    return [json_text.decode(body) for body in bodies if body is not None]
