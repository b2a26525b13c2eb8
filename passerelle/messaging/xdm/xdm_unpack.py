"""Opening an IHE_XDM archive that came from outside: everything is checked before it is inflated.

PKWARE APPNOTE 6.3 (https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT), threats as in
CVE-2023-24057 and CVE-2023-28465 (zip slip). All in memory, by bounded chunks; a member's name is
never a path on a disk.
"""

import io
import stat
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from passerelle.errors.refusals import Invalid, Issue
from passerelle.errors.rules import issue

_CHUNK = 65_536
_END = b"PK\x05\x06"
_END64 = b"PK\x06\x07"
_END_SIZE = 22
_CENTRAL_MIN = 46
_LOCAL_SIZE = 30
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1
_UTF_8 = 0x800
_RATIO_FROM = 100_000  # a small file of blanks may well pack tight


@dataclass(frozen=True, slots=True)
class Limits:
    """What an archive may cost."""

    archive_bytes: int = 40_000_000
    members: int = 200
    name_bytes: int = 100_000  # of the whole directory, beside its fixed part
    member_bytes: int = 60_000_000
    total_bytes: int = 100_000_000
    ratio: int = 100


@dataclass(frozen=True, slots=True)
class XdmArchive:
    """What was in the archive: the metadata of its one subset, its files by upper-case name."""

    metadata: bytes
    documents: Mapping[str, bytes]

    def document(self, uri: str | None) -> bytes | None:
        """Give the file that a ``URI`` of the metadata designates, or None when it is not there."""
        return None if uri is None else self.documents.get(uri.strip().upper())


def unpack(body: bytes, limits: Limits | None = None) -> XdmArchive:
    """Open an archive.

    Raises Invalid with every fault of its directory at once: xdm.not-a-zip, too-large,
    too-many-members, zip64, path, symlink, duplicate, overlap, encrypted, compression,
    member-too-large, total-too-large, ratio, no-metadata, several-subsets, no-document; then
    xdm.corrupt for contents that are not what the directory says.
    """
    limits = limits or Limits()
    _check_end(body, limits)
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            members = archive.infolist()
            faults = [*_check_directory(members, limits), *_check_overlap(members, len(body))]
            if faults:
                raise Invalid(*dict.fromkeys(faults))
            return _read(archive, [found for found in members if not found.is_dir()])
    except (zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError, ValueError):
        raise Invalid(issue("xdm.not-a-zip")) from None


def _check_end(body: bytes, limits: Limits) -> None:
    """Bound what the directory may cost to parse, from the end record that the parser will use."""
    if len(body) > limits.archive_bytes:
        raise Invalid(issue("xdm.too-large", limit=limits.archive_bytes))
    at = len(body) - _END_SIZE
    if not (body[at : at + 4] == _END and body.endswith(b"\0\0")):
        at = body.rfind(_END, max(0, len(body) - _END_SIZE - 65_535))
    if at < 0 or at + _END_SIZE > len(body):
        raise Invalid(issue("xdm.not-a-zip"))
    if body[max(0, at - 20) : at - 16] == _END64:
        raise Invalid(issue("xdm.zip64"))
    count = int.from_bytes(body[at + 10 : at + 12], "little")
    size = int.from_bytes(body[at + 12 : at + 16], "little")
    if count > limits.members or size > limits.members * _CENTRAL_MIN + limits.name_bytes:
        raise Invalid(issue("xdm.too-many-members", limit=limits.members))


