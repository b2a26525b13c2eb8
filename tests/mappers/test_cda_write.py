"""What the CDA writer promises."""

from functools import cache
from pathlib import Path

from lxml import etree

from passerelle.mappers.cda_header import read
from passerelle.mappers.cda_write import write
from tests.mappers.cda_samples import LETTER


@cache
def schema(folder: Path) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(folder / "data/cda/schema/CDA_extended.xsd")))


def test_the_letter_is_valid_against_the_schema(shared: Path) -> None:
    found = etree.fromstring(write(LETTER))  # noqa: TID251
    schema(shared).assertValid(found)


def test_what_was_written_reads_back_the_same() -> None:
    assert read(write(LETTER)) == LETTER
