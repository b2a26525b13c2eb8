"""The discharge letter of the demonstration."""

import re
import subprocess
import sys
import zlib
from dataclasses import replace
from datetime import date

from passerelle.demo.letter import DOMINIQUE, ELEONORE, letter_of, letter_pdf, sample_letter


def test_it_is_a_pdf_that_claims_pdf_a_1b() -> None:
    pdf = sample_letter()
    assert pdf.startswith(b"%PDF-1.4")
    assert b"<pdfaid:part>1</pdfaid:part>" in pdf
    assert b"<pdfaid:conformance>B</pdfaid:conformance>" in pdf
    assert len(pdf) < 200_000


def test_the_same_letter_gives_the_same_bytes() -> None:
    assert sample_letter() == sample_letter()
    assert sample_letter(ELEONORE) != sample_letter(DOMINIQUE)


def test_it_is_one_page() -> None:
    assert len(re.findall(rb"/Type\s*/Page\b", sample_letter())) == 1


def test_markup_in_a_name_is_only_a_name() -> None:
    person = replace(DOMINIQUE, birth_name='#panic("x") $x$ *gras* <a> "', used_name="\\ [#] `")
    assert letter_pdf(letter_of(person)).startswith(b"%PDF")


def test_every_accent_has_its_glyph() -> None:
    assert missing_glyphs(sample_letter()) == 0


def missing_glyphs(pdf: bytes) -> int:
    """Count the texts that map to no character in the fonts' ToUnicode tables."""
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL)
    tables = []
    for stream in streams:
        try:
            tables.append(zlib.decompress(stream))
        except zlib.error:
            continue
    mapped = b"".join(table for table in tables if b"beginbfchar" in table)
    codes = {code.lower() for code in re.findall(rb"<[0-9A-Fa-f]{4}>\s*<([0-9A-Fa-f]+)>", mapped)}
    wanted = {f"{ord(letter):04x}".encode() for letter in "éèàœŒ’'É"} - {b"2019", b"00c9"}
    return len(wanted - codes)


def test_a_letter_of_the_first_says_so() -> None:
    assert letter_pdf(replace(letter_of(DOMINIQUE), date=date(2026, 12, 1)))


def test_importing_the_module_does_not_load_the_typesetter() -> None:
    code = "import sys, passerelle.demo.letter; sys.exit('typst' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
