"""Elements that every mapper of the dossier writes and reads: codes, extensions, absences.

https://hl7.org/fhir/R4/datatypes.html#CodeableConcept and
https://hl7.org/fhir/R4/extensibility.html . What French and international guides have no home for
stands in extensions of our own, all listed in ``OWN_EXTENSIONS``.
"""

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from passerelle.fhir.urls import PASSERELLE_EXTENSION
from passerelle.mappers.resources.code_systems import DATA_ABSENT

Element: TypeAlias = dict[str, Any]

OWN_EXTENSIONS: dict[str, str] = {
    "supplied": "the value was supplied by the gateway; the source gave none",
    "source-version": "EpisodeOfCare: version of the dossier at its source",
    "source-updated-at": "EpisodeOfCare: when the dossier was last changed at its source",
    "dossier-source": "EpisodeOfCare: platform, software and its version",
    "dossier-closure": "EpisodeOfCare: reason, text and author of the closure",
    "dossier-merged-into": "EpisodeOfCare: identifier of the dossier that took this one over",
    "dossier-lead": "EpisodeOfCare: the member in charge, where R4 admits no careManager",
    "dossier-pathway": "EpisodeOfCare.type: key, period, requester and intensity of a pathway",
    "dossier-ext": "EpisodeOfCare: what the source keeps beside, as JSON",
    "consent-collected-by": "Consent: the member who told the person, or took the decision down",
    "consent-means": "Consent: oral, paper or electronic",
    "consent-legitimate-reason": "Consent: the legitimate reason of an opposition",
    "consent-notice-version": "Consent: version of the notice that was given",
    "consent-target": "Consent: key of the member, section or document that is decided of",
    "protection-regime": "Consent: legal protection of the person",
    "message-status": "Communication: native status, which says more than that of R4",
    "message-receipt": "Communication: kind, instant, recipient and code of a receipt",
    "message-by": "Communication: the member who sent it",
    "message-on-behalf-of": "Communication: the member in whose name it was sent",
    "identity-status": "Patient: status of the RNIV where FR Core 2.2.0 has no exact code",
    "identity-proof": "Patient: what the identity was checked with, when and by whom",
    "birth-first-name": "HumanName: one given name of the birth record, where one holds a space",
    "ins-obtained-at": "Identifier: when the matricule was obtained",
    "ins-checked-at": "Identifier: when the matricule was last checked",
    "death": "Patient: who declared the death, when, from which source",
    "mailbox-type": "ContactPoint: type of a mailbox that TRE_R257 has no code for",
    "address": "PractitionerRole: postal address of the member",
    "member-name": "PractitionerRole: the name that this dossier gives to the professional",
    "code-kind": "CodeableConcept: which native field it comes from",
    "directory-id": "PractitionerRole: id in the Annuaire Santé",
    "member-account": "member: none, invited, active or disabled",
    "member-basis": "member: legal ground of the sharing",
    "member-consent": "member: key of the consent",
    "member-referent": "member: is the referent",
    "member-invited-by": "member: who invited",
    "member-left-reason": "member: why the member left",
    "structure-unit": "Organization: unit inside the structure",
    "audience-only-for": "the only members who may see it",
    "depositor": "DocumentReference: who put it in the dossier",
    "document-folder": "DocumentReference: name of the folder it stands in; now a List says so",
    "document-origin": "DocumentReference: how it came in",
    "file-name": "Attachment: name of the file",
    "file-sha256": "Attachment: SHA-256 of the bytes, in hexadecimal",
    "file-source-url": "Attachment: address at the source of a file whose bytes were sent",
    "appointment-organisation": "Appointment.participant: a structure, which R4 does not admit",
    "appointment-rrule": "Appointment: recurrence rule of RFC 5545",
    "appointment-cancel-reason": "Appointment: reason kept where app-4 forbids cancelationReason",
    "note-read": "DocumentReference: a member who has read the note, and when",
    "event-title": "Encounter: title of the event",
    "event-text": "Encounter: long text",
    "event-document": "Encounter: a document of the dossier that is about it",
    "event-participant": "Encounter.participant: the person or a structure, whom R4 does not admit",
    "event-structure": "Observation: the structure where it came about",
    "event-origin": "Encounter, Observation: how the event came in",
    "event-moved-to": "Encounter, Observation: what the event is now, of another type",
    "circle-membership": "CareTeam.participant of $cercle-de-soins: dossier, team, member, period",
    "annotation-author": "Annotation: the member who wrote it",
    "task-text": "Task: long text",
    "form-score": "QuestionnaireResponse: the observation of one of its scores",
    "alert-text": "Flag: long text",
    "alert-status": "Flag: acknowledged, of an alert that is active still",
    "alert-author": "Flag: a relative who raised the alert, whom R4 does not admit as its author",
    "alert-warning": "Flag: the request to warn one recipient",
    "alert-acknowledgement": "Flag: the communication that says that the alert was noted",
}
"""Every extension of our own: the last part of its address and what it says."""


