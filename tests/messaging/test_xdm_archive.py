"""What the archive writer promises."""

import io
import zipfile
from datetime import datetime

import pytest

from passerelle.errors.refusals import Unprocessable
from passerelle.messaging.xdm.xdm_archive import document_name, pack
from passerelle.messaging.xdm.xdm_cover import Emitter
from passerelle.messaging.xdm.xdm_unpack import unpack

EMITTER = Emitter("Réseau Œuvre & Santé", "1310000001", "DR Zoé D'ÉPINAY", "Toulouse", "0561")
DATE = datetime(2026, 1, 12, 10, 15, 1)  # noqa: DTZ001


def packed(*documents: tuple[str, bytes]) -> bytes:
    return pack(documents or [("DOC0001.XML", b"<a/>")], b"<m/>", emitter=EMITTER, date=DATE)


def test_the_archive_holds_exactly_the_six_entries() -> None:
    with zipfile.ZipFile(io.BytesIO(packed())) as archive:
        assert archive.namelist() == [
            "INDEX.HTM",
            "README.TXT",
            "IHE_XDM/",
            "IHE_XDM/SUBSET01/",
            "IHE_XDM/SUBSET01/DOC0001.XML",
            "IHE_XDM/SUBSET01/METADATA.XML",
        ]
        assert archive.testzip() is None


def test_the_same_input_gives_the_same_bytes() -> None:
    assert packed() == packed()


def test_what_was_packed_unpacks_the_same() -> None:
    archive = unpack(packed(("DOC0001.XML", b"<a/>"), ("DOC0002.PDF", b"%PDF")))
    assert archive.metadata == b"<m/>"
    assert archive.documents == {"DOC0001.XML": b"<a/>", "DOC0002.PDF": b"%PDF"}


def test_the_readme_is_seven_bit_with_crlf_and_says_who_sends() -> None:
    with zipfile.ZipFile(io.BytesIO(packed())) as archive:
        readme = archive.read("README.TXT")
        index = archive.read("INDEX.HTM").decode()
    assert readme.isascii()
    assert readme.replace(b"\r\n", b"").count(b"\n") == 0
    assert b"Reseau OEuvre & Sante (1310000001)" in readme
    assert "Réseau Œuvre &amp; Santé (1310000001)" in index


def test_names_beyond_iso_9660_level_1_are_refused_all_at_once() -> None:
    with pytest.raises(Unprocessable) as refusal:
        packed(("lettre.pdf", b""), ("LETTRE_DE_SORTIE.PDF", b""), ("DOC0001.XML", b""))
    assert [issue.rule for issue in refusal.value.issues] == ["xdm.name", "xdm.name"]


@pytest.mark.parametrize(
    ("documents", "rule"),
    [
        ([], "xdm.no-document"),
        ([("DOC0001.XML", b""), ("DOC0001.XML", b"")], "xdm.duplicate"),
        ([("METADATA.XML", b"")], "xdm.duplicate"),
    ],
)
def test_archives_that_make_no_sense_are_refused(
    documents: list[tuple[str, bytes]], rule: str
) -> None:
    with pytest.raises(Unprocessable) as refusal:
        pack(documents, b"<m/>", emitter=EMITTER, date=DATE)
    assert [issue.rule for issue in refusal.value.issues] == [rule]


def test_documents_are_numbered_from_one() -> None:
    assert [document_name(1), document_name(12)] == ["DOC0001.XML", "DOC0012.XML"]
