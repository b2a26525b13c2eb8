"""Reading a ``.tgz`` that came from outside: bounded while it is inflated, nothing on a disk.

POSIX ustar and pax (https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html), gzip
(https://www.rfc-editor.org/rfc/rfc1952). Threats: bombs, paths that lead out, links, names twice.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from passerelle.errors.refusals import Invalid
from passerelle.errors.rules import issue

_BLOCK = 512
_CHUNK = 65_536
_GZIP = 31
"""Window bits of zlib that ask for a gzip header."""

_FILE, _FOLDER, _PAX, _PAX_GLOBAL, _LONG_NAME = b"0", b"5", b"x", b"g", b"L"
_HEADER_TEXT_MAX = 65_536
"""Bytes of a header that holds a long name."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What an archive may cost."""

    archive_bytes: int = 200_000_000
    total_bytes: int = 1_000_000_000
    member_bytes: int = 60_000_000
    members: int = 50_000
    ratio: int = 200
    ratio_from: int = 10_000_000  # texts that repeat themselves may well pack tight


class Member(NamedTuple):
    """One file: its path in the archive and its bytes."""

    path: str
    body: bytes


class _Inflating:
    """The inflated bytes, as they are asked for; refuses what goes past the limits."""

    def __init__(self, body: bytes, limits: Limits) -> None:
        self._body = memoryview(body)
        self._limits = limits
        self._inflater = zlib.decompressobj(_GZIP)
        self._place = 0
        self._buffer = bytearray()
        self._made = 0

    def take(self, size: int) -> bytes:
        """Give the next ``size`` bytes. Raises Invalid when they are not there."""
        while len(self._buffer) < size:
            if not self._more():
                raise Invalid(issue("package.corrupt"))
        found = bytes(self._buffer[:size])
        del self._buffer[:size]
        return found

    def skip(self, size: int) -> None:
        """Pass over bytes without holding them."""
        while size:
            size -= len(self.take(min(size, _CHUNK)))

    def block(self) -> bytes | None:
        """Give the next block, or None at the end."""
        while len(self._buffer) < _BLOCK:
            if not self._more():
                return None
        return self.take(_BLOCK)

    def _more(self) -> bool:
        """Inflate a little more; tell whether there was any."""
        if self._inflater.eof:
            return False
        pending = self._inflater.unconsumed_tail
        if not pending:
            pending = bytes(self._body[self._place : self._place + _CHUNK])
            self._place += len(pending)
        try:
            made = self._inflater.decompress(pending, _CHUNK)
        except zlib.error:
            raise Invalid(issue("package.not-a-tgz")) from None
        if not made and not pending:
            raise Invalid(issue("package.corrupt"))
        self._buffer += made
        self._made += len(made)
        self._demand_bounded()
        return True

    def _demand_bounded(self) -> None:
        limits = self._limits
        if self._made > limits.total_bytes:
            raise Invalid(issue("package.total-too-large", limit=limits.total_bytes))
        if self._made > max(limits.ratio_from, limits.ratio * len(self._body)):
            raise Invalid(issue("package.ratio"))


def members(body: bytes, limits: Limits | None = None) -> Iterator[Member]:
    """Give the files of an archive in their order.

    Raises Invalid: package.too-large, not-a-tgz, corrupt, total-too-large, ratio,
    too-many-members, member-too-large, path, link, duplicate.
    """
    limits = limits or Limits()
    if len(body) > limits.archive_bytes:
        raise Invalid(issue("package.too-large", limit=limits.archive_bytes))
    archive = _Inflating(body, limits)
    seen: set[str] = set()
    count = 0
    long_name: str | None = None
    while (header := archive.block()) is not None and any(header):
        _demand_sum(header)
        kind, size = header[156:157], _number(header[124:136])
        if kind in (_PAX, _PAX_GLOBAL, _LONG_NAME):
            text = _header_text(archive, size)
            if kind != _PAX_GLOBAL:
                long_name = _long_name(kind, text) or long_name
            continue
        count += 1
        if count > limits.members:
            raise Invalid(issue("package.too-many-members", limit=limits.members))
        path = _demand_safe(long_name or _ustar_name(header))
        long_name = None
        if kind == _FOLDER:
            archive.skip(_padded(size))
            continue
        if kind not in (_FILE, b"\0"):
            raise Invalid(issue("package.link"))
        if size > limits.member_bytes:
            raise Invalid(issue("package.member-too-large", limit=limits.member_bytes))
        if path in seen:
            raise Invalid(issue("package.duplicate"))
        seen.add(path)
        yield Member(path, archive.take(_padded(size))[:size])


def _padded(size: int) -> int:
    return size + -size % _BLOCK


def _number(field: bytes) -> int:
    """Read an octal number of a header. Raises Invalid."""
    text = field.strip(b" \0")
    if not text:
        return 0
    if not text.isdigit() or b"8" in text or b"9" in text:
        raise Invalid(issue("package.corrupt"))
    return int(text, 8)


def _demand_sum(header: bytes) -> None:
    """See that a header is one: its sum counts the field of the sum itself as blanks."""
    if _number(header[148:156]) != sum(header) - sum(header[148:156]) + 8 * 32:
        raise Invalid(issue("package.corrupt"))


def _header_text(archive: _Inflating, size: int) -> bytes:
    if size > _HEADER_TEXT_MAX:
        raise Invalid(issue("package.corrupt"))
    return archive.take(_padded(size))[:size]


def _long_name(kind: bytes, text: bytes) -> str | None:
    """Give the path that an extended header names, if it names one."""
    if kind == _LONG_NAME:
        return _decoded(text.rstrip(b"\0"))
    rest = text
    while rest:
        length, _, _ = rest.partition(b" ")
        if not length.isdigit() or not len(length) < int(length) <= len(rest):
            raise Invalid(issue("package.corrupt"))
        record, rest = rest[len(length) + 1 : int(length)], rest[int(length) :]
        name, _, value = record.rstrip(b"\n").partition(b"=")
        if name == b"path":
            return _decoded(value)
        if name == b"size":
            raise Invalid(issue("package.member-too-large", limit=8**11))
    return None


def _ustar_name(header: bytes) -> str:
    name = header[:100].partition(b"\0")[0]
    prefix = header[345:500].partition(b"\0")[0] if header[257:262] == b"ustar" else b""
    return _decoded(prefix + b"/" + name if prefix else name)


def _decoded(name: bytes) -> str:
    try:
        return name.decode()
    except UnicodeDecodeError:
        raise Invalid(issue("package.path")) from None


def _demand_safe(path: str) -> str:
    """Give a path that stays inside the archive, without its leading ``./``. Raises Invalid."""
    plain = path.removeprefix("./").rstrip("/")
    parts = plain.split("/")
    unsafe = path.startswith("/") or "\\" in path or ".." in parts or not plain.isprintable()
    if unsafe or (plain and "" in parts):
        raise Invalid(issue("package.path"))
    return plain
