"""An event of the life line to and from Encounter (fr-core-encounter) or Observation.

https://hl7.fr/ig/fhir/core/2.2.0/StructureDefinition-fr-core-encounter.html ; which is which says
``events_homes``. An event whose kind changes its type leaves what it was, entered in error, with a
reference to what it is now.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from passerelle.fhir.resource import Resource
from passerelle.fhir.urls import FR_CORE, FR_CORE_IDENTIFIER_TYPE
from passerelle.mappers.native.dossier import PERSON, Entry
from passerelle.mappers.native.dossier_naming import resource
from passerelle.mappers.native.dossier_reading import Reading
from passerelle.mappers.resources import structures_organization
from passerelle.mappers.resources.audience_labels import (
    audience_extensions,
    labels,
    native_audience,
)
from passerelle.mappers.resources.entry_references import Entries
from passerelle.mappers.resources.events_homes import (
    ENCOUNTER_STATUS,
    EVENT_KINDS,
    KIND_OF_CLASS,
    KINDS,
    LIFE_EVENT,
    NATIVE_STATUS,
    OBSERVATION_STATUS,
    OTHER,
    class_coding,
    kind_coding,
    type_of,
)
from passerelle.mappers.resources.fhir_elements import (
    Element,
    chosen,
    codeable,
    filled,
    native_code,
    own,
    own_of,
    own_value,
    supplied,
    value_of,
)

PROFILE = FR_CORE + "fr-core-encounter"
SOCIAL_HISTORY = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/observation-category",
            "code": "social-history",
        }
    ]
}
_INDIVIDUALS = frozenset({"PractitionerRole", "RelatedPerson"})
"""Types of members that R4 admits as participants of an Encounter."""

Made = tuple[Resource, Literal["primary", "supporting"], bytes | None]


def to_fhir(event: Mapping[str, Any], entries: Entries) -> Iterator[Made]:
    """Make the resource of an event, the structure that it rests on, and what it was before."""
    structure = event.get("structure")
    if structure:
        yield structures_organization.to_fhir(structure, entries.names), "supporting", None
    made = type_of(dict(event))
    yield _MAKERS[made](event, entries), "primary", None
    before = entries.held.get(("events", event["key"]), made)
    if before != made:
        left = _MAKERS[before]({**event, "status": "entered-in-error"}, entries)
        now = own("event-moved-to", valueReference=entries.to("events", event["key"]))
        yield {**left, "extension": [*left.get("extension", ()), now]}, "supporting", None


def from_fhir(reading: Reading) -> list[Entry]:
    """Read all events, in the order in which their resources were given."""
    keyed = (
        (reading.key_of("events", found), found)
        for found in reading.resources.values()
        if found["resourceType"] in _READERS and not own_of(found, "event-moved-to")
    )
    return [
        _READERS[found["resourceType"]](key, found, reading)
        for key, found in keyed
        if key is not None
    ]


def _begun(type_: str, profile: str | None, event: Mapping[str, Any], entries: Entries) -> Resource:
    """Begin a resource: what both types have alike."""
    identifier = entries.names.identifier("events", event["key"])
    made = resource(entries.names, type_, identifier, profile, tagged=True)
    origin = event.get("origin")
    return {
        **made,
        "meta": filled({**made["meta"], "security": labels(event.get("audience"))}),
        "extension": [
            *([own("event-origin", valueCode=origin)] if origin else ()),
            *audience_extensions(event.get("audience"), entries.members),
        ],
        "identifier": [identifier],
    }


def _native(key: str, found: Resource, reading: Reading) -> Entry:
    """Read what both types have alike."""
    return {
        "key": key,
        "status": NATIVE_STATUS.get(found.get("status", "")),
        "origin": own_value(found, "event-origin"),
        "audience": native_audience(found.get("meta", {}).get("security", ()), found, reading),
    }


def _encounter(event: Mapping[str, Any], entries: Entries) -> Resource:
    begun = _begun("Encounter", PROFILE, event, entries)
    text, structure = event.get("text"), event.get("structure")
    visit = {"type": {"coding": [{"system": FR_CORE_IDENTIFIER_TYPE, "code": "VN"}]}}
    return filled(
        {
            **begun,
            "extension": [
                own("event-title", valueString=event["title"]),
                *([own("event-text", valueString=text)] if text else ()),
                *(
                    own("event-document", valueReference=entries.to("documents", key))
                    for key in event.get("documents", ())
                ),
                *begun["extension"],
            ],
            "identifier": [{**visit, **begun["identifier"][0]}],
            "status": ENCOUNTER_STATUS[event.get("status")],
            "class": class_coding(event["kind"]),
            "type": [{"coding": [kind_coding(event["kind"])]}, *_coded(event)],
            "subject": entries.members.to(PERSON),
            "episodeOfCare": [{"reference": str(entries.names.root)}],
            "participant": [_participant(one, entries) for one in event.get("participants", ())],
            "period": filled({"start": event["start"], "end": event.get("end")}),
            "serviceProvider": structures_organization.reference(structure, entries.names)
            if structure
            else None,
        }
    )


def _native_encounter(key: str, found: Resource, reading: Reading) -> Entry:
    kind, code = _kind(found.get("type", ()))
    documents = (
        reading.entry("documents", value_of(one)) for one in own_of(found, "event-document")
    )
    taking_part = (
        reading.member(own_value(one, "event-participant") or one.get("individual"))
        for one in found.get("participant", ())
    )
    return filled(
        {
            **_native(key, found, reading),
            "kind": kind or KIND_OF_CLASS.get(found.get("class", {}).get("code", ""), OTHER),
            "code": code,
            "title": own_value(found, "event-title") or _title(found),
            "text": own_value(found, "event-text"),
            "start": found.get("period", {}).get("start"),
            "end": found.get("period", {}).get("end"),
            "structure": _structure(found.get("serviceProvider"), reading),
            "participants": [member for member in taking_part if member],
            "documents": [document for document in documents if document],
        }
    )


def _observation(event: Mapping[str, Any], entries: Entries) -> Resource:
    begun = _begun("Observation", None, event, entries)
    text, structure = event.get("text"), event.get("structure")
    told = {"extension": supplied(), "coding": [kind_coding(event["kind"])]}
    return filled(
        {
            **begun,
            "extension": [
                *(
                    [
                        own(
                            "event-structure",
                            valueReference=structures_organization.reference(
                                structure, entries.names
                            ),
                        )
                    ]
                    if structure
                    else ()
                ),
                *begun["extension"],
            ],
            "status": OBSERVATION_STATUS[event.get("status")],
            "category": [SOCIAL_HISTORY, {"coding": [kind_coding(event["kind"])]}],
            "code": codeable(event.get("code")) or told,
            "subject": entries.members.to(PERSON),
            **_when(event),
            "performer": [entries.members.to(one) for one in event.get("participants", ())],
            "valueString": event["title"],
            "note": [{"text": text}] if text else None,
            "derivedFrom": [entries.to("documents", key) for key in event.get("documents", ())],
        }
    )


def _native_observation(key: str, found: Resource, reading: Reading) -> Entry:
    kind, _ = _kind(found.get("category", ()))
    period = found.get("effectivePeriod", {})
    documents = (reading.entry("documents", one) for one in found.get("derivedFrom", ()))
    taking_part = (reading.member(one) for one in found.get("performer", ()))
    notes = (note.get("text") for note in found.get("note", ()))
    return filled(
        {
            **_native(key, found, reading),
            "kind": kind or LIFE_EVENT,
            "code": native_code(found.get("code")),
            "title": found.get("valueString") or _title(found),
            "text": next(notes, None),
            "start": found.get("effectiveDateTime") or period.get("start"),
            "end": period.get("end"),
            "structure": _structure(own_value(found, "event-structure"), reading),
            "participants": [member for member in taking_part if member],
            "documents": [document for document in documents if document],
        }
    )


_MAKERS = {"Encounter": _encounter, "Observation": _observation}
_READERS = {"Encounter": _native_encounter, "Observation": _native_observation}


def _coded(event: Mapping[str, Any]) -> list[Element]:
    code = codeable(event.get("code"))
    return [code] if code else []


def _when(event: Mapping[str, Any]) -> Element:
    if "end" in event:
        return {"effectivePeriod": {"start": event["start"], "end": event["end"]}}
    return {"effectiveDateTime": event["start"]}


def _participant(member: str, entries: Entries) -> Element:
    """Make a participant: the person and a structure are told by an extension."""
    reference = entries.members.to(member)
    if entries.members.type_of(member) in _INDIVIDUALS:
        return {"individual": reference}
    return {"extension": [own("event-participant", valueReference=reference)]}


def _kind(concepts: list[Element]) -> tuple[str | None, Element | None]:
    """Read the kind from the concept that tells it, and the code from the first other one."""
    kinds = [
        (concept, coding.get("code"))
        for concept in concepts
        for coding in concept.get("coding", ())
        if coding.get("system") == EVENT_KINDS
    ]
    concept, kind = kinds[0] if kinds else (None, None)
    others = (one for one in concepts if one is not concept)
    return kind, native_code(next(others, None))


def _title(found: Resource) -> str:
    """Give a title to what others wrote without one: what its first code is called."""
    concepts = [*found.get("type", ()), *chosen((found.get("code"),))]
    said = (
        text
        for concept in concepts
        for text in (concept.get("text"), *(c.get("display") for c in concept.get("coding", ())))
        if text
    )
    return next(said, found.get("class", {}).get("display") or KINDS[OTHER])


def _structure(reference: Mapping[str, Any] | None, reading: Reading) -> Entry | None:
    return structures_organization.from_fhir(reading.target(reference))
