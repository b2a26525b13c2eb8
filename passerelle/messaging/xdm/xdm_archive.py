"""The IHE_XDM.ZIP archive: written exactly, read with suspicion, never laid down on a disk.

IHE ITI TF-2 3.32.4.1.2 (https://profiles.ihe.net/ITI/TF/Volume2/ITI-32.html) and volet « Échange
de documents de santé » of the CI-SIS (https://esante.gouv.fr/volet-echange-de-documents-de-sante).
File names are ISO 9660 level 1. The zip format: PKWARE APPNOTE 6.3.
"""

import io
import re
import zipfile
from collections.abc import Sequence
from datetime import datetime

from passerelle.errors.refusals import Unprocessable
from passerelle.errors.rules import issue
from passerelle.messaging.xdm.xdm_cover import Emitter, index_htm, readme_txt

ROOT = "IHE_XDM/"
SUBSET = "IHE_XDM/SUBSET01/"
METADATA = "METADATA.XML"
_LEVEL_1 = re.compile(r"[A-Z0-9_]{1,8}(\.[A-Z0-9_]{1,3})?")


def document_name(number: int) -> str:
    """Give the name of the n-th document, from 1: ``DOC0001.XML``."""
    return f"DOC{number:04d}.XML"


def pack(
    documents: Sequence[tuple[str, bytes]], metadata: bytes, *, emitter: Emitter, date: datetime
) -> bytes:
    """Make the archive of documents and their METADATA.XML; the same input gives the same bytes.

    ``date`` is the time the files bear. Raises Unprocessable: xdm.no-document, xdm.name (not
    ISO 9660 level 1), xdm.duplicate.
    """
    names = [name for name, _ in documents]
    issues = [issue("xdm.name", SUBSET) for name in names if not _LEVEL_1.fullmatch(name)]
    if len({*names, METADATA}) <= len(names):
        issues.append(issue("xdm.duplicate", SUBSET))
    if not documents:
        issues.append(issue("xdm.no-document", SUBSET))
    if issues:
        raise Unprocessable(*issues)
    files = {
        "INDEX.HTM": index_htm(emitter),
        "README.TXT": readme_txt(emitter, names),
        ROOT: None,
        SUBSET: None,
        **{SUBSET + name: body for name, body in documents},
        SUBSET + METADATA: metadata,
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, body in files.items():
            archive.writestr(_member(name, date), body or b"")
    return out.getvalue()


def _member(name: str, date: datetime) -> zipfile.ZipInfo:
    """Describe a member so that nothing of this machine or moment is in it."""
    info = zipfile.ZipInfo(name, date.timetuple()[:6])
    folder = name.endswith("/")
    info.create_system = 0  # MS-DOS: no Unix mode
    info.external_attr = 0x10 if folder else 0x20
    info.compress_type = zipfile.ZIP_STORED if folder else zipfile.ZIP_DEFLATED
    return info
