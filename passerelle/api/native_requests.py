"""What the routes of the native form have in common: the caller, the body, the form of answers."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from types import MappingProxyType
from typing import Any

import msgspec
from fastapi import Request, Response

from passerelle.api.lifespan import CLOSING
from passerelle.api.rest import requests
from passerelle.api.rest.requests import Request as Received
from passerelle.errors.refusals import Invalid
from passerelle.errors.rules import issue
from passerelle.fhir import json_text
from passerelle.store.caller import Caller

JSON = "application/json"
NONE: Mapping[str, str] = MappingProxyType({})
EVERYWHERE = frozenset({"_format", "_pretty"})
"""Parameters of the form of an answer."""


def received_of(request: Request, body_limit: int) -> Received:
    """Give the request as it is read here: bodies bounded, gzip taken off."""
    headers = requests.header_map(request.scope["headers"])
    return Received(request.scope, headers, request.receive, body_limit)


def caller_of(request: Request) -> Caller:
    """Give the caller that the door has made."""
    caller = request.scope["passerelle.caller"]
    assert isinstance(caller, Caller)
    return caller


def laid_out(body: bytes, *, pretty: bool) -> bytes:
    """Lay JSON out for people when that is asked for; numbers and texts stay as written."""
    return msgspec.json.format(body, indent=2) if pretty else body


def answer_json(value: Any, *, pretty: bool, status: int = 200) -> Response:
    """Give an answer of JSON."""
    return Response(laid_out(json_text.encode(value), pretty=pretty), status, media_type=JSON)


class Streamed(Response):
    """An answer whose parts go out as they come, while the body of the request may still come in.

    The framework's own listens to the client meanwhile, and so would take its body away.
    """

    def __init__(
        self, parts: AsyncIterator[bytes], *, media_type: str, headers: Mapping[str, str] = NONE
    ) -> None:
        super().__init__(None, 200, dict(headers), media_type)
        self.parts = parts
        self.raw_headers = [pair for pair in self.raw_headers if pair[0] != b"content-length"]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Send the head at once, then each part."""
        start = {"status": self.status_code, "headers": self.raw_headers}
        await send({"type": "http.response.start", **start})
        async for part in self.parts:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


async def begun(parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Wait for the first part, so that what is refused is refused before the answer begins."""
    first = await anext(parts, b"")

    async def all_of() -> AsyncIterator[bytes]:
        yield first
        async for part in parts:
            yield part

    return all_of()


def demand_known(request: Request, known: Collection[str]) -> None:
    """See that no parameter is asked that this address does not know. Raises Invalid.

    A filter that is misspelled must not give everything.
    """
    if not set(request.query_params) <= {*known, *EVERYWHERE}:
        raise Invalid(issue("dossier.parameter-unknown", known=", ".join(sorted(known))))


async def gone(request: Request) -> None:
    """Wait until nobody waits for the answer: the client hung up, or the process is to stop."""
    closing = request.scope.get("state", {}).get(CLOSING) or asyncio.Event()
    hung_up = asyncio.ensure_future(_hung_up(request))
    closed = asyncio.ensure_future(closing.wait())
    try:
        await asyncio.wait((hung_up, closed), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (hung_up, closed):
            task.cancel()
        await asyncio.gather(hung_up, closed, return_exceptions=True)


async def _hung_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        continue
