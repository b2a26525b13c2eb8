"""Reading the people and structures of a CDA header: patient, authors, custodian, signatory.

Volet « Structuration minimale » of the CI-SIS
(https://esante.gouv.fr/volet-structuration-minimale-de-documents-de-sante).
"""

from lxml import etree

from passerelle.mappers.cda.cda_document import (
    Actor,
    Author,
    Device,
    LegalAuthenticator,
    PatientRole,
    Structure,
)
from passerelle.mappers.cda.cda_read_types import (
    NS,
    read_addresses,
    read_code,
    read_identifiers,
    read_name,
    read_telecoms,
)
from passerelle.mappers.xml_reading import attribute, text

_QUALIFIERS = {None: None, "BR": "BR", "CL": "CL", "SP": "CL"}
"""How a qualifier of a name part is read: SP (spouse) is obsolete and means used."""


def read_patient(role: etree._Element | None) -> PatientRole:
    """Read recordTarget/patientRole; what is not there is None."""
    if role is None:
        return PatientRole()
    patient = role.find(f"{NS}patient")
    ids, addresses, telecoms = (
        read_identifiers(role, "id"),
        read_addresses(role),
        read_telecoms(role),
    )
    if patient is None:
        return PatientRole(ids=ids, addresses=addresses, telecoms=telecoms)
    names = _name_parts(patient)
    gender = read_code(patient.find(f"{NS}administrativeGenderCode"))
    place = patient.find(f"{NS}birthplace/{NS}place/{NS}addr")
    return PatientRole(
        ids=ids,
        birth_family=names.get(("family", "BR"), names.get(("family", None))),
        birth_given=names.get(("given", "BR")),
        birth_given_list=names.get(("given", None)),
        used_family=names.get(("family", "CL")),
        used_given=names.get(("given", "CL")),
        gender=None if gender is None else gender.code,
        birth_time=attribute(patient.find(f"{NS}birthTime"), "value"),
        birthplace_code=None if place is None else text(place.find(f"{NS}county")),
        birthplace_name=None if place is None else text(place.find(f"{NS}city")),
        telecoms=telecoms,
        addresses=addresses,
    )


def _name_parts(patient: etree._Element) -> dict[tuple[str, str | None], str]:
    """Give the first text of each part of the names by (part, qualifier)."""
    parts: dict[tuple[str, str | None], str] = {}
    for element in patient.iterfind(f"{NS}name/*"):
        value = text(element)
        words = (attribute(element, "qualifier") or "").split()
        qualifiers = [_QUALIFIERS[word] for word in words if word in _QUALIFIERS] or [None]
        if value is not None:
            for qualifier in qualifiers:
                parts.setdefault((etree.QName(element).localname, qualifier), value)
    return parts


def read_author(element: etree._Element) -> Author:
    """Read one author."""
    assigned = element.find(f"{NS}assignedAuthor")
    return Author(
        Actor() if assigned is None else read_actor(assigned),
        attribute(element.find(f"{NS}time"), "value"),
        read_code(element.find(f"{NS}functionCode")),
    )


def read_legal_authenticator(element: etree._Element | None) -> LegalAuthenticator | None:
    """Read the one who answers for the document."""
    if element is None:
        return None
    assigned = element.find(f"{NS}assignedEntity")
    return LegalAuthenticator(
        Actor() if assigned is None else read_actor(assigned),
        attribute(element.find(f"{NS}time"), "value"),
    )


def read_actor(element: etree._Element) -> Actor:
    """Read an assignedAuthor or assignedEntity."""
    device = element.find(f"{NS}assignedAuthoringDevice")
    structure = element.find(f"{NS}representedOrganization")
    return Actor(
        ids=read_identifiers(element, "id"),
        code=read_code(element.find(f"{NS}code")),
        name=read_name(element.find(f"{NS}assignedPerson/{NS}name")),
        device=None
        if device is None
        else Device(
            text(device.find(f"{NS}manufacturerModelName")),
            text(device.find(f"{NS}softwareName")),
        ),
        structure=None if structure is None else read_structure(structure),
        telecoms=read_telecoms(element),
        addresses=read_addresses(element),
    )


def read_structure(element: etree._Element) -> Structure:
    """Read an organization."""
    return Structure(
        ids=read_identifiers(element, "id"),
        name=text(element.find(f"{NS}name")),
        telecoms=read_telecoms(element),
        addresses=read_addresses(element),
        setting=read_code(element.find(f"{NS}standardIndustryClassCode")),
    )
