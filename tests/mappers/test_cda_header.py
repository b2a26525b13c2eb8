"""What the CDA reader makes of real documents and of bad ones."""

from pathlib import Path

import pytest

from passerelle.errors.refusals import Invalid
from passerelle.mappers.cda.cda_document import (
    InstanceIdentifier,
    NonXmlBody,
    PersonName,
    RelatedDocument,
)
from passerelle.mappers.cda.cda_header import read
from passerelle.mappers.cda.cda_write import write
from passerelle.mappers.xdm.xds_metadata import Coded
from tests.mappers.cda_samples import LETTER

LEVELS = {
    "BIO-CR-BIO_2021.01_Microbiologie_V2.xml": "structured",
    "CSE-MDE_2023.01.xml": "structured",
    "DLU-EHPAD-FLUDT_2022.01.xml": "structured",
    "DOC_NON_STRUCTURE_CDA-R2-N1.xml": "application/pdf",
    "IMG_CR_IMG_2024.01_CDA-R2-Niveau-1.xml": "application/pdf",
    "LDL-SES_2022.01.xml": "structured",
    "VAC-NOTE_2023.01.xml": "structured",
    "VSM_1.4_2022.01.xml": "structured",
}


def test_the_published_documents_are_read_at_their_level(shared: Path) -> None:
    found = {}
    for path in (shared / "data/cda").glob("*.xml"):
        body = read(path.read_bytes()).body
        found[path.name] = body.media_type if isinstance(body, NonXmlBody) else body
    assert found == LEVELS


def test_the_header_of_the_unstructured_sample_is_read_whole(shared: Path) -> None:
    found = read((shared / "data/cda/DOC_NON_STRUCTURE_CDA-R2-N1.xml").read_bytes())
    assert found.id == InstanceIdentifier("1.3.6.1.4.1.19376.1.2.20.12345.1.1")
    assert found.set_id == InstanceIdentifier("1.3.6.1.4.1.19376.1.2.20.12345.1")
    assert (found.version, found.language, found.realm) == (1, "fr-FR", "FR")
    assert found.code is not None
    assert found.code[:2] == ("11502-2", "2.16.840.1.113883.6.1")
    patient = found.patient
    assert patient.ids[0] == InstanceIdentifier("1.2.250.1.213.1.4.10", "279035121518989")
    assert (patient.birth_family, patient.birth_given) == ("PAT-TROIS", "DOMINIQUE")
    assert patient.birth_given_list == "DOMINIQUE MARIE-LOUISE"
    assert (patient.used_family, patient.used_given) == ("PAT-TROIS", "DOMINIQUE")
    assert (patient.birthplace_code, patient.birthplace_name) == ("51215", "DOMPREMY")
    assert [telecom.value for telecom in patient.telecoms] == ["tel:0144534551", "tel:0647151010"]
    author = found.authors[0].actor
    assert author.name == PersonName("CAMPARINI", "Marcel", "M", "DR")
    assert found.custodian is not None
    assert found.custodian.name == "Laboratoire des charmes"
    assert found.events[0].start == "20210104134700+0100"
    assert found.encounter is not None
    assert found.encounter.facility == Coded("SA07", "1.2.250.1.71.4.2.4", "Cabinet individuel")
    assert isinstance(found.body, NonXmlBody)
    assert found.body.content.startswith(b"%PDF-1.5")


def test_the_replaced_document_is_read(shared: Path) -> None:
    name = "BIO-CR-BIO_2021.01_Microbiologie_V2.xml"
    found = read((shared / "data/cda" / name).read_bytes())
    assert found.version == 2
    assert found.related == RelatedDocument(
        "RPLC", InstanceIdentifier("1.2.250.1.213.1.1.1.55.12345.8")
    )


def test_the_obsolete_qualifier_of_a_spouse_s_name_is_read_as_used() -> None:
    cda = write(LETTER).replace(b'qualifier="CL"', b'qualifier="SP"')
    assert read(cda).patient.used_family == "PAT-TROIS"


def test_a_version_that_is_no_number_is_none() -> None:
    cda = write(LETTER).replace(b'versionNumber value="1"', b'versionNumber value="1.0"')
    assert read(cda).version is None


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        (b"ClinicalDocument", b"Document", "cda.not-a-document"),
        (b'xmlns="urn:hl7-org:v3"', b'xmlns="urn:hl7-org:v2"', "cda.not-a-document"),
        (b'"B64">', b'"B64">===', "cda.body-base64"),
        (b'"B64">', '"B64">é'.encode(), "cda.body-base64"),
        (b'"B64">', b'"B64"><reference value="http://192.0.2.1/"/>', "cda.body-reference"),
        (b"<ClinicalDocument", b"<!DOCTYPE a><ClinicalDocument", "xml.doctype"),
    ],
)
def test_bad_documents_are_refused(old: bytes, new: bytes, rule: str) -> None:
    with pytest.raises(Invalid) as refusal:
        read(write(LETTER).replace(old, new))
    assert [issue.rule for issue in refusal.value.issues] == [rule]


def test_an_empty_document_is_read_as_lacking_all() -> None:
    found = read(b'<ClinicalDocument xmlns="urn:hl7-org:v3"/>')
    assert (found.id, found.code, found.body, found.authors) == (None, None, None, ())


def test_a_body_in_lines_of_base64_is_read() -> None:
    cda = write(LETTER).replace(b'"B64">', b'"B64">\r\n  ')
    assert read(cda).body == LETTER.body
