"""Content codings: gzip, of answers and of what is sent.

https://www.rfc-editor.org/rfc/rfc9110#section-8.4 , https://www.rfc-editor.org/rfc/rfc1952 . An
answer is coded when the client reads gzip and it is large enough to be worth it; a body that comes
in is bounded by what comes out of it.
"""

import asyncio
import zlib
from collections.abc import AsyncIterator, Mapping
from functools import lru_cache

from passerelle.api.rest.responses import BODYLESS, Header, Reply
from passerelle.errors.refusals import Invalid, TooLarge, UnsupportedMedia
from passerelle.errors.rules import issue

BYTES_MIN = 4_096
"""Below this the coding costs more than it spares."""

LARGE_BYTES = 200_000
"""Above this it is done in a thread, so that others need not wait."""

RATIO_MAX, RATIO_FROM = 200, 2_000_000
"""Bytes that come out of gzip for one that goes in, once so many have come out; texts of FHIR give
some ten to fifty."""

PIECE = 65_536
"""As much of a body is inflated at a time."""

LEVEL = 4
_GZIP = 16 + zlib.MAX_WBITS
_CODED = (b"content-encoding", b"gzip")
_VARY = b"accept-encoding"
_TEXTS = (
    *(b"application/fhir+", b"application/json", b"application/xml", b"application/x-ndjson"),
    *(b"text/", b"image/svg+xml"),
)


async def encoded(reply: Reply, accepted: bytes) -> Reply:
    """Give an answer in gzip where that is of use and the client reads it, as Accept-Encoding says.

    What is a part of something, or is packed already, goes as it is.
    """
    if reply.stream is None and len(reply.body) < BYTES_MIN:
        return reply
    if reply.status in BODYLESS or reply.status == 206 or not _is_text(reply.headers):
        return reply
    headers = _varying(reply.headers)
    if not reads_gzip(accepted):
        return reply._replace(headers=headers)
    headers = (*headers, _CODED)
    if reply.stream is not None:
        return reply._replace(headers=headers, stream=_deflated(reply.stream))
    large = len(reply.body) > LARGE_BYTES
    body = await asyncio.to_thread(_packed, reply.body) if large else _packed(reply.body)
    return reply._replace(headers=headers, body=body)


@lru_cache(maxsize=256)
def reads_gzip(accepted: bytes) -> bool:
    """Tell whether gzip is among what an Accept-Encoding header names, not with a weight of zero.

    https://www.rfc-editor.org/rfc/rfc9110#section-12.5.3
    """
    weights: dict[bytes, bool] = {}
    for part in accepted.lower().split(b","):
        name, _, parameter = part.replace(b" ", b"").replace(b"\t", b"").partition(b";")
        weights[name] = not parameter.startswith(b"q=0") or parameter.strip(b"q=0.") != b""
    known = [weights[name] for name in (b"gzip", b"x-gzip", b"*") if name in weights]
    return bool(known) and known[0]


def is_gzip(headers: Mapping[bytes, bytes]) -> bool:
    """Tell whether a body is in gzip. Raises UnsupportedMedia for any other coding."""
    transfer = headers.get(b"transfer-encoding", b"chunked").strip().lower()
    content = headers.get(b"content-encoding", b"identity").strip().lower()
    gzip = content in (b"gzip", b"x-gzip")
    if transfer not in (b"", b"chunked") or not (gzip or content in (b"", b"identity")):
        raise UnsupportedMedia(issue("http.content-encoding-not-read"))
    return gzip


async def inflated(chunks: AsyncIterator[bytes], limit: int) -> AsyncIterator[bytes]:
    """Give what a body in gzip holds, piece by piece.

    Raises TooLarge as soon as more than ``limit`` bytes have come out, or more than any text gives
    for so few that came in, Invalid for what is no gzip
    or is not whole.
    """
    opened, size, begun, received = zlib.decompressobj(_GZIP), 0, False, 0
    async for chunk in chunks:
        rest = chunk
        received += len(chunk)
        while rest:
            if opened.eof:  # one more member
                opened = zlib.decompressobj(_GZIP)
            try:
                piece = opened.decompress(rest, PIECE)
            except zlib.error:
                raise Invalid(issue("answer.body-not-gzip")) from None
            begun = True
            rest = opened.unused_data if opened.eof else opened.unconsumed_tail
            size += len(piece)
            if size > limit:
                raise TooLarge(issue("http.body-too-large", limit=limit))
            if size > RATIO_FROM and size > RATIO_MAX * received:
                raise TooLarge(issue("http.body-inflates"))
            if piece:
                yield piece
    if begun and not opened.eof:
        raise Invalid(issue("answer.body-not-gzip"))


def _packed(body: bytes) -> bytes:
    """Give bytes in gzip; the same bytes always, for no time stands in them."""
    coder = zlib.compressobj(LEVEL, zlib.DEFLATED, _GZIP)
    return coder.compress(body) + coder.flush()


async def _deflated(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Code a stream as it comes."""
    coder = zlib.compressobj(LEVEL, zlib.DEFLATED, _GZIP)
    async for chunk in chunks:
        large = len(chunk) > LARGE_BYTES
        packed = await asyncio.to_thread(coder.compress, chunk) if large else coder.compress(chunk)
        if packed:
            yield packed
    yield coder.flush()


def _is_text(headers: tuple[Header, ...]) -> bool:
    """Tell whether an answer is of a type that becomes smaller, and not coded already."""
    text = False
    for name, value in headers:
        if name == b"content-type":
            text = value.startswith(_TEXTS)
        elif name in (b"content-encoding", b"content-range", b"accept-ranges"):
            return False
    return text


def _varying(headers: tuple[Header, ...]) -> tuple[Header, ...]:
    """Say that the answer depends on Accept-Encoding, in the one Vary there is."""
    given = [value for name, value in headers if name == b"vary"]
    others = tuple(pair for pair in headers if pair[0] != b"vary")
    return (*others, (b"vary", b", ".join([*given, _VARY])))
