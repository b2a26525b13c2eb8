"""Metadata: what is written reads back the same, in the order of ebRIM, whatever it says."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.errors.refusals import Invalid, Unprocessable
from passerelle.mappers.xdm.xdm_metadata_read import read
from passerelle.mappers.xdm.xdm_metadata_write import write
from passerelle.mappers.xdm.xds_metadata import (
    Author,
    Coded,
    DocumentEntry,
    Submission,
    SubmissionSet,
)
from tests.mappers.xdm_order import order_faults

texts = st.text("aÉ'\"<>&^|]] é🙂", min_size=1, max_size=10).map(str.strip).filter(bool)
codes = st.builds(Coded, texts, texts, st.just("") | texts)
authors = st.builds(
    Author,
    texts,
    *[st.lists(texts, max_size=2).map(tuple) for _ in range(3)],
)
uuids = st.uuids().map(lambda uuid: f"urn:uuid:{uuid}")
times = st.sampled_from(["20260112091500", "20260112", "2026"])
some = st.none() | texts


def several(one: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.lists(one, min_size=1, max_size=3).map(tuple)


entries = st.builds(
    DocumentEntry,
    entry_uuid=uuids,
    unique_id=texts,
    logical_id=some,
    mime_type=st.just("text/xml"),
    hash=st.text("0123456789ABCDEF", min_size=40, max_size=40),
    size=st.integers(0, 10**12),
    uri=texts,
    creation_time=times,
    service_start_time=times,
    service_stop_time=st.none() | times,
    language=texts,
    legal_authenticator=texts,
    patient_id=texts,
    source_patient_id=texts,
    source_patient_info=several(texts),
    title=texts,
    comments=some,
    authors=several(authors),
    class_code=codes,
    type_code=codes,
    format_code=codes,
    facility_type=codes,
    practice_setting=codes,
    confidentiality=several(codes),
    events=st.lists(codes, max_size=2).map(tuple),
    action=st.sampled_from([None, "C", "D"]),
)
sets = st.builds(
    SubmissionSet,
    entry_uuid=uuids,
    unique_id=texts,
    source_id=texts,
    patient_id=texts,
    submission_time=times,
    content_type=codes,
    authors=several(authors),
    title=some,
    comments=some,
)
submissions = st.builds(
    Submission,
    sets,
    st.lists(entries, min_size=1, max_size=3, unique_by=lambda entry: entry.entry_uuid).map(tuple),
)
EMPTY = Submission(SubmissionSet("urn:uuid:1"), (DocumentEntry("urn:uuid:2"),))


@settings(max_examples=50, deadline=None)
@given(submissions)
def test_what_was_written_reads_back_the_same(submission: Submission) -> None:
    assert read(write(submission)) == submission


@settings(max_examples=50, deadline=None)
@given(submissions)
def test_what_is_written_is_in_the_order_of_ebrim(submission: Submission) -> None:
    assert order_faults(write(submission)) == []


@settings(max_examples=10, deadline=None)
@given(submissions)
def test_the_same_metadata_give_the_same_bytes(submission: Submission) -> None:
    assert write(submission) == write(replace(submission))


@pytest.mark.nightly
@settings(max_examples=2000, deadline=None)
@given(submissions)
def test_very_many_submissions_read_back_in_order(submission: Submission) -> None:
    metadata = write(submission)
    assert read(metadata) == submission
    assert order_faults(metadata) == []


def test_all_that_is_missing_is_told_at_once() -> None:
    with pytest.raises(Unprocessable) as refusal:
        write(EMPTY)
    assert {issue.rule for issue in refusal.value.issues} == {"xdm.metadata-missing"}
    assert len(refusal.value.issues) == 6 + 20


def test_a_submission_of_nothing_is_refused() -> None:
    with pytest.raises(Unprocessable) as refusal:
        write(replace(EMPTY, entries=()))
    assert "xdm.no-entry" in [issue.rule for issue in refusal.value.issues]


@pytest.mark.parametrize(
    ("metadata", "rule"),
    [
        (b"<a/>", "xdm.metadata-root"),
        (
            b'<l:SubmitObjectsRequest xmlns:l="urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0"/>',
            "xdm.no-submission-set",
        ),
        (b"<!DOCTYPE a><a/>", "xml.doctype"),
        (b"", "xml.malformed"),
    ],
)
def test_bad_metadata_are_refused(metadata: bytes, rule: str) -> None:
    with pytest.raises(Invalid) as refusal:
        read(metadata)
    assert [issue.rule for issue in refusal.value.issues] == [rule]


RIM = b'xmlns="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"'
UNTIDY = (
    b"  \n <l:SubmitObjectsRequest xmlns:l='urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0'>"
    b"<RegistryObjectList " + RIM + b"><ExtrinsicObject id='e' mimeType='text/xml'>"
    b"<ExternalIdentifier value=' 1.2.3 ' registryObject='nowhere' "
    b"identificationScheme='URN:UUID:2E82C1F6-A085-4C72-9DA3-8640A32E42AB'/>"
    b"<Name><LocalizedString value=''/><LocalizedString value=' Titre '/></Name>"
    b"<Slot name='hash'><ValueList><Value> abcdef </Value></ValueList></Slot>"
    b"<Slot name='size'><ValueList><Value>-1</Value></ValueList></Slot>"
    b"</ExtrinsicObject><RegistryPackage id='s'/>"
    b"<Classification classifiedObject='s' "
    b"classificationNode='urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd'/>"
    b"</RegistryObjectList></l:SubmitObjectsRequest>"
)


def test_untidy_metadata_are_read() -> None:
    found = read(UNTIDY)
    entry = found.entries[0]
    assert found.submission_set.entry_uuid == "s"
    assert (entry.unique_id, entry.title, entry.hash) == ("1.2.3", "Titre", "ABCDEF")
    assert entry.size is None


def test_two_submission_sets_are_refused() -> None:
    two = UNTIDY.replace(
        b"<RegistryPackage id='s'/>", b"<RegistryPackage id='s'/><RegistryPackage id='s'/>"
    )
    with pytest.raises(Invalid) as refusal:
        read(two)
    assert [issue.rule for issue in refusal.value.issues] == ["xdm.no-submission-set"]
