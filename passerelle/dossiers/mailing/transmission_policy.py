"""What may leave by secure mail and to whom: one pure function, a rule slug for each refusal.

Référentiel socle MSSanté #2 (ECO.2.1.1 one usager per message, ECO.2.2.6 citizen addresses from a
qualified INS only), white list of the espace de confiance, visibility of documents (TRE_A07).
Asked when a sending is requested and again when it is done.
"""

from dataclasses import dataclass
from typing import Any

from passerelle.errors.refusals import Issue
from passerelle.errors.rules import issue
from passerelle.fhir.resource import Resource
from passerelle.messaging.addresses import check_address, is_citizen
from passerelle.messaging.white_list import WhiteList

VISIBILITY_OF_PROFESSIONALS = "MASQUE_PS"
VISIBILITY_OF_PATIENT = "INVISIBLE_PATIENT"

ENCODED_SIZE = 1.37
"""What base64 and the lines of a message make of a byte."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked: which document, of whom, to which address, named at which place."""

    document: Resource
    patient: Resource | None
    matricule: str | None  # the one that may leave, 15 characters; None when none may
    recipient: str
    place: str  # FHIRPath of the recipient in the request


def refusals(asked: Asked, white_list: WhiteList, *, size_max_bytes: int) -> list[Issue]:
    """Give every reason why this document may not go to this address; none: it may."""
    found: list[Issue] = []
    document, place = asked.document, "DocumentReference"
    if asked.patient is None:
        found.append(issue("sending.one-patient", f"{place}.subject"))
    if document.get("status") != "current":
        found.append(issue("sending.document-not-current", f"{place}.status"))
    attachments = attachments_of(document)
    if len(attachments) != 1:
        found.append(issue("sending.one-content", f"{place}.content"))
    elif sum(int(a.get("size") or 0) for a in attachments) * ENCODED_SIZE * 2 > size_max_bytes:
        found.append(issue("sending.too-large", f"{place}.content[0].attachment.size"))
    return found + _recipient(asked, white_list)


def _recipient(asked: Asked, white_list: WhiteList) -> list[Issue]:
    faults = check_address(asked.recipient, asked.place)
    if faults:
        return faults
    labels, label_place = labels_of(asked.document), "DocumentReference.securityLabel"
    if not is_citizen(asked.recipient):
        faults = white_list.check(asked.recipient, asked.place)
        if VISIBILITY_OF_PROFESSIONALS in labels:
            faults.append(issue("sending.hidden-from-professionals", label_place))
        return faults
    local = asked.recipient.rpartition("@")[0]
    if asked.matricule is None:
        faults.append(issue("sending.citizen-needs-qualified", asked.place))
    elif local.upper() != asked.matricule.upper():
        faults.append(issue("sending.citizen-of-another", asked.place))
    if VISIBILITY_OF_PATIENT in labels:
        faults.append(issue("sending.hidden-from-patient", label_place))
    return faults


def attachments_of(document: Resource) -> list[dict[str, Any]]:
    """Give the attachments of a DocumentReference, in order."""
    return [content["attachment"] for content in document.get("content", ())]


def labels_of(document: Resource) -> set[str]:
    """Give the codes of its security labels."""
    return {
        coding["code"]
        for label in document.get("securityLabel", ())
        for coding in label.get("coding", ())
        if "code" in coding
    }
