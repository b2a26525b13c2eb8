"""What the CDA writer promises: validity, determinism, nothing lost, nothing smuggled in."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from lxml import etree

from passerelle.errors.refusals import Unprocessable
from passerelle.mappers.cda.cda_document import CdaDocument, NonXmlBody, PersonName
from passerelle.mappers.cda.cda_header import read
from passerelle.mappers.cda.cda_write import write
from tests.mappers.cda_samples import DOCTOR, LETTER, PATIENT
from tests.mappers.cda_values import documents


@cache
def schema(folder: Path) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(folder / "data/cda/schema/CDA_extended.xsd")))


def parsed(cda: bytes) -> etree._Element:
    return etree.fromstring(cda)  # noqa: TID251


def test_the_letter_is_valid_against_the_schema(shared: Path) -> None:
    schema(shared).assertValid(parsed(write(LETTER)))


@settings(max_examples=50, deadline=None)
@given(documents)
def test_every_document_is_valid_against_the_schema(shared: Path, document: CdaDocument) -> None:
    schema(shared).assertValid(parsed(write(document)))


@pytest.mark.nightly
@settings(max_examples=2000, deadline=None)
@given(documents)
def test_very_many_documents_are_valid_and_read_back(shared: Path, document: CdaDocument) -> None:
    cda = write(document)
    schema(shared).assertValid(parsed(cda))
    assert read(cda) == document


@settings(max_examples=50, deadline=None)
@given(documents)
def test_what_was_written_reads_back_the_same(document: CdaDocument) -> None:
    assert read(write(document)) == document


@settings(max_examples=20, deadline=None)
@given(documents)
def test_the_same_document_gives_the_same_bytes(document: CdaDocument) -> None:
    assert write(document) == write(replace(document))


def test_markup_in_a_name_stays_a_name() -> None:
    name = PersonName("<family qualifier='BR'>X</family>", "]]><!-- & -->")
    actor = replace(DOCTOR, name=name)
    found = read(write(replace(LETTER, authors=(LETTER.authors[0]._replace(actor=actor),))))
    assert found.authors[0].actor.name == name


def test_characters_that_xml_cannot_carry_are_refused_with_their_places() -> None:
    broken = replace(LETTER, title="a\x00", patient=replace(PATIENT, used_family="\ud800"))
    with pytest.raises(Unprocessable) as refusal:
        write(broken)
    assert [(issue.rule, issue.expression) for issue in refusal.value.issues] == [
        ("xml.character", "ClinicalDocument.title"),
        ("xml.character", "ClinicalDocument.patient.used_family"),
    ]


@pytest.mark.parametrize("body", [None, "structured", NonXmlBody("text/html", b"<p/>")])
def test_only_the_media_types_of_level_1_are_wrapped(body: object) -> None:
    with pytest.raises(Unprocessable) as refusal:
        write(replace(LETTER, body=body))  # type: ignore[arg-type]
    assert [issue.rule for issue in refusal.value.issues] == ["cda.body-media"]


def test_a_pdf_above_ten_megabytes_of_base64_is_written_and_read() -> None:
    large = NonXmlBody("application/pdf", b"%PDF-1.7" + bytes(9_000_000))
    found = read(write(replace(LETTER, body=large)))
    assert found.body == large
