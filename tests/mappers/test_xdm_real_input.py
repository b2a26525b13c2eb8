"""Our metadata beside those of ANS for the same documents, field by field.

Every difference stands in a table with its reason; a difference that is not in the table, or one
that is no longer there, fails.
"""

from collections import Counter
from dataclasses import fields
from pathlib import Path

import pytest

from passerelle.mappers.cda.cda_header import read as read_cda
from passerelle.mappers.cda.cda_to_xds import to_document_entry, to_submission_set
from passerelle.mappers.xdm.xdm_document_check import check
from passerelle.mappers.xdm.xdm_metadata_read import read
from passerelle.mappers.xdm.xdm_metadata_write import write
from passerelle.mappers.xdm.xds_metadata import Coded, Submission
from passerelle.messaging.xdm.xdm_unpack import unpack
from tests.mappers.xdm_order import order_faults

FORMAT = (
    "ANS writes the scheme 1.2.250.1.213.1.1.4.12 (TRE_A05, the types) or …4.2.282 (TRE_A06) for "
    "every format; JDV_J10 takes urn:ihe: formats from TRE_A11, 1.3.6.1.4.1.19376.1.2.3, and "
    "urn:asip: ones from TRE_A06"
)
CONTENT_TYPE = (
    "ANS puts the healthcareFacilityTypeCode (SA…) there; the volet asks for the kind of activity, "
    "after the encounter (JDV_J59: 03, 07, 19, 97)"
)
BLANK = "ANS keeps a trailing blank of the CDA's given name; we read texts without outer blanks"
ONCE = "ANS repeats the codes that several acts share (CT, 774007); each is said once"
APOSTROPHE = "the CDA's displayName has a typographic apostrophe, which ANS replaced"

FACILITY = "1.2.250.1.71.4.2.4"
TRE_A05, TRE_A06, TRE_A11 = (
    "1.2.250.1.213.1.1.4.12",
    "1.2.250.1.213.1.1.4.2.282",
    "1.3.6.1.4.1.19376.1.2.3",
)
LAB = "urn:ihe:lab:xd-lab:2008"
PDF = "urn:ihe:iti:xds-sd:pdf:2008"
VSM = "urn:asip:ci-sis:vsm:2012"
SIGNATORY = "801234567897^AUGUIN^Léon{}^^^^^^&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS"


def content_type(theirs: str, ours: str) -> tuple[str, str, str]:
    return (f"{theirs}|{FACILITY}", f"{ours}|1.2.250.1.213.2.2", CONTENT_TYPE)


def format_code(code: str, theirs: str, ours: str) -> tuple[str, str, str]:
    return (f"{code}|{theirs}", f"{code}|{ours}", FORMAT)


MICROBIOLOGY = {
    "format_code": format_code(LAB, TRE_A06, TRE_A11),
    "content_type": content_type("SA25", "07"),
}
DIFFERENCES: dict[str, dict[str, tuple[str, str, str]]] = {
    "BIO-CR-BIO_2021.01_Microbiologie_V1": MICROBIOLOGY,
    "BIO-CR-BIO_2021.01_Microbiologie_V2": MICROBIOLOGY,
    "BIO-CR-BIO_2021.01_Microbiologie_V2_Delete": MICROBIOLOGY,
    "DOC_NON_STRUCTURE_CDA-R2-N1": {
        "format_code": format_code(PDF, TRE_A05, TRE_A11),
        "content_type": content_type("SA07", "97"),
    },
    "IMG_CR_IMG_2024.01_CDA-R2-Niveau-1": {
        "type_code": ("CR d'imagerie médicale", "CR d’imagerie médicale", APOSTROPHE),
        "format_code": format_code(PDF, TRE_A05, TRE_A11),
        "events": ("13 codes", "10 codes", ONCE),
        "content_type": content_type("SA08", "07"),
    },
    "LDL-SES_2022.01": {
        "legal_authenticator": (SIGNATORY.format(" "), SIGNATORY.format(""), BLANK),
        "content_type": content_type("SA01", "03"),
    },
    "VSM_1.4_2022.01": {
        "format_code": format_code(VSM, TRE_A05, TRE_A06),
        "content_type": content_type("SA04", "07"),
    },
}
"""By archive: field, the value of ANS, ours, why."""


