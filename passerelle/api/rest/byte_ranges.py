"""Parts of a document: which bytes a Range header asks for.

https://www.rfc-editor.org/rfc/rfc9110#section-14 . One range is served; of several, which a server
need not serve, the whole. A range that nobody can read is no range.
"""

import re
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from passerelle.api.errors import RangeNotSatisfiable
from passerelle.fhir.instants import SECOND

_RANGE = re.compile(r"bytes=\s*([0-9]{0,18})-([0-9]{0,18})\s*", re.IGNORECASE)


class ByteRange(NamedTuple):
    """The first and the last byte, both included."""

    first: int
    last: int

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return self.last - self.first + 1

    def content_range(self, size: int) -> bytes:
        """Write the Content-Range header of a part of that many bytes."""
        return b"bytes %d-%d/%d" % (self.first, self.last, size)


def byte_range(header: str | None, size: int) -> ByteRange | None:
    """Give the one range that is asked for, cut to what is there; None for the whole.

    Raises RangeNotSatisfiable.
    """
    match = None if header is None else _RANGE.fullmatch(header.strip())
    if match is None or match[1] == match[2] == "":
        return None
    if match[1] == "":  # the last so many bytes
        wanted = int(match[2])
        if not wanted or not size:
            raise RangeNotSatisfiable(size)
        return ByteRange(max(size - wanted, 0), size - 1)
    first = int(match[1])
    last = size - 1 if match[2] == "" else min(int(match[2]), size - 1)
    if match[2] and int(match[2]) < first:
        return None  # malformed, so that it is left out
    if first >= size:
        raise RangeNotSatisfiable(size)
    return ByteRange(first, last)


def is_same(if_range: str | None, at: int) -> bool:
    """Tell whether a part still fits what the client has; ``at`` is when it was last changed.

    Our entity tags are weak, and If-Range takes strong ones only: the date decides
    (https://www.rfc-editor.org/rfc/rfc9110#section-13.1.5).
    """
    if if_range is None:
        return True
    try:
        moment = parsedate_to_datetime(if_range)
    except ValueError:
        return False
    return moment.tzinfo is not None and int(moment.timestamp()) == at // SECOND
