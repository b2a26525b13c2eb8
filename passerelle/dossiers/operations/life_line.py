"""`$ligne-de-vie`: what is dated about a person, in one order.

A view over what the record has, never a copy of it: stays, visits, documents, notes, forms,
appointments, tasks, alerts, messages, decisions, comings and goings in the circle. A person may be
a Patient of several sources: those that its Patient is linked to
(https://hl7.org/fhir/R4/patient-definitions.html#Patient.link) are looked at along.
"""

from dataclasses import replace

from passerelle.dossiers.repository import Repository
from passerelle.fhir import json_text
from passerelle.fhir.reference_places import key_of
from passerelle.fhir.resource import Key
from passerelle.store.contract import Page
from passerelle.store.gathering import LifeLine

PATIENT = "Patient"
LINKED_MAX = 20
"""Patients of one person that are looked at."""


async def life_line(repository: Repository, id: str, asked: LifeLine) -> Page:
    """Give one page of a Patient's line; ``asked.patients`` is filled in here.

    Raises NotFound or Gone when the Patient is not there, Invalid for a foreign cursor.
    """
    patients = await patients_of(repository, id)
    whole = replace(asked, patients=patients)
    return await repository.gateway.store.life_line(whole, repository.caller)


async def patients_of(repository: Repository, id: str) -> tuple[str, ...]:
    """Give the ids of the Patients that are one person: this one, and those that it is linked to.

    Raises NotFound or Gone.
    """
    head = await repository.read(Key(PATIENT, id))
    linked: dict[str, None] = {id: None}
    for link in json_text.decode(head.body or b"{}").get("link", ()):
        address = str((link.get("other") or {}).get("reference", ""))
        key = key_of(address, repository.gateway.base_url)
        if key is not None and key.type == PATIENT and len(linked) < LINKED_MAX:
            linked[key.id] = None
    return tuple(linked)
