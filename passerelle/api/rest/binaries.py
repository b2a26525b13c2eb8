"""Binary: the bytes of a document, as they are or as a resource.

https://hl7.org/fhir/R4/binary.html#rest . Bytes are streamed both ways. What came from outside is
served so that no browser runs it.
"""

import base64
from collections.abc import AsyncIterator
from typing import NamedTuple

from passerelle.api.rest import formats, interactions, negotiation, responses
from passerelle.api.rest.requests import Request
from passerelle.api.rest.responses import Reply
from passerelle.dossiers.repository import Repository
from passerelle.errors.refusals import NotAcceptable, NotSupported, UnsupportedMedia
from passerelle.errors.rules import issue
from passerelle.fhir.resource import Key

FHIR_TYPES = frozenset({"application/fhir+json", "application/fhir+xml"})
GUARDS = (
    (b"content-security-policy", b"default-src 'none'; sandbox"),
    (b"vary", b"accept"),
)
"""Headers under which foreign bytes are served."""


class Frame(NamedTuple):
    """What stands around the bytes in a form: before ``data``, after it, and at the very end."""

    data: bytes
    data_end: bytes
    end: bytes


FRAMES = {
    "json": Frame(b',"data":"', b'"', b"}"),
    "xml": Frame(b'<data value="', b'"/>', b"</Binary>"),
}


async def create(repository: Repository, request: Request) -> Reply:
    """Keep the bytes of the body under their type; a FHIR type means a resource instead."""
    given = request.header(b"content-type") or ""
    media = negotiation.ranges(given)
    if not media or "/" not in media[0].type or "*" in media[0].type:
        raise UnsupportedMedia(issue("http.content-type-missing"))
    if media[0].type in FHIR_TYPES:
        return await interactions.create(repository, request)
    for header, name in ((b"if-none-exist", "If-None-Exist"), (b"x-security-context", "")):
        if header in request.headers:
            what = f"POST Binary, {name or 'X-Security-Context'}"
            raise NotSupported(issue("http.not-there-yet", what=what))
    outcome = await repository.create_binary(
        given.strip(), request.chunks(), size_max=request.body_limit
    )
    return interactions.written(outcome, repository, request)


async def update(repository: Repository, request: Request) -> Reply:
    """Keep a version of a Binary given as a resource; raw bytes have no way in here yet."""
    media = negotiation.ranges(request.header(b"content-type") or "")
    if media and media[0].type not in negotiation.XML_TYPES | negotiation.JSON_TYPES:
        raise NotSupported(issue("http.not-there-yet", what="PUT Binary, octets"))
    return await interactions.update(repository, request)


async def read(repository: Repository, request: Request) -> Reply:
    """Give the bytes under their own type, or the resource when FHIR is what is asked for.

    Raises NotAcceptable when neither suits the Accept header.
    """
    known = await interactions.read(repository, request)
    if known.status == 304:
        return known
    key = Key(request.type, request.id)
    content_type, chunks = await repository.binary(key)
    form = _form(request, content_type.partition(";")[0].strip().lower())
    headers = tuple(pair for pair in known.headers if pair[0] != b"content-type")
    if form == "resource":
        wanted = request.wanted()
        shown = formats.written(known, wanted._replace(pretty=False))
        media = responses.FHIR_XML if wanted.format == "xml" else responses.FHIR_JSON
        return Reply(
            200,
            (media, *headers, formats.VARY),
            stream=_with_data(shown.body, FRAMES[wanted.format], chunks),
        )
    served_as = (b"content-type", content_type.encode("latin-1", "replace"))
    return Reply(200, (served_as, *headers, *GUARDS), stream=chunks)


def _format(request: Request) -> str | None:
    return next((value for name, value in request.all_pairs() if name == "_format"), None)


def _form(request: Request, native: str) -> str:
    """Choose between ``resource`` and ``native``."""
    if _format(request) is not None:
        return "resource"
    asked = negotiation.ranges(request.header(b"accept") or "*/*")
    family = native.partition("/")[0] + "/*"
    for media in asked:
        if media.type in (native, family, "*/*", "text/html"):
            return "native"
        if media.type in negotiation.JSON_TYPES | negotiation.XML_TYPES:
            return "resource"
    raise NotAcceptable(issue("http.format-not-served"))


async def _with_data(
    body: bytes, frame: Frame, chunks: AsyncIterator[bytes]
) -> AsyncIterator[bytes]:
    """Stream the resource with its bytes as ``data``, three by three as base64 has them.

    Without a byte there is no ``data``: FHIR has no empty texts.
    """
    rest, begun = b"", False
    yield body.removesuffix(frame.end)
    async for chunk in chunks:
        rest += chunk
        whole = len(rest) - len(rest) % 3
        if whole:
            yield (b"" if begun else frame.data) + base64.b64encode(rest[:whole])
            begun, rest = True, rest[whole:]
    if rest:
        yield (b"" if begun else frame.data) + base64.b64encode(rest)
        begun = True
    yield (frame.data_end if begun else b"") + frame.end
