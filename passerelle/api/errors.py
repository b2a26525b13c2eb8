"""From a refusal to an answer: the one place where an exception becomes HTTP.

https://hl7.org/fhir/R4/http.html#Status-Codes . Every error is an OperationOutcome; what is not a
refusal of ours is a 500 that tells a reference number and nothing of the inside.
"""

import traceback
from collections.abc import Callable, Iterable
from types import TracebackType

from passerelle.api.rest.responses import CLOSE, Header, Reply, etag, said
from passerelle.errors.refusals import Gone, NotAllowed, PasserelleError
from passerelle.errors.rules import issue

RETRY_AFTER_SECONDS = 1
MORE_HEADERS: dict[int, tuple[Header, ...]] = {
    401: ((b"www-authenticate", b"Bearer"),),
    408: (CLOSE,),
    413: (CLOSE,),  # the rest of the body is not read
    414: (CLOSE,),
    429: ((b"retry-after", b"%d" % RETRY_AFTER_SECONDS),),
    431: (CLOSE,),
    503: ((b"retry-after", b"%d" % RETRY_AFTER_SECONDS),),
}
"""Headers that go with a status."""

ALLOWED: Header = (b"allow", b"DELETE, GET, HEAD, PATCH")
"""What is allowed on the address of a resource that may not be made there by PUT."""


class ClientGone(Exception):
    """The client hung up before it was answered: nobody is there to be told."""


class TooSlow(PasserelleError):
    """The request did not come in within the time that it has (408)."""

    status = 408
    code = "timeout"


class AddressTooLong(PasserelleError):
    """The address is longer than the limit (414)."""

    status = 414
    code = "too-long"


class RangeNotSatisfiable(PasserelleError):
    """The part that is asked for begins beyond the end of a document of that many bytes (416)."""

    status = 416
    code = "value"

    def __init__(self, size: int) -> None:
        self.size = size
        super().__init__(issue("binary.range-beyond-end"))


class HeadersTooLarge(PasserelleError):
    """The headers are larger than the limit (431)."""

    status = 431
    code = "too-long"


class NotAllowedHere(NotAllowed):
    """The method is not allowed on this address, which allows others (405)."""

    def __init__(self, allowed: Iterable[str]) -> None:
        self.allowed = tuple(sorted(allowed))
        super().__init__(issue("http.method-not-allowed", methods=", ".join(self.allowed)))


def refused(refusal: PasserelleError) -> Reply:
    """Give the answer to a refusal: its status, its issues, the headers that go with it."""
    more = MORE_HEADERS.get(refusal.status, ())
    if isinstance(refusal, NotAllowedHere):
        more = (*more, (b"allow", ", ".join(refusal.allowed).encode()))
    elif isinstance(refusal, NotAllowed):  # of one resource, for what it holds
        more = (*more, ALLOWED)
    if isinstance(refusal, Gone) and refusal.version is not None:
        more = (*more, (b"etag", etag(refusal.version)))
    if isinstance(refusal, RangeNotSatisfiable):
        more = (*more, (b"content-range", b"bytes */%d" % refusal.size))
    return said(refusal.status, refusal.issues, more)


def failed(reference: str) -> Reply:
    """Give the answer to a fault of ours: a number to quote to whoever reads the log."""
    return said(500, [issue("http.internal", reference=reference)])


def frames(fault: BaseException, keep: int = 12) -> list[str]:
    """Give where a fault came from, ``file:line function``, never its message nor a value."""
    trace: TracebackType | None = fault.__traceback__
    found = traceback.extract_tb(trace)[-keep:]
    return [f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in found]


def _short(path: str) -> str:
    """Give the path from the package on."""
    marker = "passerelle/"
    return path[path.rindex(marker) :] if marker in path else path.rsplit("/", 1)[-1]


NewReference = Callable[[], str]
"""Gives the reference number of a fault."""
