"""FHIR codes as CDA codes: OID of the system, label of the French tables when there is none.

https://hl7.org/fhir/R4/datatypes.html#CodeableConcept , NOS (https://mos.esante.gouv.fr/NOS/).
"""

from collections.abc import Mapping
from typing import Any

from passerelle.mappers.document_codes import (
    CLASS_OF_TYPE,
    CLASSES,
    CONFIDENTIALITIES,
    CONFIDENTIALITY,
    oid_of,
)
from passerelle.mappers.resources.code_systems import TRE_A07
from passerelle.mappers.resources.fhir_elements import is_supplied
from passerelle.mappers.xdm.xds_metadata import Coded

VISIBILITIES = {
    "INVISIBLE_PATIENT": "Non visible par le patient",
    "INVISIBLE_REPRESENTANTS_LEGAUX": "Non visible par les représentants légaux du patient",
    "MASQUE_PS": "Masqué aux professionnels de santé",
}
"""TRE_A07 as far as JDV_J08 takes it."""


def coded(
    concept: Mapping[str, Any] | None, labels: Mapping[str, str] | None = None
) -> Coded | None:
    """Give the first coding whose system has an OID, or None.

    ``labels`` fills in a label that the coding does not have.
    """
    for coding in (concept or {}).get("coding", ()):
        system, code = oid_of(coding.get("system")), coding.get("code")
        if system is not None and code:
            return Coded(code, system, coding.get("display") or (labels or {}).get(code, ""))
    return None


def confidentiality_of(reference: Mapping[str, Any]) -> Coded:
    """Give N, R or V of a DocumentReference; without a label it is normal."""
    for label in reference.get("securityLabel", ()):
        found = coded(label, CONFIDENTIALITIES)
        if found is not None and found.system == CONFIDENTIALITY:
            return found
    return Coded("N", CONFIDENTIALITY, CONFIDENTIALITIES["N"])


def visibility_of(reference: Mapping[str, Any]) -> tuple[Coded, ...]:
    """Give the labels of visibility of a DocumentReference that go into the metadata."""
    system = oid_of(TRE_A07) or ""
    codes = [
        coding.get("code")
        for label in reference.get("securityLabel", ())
        for coding in label.get("coding", ())
        if coding.get("system") == TRE_A07
    ]
    return tuple(
        Coded(code, system, label) for code, label in VISIBILITIES.items() if code in codes
    )


def class_of(reference: Mapping[str, Any]) -> Coded | None:
    """Give the class of a DocumentReference: as stated, else by its type, else as supplied."""
    concept = next(iter(reference.get("category", ())), None)
    stated = coded(concept, CLASSES)
    if stated is not None and not is_supplied(concept):
        return stated
    kind = coded(reference.get("type"))
    return (CLASS_OF_TYPE.get(kind.code) if kind else None) or stated
