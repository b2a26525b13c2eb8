"""Archives and documents from outside at fault: rows of the table of bad input."""

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass

from tests.flows.bad_input import CANARY

ENTITIES = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
BOMB = (
    f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a0 "{CANARY}">{ENTITIES}]>'
    '<ClinicalDocument xmlns="urn:hl7-org:v3">&a9;</ClinicalDocument>'
).encode()
OUTWARD = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    b'<ClinicalDocument xmlns="urn:hl7-org:v3">&a;</ClinicalDocument>'
)


def archive(*members: tuple[str, bytes], mode: int | None = None) -> bytes:
    """Give a zip of these members."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in members:
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            if mode is not None:
                info.external_attr = mode << 16
            opened.writestr(info, content)
    return made.getvalue()


SUBSET = "IHE_XDM/SUBSET01"
DOCUMENT = (f"{SUBSET}/DOC0001.XML", b"<a/>")
METADATA = (f"{SUBSET}/METADATA.XML", b"<a/>")
SUBMISSION = (
    f"{SUBSET}/METADATA.XML",
    b'<SubmitObjectsRequest xmlns="urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0"/>',
)
ZEROS = b"\0" * 50_000_000
ZIP_BOMB = archive(METADATA, (f"{SUBSET}/DOC0001.XML", ZEROS))


@dataclass(frozen=True)
class BadArchive:
    """An archive, and the rule by which its reader refuses it."""

    title: str
    body: Callable[[], bytes]
    rule: str


def _encrypted() -> bytes:
    body = bytearray(archive(METADATA, DOCUMENT))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = body.find(mark)
        while place >= 0:
            body[place + at] |= 1
            place = body.find(mark, place + 1)
    return bytes(body)


ARCHIVES = (
    BadArchive("nothing", lambda: b"", "xdm.not-a-zip"),
    BadArchive("text", lambda: CANARY.encode() * 100, "xdm.not-a-zip"),
    BadArchive("cut short", lambda: archive(METADATA, DOCUMENT)[:-30], "xdm.not-a-zip"),
    BadArchive("a bomb: 50 MB of zeros in 50 kB", lambda: ZIP_BOMB, "xdm.ratio"),
    BadArchive(
        "a member that leaves the folder",
        lambda: archive(METADATA, DOCUMENT, ("../../etc/cron.d/x", b"x")),
        "xdm.path",
    ),
    BadArchive(
        "a symbolic link",
        lambda: archive(METADATA, DOCUMENT, mode=0o120777),
        "xdm.symlink",
    ),
    BadArchive("encrypted", _encrypted, "xdm.encrypted"),
    BadArchive(
        "one name in two spellings",
        lambda: archive(METADATA, DOCUMENT, (f"{SUBSET}/doc0001.xml", b"<b/>")),
        "xdm.duplicate",
    ),
    BadArchive(
        "10,000 members",
        lambda: archive(*[(f"{SUBSET}/D{n}.XML", b"") for n in range(10_000)]),
        "xdm.too-many-members",
    ),
    BadArchive("no metadata", lambda: archive(DOCUMENT), "xdm.no-metadata"),
    BadArchive("no document", lambda: archive(METADATA), "xdm.no-document"),
    BadArchive(
        "metadata with an entity bomb",
        lambda: archive((f"{SUBSET}/METADATA.XML", BOMB), DOCUMENT),
        "xml.doctype",
    ),
    BadArchive(
        "metadata that are something else",
        lambda: archive(METADATA, DOCUMENT),
        "xdm.metadata-root",
    ),
    BadArchive(
        "metadata without a submission",
        lambda: archive(SUBMISSION, DOCUMENT),
        "xdm.no-submission-set",
    ),
)


@dataclass(frozen=True)
class BadDocument:
    """A document given as a CDA, and the rule by which its sending fails."""

    title: str
    content: bytes
    rule: str


CDA = '<ClinicalDocument xmlns="urn:hl7-org:v3">{}</ClinicalDocument>'
DOCUMENTS = (
    BadDocument("an entity bomb", BOMB, "xml.doctype"),
    BadDocument("an entity that leads outside", OUTWARD, "xml.doctype"),
    BadDocument("cut short", CDA.format("").encode()[:-9], "xml.malformed"),
    BadDocument("NUL", CDA.format("\0").encode(), "xml.malformed"),
    BadDocument(
        "10,000 elements in one another",
        CDA.format("<a>" * 10_000 + "</a>" * 10_000).encode(),
        "xml.malformed",
    ),
    BadDocument(
        "1,000,000 elements", CDA.format("<a/>" * 1_000_000).encode(), "xml.too-many-nodes"
    ),
    BadDocument(
        "UTF-7",
        b'<?xml version="1.0" encoding="UTF-7"?>' + CDA.format("+ADw-").encode(),
        "xml.encoding",
    ),
    BadDocument("an empty ClinicalDocument", CDA.format("").encode(), "cda.class-unknown"),
    BadDocument(
        "a root of another name",
        b'<x xmlns="urn:hl7-org:v3"><ClinicalDocument/></x>',
        "cda.not-a-document",
    ),
)
