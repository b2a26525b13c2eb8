"""From FHIR resources to the CDA document of level 1 that leaves in their name.

PDSm 3.1.1 DocumentReference (https://interop.esante.gouv.fr/ig/fhir/pdsm/) to the header of the
volet « Structuration minimale »
(https://esante.gouv.fr/volet-structuration-minimale-de-documents-de-sante). The reader of the
result is a professional's software: what is unknown is left out or said unknown, never made up.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from passerelle.errors.refusals import Unprocessable
from passerelle.mappers.cda.cda_document import (
    Actor,
    Author,
    CdaDocument,
    Encounter,
    InstanceIdentifier,
    LegalAuthenticator,
    NonXmlBody,
    RelatedDocument,
    ServiceEvent,
    Structure,
)
from passerelle.mappers.cda.cda_from_fhir_actors import (
    ActorResources,
    actor_from_fhir,
    patient_from_fhir,
    structure_from_fhir,
)
from passerelle.mappers.cda.cda_from_fhir_codes import (
    coded,
    confidentiality_of,
)
from passerelle.mappers.cda.cda_rules import check
from passerelle.mappers.cda.cda_times import hl7_time
from passerelle.mappers.document_codes import SECTORS, SETTINGS, TYPES
from passerelle.mappers.xdm.xds_metadata import Coded

_URN_OID = "urn:oid:"
_URN_UUID = "urn:uuid:"


@dataclass(frozen=True, slots=True)
class DocumentResources:
    """The resources that a document is made of, as plain FHIR R4 JSON."""

    patient: Mapping[str, Any]
    document_reference: Mapping[str, Any]
    author: ActorResources
    custodian: Mapping[str, Any]  # Organization
    authenticator: ActorResources | None = None  # the author answers for it when None


def document_from_fhir(
    resources: DocumentResources,
    *,
    content: bytes,
    media_type: str = "application/pdf",
    matricule_may_leave: bool,
    set_id: InstanceIdentifier | None = None,
    version: int = 1,
    replaces: InstanceIdentifier | None = None,
) -> CdaDocument:
    """Make the document around ``content``.

    ``matricule_may_leave`` is the decision of the identity rules: without it no INS is in the
    header. ``set_id`` and ``version`` number the successive versions of one document (the first
    one's own id names the set), ``replaces`` is the version that this one replaces. Raises
    Unprocessable with every broken rule of the header at once.
    """
    reference = resources.document_reference
    attachment = (reference.get("content") or [{}])[0].get("attachment", {})
    time = hl7_time(attachment.get("creation")) or hl7_time(reference.get("date"))
    context = reference.get("context", {})
    start, stop = (hl7_time(context.get("period", {}).get(end)) for end in ("start", "end"))
    author = actor_from_fhir(resources.author, matricule_may_leave=matricule_may_leave)
    signatory = author
    if resources.authenticator is not None:
        signatory = actor_from_fhir(
            resources.authenticator, matricule_may_leave=matricule_may_leave
        )
    identifier = document_id(reference)
    document = CdaDocument(
        id=identifier,
        set_id=set_id or identifier,
        version=version,
        code=coded(reference.get("type"), TYPES),
        title=attachment.get("title") or reference.get("description"),
        time=time,
        confidentiality=confidentiality_of(reference),
        language=attachment.get("language", "fr-FR"),
        patient=patient_from_fhir(resources.patient, matricule_may_leave=matricule_may_leave),
        authors=(Author(author, time),),
        custodian=structure_from_fhir(resources.custodian),
        legal_authenticator=LegalAuthenticator(signatory, time),
        events=(
            ServiceEvent(
                code=_event_code(context),
                start=start or time,
                stop=stop,
                performers=(_performer(author, coded(context.get("practiceSetting"), SETTINGS)),),
            ),
        ),
        encounter=Encounter(
            start=start or time,
            stop=stop,
            facility=coded(context.get("facilityType"), SECTORS),
        ),
        related=None if replaces is None else RelatedDocument("RPLC", replaces),
        body=NonXmlBody(media_type, content),
    )
    faults = [found for found in check(document) if found.severity == "error"]
    if faults:
        raise Unprocessable(*faults)
    return document


def document_id(reference: Mapping[str, Any]) -> InstanceIdentifier | None:
    """Give the id of a DocumentReference's document: its masterIdentifier as an OID.

    A UUID becomes an OID under 2.25 (ITU-T X.667), since the DMP refuses anything else; another
    value becomes one through the UUID of its name, always the same.
    """
    found = reference.get("masterIdentifier", {})
    value, system = found.get("value"), found.get("system", "")
    if not isinstance(value, str) or not value:
        return None
    if value.startswith(_URN_OID):
        return InstanceIdentifier(value.removeprefix(_URN_OID))
    if system.startswith(_URN_OID):
        return InstanceIdentifier(system.removeprefix(_URN_OID), value)
    return InstanceIdentifier(f"2.25.{_uuid(system, value).int}")


def _uuid(system: str, value: str) -> UUID:
    if value.startswith(_URN_UUID):
        try:
            return UUID(value)
        except ValueError:
            pass
    return uuid5(NAMESPACE_URL, f"{system}|{value}")


def _event_code(context: Mapping[str, Any]) -> Coded | None:
    """Give the first act or pathology whose code system has an OID."""
    return next(filter(None, map(coded, context.get("event", ()))), None)


def _performer(author: Actor, setting: Coded | None) -> Actor:
    """Give the author as the one who did the act, in the setting of the document."""
    structure = author.structure or Structure()
    return Actor(
        ids=author.ids,
        code=author.code,
        name=author.name,
        device=None,
        structure=Structure(
            structure.ids, structure.name, structure.telecoms, structure.addresses, setting
        ),
    )
