"""Reading a CDA R2 document of any level: its header as values, its unstructured body as bytes.

Volet « Structuration minimale » of the CI-SIS
(https://esante.gouv.fr/volet-structuration-minimale-de-documents-de-sante). What is missing is
None: the reader tells what is there, :mod:`cda_rules` what should have been.
"""

import base64
import binascii
from dataclasses import replace

from lxml import etree

from passerelle.errors.refusals import Invalid
from passerelle.errors.rules import issue
from passerelle.mappers.cda.cda_document import (
    Body,
    CdaDocument,
    Encounter,
    NonXmlBody,
    RelatedDocument,
    ServiceEvent,
)
from passerelle.mappers.cda.cda_read_actors import (
    read_actor,
    read_author,
    read_legal_authenticator,
    read_patient,
    read_structure,
)
from passerelle.mappers.cda.cda_read_types import (
    NS,
    read_code,
    read_identifiers,
    read_interval,
    read_translations,
)
from passerelle.mappers.xml_reading import attribute, read_xml, text

SIZE_MAX = 60_000_000
"""Bytes of one CDA document: a 25 MB mail holds less, an archive on another way may hold more."""


def read(cda: bytes, *, size_max: int = SIZE_MAX) -> CdaDocument:
    """Read the header and body of a document.

    Raises Invalid: what :func:`read_xml` refuses, cda.not-a-document, cda.body-base64,
    cda.body-reference.
    """
    root = read_xml(cda, size_max=size_max)
    if root.tag != f"{NS}ClinicalDocument":
        raise Invalid(issue("cda.not-a-document"))
    custodian = root.find(
        f"{NS}custodian/{NS}assignedCustodian/{NS}representedCustodianOrganization"
    )
    ids = read_identifiers(root, "id")
    set_ids = read_identifiers(root, "setId")
    version = attribute(root.find(f"{NS}versionNumber"), "value") or ""
    return CdaDocument(
        id=ids[0] if ids else None,
        code=read_code(root.find(f"{NS}code")),
        title=text(root.find(f"{NS}title")),
        time=attribute(root.find(f"{NS}effectiveTime"), "value"),
        patient=read_patient(root.find(f"{NS}recordTarget/{NS}patientRole")),
        authors=tuple(map(read_author, root.findall(f"{NS}author"))),
        custodian=None if custodian is None else read_structure(custodian),
        legal_authenticator=read_legal_authenticator(root.find(f"{NS}legalAuthenticator")),
        events=tuple(
            _read_event(event) for event in root.findall(f"{NS}documentationOf/{NS}serviceEvent")
        ),
        encounter=_read_encounter(root.find(f"{NS}componentOf/{NS}encompassingEncounter")),
        body=_read_body(root.find(f"{NS}component")),
        confidentiality=read_code(root.find(f"{NS}confidentialityCode")),
        language=attribute(root.find(f"{NS}languageCode"), "code"),
        set_id=set_ids[0] if set_ids else None,
        version=int(version) if version.isdecimal() and len(version) < 10 else None,
        related=_read_related(root.find(f"{NS}relatedDocument")),
        templates=read_identifiers(root, "templateId"),
        realm=attribute(root.find(f"{NS}realmCode"), "code"),
    )


def _read_event(element: etree._Element) -> ServiceEvent:
    code = element.find(f"{NS}code")
    start, stop = read_interval(element.find(f"{NS}effectiveTime"))
    return ServiceEvent(
        code=read_code(code),
        translations=read_translations(code),
        start=start,
        stop=stop,
        ids=read_identifiers(element, "id"),
        performers=tuple(
            read_actor(entity)
            for entity in element.findall(f"{NS}performer[@typeCode='PRF']/{NS}assignedEntity")
        ),
    )


def _read_encounter(element: etree._Element | None) -> Encounter | None:
    if element is None:
        return None
    start, stop = read_interval(element.find(f"{NS}effectiveTime"))
    encounter = Encounter(
        code=read_code(element.find(f"{NS}code")),
        start=start,
        stop=stop,
        ids=read_identifiers(element, "id"),
    )
    facility = element.find(f"{NS}location/{NS}healthCareFacility")
    if facility is None:
        return encounter
    return replace(
        encounter,
        facility=read_code(facility.find(f"{NS}code")),
        facility_ids=read_identifiers(facility, "id"),
        place=text(facility.find(f"{NS}location/{NS}name")),
    )


def _read_related(element: etree._Element | None) -> RelatedDocument | None:
    if element is None:
        return None
    parent = element.find(f"{NS}parentDocument")
    ids = () if parent is None else read_identifiers(parent, "id")
    return RelatedDocument(attribute(element, "typeCode") or "", ids[0] if ids else None)


def _read_body(component: etree._Element | None) -> Body:
    """Read the body: the decoded bytes of level 1, or the word that it is structured."""
    if component is None:
        return None
    if component.find(f"{NS}structuredBody") is not None:
        return "structured"
    found = component.find(f"{NS}nonXMLBody/{NS}text")
    if found is None:
        return None
    place = "ClinicalDocument.component.nonXMLBody.text"
    if found.find(f"{NS}reference") is not None:
        raise Invalid(issue("cda.body-reference", place))
    media_type = attribute(found, "mediaType") or "text/plain"
    content = "".join(map(str, found.itertext()))
    if attribute(found, "representation") != "B64":
        return NonXmlBody(media_type, content.encode())
    try:
        packed = content.encode("ascii").translate(None, b" \t\r\n")
        return NonXmlBody(media_type, base64.b64decode(packed, validate=True))
    except (binascii.Error, UnicodeEncodeError):
        raise Invalid(issue("cda.body-base64", place)) from None
