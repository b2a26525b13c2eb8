"""The FHIR resources of a dossier back to its native form: the exact inverse of ``to_fhir``.

Law: ``from_fhir(to_fhir(d)) == d``, but for ``complete``, which directs a push and is no state.
"""

from collections.abc import Callable, Collection, Mapping, Sequence

from passerelle.errors.refusals import Unprocessable
from passerelle.errors.rules import issue
from passerelle.fhir.resource import Resource
from passerelle.mappers.native.dossier import SECTIONS, Dossier, normal, with_entries
from passerelle.mappers.native.dossier_mappings import MAPPINGS
from passerelle.mappers.native.dossier_reading import reading
from passerelle.mappers.resources import dossier_episode, patient_resource, sharing_consents

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
    patient = found.target(found.root.get("patient") or found.team.get("subject"))
    if patient is None:
        raise Unprocessable(issue("dossier.record-incomplete", "CareTeam.subject"))
    opener = _opener(blobs)
    read = {
        **dossier_episode.root_from_fhir(found),
        "person": patient_resource.from_fhir(patient, found),
        "sharing": sharing_consents.information_from_fhir(found),
    }
    for section in SECTIONS:
        if sections is None or section in sections:
            read = with_entries(read, section, MAPPINGS[section].read(found, opener))
    return normal(read)


def _opener(blobs: Blobs) -> Callable[[str], bytes] | None:
    return blobs.__getitem__ if isinstance(blobs, Mapping) else blobs
