"""Documents' bytes in parts, so that no row is large and none is read whole to be streamed."""

from collections.abc import AsyncIterator, Iterator
from hashlib import sha256
from tempfile import SpooledTemporaryFile
from typing import NamedTuple

from passerelle.errors.refusals import TooLarge
from passerelle.errors.rules import issue

PART_BYTES = 256 * 1024
MEMORY_BYTES = 4 * PART_BYTES
"""What is larger waits in a nameless file until its digest, under which it is kept, is known."""


def parts_of(data: bytes) -> Iterator[bytes]:
    """Cut bytes in parts; no bytes at all are one empty part."""
    for start in range(0, max(len(data), 1), PART_BYTES):
        yield data[start : start + PART_BYTES]


def parts_count(size: int) -> int:
    """Give how many parts bytes of that size have."""
    return max(1, -(-size // PART_BYTES))


class Cut(NamedTuple):
    """What is wanted of one part: its number, and where in it to begin and to end."""

    number: int
    start: int
    end: int


def cuts(size: int, first: int, last: int | None) -> Iterator[Cut]:
    """Give what to read of which parts for the bytes from ``first`` to ``last``, both included."""
    end = size if last is None else min(last + 1, size)
    for number in range(first // PART_BYTES, -(-end // PART_BYTES)):
        begin = number * PART_BYTES
        yield Cut(number, max(first - begin, 0), min(end - begin, PART_BYTES))


class Spool:
    """Streamed bytes on their way in: their digest, their size, then their parts."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile(max_size=MEMORY_BYTES)  # noqa: SIM115
        self._digest = sha256()
        self.size = 0

    async def fill(self, chunks: AsyncIterator[bytes], size_max: int) -> None:
        """Take all chunks. Raises TooLarge as soon as they exceed ``size_max``."""
        async for chunk in chunks:
            self.size += len(chunk)
            if self.size > size_max:
                raise TooLarge(issue("record.bytes-too-large", size_max=size_max))
            self._digest.update(chunk)
            self._file.write(chunk)
        self._file.seek(0)

    @property
    def sha256(self) -> str:
        """The digest of what was taken, in hexadecimal."""
        return self._digest.hexdigest()

    def parts(self) -> Iterator[bytes]:
        """Give the parts in order, each read when it is asked for."""
        for _ in range(parts_count(self.size)):
            yield self._file.read(PART_BYTES)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
