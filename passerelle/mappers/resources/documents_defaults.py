"""What PDSm makes mandatory and the native form may leave out, with the value supplied for it.

https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition-pdsm-comprehensive-document-reference.html
. Each supplied value bears our mark ``supplied``: reading gives back its absence.
"""

from collections.abc import Mapping
from typing import Any

from passerelle.mappers.document_codes import CLASS_OF_TYPE
from passerelle.mappers.resources.code_systems import (
    TRE_A00,
    TRE_A01,
    TRE_A03,
    TRE_A06,
    TRE_A08,
    TRE_A11,
    TRE_R02,
)
from passerelle.mappers.resources.fhir_elements import Element, supplied

LANGUAGE = "fr-FR"

DEFAULTS: dict[str, Element] = {
    "category": {"system": TRE_A03, "code": "95", "display": "Document de gestion"},
    "setting": {"system": TRE_A01, "code": "AMBULATOIRE", "display": "Ambulatoire"},
    "sector": {"system": TRE_R02, "code": "SA43", "display": "Secteur non défini"},
    "confidentiality": {"system": TRE_A08, "code": "N", "display": "Normal"},
}
"""By native field, when a professional, a relative or a structure is the author."""

PATIENT_DEFAULTS: dict[str, Element] = {
    **DEFAULTS,
    "category": {
        "system": TRE_A03,
        "code": "90",
        "display": "Autres documents déposés par le patient",
    },
    "setting": {
        "system": TRE_A00,
        "code": "EXP_PATIENT",
        "display": "Expression personnelle du patient",
    },
    "sector": {
        "system": TRE_A00,
        "code": "EXP_PATIENT",
        "display": "Expression personnelle du patient",
    },
}
"""By native field, when the person is the author."""

FORMATS: dict[str, tuple[str, str]] = {
    "application/pdf": (TRE_A11, "urn:ihe:iti:xds-sd:pdf:2008"),
    "text/plain": (TRE_A11, "urn:ihe:iti:xds-sd:text:2008"),
    "image/jpeg": (TRE_A11, "urn:ihe:iti-fr:xds-sd:jpeg:2010"),
    "text/rtf": (TRE_A11, "urn:ihe:iti-fr:xds-sd:rtf:2010"),
    "application/rtf": (TRE_A11, "urn:ihe:iti-fr:xds-sd:rtf:2010"),
    "image/tiff": (TRE_A11, "urn:ihe:iti-fr:xds-sd:tiff:2010"),
}
"""Format by media type."""

OTHER_FORMAT = (TRE_A06, "urn:asipSante:modelesHorsProfils:2011")
"""Format of a document that follows no model of the CI-SIS."""


def default_concept(field: str, *, by_person: bool) -> Element:
    """Give the marked CodeableConcept supplied for a field."""
    return {
        "extension": supplied(),
        "coding": [(PATIENT_DEFAULTS if by_person else DEFAULTS)[field]],
    }


def default_category(type_code: str | None, *, by_person: bool) -> Element:
    """Give the marked category of a document: the class of its type where the tables tell it."""
    known = None if by_person else CLASS_OF_TYPE.get(type_code or "")
    if known is None:
        return default_concept("category", by_person=by_person)
    coding = {"system": TRE_A03, "code": known.code, "display": known.display}
    return {"extension": supplied(), "coding": [coding]}


def default_format(mime_type: str) -> Element:
    """Give the marked format Coding of a media type."""
    bare = mime_type.partition(";")[0].strip().lower()
    system, code = FORMATS.get(bare, OTHER_FORMAT)
    return {"extension": supplied(), "system": system, "code": code}


def mandatory_date(document: Mapping[str, Any]) -> Element:
    """Give ``date``: when it was put in the dossier, else the beginning of its creation date."""
    if "depositedAt" in document:
        return {"date": document["depositedAt"]}
    created_at: str = document["createdAt"]
    begins = created_at if "T" in created_at else (created_at + "-01-01")[:10] + "T00:00:00Z"
    return {"date": begins, "_date": {"extension": supplied()}}
