"""The FHIR resources of a dossier back to its native form: the exact inverse of ``to_fhir``.

Law: ``from_fhir(to_fhir(d)) == d``, but for ``complete``, which directs a push and is no state.
"""

from collections.abc import Callable, Collection, Mapping, Sequence

from passerelle.errors.refusals import Unprocessable
from passerelle.errors.rules import issue
from passerelle.fhir.resource import Resource
from passerelle.mappers.native.dossier import SECTIONS, Dossier, Entry, normal
from passerelle.mappers.native.dossier_reading import Reading, reading
from passerelle.mappers.resources import (
    appointments_resource,
    circle_careteam,
    documents_reference,
    patient_resource,
    tasks_resource,
)

Blobs = Callable[[str], bytes] | Mapping[str, bytes] | None
"""Gives the bytes of a Binary by its id. None: files are named by their address instead."""


def from_fhir(
    resources: Sequence[Resource], blobs: Blobs, *, sections: Collection[str] | None = None
) -> Dossier:
    """Read a dossier from its resources; ``sections`` limits the sections that are given.

    Members come in the order of the CareTeam's participants, the rest in the order in which the
    resources are given. Raises Unprocessable when the CareTeam or its Patient is not among them.
    """
    found = reading(resources)
    patient = found.target(found.team.get("subject"))
    if patient is None:
        raise Unprocessable(issue("dossier.record-incomplete", "CareTeam.subject"))
    wanted = SECTIONS if sections is None else tuple(sections)
    read: dict[str, Callable[[], list[Entry]]] = {
        "circle": lambda: circle_careteam.circle_from_fhir(found),
        "documents": lambda: documents_reference.from_fhir(found, _opener(blobs)),
        "appointments": lambda: _entries(found, "appointments", "Appointment"),
        "tasks": lambda: _entries(found, "tasks", "Task"),
    }
    return normal(
        {
            **circle_careteam.root_from_fhir(found),
            "person": patient_resource.from_fhir(patient, found),
            **{section: read[section]() for section in SECTIONS if section in wanted},
        }
    )


def _entries(found: Reading, section: str, type: str) -> list[Entry]:
    read = {
        "appointments": appointments_resource.from_fhir,
        "tasks": tasks_resource.from_fhir,
    }[section]
    return [read(key, resource, found) for key, resource in found.entries(section, type)]


def _opener(blobs: Blobs) -> Callable[[str], bytes] | None:
    return blobs.__getitem__ if isinstance(blobs, Mapping) else blobs