ANS_FAULTS = {
    "Classification points elsewhere": 7,  # to the submission set instead of the entry
    "ExternalIdentifier points elsewhere": 3,  # to ids that are nowhere
    "misspelt XDSSubmissionSet.sourceId": 1,  # XDSSumissionSet
    "Classification out of order": 1,  # a Slot after Name
    "Association has the status as objectType": 1,
    "no prolog": 1,  # and blanks before the root
}
"""What is wrong beside the values in the METADATA.XML of DOC_NON_STRUCTURE_CDA-R2-N1."""


def made(cda: bytes, theirs: Submission) -> Submission:
    """Make our metadata of a document, with the ids and the time that ANS drew for theirs."""
    document = read_cda(cda)
    entry, sent = theirs.entries[0], theirs.submission_set
    return Submission(
        to_submission_set(
            document,
            entry_uuid=sent.entry_uuid,
            unique_id=str(sent.unique_id),
            submission_time=str(sent.submission_time),
        ),
        (
            to_document_entry(
                document, cda, entry_uuid=entry.entry_uuid, uri="DOC0001.XML", action=entry.action
            ),
        ),
    )


def told(theirs: object, ours: object) -> tuple[str, str]:
    """Spell two values that differ by what differs in them."""
    if isinstance(theirs, Coded) and isinstance(ours, Coded):
        if theirs[:2] == ours[:2]:
            return theirs.display, ours.display
        return f"{theirs.code}|{theirs.system}", f"{ours.code}|{ours.system}"
    if isinstance(theirs, tuple) and isinstance(ours, tuple) and set(theirs) == set(ours):
        return f"{len(theirs)} codes", f"{len(ours)} codes"
    return str(theirs), str(ours)


@pytest.mark.parametrize("name", DIFFERENCES)
def test_our_metadata_carry_the_values_of_ans(shared: Path, name: str) -> None:
    archive = unpack((shared / f"data/xdm/{name}.zip").read_bytes())
    theirs = read(archive.metadata)
    cda = archive.document(theirs.entries[0].uri)
    assert cda is not None
    ours = read(write(made(cda, theirs)))
    pairs = (
        (theirs.entries[0], ours.entries[0]),
        (theirs.submission_set, ours.submission_set),
    )
    found = {
        field.name: told(getattr(a, field.name), getattr(b, field.name))
        for a, b in pairs
        for field in fields(a)
        if getattr(a, field.name) != getattr(b, field.name)
    }
    assert found == {field: row[:2] for field, row in DIFFERENCES[name].items()}


def test_the_document_of_the_archive_is_the_published_one(shared: Path) -> None:
    name = "DOC_NON_STRUCTURE_CDA-R2-N1"
    archive = unpack((shared / f"data/xdm/{name}.zip").read_bytes())
    assert archive.document("doc0001.xml") == (shared / f"data/cda/{name}.xml").read_bytes()


def test_every_archive_opens_and_its_hashes_and_sizes_are_true(shared: Path) -> None:
    archives = sorted((shared / "data/xdm").glob("*.zip"))
    assert [path.stem for path in archives] == sorted(DIFFERENCES)
    for path in archives:
        archive = unpack(path.read_bytes())
        for entry in read(archive.metadata).entries:
            assert check(entry, archive.document(entry.uri)) == []
            assert entry.hash is not None
            assert entry.size is not None
            assert entry.patient_id == "279035121518989^^^&1.2.250.1.213.1.4.10&ISO^NH"


def test_what_ans_marks_beside_the_values_is_wrong_and_ours_is_right(shared: Path) -> None:
    name = "DOC_NON_STRUCTURE_CDA-R2-N1"
    theirs = unpack((shared / f"data/xdm/{name}.zip").read_bytes()).metadata
    cda = (shared / f"data/cda/{name}.xml").read_bytes()
    assert Counter(order_faults(theirs)) == ANS_FAULTS
    assert order_faults(write(made(cda, read(theirs)))) == []


def test_what_we_write_for_every_document_is_in_the_order_of_ebrim(shared: Path) -> None:
    for path in sorted((shared / "data/cda").glob("*.xml")):
        cda = path.read_bytes()
        document = read_cda(cda)
        set_ = to_submission_set(
            document, entry_uuid="urn:uuid:1", unique_id="2.25.1", submission_time="20260101000000"
        )
        entry = to_document_entry(document, cda, entry_uuid="urn:uuid:2", uri="DOC0001.XML")
        assert order_faults(write(Submission(set_, (entry,)))) == [], path.name
