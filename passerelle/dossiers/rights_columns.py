"""The columns that rights are decided on, from a resource: one pure function (house section 3).

They are filled from the first day; the policies that read them come with the rights.
"""

from passerelle.fhir.document_sharing.pdsm_profiles import list_type
from passerelle.fhir.packages.package_reading import SERVED
from passerelle.fhir.resource import Resource
from passerelle.fhir.search.index_bounds import key
from passerelle.fhir.urls import DOSSIER_TAG, PACKAGE_TAG
from passerelle.mappers.resources.alerts_flag import ALERT_KINDS
from passerelle.mappers.resources.code_systems import TRE_R234
from passerelle.mappers.resources.events_homes import EVENT_KINDS
from passerelle.store.contract import RightsColumns

ELEMENTS = {
    "Patient": "person",
    "EpisodeOfCare": "dossier",
    "Linkage": "dossier",
    "Provenance": "dossier",
    "RelatedPerson": "circle",
    "CareTeam": "circle",
    "PractitionerRole": "circle",
    "DocumentReference": "documents",
    "Binary": "documents",
    "Appointment": "appointments",
    "Encounter": "events",
    "Task": "tasks",
    "QuestionnaireResponse": "forms",
    "Observation": "forms",
    "Flag": "alerts",
    "CommunicationRequest": "alerts",
    "Communication": "messages",
    "Consent": "sharing",
}
"""Resource type to the section of the dossier that the habilitation matrix speaks of."""

PACKAGE = "package"
"""Element of what came with a FHIR package: of no dossier, and in no feed of what happened."""

AUTHORS = ("author", "requester", "sender", "recorder", "asserter", "source")
"""Elements that name who made a resource, first found wins."""

STRUCTURES = ("custodian", "managingOrganization", "organization")

CONFIDENTIALITY = ("N", "R", "V")
HIDDEN = (
    "INVISIBLE_PATIENT",
    "INVISIBLE_REPRESENTANTS_LEGAUX",
    "MASQUE_PS",
    "MASQUE_PSOCIAL",
    "MASQUE_PT",
)


def rights_columns(resource: Resource) -> RightsColumns:
    """Give the rights columns of a checked resource; never fails on a legal one."""
    type_ = resource["resourceType"]
    meta = resource.get("meta") or {}
    labels = _codes(resource.get("securityLabel")) | {
        code for label in meta.get("security", ()) if (code := label.get("code"))
    }
    hidden = tuple(code for code in HIDDEN if code in labels)
    return RightsColumns(
        dossier=_dossier(meta),
        element=PACKAGE if _is_packaged(type_, meta) else _element(resource),
        confidentiality=next((code for code in reversed(CONFIDENTIALITY) if code in labels), None),
        hidden=" ".join(hidden) or None,
        author=_reference(resource, AUTHORS),
        structure=_reference(resource, STRUCTURES),
        shared=None,
        patient_visible="INVISIBLE_PATIENT" not in hidden,
    )


def _element(resource: Resource) -> str | None:
    """Give the section of a resource. A List is one of documents when its code says so, a
    DocumentReference a note when its type does, an Observation an event when its category does,
    a Communication the acknowledgement of an alert when its category does.
    """
    type_ = resource["resourceType"]
    if type_ == "List":
        return "documents" if list_type(resource) is not None else None
    if type_ == "DocumentReference" and TRE_R234 in _systems([resource.get("type") or {}]):
        return "notes"
    if type_ == "Observation" and EVENT_KINDS in _systems(resource.get("category") or []):
        return "events"
    if type_ == "Communication" and ALERT_KINDS in _systems(resource.get("category") or []):
        return "alerts"
    return ELEMENTS.get(type_)


def _systems(concepts: list[Resource]) -> set[str | None]:
    """Give the systems of all codings of some CodeableConcepts."""
    return {coding.get("system") for one in concepts for coding in one.get("coding", ())}


def _is_packaged(type_: str, meta: Resource) -> bool:
    """Tell whether a resource came with a package."""
    return type_ in SERVED and any(tag.get("system") == PACKAGE_TAG for tag in meta.get("tag", ()))


def _dossier(meta: Resource) -> str | None:
    for tag in meta.get("tag", ()):
        if tag.get("system") == DOSSIER_TAG:
            code: str | None = tag.get("code")
            return None if code is None else dossier_column(code)
    return None


def dossier_column(tag: str) -> str:
    """Give the cell that names a dossier (``system|value``), as long as an index may hold."""
    return key(tag)


def _codes(concepts: object) -> set[str]:
    """Give all codes of a list of CodeableConcepts."""
    found: set[str] = set()
    for concept in concepts if isinstance(concepts, list) else ():
        found.update(c for coding in concept.get("coding", ()) if (c := coding.get("code")))
    return found


def _reference(resource: Resource, names: tuple[str, ...]) -> str | None:
    for name in names:
        value = resource.get(name)
        first = value[0] if isinstance(value, list) and value else value
        if isinstance(first, dict) and isinstance(first.get("reference"), str):
            return str(first["reference"])
    return None
