"""Binary: the bytes of a document, as they are or as a resource.

https://hl7.org/fhir/R4/binary.html#rest . Bytes are streamed both ways. What came from outside is
served so that no browser runs it.
"""

import base64
import re
from collections.abc import AsyncIterator
from typing import NamedTuple

from passerelle.api.rest import (
    byte_ranges,
    formats,
    interactions,
    negotiation,
    responses,
    subsets,
)
from passerelle.api.rest.requests import Request
from passerelle.api.rest.responses import Reply
from passerelle.dossiers.documents import in_force as in_force_documents
from passerelle.dossiers.repository import Repository
from passerelle.errors.refusals import Invalid, NotAcceptable, UnsupportedMedia
from passerelle.errors.rules import issue
from passerelle.fhir import json_text
from passerelle.fhir.resource import Resource
from passerelle.store.contract import Version

FHIR_TYPES = frozenset({"application/fhir+json", "application/fhir+xml"})
GUARDS = (
    (b"content-security-policy", b"default-src 'none'; sandbox"),
    (b"vary", b"accept"),
    (b"accept-ranges", b"bytes"),
)
"""Headers under which foreign bytes are served; nobody guesses at their type (``door.GUARDS``)."""

CONTEXT = re.compile(r"[A-Za-z][A-Za-z0-9+.:/\-_~%]{0,499}", re.ASCII)
"""A reference as a header may carry it."""

_NAME = r"[a-z0-9][a-z0-9!#$&^_.+\-]{0,126}"
_MEDIA_TYPE = re.compile(rf"{_NAME}/{_NAME}")
"""A type and a subtype (RFC 6838, 4.2), folded to small letters."""

ENDINGS = {
    "application/json": "json",
    "application/pdf": "pdf",
    "application/xml": "xml",
    "application/zip": "zip",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/tiff": "tif",
    "text/csv": "csv",
    "text/html": "html",
    "text/plain": "txt",
    "text/rtf": "rtf",
    "text/xml": "xml",
}
"""What the name of a kept file ends with."""


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
    content_type = _content_type(request)
    if content_type is None:
        return await interactions.create(repository, request)
    outcome = await repository.create_binary(
        _without_bytes(request, content_type),
        request.chunks(request.binary_limit),
        size_max=request.binary_limit,
        if_none_exist=interactions.criteria_of_none(request),
    )
    return interactions.written(outcome, repository, request)


async def update(repository: Repository, request: Request) -> Reply:
    """Keep a version of a Binary: its bytes under their type, or a resource with ``data``."""
    content_type = _content_type(request)
    if content_type is None or content_type.partition(";")[0].strip() in negotiation.JSON_TYPES:
        return await interactions.update(repository, request)
    expected, absent = interactions.expectation(request)
    outcome = await repository.update_binary(
        interactions.instance_key(request),
        _without_bytes(request, content_type),
        request.chunks(request.binary_limit),
        size_max=request.binary_limit,
        if_match=expected,
        must_be_absent=absent,
    )
    return interactions.written(outcome, repository, request)


async def read(repository: Repository, request: Request) -> Reply:
    """Give the bytes under their own type, or the resource when FHIR is what is asked for.

    Raises NotAcceptable when neither suits the Accept header, RangeNotSatisfiable, Gone for the
    bytes of a document that was replaced or withdrawn.
    """
    part_asked = interactions.part_asked(request) if request.query else None
    version = await repository.read(interactions.instance_key(request))
    return await _given(repository, request, version, part_asked, in_force=True)


async def vread(repository: Repository, request: Request) -> Reply:
    """Give the bytes of one version, or that version as a resource."""
    part_asked = interactions.part_asked(request) if request.query else None
    number = interactions.version_number(request)
    version = await repository.vread(interactions.instance_key(request), number)
    return await _given(repository, request, version, part_asked)


