"""What is answered while the question still comes, kept until the client reads it.

Most HTTP clients read nothing before they have sent everything: if the answer had to wait for
them, and the reading of the question for the answer, both would wait for ever. Past what fits in
memory it lies in a file without a name. https://www.rfc-editor.org/rfc/rfc9112#section-9.5
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator

MEMORY_BYTES = 1 << 20
SPOOL_BYTES_MAX = 1 << 30
"""As much may lie there; then the question is read no further until the client has read some."""

CHUNK_BYTES = 65_536


class AnswerSpool:
    """Bytes written by one task and read by another, in their order."""

    def __init__(self, source: AsyncIterator[bytes]) -> None:
        self._source = source
        self._file = tempfile.SpooledTemporaryFile(MEMORY_BYTES)  # noqa: SIM115
        self._read = self._written = 0
        self._ended = False
        self._moved = asyncio.Event()

    async def chunks(self) -> AsyncIterator[bytes]:
        """Give all that the source gives, as it comes. Raises what the source raises."""
        filling = asyncio.create_task(self._fill())
        try:
            while True:
                if self._read < self._written:
                    yield self._take()
                elif self._ended:
                    await filling
                    return
                else:
                    await self._move()
        finally:
            filling.cancel()
            await asyncio.gather(filling, return_exceptions=True)
            self._file.close()

    async def _fill(self) -> None:
        try:
            async for part in self._source:
                while self._written > SPOOL_BYTES_MAX:
                    await self._move()
                self._file.seek(self._written)
                self._file.write(part)
                self._written += len(part)
                self._moved.set()
        finally:
            self._ended = True
            self._moved.set()

    async def _move(self) -> None:
        self._moved.clear()
        await self._moved.wait()

    def _take(self) -> bytes:
        self._file.seek(self._read)
        part = self._file.read(CHUNK_BYTES)
        self._read += len(part)
        if self._read == self._written:
            self._file.seek(0)
            self._file.truncate()
            self._read = self._written = 0
        self._moved.set()
        return part
