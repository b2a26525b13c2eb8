"""From the header of a CDA document to its XDS metadata.

Annexe « Lien entre l'en-tête CDA et les métadonnées XDS » of the CI-SIS
(https://esante.gouv.fr/annexe-lien-entre-len-tete-cda-et-les-metadonnees-xds) and the table of the
volet « Transmission d'un document CDA R2 en HL7 v2 ».
"""

import hashlib
from collections.abc import Sequence
from typing import Literal

from passerelle.errors.refusals import Unprocessable
from passerelle.errors.rules import issue
from passerelle.mappers.cda.cda_document import (
    Actor,
    CdaDocument,
    InstanceIdentifier,
    NonXmlBody,
    PatientRole,
    ServiceEvent,
)
from passerelle.mappers.cda.cda_document import Author as CdaAuthor
from passerelle.mappers.cda.cda_times import utc_time
from passerelle.mappers.document_codes import (
    CLASS_OF_TYPE,
    CONTENT_TYPE_ELSE,
    CONTENT_TYPES,
    FORMAT_OF_MEDIA,
    FORMAT_OF_TEMPLATE,
    NO_MODEL,
)
from passerelle.mappers.xdm.hl7_types import (
    INS_OIDS,
    NATIONAL_PERSON,
    NATIONAL_STRUCTURE,
    Cx,
    Xcn,
    Xon,
    escape,
)
from passerelle.mappers.xdm.xds_metadata import Author, Coded, DocumentEntry, SubmissionSet

MEDIA_TYPE = "text/xml"


def to_document_entry(
    document: CdaDocument,
    cda: bytes,
    *,
    entry_uuid: str,
    uri: str,
    class_code: Coded | None = None,
    visibility: Sequence[Coded] = (),
    action: Literal["C", "D"] | None = None,
) -> DocumentEntry:
    """Derive a document's metadata from its header and its bytes.

    ``class_code`` is the class when the sender gave one (else it is told from the type),
    ``visibility`` the TRE_A07 labels beside the confidentiality, ``action`` C or D for a
    replacement or a deletion by mail. Raises Unprocessable (cda.class-unknown) when the class
    cannot be told.
    """
    code = document.code
    class_code = class_code or (None if code is None else CLASS_OF_TYPE.get(code.code))
    if class_code is None:
        raise Unprocessable(issue("cda.class-unknown", "ClinicalDocument.code"))
    main = _main_event(document)
    labels = () if document.confidentiality is None else (document.confidentiality,)
    legal = document.legal_authenticator
    return DocumentEntry(
        entry_uuid=entry_uuid,
        unique_id=None if document.id is None else _unique_id(document.id),
        mime_type=MEDIA_TYPE,
        hash=hashlib.sha1(cda, usedforsecurity=False).hexdigest().upper(),
        size=len(cda),
        uri=uri,
        creation_time=utc_time(document.time),
        service_start_time=utc_time(main.start),
        service_stop_time=utc_time(main.stop),
        language=document.language,
        legal_authenticator=None if legal is None else _person(legal.actor),
        patient_id=patient_id(document.patient),
        source_patient_id=source_patient_id(document.patient),
        source_patient_info=source_patient_info(document.patient),
        title=document.title,
        authors=tuple(map(_author, document.authors)),
        class_code=class_code,
        type_code=code,
        format_code=format_code(document),
        facility_type=None if document.encounter is None else document.encounter.facility,
        practice_setting=_practice_setting(main),
        confidentiality=(*labels, *visibility),
        events=tuple(_event_codes(document)),
        action=action,
    )


def to_submission_set(
    document: CdaDocument,
    *,
    entry_uuid: str,
    unique_id: str,
    submission_time: str,
    content_type: Coded | None = None,
) -> SubmissionSet:
    """Derive the metadata of a submission from the (first) document that it carries.

    ``unique_id`` is an OID of its own, ``submission_time`` UTC ``YYYYMMDDHHMMSS``. The source is
    the structure that keeps the document; the type of activity, unless given, follows the kind of
    encounter, or of act.
    """
    encounter = document.encounter
    kind = (None if encounter is None else encounter.code) or _main_event(document).code
    custodian = document.custodian
    source = custodian.ids[0] if custodian is not None and custodian.ids else None
    return SubmissionSet(
        entry_uuid=entry_uuid,
        unique_id=unique_id,
        source_id=None if source is None else _source_id(source),
        patient_id=patient_id(document.patient),
        submission_time=submission_time,
        content_type=content_type
        or CONTENT_TYPES.get(kind.code if kind else "", CONTENT_TYPE_ELSE),
        authors=tuple(map(_author, document.authors)),
        title=document.title,
    )


def _main_event(document: CdaDocument) -> ServiceEvent:
    """Give the main act: the first that has a start, as only that one must have one."""
    return next((event for event in document.events if event.start is not None), ServiceEvent())


