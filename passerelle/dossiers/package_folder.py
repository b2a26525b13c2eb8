"""The folder of packages that is read at the start (``PASSERELLE_PACKAGES``)."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

from passerelle.dossiers import packages
from passerelle.dossiers.gateway import Gateway
from passerelle.dossiers.packages import Added
from passerelle.errors.refusals import Invalid, Issue, PasserelleError
from passerelle.errors.rules import issue
from passerelle.fhir.packages.tar_reading import Limits

FILES_MAX = 1_000


class OfFolder(NamedTuple):
    """What became of a file: added (or there already), or refused with its issues."""

    file: str
    added: Added | None
    issues: tuple[Issue, ...] = ()


async def add_folder(gateway: Gateway, folder: Path) -> AsyncIterator[OfFolder]:
    """Add every ``.tgz`` of a folder, by name; give what became of each that was not there yet.

    A file that was added before is known by its digest and is not opened again.
    """
    for file in (await asyncio.to_thread(_files, folder))[:FILES_MAX]:
        try:
            body = await asyncio.to_thread(read_file, file)
            if await packages.is_installed(gateway, hashlib.sha256(body).hexdigest()):
                continue
            added = await packages.add(gateway, body)
        except PasserelleError as refusal:
            yield OfFolder(file.name, None, refusal.issues)
        else:
            yield OfFolder(file.name, added, added.issues)


def _files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.iterdir() if file.suffix == ".tgz" and file.is_file())


def read_file(file: Path, limits: Limits | None = None) -> bytes:
    """Read the bytes of an archive. Raises Invalid when it cannot be read, or is too large."""
    size_max = (limits or Limits()).archive_bytes
    try:
        with file.open("rb") as opened:
            body = opened.read(size_max + 1)
    except OSError:
        raise Invalid(issue("package.file-missing")) from None
    if len(body) > size_max:
        raise Invalid(issue("package.too-large", limit=size_max))
    return body
