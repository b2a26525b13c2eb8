"""The rules of the French CDA header that a schema cannot say, as issues.

Volet « Structuration minimale » of the CI-SIS and annexe INS
(https://esante.gouv.fr/annexe-prise-en-charge-de-lins-dans-les-volets-du-ci-sis). Errors keep a
document of ours from leaving; warnings tell of what is read and lived with.
"""

import re
from collections.abc import Iterator

from passerelle.errors.refusals import Issue
from passerelle.errors.rules import issue
from passerelle.mappers.cda.cda_document import CdaDocument, PatientRole
from passerelle.mappers.document_codes import CI_SIS_TEMPLATE, HL7_FRANCE_TEMPLATE
from passerelle.mappers.xdm.hl7_types import INS_OIDS

_TIME = re.compile(r"\d{4}(\d{2}(\d{2}(\d{2}(\d{2}(\d{2}(\.\d{1,4})?)?)?)?)?)?([+-]\d{4})?")
_ROOT = "ClinicalDocument"
_TRAITS = (
    ("birth_family", "patient.name.family[BR]"),
    ("birth_given", "patient.name.given[BR]"),
    ("birth_given_list", "patient.name.given"),
    ("birth_time", "patient.birthTime"),
    ("birthplace_code", "patient.birthplace.place.addr.county"),
    ("gender", "patient.administrativeGenderCode"),
)
"""The strict traits: field of :class:`PatientRole`, element of the header."""


def check(document: CdaDocument) -> list[Issue]:
    """Give every rule of the header that the document breaks, in the order of the header."""
    return [
        *_mandatory(document),
        *_identity_values(document),
        *_times(document),
        *check_patient(document.patient),
    ]


def check_patient(patient: PatientRole) -> list[Issue]:
    """Give what is wrong with recordTarget: as soon as an INS is there, all strict traits are."""
    role = f"{_ROOT}.recordTarget.patientRole"
    issues = []
    if not patient.ids:
        issues.append(issue("cda.missing", f"{role}.id", element="recordTarget/patientRole/id"))
    matricules = {identifier for identifier in patient.ids if identifier.root in INS_OIDS}
    if len(matricules) > 1:
        issues.append(issue("cda.ins-several", f"{role}.id"))
    if matricules:
        issues += [
            issue("cda.ins-needs-traits", f"{role}.{element}", trait=element)
            for field, element in _TRAITS
            if getattr(patient, field) is None
        ]
    if patient.birth_family is None and patient.used_family is None:
        issues.append(issue("cda.missing", f"{role}.patient.name", element="patient/name/family"))
    if patient.birth_time is not None and not re.fullmatch(
        r"\d{4}(\d{2}){0,2}", patient.birth_time
    ):
        issues.append(issue("cda.time", f"{role}.patient.birthTime", element="birthTime"))
    return issues


def _mandatory(document: CdaDocument) -> Iterator[Issue]:
    """Tell which of the mandatory elements are not there (D.1 of the volet, cardinality 1)."""
    legal, encounter = document.legal_authenticator, document.encounter
    main = document.events[0] if document.events else None
    present = {
        "id": document.id,
        "code": document.code,
        "title": document.title,
        "effectiveTime": document.time,
        "confidentialityCode": document.confidentiality,
        "languageCode": document.language,
        "setId": document.set_id,
        "versionNumber": document.version,
        "author": document.authors,
        "author.assignedAuthor.id": all(author.actor.ids for author in document.authors),
        "custodian": document.custodian,
        "custodian.representedCustodianOrganization.id": (
            document.custodian is None or document.custodian.ids
        ),
        "legalAuthenticator": legal,
        "legalAuthenticator.assignedEntity.id": legal is None or legal.actor.ids,
        "documentationOf.serviceEvent": main,
        "documentationOf.serviceEvent.effectiveTime.low": main is None or main.start,
        "documentationOf.serviceEvent.performer": main is None or main.performers,
        "documentationOf.serviceEvent.performer.assignedEntity.id": (
            main is None or all(performer.ids for performer in main.performers)
        ),
        "componentOf.encompassingEncounter": encounter,
        "componentOf.encompassingEncounter.location.healthCareFacility.code": (
            encounter is None or encounter.facility
        ),
        "component": document.body,
    }
    for element, value in present.items():
        if value is None or value is False or value == ():
            yield issue("cda.missing", f"{_ROOT}.{element}", element=element)


def _identity_values(document: CdaDocument) -> Iterator[Issue]:
    """Check the values that the volet fixes."""
    if document.realm != "FR":
        yield issue("cda.realm", f"{_ROOT}.realmCode")
    roots = {template.root for template in document.templates}
    for root in (HL7_FRANCE_TEMPLATE, CI_SIS_TEMPLATE):
        if root not in roots:
            yield issue("cda.template", f"{_ROOT}.templateId", root=root)
    if document.language not in (None, "fr-FR"):
        yield issue("cda.language", f"{_ROOT}.languageCode")
    label = document.confidentiality
    if label is not None and label.code not in ("N", "R", "V"):
        yield issue("cda.confidentiality", f"{_ROOT}.confidentialityCode")
    if document.version is not None and document.version < 1:
        yield issue("cda.version-number", f"{_ROOT}.versionNumber")


def _times(document: CdaDocument) -> Iterator[Issue]:
    """Check that times are HL7 time stamps, and that the document's own has a zone."""
    times = {"effectiveTime": document.time}
    if document.legal_authenticator is not None:
        times["legalAuthenticator.time"] = document.legal_authenticator.time
    for number, author in enumerate(document.authors):
        times[f"author[{number}].time"] = author.time
    for number, event in enumerate(document.events):
        times[f"documentationOf[{number}].serviceEvent.effectiveTime.low"] = event.start
        times[f"documentationOf[{number}].serviceEvent.effectiveTime.high"] = event.stop
    if document.encounter is not None:
        place = "componentOf.encompassingEncounter.effectiveTime"
        times[f"{place}.low"] = document.encounter.start
        times[f"{place}.high"] = document.encounter.stop
    for element, value in times.items():
        if value is not None and not _TIME.fullmatch(value):
            yield issue("cda.time", f"{_ROOT}.{element}", element=element)
    if document.time and len(document.time) > 8 and not re.search(r"[+-]\d{4}$", document.time):
        yield issue("cda.time-zone", f"{_ROOT}.effectiveTime", element="effectiveTime")
