"""A document is told apart from the one that its metadata describe."""

from passerelle.mappers.xdm.xdm_document_check import check
from passerelle.mappers.xdm.xds_metadata import DocumentEntry

ABC = "A9993E364706816ABA3E25717850C26C9CD0D89D"


def rules(entry: DocumentEntry, document: bytes | None) -> list[str]:
    return [issue.rule for issue in check(entry, document)]


def test_what_agrees_or_is_not_stated_is_no_fault() -> None:
    assert rules(DocumentEntry("urn:uuid:1", hash=ABC, size=3), b"abc") == []
    assert rules(DocumentEntry("urn:uuid:1"), b"abc") == []


def test_each_disagreement_is_told() -> None:
    entry = DocumentEntry("urn:uuid:1", hash=ABC, size=3)
    assert rules(entry, b"abd") == ["xdm.hash-differs"]
    assert rules(entry, b"abcd") == ["xdm.size-differs", "xdm.hash-differs"]
    assert rules(entry, None) == ["xdm.document-not-there"]
