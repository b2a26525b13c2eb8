"""What a message of secure mail holds: CDA, archive, PDF copy, subject, headers; as exact bytes.

Référentiel socle MSSanté #2 sections 2.1 to 2.4. The same Communication and document version give
the same bytes, but they are built once and frozen all the same.
"""

import asyncio
import base64
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from passerelle.dossiers.mailing.document_resources import document_resources
from passerelle.dossiers.mailing.secure_mail import SecureMail
from passerelle.dossiers.mailing.transmission_matricule import matricule_that_may_leave
from passerelle.dossiers.mailing.transmission_order import Order
from passerelle.dossiers.mailing.transmission_policy import attachments_of
from passerelle.dossiers.mailing.transmission_replacement import Replaced, replaced_document
from passerelle.dossiers.repository import Repository
from passerelle.errors.refusals import NotFound, NotSupported, Unprocessable
from passerelle.errors.rules import issue
from passerelle.fhir import json_text
from passerelle.fhir.resource import Key, Resource
from passerelle.ins import patient_identity
from passerelle.ins.traits import Traits, differ
from passerelle.mappers.cda import cda_from_fhir, cda_header, cda_write
from passerelle.mappers.cda.cda_document import CdaDocument, NonXmlBody
from passerelle.mappers.cda.cda_from_fhir_codes import class_of, visibility_of
from passerelle.mappers.cda.cda_to_xds import to_document_entry, to_submission_set
from passerelle.mappers.xdm import xdm_metadata_write
from passerelle.mappers.xdm.hl7_types import INS_OIDS
from passerelle.mappers.xdm.xds_metadata import Submission
from passerelle.messaging.sending import mail as mails
from passerelle.messaging.sending.mss_headers import mss_headers
from passerelle.messaging.sending.subject import pdf_name, xdm_subject
from passerelle.messaging.xdm.xdm_archive import document_name, pack
from passerelle.messaging.xdm.xdm_cover import Emitter as Cover

PARIS = ZoneInfo("Europe/Paris")
NAMESPACE = UUID("0b3f7f5e-52f1-5c1c-9c1e-6a0a4e6d3f11")
XML_TYPES = ("text/xml", "application/xml", "application/hl7-v3+xml", "application/cda+xml")
CDA_MEDIA = ("application/pdf", "text/plain", "image/jpeg", "image/tiff", "text/rtf")
"""What may stand in the body of a CDA of level 1."""

PDF = "application/pdf"
TEXT = (
    "Bonjour,\n\nCe message contient un document de santé adressé par {emitter}.\n"
    "L'archive IHE_XDM.ZIP s'intègre dans votre logiciel{copy}.\n\n"
    "Message envoyé par {software}.\n"
)
COPY = " ; une copie lisible (PDF)\nest jointe"
STRUCTURED = (
    ".\nLe document est structuré (CDA de niveau 3) : il n'est pas accompagné d'une copie PDF\n"
    "et se lit dans un logiciel qui affiche les CDA"
)
UNCOPIED = ".\nLe document n'est pas un PDF : il n'est lisible que dans l'archive"


@dataclass(frozen=True, slots=True)
class _Parts:
    """What a message is built from, read before the work leaves the event loop."""

    reference: Resource
    patient: Resource
    matricule: str | None
    content: bytes
    media_type: str
    resources: cda_from_fhir.DocumentResources
    written: datetime
    replaced: Replaced | None  # the document that this one replaces


async def message_bytes(repository: Repository, mail: SecureMail, order: Order) -> bytes:
    """Build the message of an order.

    Raises NotFound, Gone (what it is made of is not there), NotSupported (a content that fits in
    no CDA), Unprocessable (a rule of the CDA header, of the archive or of the mail).
    """
    parts = await _parts(repository, order)
    return await asyncio.to_thread(_build, mail, parts, order.recipient, order.message_id)


async def _parts(repository: Repository, order: Order) -> _Parts:
    kept = await repository.vread(order.document, order.version)
    reference = json_text.decode(kept.body or b"")
    patient_id = reference["subject"]["reference"].partition("/")[2]
    patient_version = await repository.read(Key("Patient", patient_id))
    patient = json_text.decode(patient_version.body or b"")
    content, media_type = await _content(repository, reference)
    allow_test = repository.gateway.ins.allow_test
    return _Parts(
        reference=reference,
        patient=patient,
        matricule=matricule_that_may_leave(patient, allow_test=allow_test),
        content=content,
        media_type=media_type,
        resources=await document_resources(repository, reference, patient),
        written=order.instant,
        replaced=await replaced_document(repository, reference),
    )


async def _content(repository: Repository, reference: Resource) -> tuple[bytes, str]:
    (attachment,) = attachments_of(reference)
    media_type = str(attachment.get("contentType", "")).partition(";")[0].strip().lower()
    if "data" in attachment:
        return base64.b64decode(attachment["data"]), media_type
    path = str(attachment.get("url", "")).removeprefix(f"{repository.gateway.base_url}/")
    type_, _, id_ = path.partition("/")
    if type_ != "Binary" or not id_:
        raise NotFound(
            issue("sending.content-missing", "DocumentReference.content[0].attachment.url")
        )
    stored_type, chunks = await repository.binary(Key("Binary", id_.partition("/")[0]))
    content = b"".join([chunk async for chunk in chunks])
    return content, media_type or stored_type.partition(";")[0].strip().lower()


