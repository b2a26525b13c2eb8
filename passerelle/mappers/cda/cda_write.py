"""Writing a CDA R2 document of level 1: the French header around a PDF (or text, image).

Volet « Structuration minimale » of the CI-SIS
(https://esante.gouv.fr/volet-structuration-minimale-de-documents-de-sante), body after IHE XDS-SD
(https://profiles.ihe.net/ITI/TF/Volume3/ch-5.2.html). The same value always gives the same bytes:
their hash is in the metadata, and a copy sent again must be the same document.
"""

import base64

from lxml import etree

from passerelle.errors.refusals import Unprocessable
from passerelle.errors.rules import issue
from passerelle.mappers.cda.cda_document import (
    CdaDocument,
    Encounter,
    NonXmlBody,
    RelatedDocument,
    ServiceEvent,
)
from passerelle.mappers.cda.cda_rules import check
from passerelle.mappers.cda.cda_write_actors import (
    write_author,
    write_custodian,
    write_legal_authenticator,
    write_performer,
    write_record_target,
)
from passerelle.mappers.cda.cda_write_types import (
    write_code,
    write_identifier,
    write_interval,
)
from passerelle.mappers.document_codes import FORMAT_OF_MEDIA
from passerelle.mappers.xml_writing import child, demand_writable, dump

NAMESPACE = "urn:hl7-org:v3"


def write(document: CdaDocument) -> bytes:
    """Write the document; the body must be a :class:`NonXmlBody`.

    Raises Unprocessable with every broken header rule at once (cda.*), the characters that XML
    cannot carry (xml.character), a media type that level 1 does not know (cda.body-media).
    """
    body = document.body
    if not isinstance(body, NonXmlBody) or body.media_type not in FORMAT_OF_MEDIA:
        raise Unprocessable(issue("cda.body-media", "ClinicalDocument.component"))
    demand_writable(document, "ClinicalDocument")
    faults = [found for found in check(document) if found.severity == "error"]
    if faults:
        raise Unprocessable(*faults)
    root: etree._Element = etree.Element(
        f"{{{NAMESPACE}}}ClinicalDocument",
        nsmap={None: NAMESPACE},  # type: ignore[dict-item]
    )
    _write_identity(root, document)
    write_record_target(root, document.patient)
    for author in document.authors:
        write_author(root, author)
    if document.custodian is not None:
        write_custodian(root, document.custodian)
    if document.legal_authenticator is not None:
        write_legal_authenticator(root, document.legal_authenticator)
    for event in document.events:
        _write_event(root, event)
    if document.related is not None:
        _write_related(root, document.related)
    if document.encounter is not None:
        _write_encounter(root, document.encounter)
    text = child(child(child(root, "component"), "nonXMLBody"), "text")
    text.set("mediaType", body.media_type)
    text.set("representation", "B64")
    text.text = base64.b64encode(body.content).decode("ascii")
    return dump(root)


def _write_identity(root: etree._Element, document: CdaDocument) -> None:
    """Write what stands before the patient, in the order of the schema."""
    child(root, "realmCode", {"code": document.realm})
    child(root, "typeId", {"root": "2.16.840.1.113883.1.3", "extension": "POCD_HD000040"})
    for template in document.templates:
        child(root, "templateId", {"root": template.root, "extension": template.extension})
    write_identifier(root, "id", document.id)
    write_code(root, "code", document.code)
    child(root, "title", text=document.title)
    child(root, "effectiveTime", {"value": document.time})
    write_code(root, "confidentialityCode", document.confidentiality)
    child(root, "languageCode", {"code": document.language})
    write_identifier(root, "setId", document.set_id)
    child(root, "versionNumber", {"value": str(document.version)})


def _write_event(root: etree._Element, event: ServiceEvent) -> None:
    service = child(child(root, "documentationOf"), "serviceEvent")
    for identifier in event.ids:
        write_identifier(service, "id", identifier)
    write_code(service, "code", event.code, event.translations)
    write_interval(service, event.start, event.stop)
    for performer in event.performers:
        write_performer(service, performer)


def _write_related(root: etree._Element, related: RelatedDocument) -> None:
    parent = child(
        child(root, "relatedDocument", {"typeCode": related.type_code}), "parentDocument"
    )
    write_identifier(parent, "id", related.id)


def _write_encounter(root: etree._Element, encounter: Encounter) -> None:
    element = child(child(root, "componentOf"), "encompassingEncounter")
    for identifier in encounter.ids:
        write_identifier(element, "id", identifier)
    write_code(element, "code", encounter.code)
    if not write_interval(element, encounter.start, encounter.stop):
        child(element, "effectiveTime", {"nullFlavor": "UNK"})
    facility = child(child(element, "location"), "healthCareFacility")
    for identifier in encounter.facility_ids:
        write_identifier(facility, "id", identifier)
    write_code(facility, "code", encounter.facility)
    if encounter.place is not None:
        child(child(facility, "location"), "name", text=encounter.place)
