"""The metadata that are derived from a header, where the published samples do not go."""

import io
import zipfile
from dataclasses import replace
from datetime import datetime

import pytest

from passerelle.demo.letter import sample_letter
from passerelle.errors.refusals import Unprocessable
from passerelle.mappers.cda.cda_document import (
    Actor,
    Author,
    CdaDocument,
    Device,
    InstanceIdentifier,
    NonXmlBody,
    ServiceEvent,
    Structure,
)
from passerelle.mappers.cda.cda_header import read as read_cda
from passerelle.mappers.cda.cda_to_xds import to_document_entry, to_submission_set
from passerelle.mappers.cda.cda_write import write as write_cda
from passerelle.mappers.xdm.hl7_types import read_cx
from passerelle.mappers.xdm.xdm_metadata_read import read
from passerelle.mappers.xdm.xdm_metadata_write import write
from passerelle.mappers.xdm.xds_metadata import Coded, DocumentEntry, Submission, SubmissionSet
from passerelle.messaging.xdm.xdm_archive import document_name, pack
from passerelle.messaging.xdm.xdm_cover import Emitter
from passerelle.messaging.xdm.xdm_unpack import unpack
from tests.mappers.cda_samples import DOCTOR, LETTER, PATIENT

NATIONAL = "1.2.250.1.71.4.2.1"


def entry(document: CdaDocument) -> DocumentEntry:
    return to_document_entry(document, b"<a/>", entry_uuid="urn:uuid:2", uri="DOC0001.XML")


def submission_set(document: CdaDocument) -> SubmissionSet:
    return to_submission_set(
        document, entry_uuid="urn:uuid:1", unique_id="2.25.7", submission_time="20260112091500"
    )


def person_of(actor: Actor) -> str | None:
    return entry(replace(LETTER, authors=(Author(actor),))).authors[0].person


def test_a_device_that_is_the_author_is_named_as_such() -> None:
    ids = (InstanceIdentifier("1.2.250.1.999", "7"),)
    device = Actor(ids=ids, device=Device("Passerelle", "1.0"))
    assert person_of(device) == "7^Passerelle^1.0^^^^^^&1.2.250.1.999&ISO^U^^^RI"


@pytest.mark.parametrize(
    ("root", "extension", "type"),
    [
        (NATIONAL, "899700000011", "IDNPS"),
        (NATIONAL, "3310000001/17", "EI"),
        ("1.2.250.1.213.1.4.10", "279035121518989", "NH"),
        ("2.25.5", "17", "RI"),
    ],
)
def test_the_type_of_a_person_s_identifier_is_told(root: str, extension: str, type: str) -> None:
    actor = replace(DOCTOR, ids=(InstanceIdentifier(root, extension),))
    assert (person_of(actor) or "").endswith(f"^D^^^{type}")


def test_delimiters_in_a_name_do_not_move_its_parts() -> None:
    patient = replace(PATIENT, birth_family="A^B|C&D", ids=PATIENT.ids[1:])
    info = entry(replace(LETTER, patient=patient)).source_patient_info
    assert info[0].startswith("PID-5|A\\S\\B\\F\\C\\T\\D^DOMINIQUE^")


def test_without_ins_the_local_identifier_stands_for_both() -> None:
    found = entry(replace(LETTER, patient=replace(PATIENT, ids=PATIENT.ids[1:])))
    assert found.patient_id == found.source_patient_id == "IPP-42^^^&1.2.250.1.999.1.1&ISO^PI"


def test_without_local_identifier_the_ins_stands_for_both() -> None:
    found = entry(replace(LETTER, patient=replace(PATIENT, ids=PATIENT.ids[:1])))
    assert found.patient_id == found.source_patient_id
    assert read_cx(found.patient_id or "").type == "NH"


def test_an_id_with_an_extension_keeps_it() -> None:
    found = entry(replace(LETTER, id=InstanceIdentifier("1.2.3", "A7")))
    assert found.unique_id == "1.2.3^A7"


@pytest.mark.parametrize(
    ("extension", "expected"),
    [
        ("1120459876", "1.2.250.1.71.4.2.2.1120459876"),
        ("0120459876", "1.2.250.1.71.4.2.2"),
        ("A7", "1.2.250.1.71.4.2.2"),
        (None, "1.2.250.1.71.4.2.2"),
    ],
)
def test_the_source_is_an_oid(extension: str | None, expected: str) -> None:
    custodian = Structure((InstanceIdentifier("1.2.250.1.71.4.2.2", extension),), "CH")
    assert submission_set(replace(LETTER, custodian=custodian)).source_id == expected


def test_the_kind_of_activity_follows_the_encounter_then_the_act() -> None:
    def kind(document: CdaDocument) -> str | None:
        content_type = submission_set(document).content_type
        return content_type and content_type.code

    assert LETTER.encounter is not None
    emergency = replace(LETTER.encounter, code=Coded("EMER", "x"))
    assert kind(LETTER) == "03"
    assert kind(replace(LETTER, encounter=emergency)) == "07"
    assert kind(replace(LETTER, encounter=replace(emergency, code=None))) == "03"
    assert kind(replace(LETTER, encounter=None, events=(ServiceEvent(),))) == "97"


def test_a_type_that_is_not_in_the_table_wants_its_class() -> None:
    odd = replace(LETTER, code=Coded("E1762", "ASTM"))
    with pytest.raises(Unprocessable) as refusal:
        entry(odd)
    assert [issue.rule for issue in refusal.value.issues] == ["cda.class-unknown"]
    stated = Coded("90", "1.2.250.1.213.1.1.4.1", "Autres")
    found = to_document_entry(
        odd, b"", entry_uuid="urn:uuid:2", uri="DOC0001.XML", class_code=stated
    )
    assert found.class_code == stated


def test_a_letter_goes_into_an_archive_and_comes_out_whole() -> None:
    pdf = sample_letter()
    document = replace(LETTER, body=NonXmlBody("application/pdf", pdf))
    cda = write_cda(document)
    name = document_name(1)
    made = Submission(
        submission_set(document),
        (to_document_entry(document, cda, entry_uuid="urn:uuid:2", uri=name, action="C"),),
    )
    date = datetime(2026, 1, 12, 10, 15)  # noqa: DTZ001
    archive = pack(
        [(name, cda)], write(made), emitter=Emitter("CH de l'Autan", "1310000001"), date=date
    )
    assert zipfile.ZipFile(io.BytesIO(archive)).testzip() is None
    opened = unpack(archive)
    assert read(opened.metadata) == made
    found = read_cda(opened.document(made.entries[0].uri) or b"")
    assert found == document
    assert isinstance(found.body, NonXmlBody)
    assert found.body.content == pdf