def _check_directory(members: Sequence[zipfile.ZipInfo], limits: Limits) -> Iterator[Issue]:
    """Tell all that is wrong with what the directory says."""
    if len(members) > limits.members:
        yield issue("xdm.too-many-members", limit=limits.members)
    seen: set[str] = set()
    for found in members:
        yield from _check_member(found, limits)
        name = found.filename.upper()
        if name in seen:
            yield issue("xdm.duplicate")
        seen.add(name)
    if sum(found.file_size for found in members) > limits.total_bytes:
        yield issue("xdm.total-too-large", limit=limits.total_bytes)
    subsets = {name.split("/")[1] for name in seen if _in_subset(name)}
    metadata = [name for name in seen if _is_metadata(name)]
    if not metadata:
        yield issue("xdm.no-metadata")
    if len(metadata) > 1 or len(subsets) > 1:
        yield issue("xdm.several-subsets")
    if len(metadata) == 1 and not any(map(_is_document, seen)):
        yield issue("xdm.no-document")


def _check_member(found: zipfile.ZipInfo, limits: Limits) -> Iterator[Issue]:
    # orig_filename, since the parser cuts filename at a NUL
    if not _is_plain_path(found.orig_filename):
        yield issue("xdm.path")
    kind = stat.S_IFMT(found.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        yield issue("xdm.symlink")
    if found.flag_bits & _ENCRYPTED:
        yield issue("xdm.encrypted")
    if found.compress_type not in _METHODS:
        yield issue("xdm.compression")
    if found.file_size > limits.member_bytes:
        yield issue("xdm.member-too-large", limit=limits.member_bytes)
    if found.file_size > max(_RATIO_FROM, limits.ratio * found.compress_size):
        yield issue("xdm.ratio", limit=limits.ratio)


def _is_plain_path(name: str) -> bool:
    """Tell a plain relative path: no root, drive, backslash or ``..``, all of it printable."""
    parts = name.removesuffix("/").split("/")
    return (
        name.isprintable()
        and not set(name) & set("\\:")
        and all(part not in ("", ".", "..") for part in parts)
    )


def _check_overlap(members: Sequence[zipfile.ZipInfo], size: int) -> Iterator[Issue]:
    """Tell whether two members share bytes: a bomb that no ratio shows."""
    end = 0
    for found in sorted(members, key=lambda member: member.header_offset):
        if found.header_offset < end:
            yield issue("xdm.overlap")
            return
        coding = "utf-8" if found.flag_bits & _UTF_8 else "cp437"
        name = len(found.orig_filename.encode(coding, "replace"))
        end = found.header_offset + _LOCAL_SIZE + name + found.compress_size
    if end > size:
        yield issue("xdm.corrupt")


def _is_metadata(name: str) -> bool:
    """Tell ``IHE_XDM/<subset>/METADATA.XML``."""
    parts = name.split("/")
    return len(parts) == 3 and parts[0] == "IHE_XDM" and parts[2] == "METADATA.XML"


def _in_subset(name: str) -> bool:
    """Tell what is inside ``IHE_XDM/<subset>/``, or that folder."""
    return name.startswith("IHE_XDM/") and name.count("/") >= 2


def _is_document(name: str) -> bool:
    """Tell any other file of a subset, which the metadata may designate."""
    return _in_subset(name) and not name.endswith("/") and not _is_metadata(name)


def _read(archive: zipfile.ZipFile, members: Sequence[zipfile.ZipInfo]) -> XdmArchive:
    """Inflate the metadata and the files of the subset; INDEX.HTM and README.TXT are for people."""
    metadata = b""
    documents: dict[str, bytes] = {}
    for found in members:
        name = found.filename.upper()
        if _is_metadata(name):
            metadata = _inflate(archive, found)
        elif _is_document(name):
            documents[name.split("/", 2)[2]] = _inflate(archive, found)
    return XdmArchive(metadata, documents)


def _inflate(archive: zipfile.ZipFile, found: zipfile.ZipInfo) -> bytes:
    """Inflate one member, never more than its announced size; raises Invalid (xdm.corrupt)."""
    out = bytearray()
    try:
        with archive.open(found) as source:
            while chunk := source.read(_CHUNK):
                out += chunk
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError):
        raise Invalid(issue("xdm.corrupt")) from None
    if len(out) != found.file_size:
        raise Invalid(issue("xdm.corrupt"))
    return bytes(out)
