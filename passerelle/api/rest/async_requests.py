"""Requests with ``Prefer: respond-async``: begun, asked about, fetched and forgotten.

https://hl7.org/fhir/R4/async.html . What reads can be answered later: searches, histories and the
operations that change nothing. What was asked is kept in the database alone; neither the addresses
nor the log tell of it.
"""

import re
from collections.abc import AsyncIterator
from urllib.parse import quote, urlencode

import msgspec

from passerelle.api.rest import negotiation, operations, responses, searches
from passerelle.api.rest.interactions import ID, instance_key
from passerelle.api.rest.operation import Level
from passerelle.api.rest.requests import Request
from passerelle.api.rest.responses import Reply
from passerelle.dossiers.async_policy import ANSWER_JOB
from passerelle.dossiers.pace import SECOND
from passerelle.dossiers.repository import Repository
from passerelle.errors.refusals import Invalid, NotFound
from passerelle.errors.rules import issue
from passerelle.fhir.instants import http_date
from passerelle.store.async_requests import PATIENCE_MICROSECONDS, AsyncRequest
from passerelle.store.outbox import NewJob

APPLIED = (b"preference-applied", b"respond-async")
NDJSON = (b"content-type", b"application/fhir+ndjson")
NDJSON_NAMES = frozenset({"application/fhir+ndjson", "application/ndjson", "ndjson"})
OUTPUT_FORMAT = "_outputFormat"
PAGE = "500"
"""The size of a page where the client names none; it sees no pages."""

FILE = re.compile(r"[0-9]{1,5}\Z")

WAITS = (1, 30)
"""Seconds to wait before asking again, at least and at most."""


class Asked(msgspec.Struct, frozen=True):
    """What a request asks: all that it takes to ask it again. ``url`` is how it came."""

    method: str
    path: str  # below the base, without a slash at its beginning
    query: str
    url: str
    handling: str | None = None
    media: str | None = None  # of the body
    body: bytes = b""


def suits(code: str, request: Request) -> bool:
    """Tell whether a request asks to be answered later, and is one that can be."""
    if b"prefer" not in request.headers or not request.preference.responds_async:
        return False
    if request.method not in ("GET", "POST"):
        return False
    if code.startswith(("search", "history")):
        return True
    if code != "operation":
        return False
    level: Level = "instance" if request.id else "type" if request.type else "system"
    found = operations.find(request.operation, level, request.type)
    return found is not None and not (
        found.affects_state or (found.may_write and request.method == "POST")
    )


async def begin(repository: Repository, request: Request, code: str, path: str) -> Reply:
    """Keep a request to be answered later: 202, and where to ask about it.

    Raises Invalid and whatever can be refused before anything is looked up.
    """
    gateway = repository.gateway
    asked = await _asked(repository, request, code, path)
    policy, now, id_ = gateway.asynchronous, gateway.clock(), gateway.new_id()
    kept_until = now + round(policy.kept_seconds * SECOND) + PATIENCE_MICROSECONDS
    requests = gateway.store.async_requests
    if not await requests.begin(
        id_,
        repository.caller,
        msgspec.json.encode(asked),
        NewJob(ANSWER_JOB, id_, b"{}", due=now),
        now=now,
        expires=kept_until,
        unfinished_max=policy.unfinished_max,
        kept_max=policy.kept_max,
    ):
        said = issue("async.too-many", unfinished=policy.unfinished_max, kept=policy.kept_max)
        return responses.said(429, [said], ((b"retry-after", b"%d" % WAITS[1]),))
    place = f"{gateway.base_url}/_async/{id_}".encode()
    return responses.said(202, [issue("async.accepted")], ((b"content-location", place), APPLIED))


async def _asked(repository: Repository, request: Request, code: str, path: str) -> Asked:
    """Read what is asked. Raises Invalid, NotFound, UnsupportedMedia, TooLarge."""
    if request.id:
        instance_key(request)
    came = "/".join(part for part in (repository.gateway.base_url, quote(path, "/$")) if part)
    if request.query:
        came += "?" + request.query.decode("latin-1")
    search, method, media, body = code.startswith("search"), "GET", None, b""
    pairs = request.pairs()
    if search and request.method == "POST":
        form = await request.form()
        pairs += [pair for pair in form if pair[0] not in ("_format", "_pretty")]
        path = path.removesuffix("/_search").removesuffix("_search")
    elif request.method == "POST":
        method = "POST"
        if not request.has_no_body():
            media = request.header(b"content-type") or ""
            negotiation.body_format(media)
            body = await request.body()
    pairs = _less_output_format(pairs)
    if search:
        await searches.understood(repository, request, pairs)
    if code != "operation" and all(name != "_count" for name, _ in pairs):
        pairs.append(("_count", PAGE))
    handling = request.preference.handling
    return Asked(method, path, urlencode(pairs), came, handling, media, body)


def _less_output_format(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Leave out the form of the files, which is always the same. Raises Invalid for another."""
    # ``+`` of a media type arrives as a space when it was not escaped in a query.
    wanted = {value.replace(" ", "+").lower() for name, value in pairs if name == OUTPUT_FORMAT}
    if not wanted <= NDJSON_NAMES:
        raise Invalid(issue("async.output-format", OUTPUT_FORMAT))
    return [pair for pair in pairs if pair[0] != OUTPUT_FORMAT]


async def status(repository: Repository, request: Request) -> Reply:
    """Tell how far a request is: 202, or what it was answered."""
    found = await _found(repository, request)
    if found.state == "waiting":
        seconds = (repository.gateway.clock() - found.created) // SECOND
        wait = max(WAITS[0], min(WAITS[1], seconds // 4))
        told = f"{found.pages} pages, {found.resources} resources" if found.pages else "waiting"
        return Reply(202, ((b"retry-after", b"%d" % wait), (b"x-progress", told.encode())))
    answer, expires = found.answer or b"{}", http_date(found.expires).encode()
    if found.state == "failed":
        return responses.fhir(answer, found.status or 500, ((b"expires", expires),))
    return Reply(200, (responses.JSON, (b"expires", expires)), answer)


async def cancel(repository: Repository, request: Request) -> Reply:
    """Forget a request, whether it was answered or not."""
    found = await _found(repository, request)
    await repository.gateway.store.async_requests.forget(found.id)
    return responses.said(202, [issue("async.forgotten")])


async def output(repository: Repository, request: Request) -> Reply:
    """Give one file of an answer, as NDJSON."""
    found = await _found(repository, request)
    number = request.member
    if found.state != "done" or found.run is None or not FILE.match(number):
        raise NotFound(issue("async.unknown"))
    requests, run, file = repository.gateway.store.async_requests, found.run, int(number)
    first = await requests.part(found.id, run, file, 0)
    if first is None:
        raise NotFound(issue("async.unknown"))

    async def stream() -> AsyncIterator[bytes]:
        data: bytes | None = first
        part = 0
        while data is not None:
            yield data
            part += 1
            data = await requests.part(found.id, run, file, part)

    return Reply(200, (NDJSON, (b"expires", http_date(found.expires).encode())), stream=stream())


async def _found(repository: Repository, request: Request) -> AsyncRequest:
    """Give the request of an address, to whoever made it. Raises NotFound."""
    if not ID.match(request.id):
        raise NotFound(issue("async.unknown"))
    found = await repository.gateway.store.async_requests.find(request.id)
    if (
        found is None
        or found.caller != repository.caller
        or found.expires <= repository.gateway.clock()
    ):
        raise NotFound(issue("async.unknown"))
    return found
