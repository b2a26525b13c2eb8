"""Who asks: the caller, made once per request (house section 5).

In ``open`` mode there is no authentication: the gateway listens on a loopback address only, and
whoever reaches it is the system. What a browser could be made to send from a page of another site
is refused: by the Host header (DNS rebinding) and by Origin.
"""

from collections.abc import Mapping
from urllib.parse import urlsplit

from passerelle.errors.refusals import Forbidden
from passerelle.errors.rules import issue
from passerelle.store.caller import SYSTEM, Caller

LOOPBACK = frozenset({b"localhost", b"127.0.0.1", b"[::1]"})


class OpenDoor:
    """The open mode: everybody on this machine is the system."""

    def __init__(self, base_url: str) -> None:
        host = urlsplit(base_url).netloc.rpartition("@")[2].encode("latin-1", "replace")
        self._hosts = LOOPBACK | {_hostname(host.lower())}

    def caller(self, headers: Mapping[bytes, bytes]) -> Caller:
        """Give the caller. Raises Forbidden for a foreign Host, or a page of another site."""
        host = headers.get(b"host", b"").lower()
        if _hostname(host) not in self._hosts:
            raise Forbidden(issue("http.host-unknown"))
        origin = headers.get(b"origin")
        if origin is not None and origin.lower().partition(b"://")[2] != host:
            raise Forbidden(issue("http.origin-foreign"))
        return SYSTEM


def _hostname(host: bytes) -> bytes:
    """Give a host without its port: ``[::1]:8080`` is ``[::1]``."""
    if host.startswith(b"["):
        return host.partition(b"]")[0] + b"]"
    return host.partition(b":")[0]
