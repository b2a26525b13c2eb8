"""Writing the people and structures of a CDA header: patient, authors, custodian, signatory.

Volet « Structuration minimale » of the CI-SIS
(https://esante.gouv.fr/volet-structuration-minimale-de-documents-de-sante).
"""

from lxml import etree

from passerelle.mappers.cda.cda_document import (
    Actor,
    Author,
    LegalAuthenticator,
    PatientRole,
    Structure,
)
from passerelle.mappers.cda.cda_write_types import (
    write_addresses,
    write_code,
    write_identifier,
    write_name,
    write_telecoms,
)
from passerelle.mappers.xdm.xds_metadata import Coded
from passerelle.mappers.xml_writing import child

GENDER_SYSTEM = "2.16.840.1.113883.5.1"
GENDERS = {"M": "Masculin", "F": "Féminin", "UN": "Indifférencié"}


def write_record_target(root: etree._Element, patient: PatientRole) -> None:
    """Write recordTarget/patientRole with the strict traits and the used names."""
    role = child(child(root, "recordTarget"), "patientRole")
    for identifier in patient.ids:
        write_identifier(role, "id", identifier)
    write_addresses(role, patient.addresses, demanded=True)
    write_telecoms(role, patient.telecoms, demanded=True)
    element = child(role, "patient", {"classCode": "PSN"})
    name = child(element, "name")
    for part, qualifier, text in (
        ("family", "BR", patient.birth_family),
        ("given", None, patient.birth_given_list),
        ("given", "BR", patient.birth_given),
        ("family", "CL", patient.used_family),
        ("given", "CL", patient.used_given),
    ):
        if text is not None:
            child(name, part, {"qualifier": qualifier}, text)
    if patient.gender is None:
        child(element, "administrativeGenderCode", {"nullFlavor": "UNK"})
    else:
        code = Coded(patient.gender, GENDER_SYSTEM, GENDERS.get(patient.gender, ""))
        write_code(element, "administrativeGenderCode", code)
    birth = {"value": patient.birth_time} if patient.birth_time else {"nullFlavor": "UNK"}
    child(element, "birthTime", birth)
    if patient.birthplace_code is not None or patient.birthplace_name is not None:
        place = child(child(child(element, "birthplace"), "place"), "addr")
        for part, text in (
            ("county", patient.birthplace_code),
            ("city", patient.birthplace_name),
        ):
            if text is not None:
                child(place, part, text=text)


def write_author(root: etree._Element, author: Author) -> None:
    """Write one author with its time and role."""
    element = child(root, "author")
    write_code(element, "functionCode", author.function)
    child(element, "time", {"value": author.time} if author.time else {"nullFlavor": "UNK"})
    _write_actor(child(element, "assignedAuthor"), author.actor, demanded=True)


def write_custodian(root: etree._Element, custodian: Structure) -> None:
    """Write the structure that keeps the document; the schema takes one telecom and one address."""
    parent = child(child(root, "custodian"), "assignedCustodian")
    element = child(parent, "representedCustodianOrganization")
    for identifier in custodian.ids:
        write_identifier(element, "id", identifier)
    if custodian.name is not None:
        child(element, "name", text=custodian.name)
    write_telecoms(element, custodian.telecoms[:1], demanded=True)
    write_addresses(element, custodian.addresses[:1], demanded=True)


def write_legal_authenticator(root: etree._Element, signatory: LegalAuthenticator) -> None:
    """Write the one who answers for the document."""
    element = child(root, "legalAuthenticator")
    child(element, "time", {"value": signatory.time} if signatory.time else {"nullFlavor": "UNK"})
    child(element, "signatureCode", {"code": "S"})
    _write_actor(child(element, "assignedEntity"), signatory.actor, demanded=False)


def write_performer(service: etree._Element, performer: Actor) -> None:
    """Write one performer of an act."""
    element = child(service, "performer", {"typeCode": "PRF"})
    _write_actor(child(element, "assignedEntity"), performer, demanded=False)


def _write_actor(element: etree._Element, actor: Actor, *, demanded: bool) -> None:
    """Fill an assignedAuthor or assignedEntity, in the order of the schema.

    ``demanded``: addr and telecom are written even when unknown.
    """
    for identifier in actor.ids:
        write_identifier(element, "id", identifier)
    write_code(element, "code", actor.code)
    write_addresses(element, actor.addresses, demanded=demanded)
    write_telecoms(element, actor.telecoms, demanded=demanded)
    if actor.device is not None:
        device = child(element, "assignedAuthoringDevice")
        for name, text in (
            ("manufacturerModelName", actor.device.model),
            ("softwareName", actor.device.software),
        ):
            if text is not None:
                child(device, name, text=text)
    elif actor.name is not None:
        write_name(child(element, "assignedPerson"), actor.name)
    if actor.structure is not None:
        _write_structure(child(element, "representedOrganization"), actor.structure)


def _write_structure(element: etree._Element, structure: Structure) -> None:
    for identifier in structure.ids:
        write_identifier(element, "id", identifier)
    if structure.name is not None:
        child(element, "name", text=structure.name)
    write_telecoms(element, structure.telecoms, demanded=False)
    write_addresses(element, structure.addresses, demanded=False)
    write_code(element, "standardIndustryClassCode", structure.setting)
