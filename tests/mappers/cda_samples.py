"""A discharge letter as values, that the tests of CDA and XDM start from."""

from passerelle.mappers.cda.cda_document import (
    Actor,
    Address,
    Author,
    CdaDocument,
    Encounter,
    InstanceIdentifier,
    LegalAuthenticator,
    NonXmlBody,
    PatientRole,
    PersonName,
    ServiceEvent,
    Structure,
    Telecom,
)
from passerelle.mappers.xdm.xds_metadata import Coded

PDF = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\nnot much of a letter\n%%EOF\n"

HOSPITAL = Structure(
    ids=(InstanceIdentifier("1.2.250.1.71.4.2.2", "1310000001"),),
    name="Centre hospitalier de l'Autan",
    telecoms=(Telecom("tel:+33561000000", "WP"),),
    addresses=(Address((("postalCode", "31000"), ("city", "TOULOUSE"))),),
    setting=Coded("ETABLISSEMENT", "1.2.250.1.213.1.1.4.9", "Etablissement de santé"),
)
DOCTOR = Actor(
    ids=(InstanceIdentifier("1.2.250.1.71.4.2.1", "899700000011"),),
    code=Coded("G15_10/SM26", "1.2.250.1.213.1.1.4.5", "Médecin"),
    name=PersonName("D'ÉPINAY", "Zoé", "MME", "DR"),
    structure=HOSPITAL,
)
PATIENT = PatientRole(
    ids=(
        InstanceIdentifier("1.2.250.1.213.1.4.10", "279035121518989"),
        InstanceIdentifier("1.2.250.1.999.1.1", "IPP-42"),
    ),
    birth_family="PAT-TROIS",
    birth_given="DOMINIQUE",
    birth_given_list="DOMINIQUE MARIE-LOUISE",
    used_family="PAT-TROIS",
    used_given="DOMINIQUE",
    gender="F",
    birth_time="19790328",
    birthplace_code="51215",
    birthplace_name="DOMPREMY",
)
LETTER = CdaDocument(
    id=InstanceIdentifier("2.25.1001"),
    set_id=InstanceIdentifier("2.25.1001"),
    code=Coded(
        "11490-0",
        "2.16.840.1.113883.6.1",
        "Lettre de liaison à la sortie d'un établissement de soins",
    ),
    title="Lettre de sortie <urgente> & suivi",
    time="20260112101500+0100",
    confidentiality=Coded("N", "2.16.840.1.113883.5.25", "Normal"),
    patient=PATIENT,
    authors=(Author(DOCTOR, "20260112101500+0100"),),
    custodian=Structure(HOSPITAL.ids, HOSPITAL.name, HOSPITAL.telecoms, HOSPITAL.addresses),
    legal_authenticator=LegalAuthenticator(DOCTOR, "20260112101500+0100"),
    events=(
        ServiceEvent(
            code=Coded("IMP", "2.16.840.1.113883.5.4", "Hospitalisation"),
            start="20260105",
            stop="20260112",
            performers=(DOCTOR,),
        ),
    ),
    encounter=Encounter(
        code=Coded("IMP", "2.16.840.1.113883.5.4", "Hospitalisation"),
        start="20260105",
        stop="20260112",
        facility=Coded("SA01", "1.2.250.1.71.4.2.4", "Etablissement public de santé"),
    ),
    body=NonXmlBody("application/pdf", PDF),
)
