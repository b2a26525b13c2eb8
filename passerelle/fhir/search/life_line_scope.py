"""What stands on the life line of a person, as tables over the search parameters.

The ligne de vie is a view: what happened, what was planned, written, said and decided, each by the
date that tells it. https://hl7.org/fhir/R4/searchparameter-registry.html
"""

from collections.abc import Mapping
from functools import cache

from passerelle.fhir.search.everything_scope import compartment
from passerelle.fhir.search.search_parameters import parameters

DATED: Mapping[str, tuple[str, ...]] = {
    "EpisodeOfCare": ("date",),
    "CareTeam": ("participant-start", "participant-end"),
    "Encounter": ("date",),
    "Observation": ("date",),
    "DocumentReference": ("date",),
    "QuestionnaireResponse": ("authored",),
    "Appointment": ("date",),
    "Task": ("authored-on",),
    "Flag": ("date",),
    "Communication": ("sent", "received"),
    "Consent": ("date",),
}
"""Type to the codes of the date parameters that place it. A care team stands where somebody last
came or left; of several dates in the period that is asked for the last one counts.
"""

EVENTS = "events"
OBSERVATION = "Observation"
"""Measures and scores are no events: an Observation is on the line as an event of the dossier."""

KINDS = (
    "dossier",
    "sharing",
    "circle",
    "documents",
    "notes",
    EVENTS,
    "forms",
    "appointments",
    "tasks",
    "alerts",
    "messages",
)
"""Sections of a dossier that the line may be narrowed to."""

IN_ERROR = "entered-in-error"
"""What has this status never was: it is not on the line."""


@cache
def dates() -> tuple[int, ...]:
    """Give the ids of the parameters that place something on the line."""
    return tuple(
        sorted(parameters(type_)[code].id for type_, codes in DATED.items() for code in codes)
    )


@cache
def about() -> tuple[int, ...]:
    """Give the ids of the parameters that say whose line something is on."""
    named = {each.id for type_ in DATED for each in parameters(type_).values()}
    return tuple(sorted(named & set(compartment("Patient"))))


@cache
def statuses() -> tuple[int, ...]:
    """Give the ids of the parameters that tell the status of what is on the line."""
    return tuple(sorted(parameters(type_)["status"].id for type_ in DATED))