async def _given(
    repository: Repository,
    request: Request,
    version: Version,
    part_asked: subsets.Asked | None,
    *,
    in_force: bool = False,
) -> Reply:
    """Give a version; ``in_force``: its bytes only while a document is (ITI-68)."""
    if interactions.is_held(version, request):
        return responses.bare(version, 304)
    resource = json_text.decode(version.body or b"{}")
    content_type = str(resource.get("contentType", ""))
    if _form(request, content_type.partition(";")[0].strip().lower()) == "resource":
        return _as_resource(repository, request, version, part_asked)
    if in_force:
        await in_force_documents.demand(repository.gateway, repository.caller, version.key)
    size = await repository.binary_size(version)
    part = None
    if request.method == "GET" and byte_ranges.is_same(request.header(b"if-range"), version.at):
        part = byte_ranges.byte_range(request.header(b"range"), size)
    headers = [
        (b"content-type", content_type.encode("latin-1", "replace")),
        *responses.version_headers(version),
        *GUARDS,
        (b"content-disposition", b'attachment; filename="%s"' % _file_name(version, content_type)),
        (b"content-length", b"%d" % (size if part is None else part.size)),
    ]
    context = (resource.get("securityContext") or {}).get("reference", "")
    if CONTEXT.fullmatch(context):
        headers.append((b"x-security-context", context.encode()))
    if part is None:
        return Reply(200, tuple(headers), stream=repository.binary_bytes(version))
    headers.append((b"content-range", part.content_range(size)))
    chunks = repository.binary_bytes(version, first=part.first, last=part.last)
    return Reply(206, tuple(headers), stream=chunks)


def _as_resource(
    repository: Repository, request: Request, version: Version, part: subsets.Asked | None
) -> Reply:
    """Give a Binary as a resource, its bytes streamed as ``data``; a part of it may be without."""
    wanted = request.wanted()
    whole = part is None or part.subset is None or "data" in part.subset.elements
    kept = responses.served(version)
    if part is not None:
        kept = kept._replace(body=part.body(kept.body))
    shown = formats.written(kept, wanted._replace(pretty=False))
    media = responses.FHIR_XML if wanted.format == "xml" else responses.FHIR_JSON
    headers = (media, *responses.version_headers(version), formats.VARY)
    if not whole:
        return Reply(200, headers, shown.body, version=version)
    chunks = repository.binary_bytes(version)
    framed = _with_data(shown.body, FRAMES[wanted.format], chunks)
    return Reply(200, headers, stream=framed, version=version)


def _content_type(request: Request) -> str | None:
    """Give the type of raw bytes; None when the body is a resource. Raises UnsupportedMedia."""
    given = request.header(b"content-type") or ""
    media = negotiation.ranges(given)
    if not given.strip():
        raise UnsupportedMedia(issue("http.content-type-missing"))
    if len(media) != 1 or not _MEDIA_TYPE.fullmatch(media[0].type):
        raise UnsupportedMedia(issue("http.content-type-malformed"))
    return None if media[0].type in FHIR_TYPES else given.strip()


def _without_bytes(request: Request, content_type: str) -> Resource:
    """Make the Binary that raw bytes are kept under, with its security context.

    https://hl7.org/fhir/R4/binary.html#security-context . Raises Invalid.
    """
    binary: Resource = {"resourceType": "Binary"}
    if request.id:
        binary["id"] = request.id
    binary["contentType"] = content_type
    context = request.header(b"x-security-context")
    if context is not None:
        if not CONTEXT.fullmatch(context):
            raise Invalid(issue("binary.security-context-malformed", "Binary.securityContext"))
        binary["securityContext"] = {"reference": context}
    return binary


def _file_name(version: Version, content_type: str) -> bytes:
    """Name the file that a browser keeps: of letters, digits, hyphens and dots only."""
    ending = ENDINGS.get(content_type.partition(";")[0].strip().lower(), "bin")
    return f"{version.key.id}.{ending}".encode()


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
