"""Where the events of a life line live: which type, which class, which status, by their kind.

A meeting with care is an Encounter (https://hl7.org/fhir/R4/encounter.html), a fact of life an
Observation of social history (https://hl7.org/fhir/R4/observation.html). A class of v3-ActCode is
given where the kind says the place; of the others the kind itself is the class.
"""

from collections.abc import Mapping

from passerelle.fhir.urls import PASSERELLE
from passerelle.mappers.native.dossier import Entry
from passerelle.mappers.resources.fhir_elements import Element

EVENT_KINDS = PASSERELLE + "/CodeSystem/event-kind"
ACT_CODES = "http://terminology.hl7.org/CodeSystem/v3-ActCode"

KINDS: Mapping[str, str] = {
    "hospital-stay": "Hospitalisation",
    "emergency": "Passage aux urgences",
    "consultation": "Consultation",
    "home-visit": "Visite à domicile",
    "team-meeting": "Réunion de concertation",
    "assessment": "Évaluation",
    "respite": "Répit",
    "move": "Déménagement",
    "life-event": "Événement de vie",
    "other": "Autre événement",
}
"""Kind to what it is called."""

LIFE_FACTS = frozenset({"move", "life-event"})
"""Kinds that are facts about the person, not meetings with care."""

CLASSES: Mapping[str, tuple[str, str]] = {
    "hospital-stay": ("IMP", "inpatient encounter"),
    "emergency": ("EMER", "emergency"),
    "consultation": ("AMB", "ambulatory"),
    "home-visit": ("HH", "home health"),
}
"""Kind to code and display of v3-ActCode."""

KIND_OF_CLASS: Mapping[str, str] = {
    **{code: kind for kind, (code, _) in CLASSES.items()},
    "ACUTE": "hospital-stay",
    "NONAC": "hospital-stay",
    "OBSENC": "hospital-stay",
    "SS": "hospital-stay",
    "VR": "consultation",
}
"""Class to the kind of an Encounter that tells none: others write some too."""

OTHER, LIFE_EVENT = "other", "life-event"
"""What an Encounter and an Observation are when nothing tells."""

ENCOUNTER_STATUS: Mapping[str | None, str] = {
    None: "unknown",
    "planned": "planned",
    "in-progress": "in-progress",
    "finished": "finished",
    "cancelled": "cancelled",
    "entered-in-error": "entered-in-error",
}
OBSERVATION_STATUS: Mapping[str | None, str] = {
    None: "unknown",
    "planned": "registered",
    "in-progress": "preliminary",
    "finished": "final",
    "cancelled": "cancelled",
    "entered-in-error": "entered-in-error",
}
"""Native status to that of R4; one that is not told is unknown."""

NATIVE_STATUS: Mapping[str, str | None] = {
    **{code: native for native, code in ENCOUNTER_STATUS.items()},
    **{code: native for native, code in OBSERVATION_STATUS.items()},
    "arrived": "in-progress",
    "triaged": "in-progress",
    "onleave": "in-progress",
    "amended": "finished",
    "corrected": "finished",
}
"""Status of R4, of either type, to the native one: others may have gone on with what we made."""


def type_of(event: Entry) -> str:
    """Give the resource type that an event becomes."""
    return "Observation" if event["kind"] in LIFE_FACTS else "Encounter"


def kind_coding(kind: str) -> Element:
    """Make the Coding of a kind."""
    return {"system": EVENT_KINDS, "code": kind, "display": KINDS[kind]}


def class_coding(kind: str) -> Element:
    """Make the class of an Encounter."""
    if kind not in CLASSES:
        return kind_coding(kind)
    code, display = CLASSES[kind]
    return {"system": ACT_CODES, "code": code, "display": display}
