"""The profiles of document sharing, and which of them a resource declares.

PDSm 3.1.1 (https://interop.esante.gouv.fr/ig/fhir/pdsm/artifacts.html) on IHE MHD 4.2.3
(https://profiles.ihe.net/ITI/MHD/4.2.3/artifacts.html). A canonical may name a version.
"""

from collections.abc import Iterable, Mapping

from passerelle.fhir.resource import Resource
from passerelle.fhir.urls import PDSM

MHD = "https://profiles.ihe.net/ITI/MHD/StructureDefinition/"
COMPREHENSIVE = PDSM + "pdsm-comprehensive-document-reference"
SIMPLIFIED = PDSM + "pdsm-simplified-publish"
SUBMISSION_SET = PDSM + "pdsm-submissionset-comprehensive"
FOLDER = PDSM + "pdsm-folder-comprehensive"
MHD_MINIMAL = MHD + "IHE.MHD.Minimal.DocumentReference"
MHD_SIMPLIFIED = MHD + "IHE.MHD.SimplifiedPublish.DocumentReference"
MHD_SUBMISSION_SET = MHD + "IHE.MHD.Minimal.SubmissionSet"

SUPPORTED: Mapping[str, tuple[str, ...]] = {
    "DocumentReference": (COMPREHENSIVE, SIMPLIFIED),
    "List": (SUBMISSION_SET, FOLDER),
}
"""The profiles that what declares them is held to, by type."""

ARCHIVED = PDSM + "pdsm-ext-is-archived"
INTENDED_RECIPIENTS = (PDSM + "pdsm-ext-intended-recipient", MHD + "ihe-intendedRecipient")
DESIGNATION_TYPE = MHD + "ihe-designationType"
SOURCE_ID = MHD + "ihe-sourceId"
LIST_TYPES = "https://profiles.ihe.net/ITI/MHD/CodeSystem/MHDlistTypes"


def profiles(resource: Resource) -> frozenset[str]:
    """Give the profiles that a resource declares, without their versions; never raises on JSON."""
    meta = resource.get("meta")
    declared = meta.get("profile") if isinstance(meta, dict) else None
    found: Iterable[object] = declared if isinstance(declared, list) else ()
    return frozenset(each.partition("|")[0] for each in found if isinstance(each, str))


def is_shared(resource: Resource) -> bool:
    """Tell whether a resource declares a profile of document sharing, French or of IHE."""
    return any(each.startswith((PDSM, MHD)) for each in profiles(resource))


def is_simplified(resource: Resource) -> bool:
    """Tell whether a DocumentReference is published with its bytes in it (ITI-105)."""
    if resource.get("resourceType") != "DocumentReference":
        return False
    return not profiles(resource).isdisjoint((SIMPLIFIED, MHD_SIMPLIFIED))


def list_type(resource: Resource) -> str | None:
    """Give what a List of document sharing is: ``submissionset`` or ``folder``; else None."""
    code = resource.get("code")
    codings = code.get("coding") if isinstance(code, dict) else None
    for coding in codings if isinstance(codings, list) else ():
        if isinstance(coding, dict) and coding.get("system") == LIST_TYPES:
            named = coding.get("code")
            return named if isinstance(named, str) else None
    return None
