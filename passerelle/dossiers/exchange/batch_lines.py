"""The lines of a body as they come: NDJSON, each line of a bounded length.

https://github.com/ndjson/ndjson-spec
"""

from collections.abc import AsyncIterator
from typing import NamedTuple


class Line(NamedTuple):
    """A line and its number in the whole file; ``body`` is None for one that is too long."""

    number: int
    body: bytes | None


async def lines(chunks: AsyncIterator[bytes], *, first: int, size_max: int) -> AsyncIterator[Line]:
    """Give the lines that hold something; ``first`` is the number of the first one.

    Of a line that is longer than ``size_max`` nothing is kept; the next one begins behind it.
    Raises what the chunks raise.
    """
    number, held, too_long = first, bytearray(), False
    async for chunk in chunks:
        start = 0
        while (end := chunk.find(b"\n", start)) >= 0:
            if too_long or len(held) + end - start > size_max:
                yield Line(number, None)
            else:
                held += chunk[start:end]
                if held.strip():
                    yield Line(number, bytes(held))
            number, start, too_long = number + 1, end + 1, False
            held.clear()
        if not too_long and len(held) + len(chunk) - start > size_max:
            too_long = True
            held.clear()
        if not too_long:
            held += chunk[start:]
    if too_long:
        yield Line(number, None)
    elif held.strip():
        yield Line(number, bytes(held))