def _event_codes(document: CdaDocument) -> list[Coded]:
    """Give the codes of the acts with their translations, each once."""
    codes: dict[Coded, None] = {}
    for event in document.events:
        for code in (event.code, *event.translations):
            if code is not None:
                codes.setdefault(code)
    return list(codes)


def _practice_setting(event: ServiceEvent) -> Coded | None:
    for performer in event.performers:
        if performer.structure is not None and performer.structure.setting is not None:
            return performer.structure.setting
    return None


def format_code(document: CdaDocument) -> Coded:
    """Tell the format: by media type for level 1, by the most precise template for the rest."""
    if isinstance(document.body, NonXmlBody):
        return FORMAT_OF_MEDIA.get(document.body.media_type, NO_MODEL)
    roots = reversed([template.root for template in document.templates])
    return next(
        (FORMAT_OF_TEMPLATE[root] for root in roots if root in FORMAT_OF_TEMPLATE), NO_MODEL
    )


def patient_id(patient: PatientRole) -> str | None:
    """Give the CX of the INS, or of the first local identifier when there is no INS."""
    matricule = _ins(patient)
    if matricule is not None:
        return str(Cx(matricule.extension or "", matricule.root, "NH"))
    return source_patient_id(patient)


def source_patient_id(patient: PatientRole) -> str | None:
    """Give the CX of the first local identifier (IPP), or of the INS when there is no other."""
    for identifier in patient.ids:
        if identifier.root not in INS_OIDS and identifier.extension is not None:
            return str(Cx(identifier.extension, identifier.root, "PI"))
    matricule = _ins(patient)
    return matricule and str(Cx(matricule.extension or "", matricule.root, "NH"))


def _ins(patient: PatientRole) -> InstanceIdentifier | None:
    return next((found for found in patient.ids if found.root in INS_OIDS), None)


def source_patient_info(patient: PatientRole) -> tuple[str, ...]:
    """Give the traits as PID fields: birth and used names, birth date, sex, birthplace."""
    birth = (patient.birth_family, patient.birth_given, patient.birth_given_list)
    used = (patient.used_family, patient.used_given)
    lines = []
    if any(birth):
        family, given, given_list = (escape(part or "") for part in birth)
        lines.append(f"PID-5|{family}^{given}^{given_list}^^^^L")
    if any(used):
        family, given = (escape(part or "") for part in used)
        lines.append(f"PID-5|{family}^{given}^^^^^D")
    if patient.birth_time:
        lines.append(f"PID-7|{escape(patient.birth_time)}")
    if patient.gender:
        lines.append(f"PID-8|{escape(patient.gender)}")
    if patient.birthplace_code:
        lines.append(f"PID-11|^^^^^^BDL^^{escape(patient.birthplace_code)}")
    return tuple(lines)


def _author(author: CdaAuthor) -> Author:
    actor = author.actor
    structure, code, function = actor.structure, actor.code, author.function
    institution = None
    if structure is not None and structure.name is not None:
        institution = str(_institution(structure.name, structure.ids))
    specialty = None
    if code is not None:
        specialty = "^".join(map(escape, (code.code, code.display, code.system)))
    return Author(
        person=_person(actor),
        institutions=() if institution is None else (institution,),
        roles=(function.display,) if function is not None and function.display else (),
        specialties=() if specialty is None else (specialty,),
    )


def _institution(name: str, ids: Sequence[InstanceIdentifier]) -> Xon:
    if not ids:
        return Xon(name)
    found = ids[0]
    type_ = "IDNST" if found.root == NATIONAL_STRUCTURE else "RI"
    return Xon(name, found.root, type_, found.extension or "")


def _person(actor: Actor) -> str | None:
    """Give the XCN of a person or of a device (name type U, identifier type RI)."""
    if not actor.ids:
        return None
    found = actor.ids[0]
    value = found.extension or ""
    if actor.device is not None:
        device = actor.device
        return str(Xcn(value, device.model or "", device.software or "", found.root, "U", "RI"))
    family = (actor.name and actor.name.family) or ""
    given = (actor.name and actor.name.given) or ""
    return str(Xcn(value, family, given, found.root, "D", _person_id_type(found)))


def _person_id_type(found: InstanceIdentifier) -> str:
    """Tell the type of a person's identifier: national, internal or the patient's own."""
    if found.root in INS_OIDS:
        return "NH"
    if found.root != NATIONAL_PERSON:
        return "RI"
    return "EI" if "/" in (found.extension or "") else "IDNPS"


def _unique_id(identifier: InstanceIdentifier) -> str:
    if identifier.extension is None:
        return identifier.root
    return f"{identifier.root}^{identifier.extension}"


def _source_id(identifier: InstanceIdentifier) -> str:
    """Give the OID of a source: the root, prolonged by its number when it is one."""
    number = identifier.extension or ""
    if number.isascii() and number.isdecimal() and (number == "0" or number[0] != "0"):
        return f"{identifier.root}.{number}"
    return identifier.root
