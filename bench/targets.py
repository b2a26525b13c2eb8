"""What is measured: a FHIR server by the address of its base, and the processes behind it."""

import contextlib
import http.client
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from bench.http_messages import Answer
from bench.load import LOOPBACK


@dataclass(frozen=True)
class Target:
    """A running server. ``roots`` are the processes that serve it; none are known of a stranger."""

    name: str
    host: str
    port: int
    path: str
    roots: tuple[int, ...] = ()
    database: str | None = None  # whose raw limits it is held against
    notes: tuple[str, ...] = field(default=())


def target_at(name: str, base_url: str, roots: tuple[int, ...] = ()) -> Target:
    """Make the target of a base URL. Raises ValueError when it is not on this machine."""
    parts = urlsplit(base_url)
    if parts.scheme != "http" or parts.hostname not in LOOPBACK or parts.port is None:
        raise ValueError("--base-url is http://127.0.0.1:PORT/…: load goes to this machine only")
    return Target(name, parts.hostname, parts.port, parts.path.rstrip("/"), roots)


class Asking:
    """One connection to a target, for what is asked beside the load."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._connection = http.client.HTTPConnection(target.host, target.port, timeout=120)

    def ask(self, method: str, path: str, body: bytes | None = None) -> Answer:
        """Send a request to a path below the base, or to a path with a leading slash as it is."""
        where = path if path.startswith("/") else f"{self._target.path}/{path}"
        headers = {"Accept": "application/fhir+json"}
        if body is not None:
            headers["Content-Type"] = "application/fhir+json"
        self._connection.request(method, where, body, headers)
        came = self._connection.getresponse()
        head = "".join(f"\r\n{name}: {value}" for name, value in came.getheaders())
        return Answer(came.status, head.encode("latin-1", "replace"), came.read(), False)

    def json(self, method: str, path: str, body: bytes | None = None) -> dict[str, Any] | None:
        """Give the JSON of an answer of 2xx; None of any other."""
        found = self.ask(method, path, body)
        if not 200 <= found.status < 300:
            return None
        with contextlib.suppress(ValueError):
            read = json.loads(found.body)
            return read if isinstance(read, dict) else None
        return None

    def close(self) -> None:
        self._connection.close()
