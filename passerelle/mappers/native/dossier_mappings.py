"""Which mapper makes and reads the entries of each section: the one table of them.

``dossier_to_fhir`` and ``dossier_from_fhir`` go through it in the order of the sections. What the
circle and the pathways become stands with the root: the CareTeam and the EpisodeOfCare.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, NamedTuple

from passerelle.fhir.resource import Resource
from passerelle.mappers.native.dossier import Entry
from passerelle.mappers.native.dossier_reading import Reading
from passerelle.mappers.resources import (
    alerts_flag,
    appointments_resource,
    circle_careteam,
    documents_reference,
    dossier_episode,
    events_resources,
    forms_response,
    messages_communication,
    notes_reference,
    sharing_consents,
    tasks_resource,
)
from passerelle.mappers.resources.entry_references import Entries

Role = Literal["primary", "supporting"]
Made = tuple[Resource, Role, bytes | None]
"""A resource, whether it is the entry's own, and its bytes (a Binary)."""

Opener = Callable[[str], bytes] | None
"""Gives the bytes of a Binary by its id. None: files are named by their address instead."""

Maker = Callable[[Mapping[str, Any], Entries], Iterable[Made]]
Reader = Callable[[Reading, Opener], list[Entry]]


class SectionMapping(NamedTuple):
    """The two directions of a section; what has no maker is made with the root."""

    read: Reader
    make: Maker | None = None


def _alone(to_fhir: Callable[[Mapping[str, Any], Entries], Resource]) -> Maker:
    """Make entries that are one resource each."""
    return lambda entry, around: [(to_fhir(entry, around), "primary", None)]


def _each(section: str, type: str, from_fhir: Callable[[str, Resource, Reading], Entry]) -> Reader:
    """Read entries that are one resource each."""
    return lambda reading, _: [
        from_fhir(key, found, reading) for key, found in reading.entries(section, type)
    ]


MAPPINGS: Mapping[str, SectionMapping] = {
    "pathways": SectionMapping(lambda reading, _: dossier_episode.pathways_from_fhir(reading)),
    "sharing": SectionMapping(
        _each("sharing", "Consent", sharing_consents.from_fhir), _alone(sharing_consents.to_fhir)
    ),
    "circle": SectionMapping(lambda reading, _: circle_careteam.circle_from_fhir(reading)),
    "documents": SectionMapping(documents_reference.from_fhir, documents_reference.to_fhir),
    "notes": SectionMapping(notes_reference.from_fhir, notes_reference.to_fhir),
    "events": SectionMapping(
        lambda reading, _: events_resources.from_fhir(reading), events_resources.to_fhir
    ),
    "forms": SectionMapping(
        _each("forms", "QuestionnaireResponse", forms_response.from_fhir), forms_response.to_fhir
    ),
    "appointments": SectionMapping(
        _each("appointments", "Appointment", appointments_resource.from_fhir),
        _alone(appointments_resource.to_fhir),
    ),
    "tasks": SectionMapping(
        _each("tasks", "Task", tasks_resource.from_fhir), _alone(tasks_resource.to_fhir)
    ),
    "alerts": SectionMapping(_each("alerts", "Flag", alerts_flag.from_fhir), alerts_flag.to_fhir),
    "messages": SectionMapping(
        _each("messages", "Communication", messages_communication.from_fhir),
        _alone(messages_communication.to_fhir),
    ),
}
"""Section to its mapper."""
