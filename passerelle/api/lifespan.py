"""Starting and stopping (https://asgi.readthedocs.io/en/latest/specs/lifespan.html), and the part
of the application that is only loaded when it is first asked for."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import structlog

from passerelle.api.errors import frames
from passerelle.errors.refusals import PasserelleError

log = structlog.get_logger("passerelle.lifespan")

CLOSING = "passerelle.closing"
"""Where the state of the server's requests holds the event of its end: those who wait for something
to happen are answered then. The server's protocol sets it (``bounded_http``)."""


class Lifespan:
    """Runs ``start`` before the first request and ``stop`` after the last one."""

    def __init__(
        self, start: Callable[[], Awaitable[None]], stop: Callable[[], Awaitable[None]]
    ) -> None:
        self.start = start
        self.stop = stop

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """Follow the server's lifespan messages until it shuts down."""
        scope.get("state", {})[CLOSING] = asyncio.Event()
        while True:
            try:
                message = await receive()
            except asyncio.CancelledError:  # whoever serves was stopped before its time
                return
            act = self.start if message["type"] == "lifespan.startup" else self.stop
            try:
                await act()
            except PasserelleError as refusal:
                log.error("refused", rule=str(refusal))
                await send({"type": message["type"] + ".failed", "message": str(refusal)})
                return
            except Exception as fault:
                log.error("fault", fault=type(fault).__name__, frames=frames(fault))
                await send({"type": message["type"] + ".failed", "message": ""})
                return
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return


class LoadedLater:
    """An ASGI application that is built, in a thread, when the first request for it comes.

    FastAPI takes about half a second to import: the FHIR base does not wait for it.
    """

    def __init__(self, build: Callable[[], Any]) -> None:
        self.build = build
        self._built: Any = None
        self._lock = asyncio.Lock()

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """Hand the request on."""
        if self._built is None:
            async with self._lock:
                if self._built is None:
                    self._built = await asyncio.to_thread(self.build)
        await self._built(scope, receive, send)
