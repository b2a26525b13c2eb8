"""HTTP/1.1 as bytes: a request written, an answer parted from what stands behind it. Pure.

https://www.rfc-editor.org/rfc/rfc9112
"""

import re
from typing import NamedTuple

HEAD_END = b"\r\n\r\n"
LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)")
CHUNKED = re.compile(rb"\r\ntransfer-encoding:[^\r\n]*chunked")
CLOSE = re.compile(rb"\r\nconnection:[^\r\n]*close")
LOCATION = re.compile(rb"\r\n(?i:location):[ \t]*([^\r\n]+)")
BODILESS = (204, 304)


class Answer(NamedTuple):
    """One answer. ``closes``: the server takes no further request on this connection."""

    status: int
    head: bytes
    body: bytes
    closes: bool

    @property
    def location(self) -> str | None:
        """Give where the server says that it put what it was given."""
        found = LOCATION.search(self.head)
        return found[1].decode("latin-1").strip() if found else None


def request(
    method: str,
    path: str,
    body: bytes = b"",
    *,
    headers: tuple[str, ...] = (),
    host: str = "127.0.0.1",
) -> bytes:
    """Write one request; a body is FHIR JSON."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", "Accept: application/fhir+json"]
    if body:
        lines += ["Content-Type: application/fhir+json", f"Content-Length: {len(body)}"]
    return "\r\n".join((*lines, *headers, "", "")).encode() + body


def answer(buffer: bytes) -> Answer | None:
    """Read the one answer that a buffer begins with; None while it is not whole."""
    end = buffer.find(HEAD_END)
    if end < 0:
        return None
    head = buffer[:end]
    lower = head.lower()
    status = int(buffer[9:12])
    body = _body(buffer, end + len(HEAD_END), lower, status)
    if body is None:
        return None
    return Answer(status, head, body, CLOSE.search(lower) is not None)


def _body(buffer: bytes, start: int, head: bytes, status: int) -> bytes | None:
    if CHUNKED.search(head):
        return _chunks(buffer, start)
    found = LENGTH.search(head)
    if found is None or status in BODILESS:
        return b""
    length = int(found[1])
    return buffer[start : start + length] if len(buffer) >= start + length else None


def _chunks(buffer: bytes, start: int) -> bytes | None:
    if not buffer.endswith(b"0\r\n\r\n"):
        return None  # one request at a time: nothing stands behind the last chunk
    parts: list[bytes] = []
    while True:
        end = buffer.find(b"\r\n", start)
        if end < 0:
            return None
        size = int(buffer[start:end].split(b";")[0], 16)
        if size == 0:
            return b"".join(parts)
        if len(buffer) < end + 2 + size + 2:
            return None
        parts.append(buffer[end + 2 : end + 2 + size])
        start = end + 2 + size + 2
