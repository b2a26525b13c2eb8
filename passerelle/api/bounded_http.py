"""The server's HTTP/1.1, with bounds on a request that it does not have itself.

The parser keeps address and headers in memory until they are complete, however long they are
(https://www.rfc-editor.org/rfc/rfc6585#section-5 : 431). A head that does not come and a body that
stands still are not waited for (https://www.rfc-editor.org/rfc/rfc9110#section-15.5.9 : 408). What
is refused here is told as everywhere: by an OperationOutcome.
"""

import asyncio
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from passerelle.api import errors
from passerelle.api.errors import HeadersTooLarge, TooSlow
from passerelle.api.lifespan import CLOSING
from passerelle.errors.refusals import Invalid, PasserelleError
from passerelle.errors.rules import issue

HEAD_BYTES_MAX = 131_072
HEAD_SECONDS_MAX = 30.0
BODY_PAUSE_SECONDS_MAX = 30.0
"""As long a body may stand still between two pieces."""
BODY_SECONDS_MAX = 900.0
"""As long a body may take in all: the largest that is taken, over a slow line."""


class BoundedHttp(HttpToolsProtocol):
    """uvicorn's protocol over httptools, counting the bytes of a head and the time that it takes.

    One clock per connection looks at it now and then: a request costs no timer of its own.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._in_head = True
        self._in_body = False
        self._head_bytes = 0
        self._begun_at = 0.0
        self._heard_at = 0.0
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self._begun_at = self._heard_at = self.loop.time()
        self._look_again()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, and refuse a head that has grown over its bound."""
        self._heard_at = self.loop.time()
        super().data_received(data)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES_MAX:
                limit = HEAD_BYTES_MAX
                self._refuse(HeadersTooLarge(issue("http.headers-too-large", limit=limit)))

    def on_message_begin(self) -> None:
        """Begin to count a head."""
        super().on_message_begin()
        self._in_head = True
        self._head_bytes = 0
        self._begun_at = self.loop.time()

    def on_headers_complete(self) -> None:
        """Count no more: the body has a bound of its own."""
        self._in_head = False
        self._in_body = True
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Wait for nothing: the next request is waited for by the server itself."""
        self._in_body = False
        super().on_message_complete()

    def shutdown(self) -> None:
        """Tell those who wait for something to happen that they are to be answered now."""
        closing = self.app_state.get(CLOSING)
        if closing is not None:
            closing.set()
        super().shutdown()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP."""
        self._refuse(Invalid(issue("http.malformed")))

    def _refuse(self, refusal: PasserelleError) -> None:
        """Write an answer past the application, and close."""
        if self.transport.is_closing():
            return
        reply = errors.refused(refusal)
        lines = [b"HTTP/1.1 %d %s" % (reply.status, HTTPStatus(reply.status).phrase.encode())]
        lines += [name + b": " + value for name, value in reply.headers if name != b"connection"]
        lines += [b"content-length: %d" % len(reply.body), b"connection: close", b"", reply.body]
        self.transport.write(b"\r\n".join(lines))
        self.transport.close()

    def _look_again(self) -> None:
        seconds = min(HEAD_SECONDS_MAX, BODY_PAUSE_SECONDS_MAX)
        self._patience = self.loop.call_later(seconds, self._look)

    def _look(self) -> None:
        """Give up a request that has been coming in for too long."""
        now = self.loop.time()
        if self._in_head:
            late = now >= self._begun_at + HEAD_SECONDS_MAX
            told = not self._head_bytes  # nobody asked for anything
        else:
            late = self._in_body and self._body_is_late(now)
            told = self.cycle is not None and self.cycle.response_started
        if not late:
            self._look_again()
        elif told:
            self.transport.close()
        else:
            self._refuse(TooSlow(issue("http.too-slow")))

    def _body_is_late(self, now: float) -> bool:
        """Tell whether a body stands still, through no fault of who reads it, or takes too long.

        One that is answered while it comes may take as long as there is something to answer.
        """
        answered = self.cycle is not None and self.cycle.response_started
        if now >= self._begun_at + BODY_SECONDS_MAX and not answered:
            return True
        return not self.flow.read_paused and now >= self._heard_at + BODY_PAUSE_SECONDS_MAX
