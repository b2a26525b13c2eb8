"""One dossier in one row: its name, its person, its status, its pathways, who follows it.

Read from its EpisodeOfCare, its CareTeam and its Patient as they are served: a matricule that may
not leave is not in them.
"""

from typing import Any

from passerelle.fhir.resource import Resource
from passerelle.fhir.urls import DOSSIER_TAG
from passerelle.mappers.resources.dossier_episode import status_of
from passerelle.mappers.resources.fhir_elements import filled, own_value
from passerelle.mappers.resources.patient_resource import native_identity


def tag_of(root: Resource) -> str | None:
    """Give the name of the dossier (``system|value``) that a root bears."""
    tags = root.get("meta", {}).get("tag", ())
    return next((tag.get("code") for tag in tags if tag.get("system") == DOSSIER_TAG), None)


def row_of(episode: Resource, patient: Resource, team: Resource) -> dict[str, Any]:
    """Give the row of a dossier, members without a value left out; ``team`` is its CareTeam."""
    period = episode.get("period", {})
    return filled(
        {
            "dossier": tag_of(episode),
            "status": status_of(episode),
            "openedAt": period.get("start"),
            "closedAt": period.get("end"),
            "updatedAt": own_value(episode, "source-updated-at"),
            "person": _person(patient),
            "pathways": [_pathway(type) for type in episode.get("type", ())],
            "managing": filled(_called(episode.get("managingOrganization"))),
            "lead": _lead(episode, team),
        }
    )


def _lead(episode: Resource, team: Resource) -> str | None:
    """Give the name of who follows the dossier, as the circle has it."""
    lead = episode.get("careManager") or own_value(episode, "dossier-lead") or {}
    members = (participant.get("member", {}) for participant in team.get("participant", ()))
    named = (one for one in members if one.get("reference") == lead.get("reference"))
    found: str | None = next((one.get("display") for one in named), None)
    return found or lead.get("display")


def _person(patient: Resource) -> dict[str, Any]:
    identity = native_identity(patient)
    names = ("birthName", "birthFirstNames", "usedName", "usedFirstName", "sex", "birthDate")
    ins = identity.get("ins", {})
    return filled(
        {
            **{name: identity.get(name) for name in names},
            "status": identity.get("status"),
            "ins": ins.get("number"),
        }
    )


def _pathway(type: Resource) -> dict[str, Any]:
    coding: dict[str, Any] = next(iter(type.get("coding", ())), {})
    text = coding.get("display") or type.get("text")
    return filled({"system": coding.get("system"), "code": coding.get("code"), "text": text})


def _called(reference: Any) -> dict[str, Any]:
    """Give how a reference calls what it leads to."""
    held = reference if isinstance(reference, dict) else {}
    identifier = held.get("identifier", {})
    return {"display": held.get("display"), "identifier": identifier.get("value")}