def filled(element: Mapping[str, Any]) -> Element:
    """Leave out what is None or empty."""
    return {name: value for name, value in element.items() if value not in (None, [], {}, ())}


def pick(source: Mapping[str, Any], *names: str) -> Element:
    """Take those of the named fields that are there."""
    return {name: source[name] for name in names if name in source}


def codeable(code: Mapping[str, Any] | None) -> Element | None:
    """Make a CodeableConcept of a native code; gives back None for None."""
    if code is None:
        return None
    coding = pick(code, "system", "code", "display")
    return filled({"coding": [coding] if coding else None, "text": code.get("text")})


def native_code(concept: Mapping[str, Any] | None) -> Element | None:
    """Read a native code from a CodeableConcept; the first coding counts."""
    if not concept or is_supplied(concept):
        return None
    coding: Element = next(iter(concept.get("coding", ())), {})
    return {**pick(coding, "system", "code", "display"), **pick(concept, "text")} or None


def native_coding(coding: Mapping[str, Any] | None) -> Element | None:
    """Read a native code from a Coding, unless the gateway supplied it."""
    if not coding or is_supplied(coding):
        return None
    return pick(coding, "system", "code", "display") or None


def own(name: str, **value: Any) -> Element:
    """Make an extension of our own: ``own("dossier-status", valueCode="closed")``."""
    assert name in OWN_EXTENSIONS
    return {"url": PASSERELLE_EXTENSION + name, **value}


def own_of(element: Mapping[str, Any] | None, name: str) -> list[Element]:
    """Give the extensions of our own of that name on an element."""
    return extensions(element, PASSERELLE_EXTENSION + name)


def own_value(element: Mapping[str, Any] | None, name: str) -> Any:
    """Give the value of the first extension of our own of that name, or None."""
    return value_of(next(iter(own_of(element, name)), None))


def parts(name: str, values: Mapping[str, tuple[str, Any]]) -> Element | None:
    """Make a complex extension of ours: part name to (``value[x]`` name, value); None if empty."""
    children = [
        {"url": part, kind: value} for part, (kind, value) in values.items() if value is not None
    ]
    return own(name, extension=children) if children else None


def parts_of(extension: Mapping[str, Any] | None) -> Element:
    """Read a complex extension as part name to value."""
    return {child["url"]: value_of(child) for child in (extension or {}).get("extension", ())}


def extensions(element: Mapping[str, Any] | None, url: str) -> list[Element]:
    """Give the extensions of an element with that address."""
    return [found for found in (element or {}).get("extension", ()) if found.get("url") == url]


def value_of(extension: Mapping[str, Any] | None) -> Any:
    """Give the ``value[x]`` of an extension, or None."""
    return next(
        (value for name, value in (extension or {}).items() if name.startswith("value")), None
    )


def chosen(candidates: Iterable[Element | None]) -> list[Element]:
    """Keep those that are there."""
    return [candidate for candidate in candidates if candidate]


def supplied() -> list[Element]:
    """Make the mark of a value that the source did not give: reading gives back its absence."""
    return [own("supplied", valueBoolean=True)]


def is_supplied(element: Mapping[str, Any] | None) -> bool:
    """Tell whether an element (or the ``_name`` of a primitive one) bears that mark."""
    return bool(own_of(element, "supplied"))


def absent(reason: str) -> Element:
    """Make the ``_name`` of a mandatory primitive element that has no value."""
    return {"extension": [{"url": DATA_ABSENT, "valueCode": reason}]}
