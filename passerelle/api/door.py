"""The outermost part: every request comes in and every answer goes out here.

Bounds, caller, the choice between the FHIR base and the rest, refusals and faults, one line of log
and two figures per request. Pure ASGI (https://asgi.readthedocs.io/en/latest/specs/www.html).
"""

import re
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from itertools import count
from time import perf_counter
from typing import Any

import structlog

from passerelle.api import errors
from passerelle.api.errors import AddressTooLong, ClientGone, HeadersTooLarge
from passerelle.api.lingering import is_of_use, linger
from passerelle.api.metrics import Metrics
from passerelle.api.rest import encodings, fhir_service, formats, responses
from passerelle.api.rest.fhir_service import FhirService
from passerelle.api.rest.requests import header_map, located, wanted_anyhow, wants_pretty
from passerelle.api.rest.responses import Reply
from passerelle.api.security import OpenDoor
from passerelle.errors.issue_bounds import bounded
from passerelle.errors.refusals import PasserelleError, TooLarge
from passerelle.errors.rules import issue

Application = Callable[[MutableMapping[str, Any], Any, Any], Awaitable[None]]

ADDRESS_BYTES_MAX = 8_192
HEADER_BYTES_MAX = 65_536
CLIENT_GONE_STATUS = 499
"""Told in log and figures only: nobody was there any more to be answered."""

GUARDS = (
    (b"cache-control", b"private, no-cache"),
    (b"x-content-type-options", b"nosniff"),
)
"""Headers of every answer: no shared cache keeps it, nobody guesses at its type. A browser may keep
it for itself and ask again by its ETag."""

REQUEST_ID = re.compile(rb"[A-Za-z0-9.\-]{1,64}\Z")

_process = secrets.token_hex(6).encode()
_requests = count(1)

log = structlog.get_logger("passerelle.request")


def next_request_id() -> bytes:
    """Name a request that came without a name: the process and a number."""
    return b"%s-%d" % (_process, next(_requests))


class Door:
    """The ASGI application: the FHIR base in front, the rest behind."""

    def __init__(
        self,
        fhir: FhirService,
        rest: Application,
        *,
        security: OpenDoor,
        metrics: Metrics,
        lifespan: Application,
    ) -> None:
        self.fhir = fhir
        self.rest = rest
        self.security = security
        self.metrics = metrics
        self.lifespan = lifespan

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """Answer one ASGI connection."""
        if scope["type"] == "http":
            await _Exchange(self, scope, receive, send).run()
        elif scope["type"] == "lifespan":
            await self.lifespan(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1003})


class _Exchange:
    """One request and its answer."""

    __slots__ = ("door", "method", "receive", "request_id", "scope", "send", "status")

    def __init__(
        self, door: Door, scope: MutableMapping[str, Any], receive: Any, send: Any
    ) -> None:
        self.door = door
        self.scope = scope
        self.receive = receive
        self.send = send
        self.method: str = scope["method"]
        self.status = 0
        self.request_id = b""

    async def run(self) -> None:
        """Answer, whatever happens; then tell the log and the figures."""
        started = perf_counter()
        try:
            await self._answer()
        except ClientGone:
            self.status = CLIENT_GONE_STATUS
        except PasserelleError as refusal:
            if self.status:  # in the midst of a stream: too late for an answer
                await self._fail(refusal)
            else:
                refusal.issues = located(self.scope, bounded(refusal.issues))
                await self._tell(errors.refused(refusal))
        except Exception as fault:
            await self._fail(fault)
        seconds = perf_counter() - started
        route, method = self._route(), self.method
        self.door.metrics.observe(route, method, self.status, seconds)
        log.info(
            "request",
            method=method if method.isalpha() and len(method) < 16 else "?",
            route=route,
            status=self.status,
            ms=round(seconds * 1000, 3),
            request=self.request_id.decode(),
        )

    async def _answer(self) -> None:
        scope, door = self.scope, self.door
        headers = header_map(scope["headers"])
        given = headers.get(b"x-request-id", b"")
        self.request_id = given if REQUEST_ID.match(given) else next_request_id()
        _demand_bounds(scope)
        caller = door.security.caller(headers)
        path: str = scope["path"]
        if path.startswith(fhir_service.PREFIX) and path[5:6] in ("/", ""):
            reply = await door.fhir.answer(scope, headers, self.receive, caller)
            await self._reply(reply)
            return
        scope["passerelle.caller"] = caller
        if self.method == "HEAD":  # every address that is read can be asked for its head
            scope = self.scope = {**scope, "method": "GET"}  # the server's own stays: no body goes
        await door.rest(scope, self.receive, self._send_on)

    async def _reply(self, reply: Reply) -> None:
        if reply.stream is not None or len(reply.body) >= encodings.BYTES_MIN:
            accepted = header_map(self.scope["headers"]).get(b"accept-encoding", b"")
            reply = await encodings.encoded(reply, accepted)
        self.status = reply.status
        head = self.method == "HEAD"
        more = ((b"x-request-id", self.request_id), *GUARDS)
        if reply.status == TooLarge.status and is_of_use(header_map(self.scope["headers"])):
            # The client still sends: let it come to reading the answer.
            await responses.send_reply(self.send, reply, head=head, more=more, last=False)
            await linger(self.receive)
            await self.send({"type": "http.response.body", "body": b""})
            return
        await responses.send_reply(self.send, reply, head=head, more=more)

    async def _tell(self, reply: Reply) -> None:
        """Answer with an outcome, in the form that is asked for where there is a choice."""
        if self.scope["path"].startswith(fhir_service.PREFIX):
            reply = formats.written(reply, wanted_anyhow(self.scope))
        elif wants_pretty(self.scope["query_string"]):
            reply = responses.pretty(reply)
        await self._reply(reply)

    async def _send_on(self, message: MutableMapping[str, Any]) -> None:
        """Pass an answer of the rest on, with the request's id."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message = {
                **message,
                "headers": [
                    *message.get("headers", ()),
                    (b"x-request-id", self.request_id),
                    *GUARDS,
                ],
            }
        elif self.method == "HEAD":
            message = {**message, "body": b""}
        await self.send(message)

    async def _fail(self, fault: Exception) -> None:
        """Answer 500 with a reference number, under which the log tells where it happened.

        When the answer had begun it stays unfinished, and the server cuts the connection.
        """
        reference = self.scope.get("passerelle.reference") or secrets.token_hex(8)
        log.error(
            "fault", reference=reference, fault=type(fault).__name__, frames=errors.frames(fault)
        )
        if self.status:
            self.status = 500
        else:
            await self._tell(errors.failed(reference))

    def _route(self) -> str:
        """Give the pattern of the address, never the address."""
        known = self.scope.get("passerelle.route")
        if known is None:
            known = getattr(self.scope.get("route"), "path", "/*")
        return str(known)


def _demand_bounds(scope: MutableMapping[str, Any]) -> None:
    """Raise AddressTooLong or HeadersTooLarge."""
    if len(scope["raw_path"] or b"") + len(scope["query_string"]) > ADDRESS_BYTES_MAX:
        raise AddressTooLong(issue("http.address-too-long", limit=ADDRESS_BYTES_MAX))
    size = 0
    for name, value in scope["headers"]:
        size += len(name) + len(value)
    if size > HEADER_BYTES_MAX:
        raise HeadersTooLarge(issue("http.headers-too-large", limit=HEADER_BYTES_MAX))
