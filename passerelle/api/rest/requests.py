"""What came in: one request, read as far as it is needed and not further.

https://hl7.org/fhir/R4/http.html#general . Bodies are counted while they come in.
"""

from collections.abc import AsyncIterator, Mapping, MutableMapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from passerelle.api.errors import ClientGone
from passerelle.api.rest import encodings, negotiation
from passerelle.dossiers.effort import BATCH_SECONDS
from passerelle.dossiers.turns import in_thread
from passerelle.errors.refusals import Invalid, Issue, TooLarge, UnsupportedMedia
from passerelle.errors.rules import issue
from passerelle.fhir import json_places, json_text
from passerelle.fhir.resource import Resource
from passerelle.fhir.xml import places, reader

PAIRS_MAX = 1000
"""As many parameters a query or a form may have."""

ENCODED = frozenset({b"content-encoding", b"transfer-encoding"})
"""Headers that tell how a body is coded."""

LARGE_JSON_BYTES = 1_000_000
LARGE_XML_BYTES = 100_000
"""A body of XML above this is read in a thread of its own, so that others need not wait."""

BODY = "passerelle.body"
"""Where the ASGI scope holds the body of a resource, for the places of its faults."""

WANTED = "passerelle.wanted"
"""Where the ASGI scope holds the form of the answer once it is known."""

FORM = "application/x-www-form-urlencoded"


class Wanted(NamedTuple):
    """The form of an answer; ``pretty``: laid out for people."""

    format: negotiation.Format = "json"
    pretty: bool = False


class Body(NamedTuple):
    """The body of a resource as it came, and its form."""

    format: negotiation.Format
    text: bytes