def _build(mail: SecureMail, parts: _Parts, recipient: str, message_id: str) -> bytes:
    cda, document = _cda(parts)
    archive = _archive(mail, parts, cda, document, message_id)
    attachments = [mails.Attachment("IHE_XDM.ZIP", "application/zip", archive)]
    if isinstance(document.body, NonXmlBody) and document.body.media_type == PDF:
        name = _pdf_name(parts, document)
        attachments.append(mails.Attachment(name, PDF, document.body.content))
    person = document.patient
    return mails.build(
        mails.Mail(
            message_id=message_id,
            date=parts.written.astimezone(PARIS),
            sender=mails.Correspondent(mail.account.address, mail.account.display),
            to=mails.Correspondent(recipient),
            subject=xdm_subject(
                label=document.title or "Document",
                family=person.birth_family or person.used_family or "",
                given=person.birth_given or person.used_given or "",
                birth_date=_day(person.birth_time),
            ),
            text=_text(mail, document),
            attachments=tuple(attachments),
            headers=mss_headers(
                nil=mail.account.nil,
                recipient=recipient,
                document_codes=(document.code.code,) if document.code else (),
                qualified_ins=parts.matricule is not None and _carries_ins(document),
            ),
            receipt=True,
        )
    )


def _text(mail: SecureMail, document: CdaDocument) -> str:
    """Give the body text, which says whether a copy can be read beside the archive."""
    if not isinstance(document.body, NonXmlBody):
        copy = STRUCTURED
    else:
        copy = COPY if document.body.media_type == PDF else UNCOPIED
    return TEXT.format(emitter=mail.emitter.name, software=mail.emitter.software, copy=copy)


def _cda(parts: _Parts) -> tuple[bytes, CdaDocument]:
    """Give the CDA and its header: the one given as it is, or one of level 1 around the content."""
    if parts.media_type in XML_TYPES and b"ClinicalDocument" in parts.content[:4096]:
        document = cda_header.read(parts.content)
        _demand_same_person(document, parts)
        return parts.content, document
    if parts.media_type not in CDA_MEDIA:
        place = "DocumentReference.content[0].attachment.contentType"
        raise NotSupported(issue("sending.content-type", place))
    document = cda_from_fhir.document_from_fhir(
        parts.resources,
        content=parts.content,
        media_type=parts.media_type,
        matricule_may_leave=parts.matricule is not None,
        set_id=parts.replaced and parts.replaced.set_id,
        version=parts.replaced.version + 1 if parts.replaced else 1,
        replaces=parts.replaced and parts.replaced.id,
    )
    return cda_write.write(document), document


def _replaces(document: CdaDocument) -> bool:
    """Tell whether a document replaces an earlier one; its header says so."""
    return document.related is not None and document.related.type_code == "RPLC"


def _carries_ins(document: CdaDocument) -> bool:
    return any(one.root in INS_OIDS for one in document.patient.ids)


def _demand_same_person(document: CdaDocument, parts: _Parts) -> None:
    """Refuse a CDA that is about another person, or replaces what its reference does not.

    Another person: another matricule than the one that may leave, or a strict trait that both
    know and that differs in normal form.
    """
    person = document.patient
    held = {one.extension for one in person.ids if one.root in INS_OIDS}
    said = Traits(
        birth_name=person.birth_family,
        first_given_name=person.birth_given,
        birth_date=person.birth_time,
        sex=person.gender,
        birth_place=person.birthplace_code,
    )
    if held - {parts.matricule} or differ(said, patient_identity.read(parts.patient).traits):
        raise Unprocessable(issue("sending.cda-of-another", "ClinicalDocument.recordTarget"))
    if (parts.replaced is not None) != _replaces(document):
        place = "ClinicalDocument.relatedDocument"
        raise Unprocessable(issue("sending.replacement-unknown", place))


def _archive(
    mail: SecureMail, parts: _Parts, cda: bytes, document: CdaDocument, message_id: str
) -> bytes:
    name = document_name(1)
    entry = to_document_entry(
        document,
        cda,
        entry_uuid=f"urn:uuid:{uuid5(NAMESPACE, message_id + '/entry')}",
        uri=name,
        class_code=class_of(parts.reference),
        visibility=visibility_of(parts.reference),
        action="C" if _replaces(document) else None,
    )
    submission_set = to_submission_set(
        document,
        entry_uuid=f"urn:uuid:{uuid5(NAMESPACE, message_id + '/set')}",
        unique_id=f"2.25.{uuid5(NAMESPACE, message_id).int}",
        submission_time=f"{parts.written.astimezone(ZoneInfo('UTC')):%Y%m%d%H%M%S}",
    )
    metadata = xdm_metadata_write.write(Submission(submission_set, (entry,)))
    emitter = mail.emitter
    cover = Cover(
        structure=emitter.name,
        structure_id=emitter.finess or "",
        contact=mail.account.address,
        software=emitter.software,
        software_version=emitter.version,
        publisher=emitter.software,
    )
    return pack([(name, cda)], metadata, emitter=cover, date=parts.written)


def _pdf_name(parts: _Parts, document: CdaDocument) -> str:
    start = next((event.start for event in document.events if event.start), document.time)
    day = _day(start) or parts.written.date()
    label = document.code.display if document.code else ""
    person = document.patient
    return pdf_name(
        day=day,
        type_label=label or document.title or "document",
        family=person.birth_family or person.used_family or "",
        given=person.birth_given or person.used_given or "",
    )


def _day(text: str | None) -> date | None:
    """Read the day of an HL7 time (``19790328…``); None when it is not that precise."""
    if text is None or len(text) < 8:
        return None
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    except ValueError:
        return None