class Request:
    """One request: method, path parameters, headers, query, and the body as it comes."""

    __slots__ = (
        "_receive",
        "_scope",
        "answer_limit",
        "batch_seconds",
        "binary_limit",
        "body_limit",
        "form_pairs",
        "headers",
        "id",
        "inner",
        "member",
        "method",
        "operation",
        "query",
        "type",
        "version",
    )

    def __init__(
        self,
        scope: MutableMapping[str, Any],
        headers: Mapping[bytes, bytes],
        receive: Any,
        body_limit: int,
    ) -> None:
        self.method: str = scope["method"]
        self.query: bytes = scope["query_string"]
        self.headers = headers
        self.body_limit = body_limit
        self.binary_limit = self.answer_limit = body_limit
        self.batch_seconds = BATCH_SECONDS  # of the entries of a bundle together
        self.inner: Any = None  # answers the requests that the entries of a bundle stand for
        self._receive = receive
        self._scope = scope
        self.form_pairs: list[tuple[str, str]] = []
        self.type = ""
        self.id = ""
        self.member = ""  # of a compartment: the type that is searched in it, or *
        self.version = ""
        self.operation = ""

    def header(self, name: bytes) -> str | None:
        """Give a header as text (bytes beyond ASCII as Latin-1, as HTTP has them)."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")

    def pairs(self) -> list[tuple[str, str]]:
        """Give the parameters of the query, less ``_format`` and ``_pretty``. Raises Invalid."""
        return [pair for pair in self.all_pairs() if pair[0] not in ("_format", "_pretty")]

    def all_pairs(self) -> list[tuple[str, str]]:
        """Give all parameters of the query. Raises Invalid when not UTF-8 or too many."""
        return form_pairs(self.query) if self.query else []

    @property
    def preference(self) -> negotiation.Preference:
        """What the Prefer header asks for."""
        prefer = self.header(b"prefer")
        return negotiation.Preference() if prefer is None else negotiation.preference(prefer)

    @property
    def strict(self) -> bool:
        """Whether unknown parameters are refused; left out by default, as the standard advises."""
        return self.preference.handling == "strict"

    def wanted(self) -> Wanted:
        """Give the form of the answer, by ``_format`` (of the query, or of a form) or Accept.

        It is noted for whoever has to tell of a refusal later. Raises NotAcceptable.
        """
        accept = self.headers.get(b"accept", b"").decode("latin-1")
        if not self.query and not self.form_pairs:
            found = Wanted(negotiation.answer_format(accept))
        else:
            format_, pretty = _format_and_pretty([*self.all_pairs(), *self.form_pairs])
            found = Wanted(negotiation.answer_format(accept, format_), pretty)
        self._scope[WANTED] = found
        return found

    def demand_json(self) -> bool:
        """See that the client reads JSON, where nothing else is served.

        Tells whether it wants it laid out for people. Raises NotAcceptable.
        """
        accept = self.headers.get(b"accept", b"").decode("latin-1")
        format_, pretty = _format_and_pretty(self.all_pairs())
        negotiation.demand_json(accept, format_)
        return pretty

    def has_no_body(self) -> bool:
        """Tell whether the headers say that no body comes."""
        length = self.headers.get(b"content-length")
        return b"transfer-encoding" not in self.headers and length in (None, b"0")

    def chunks(self, limit: int | None = None) -> AsyncIterator[bytes]:
        """Give the body as it comes, gzip taken off; ``limit`` takes the place of the usual one.

        Raises UnsupportedMedia for another coding, TooLarge past the limit, Invalid, ClientGone.
        """
        limit = self.body_limit if limit is None else limit
        received = self._received(limit)
        if not self.headers.keys().isdisjoint(ENCODED) and encodings.is_gzip(self.headers):
            return encodings.inflated(received, limit)
        return received

    async def _received(self, limit: int) -> AsyncIterator[bytes]:
        """Give the bytes as they were sent. Raises TooLarge past the limit, ClientGone."""
        declared = self.headers.get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > limit:
            raise too_large(limit)
        size = 0
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            chunk = message.get("body", b"")
            size += len(chunk)
            if size > limit:
                raise too_large(limit)
            if chunk:
                yield chunk
            if not message.get("more_body", False):
                return

    async def body(self) -> bytes:
        """Give the whole body. Raises what :meth:`chunks` raises."""
        return b"".join([chunk async for chunk in self.chunks()])

    async def resource(self) -> Resource:
        """Give the body, JSON or XML, as a resource.

        Raises UnsupportedMedia, Invalid, TooLarge.
        """
        format_ = negotiation.body_format(self.header(b"content-type") or "")
        body = await self.body()
        if not body:
            raise Invalid(issue("http.body-missing"))
        self._scope[BODY] = Body(format_, body)
        if format_ == "json":
            if len(body) > LARGE_JSON_BYTES:
                return await in_thread(json_text.decode, body)
            return json_text.decode(body)
        if len(body) > LARGE_XML_BYTES:
            return await in_thread(reader.decode, body)
        return reader.decode(body)

    def located(self, issues: tuple[Issue, ...]) -> tuple[Issue, ...]:
        """Give the issues with the line and column in the body that they speak of."""
        return located(self._scope, issues)

    async def form(self) -> list[tuple[str, str]]:
        """Give the parameters of a form body; no body at all has none.

        Raises UnsupportedMedia, Invalid, TooLarge.
        """
        given = self.header(b"content-type")
        media, _, parameters = (given or "").lower().partition(";")
        body = await self.body() if given is None else b""
        if given is None and not body:
            return []
        if media.strip() != FORM:
            raise UnsupportedMedia(issue("http.form-expected"))
        name, _, charset = parameters.partition("=")
        if name.strip() == "charset" and charset.strip(' "') not in ("utf-8", "utf8"):
            raise UnsupportedMedia(issue("http.charset-not-read"))
        self.form_pairs = form_pairs(await self.body())
        return self.form_pairs


def _format_and_pretty(pairs: list[tuple[str, str]]) -> tuple[str | None, bool]:
    """Give what ``_format`` and ``_pretty`` say; the last one of each counts."""
    format_, pretty = None, False
    for name, value in pairs:
        if name == "_format":
            format_ = value
        elif name == "_pretty":
            pretty = value == "true"
    return format_, pretty


def wanted_anyhow(scope: Mapping[str, Any]) -> Wanted:
    """Give the form in which a client is told of a refusal; never refuses anything itself."""
    known = scope.get(WANTED)
    if isinstance(known, Wanted):
        return known
    try:
        pairs = form_pairs(scope["query_string"])
    except Invalid:
        pairs = []
    format_, pretty = _format_and_pretty(pairs)
    accept = header_map(scope["headers"]).get(b"accept", b"").decode("latin-1")
    return Wanted(negotiation.spoken_format(accept, format_), pretty)


def wants_pretty(query: bytes) -> bool:
    """Tell whether a query asks for JSON laid out for people; for answers that read no query."""
    return b"_pretty=true" in query and b"_pretty=true" in query.split(b"&")


def header_map(headers: Any) -> dict[bytes, bytes]:
    """Give the headers by name; those that come twice are joined as HTTP says."""
    found = dict(headers)
    if len(found) == len(headers):
        return found
    joined: dict[bytes, bytes] = {}
    for name, value in headers:
        joined[name] = joined[name] + b", " + value if name in joined else value
    return joined


def form_pairs(text: bytes) -> list[tuple[str, str]]:
    """Read ``a=b&c=d``; blank values are kept. Raises Invalid when not UTF-8 or too many."""
    try:
        return parse_qsl(
            text.decode("utf-8"),
            keep_blank_values=True,
            encoding="utf-8",
            errors="strict",
            max_num_fields=PAIRS_MAX,
        )
    except UnicodeDecodeError:
        raise Invalid(issue("http.query-not-utf8")) from None
    except ValueError:
        raise Invalid(issue("http.too-many-parameters", limit=PAIRS_MAX)) from None


def located(scope: Mapping[str, Any], issues: tuple[Issue, ...]) -> tuple[Issue, ...]:
    """Give the issues with the line and column in the body that they speak of, if there is one."""
    body = scope.get(BODY)
    if not isinstance(body, Body):
        return issues
    find = json_places.located if body.format == "json" else places.located
    return find(body.text, issues)


def too_large(limit: int) -> TooLarge:
    """Give the refusal of a body over the limit."""
    return TooLarge(issue("http.body-too-large", limit=limit))
