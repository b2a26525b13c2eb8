"""The place where a page ends, as an opaque text that only its own search takes back.

https://hl7.org/fhir/R4/http.html#paging . Nothing is kept: the text carries the place, and a seal
(HMAC-SHA256, RFC 2104) over the place, the search and the caller.
"""

import binascii
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import TypeAlias

from passerelle.errors.refusals import Invalid
from passerelle.errors.rules import issue

Place: TypeAlias = tuple[str | int | None, ...]
"""The sort keys of the last match of a page, then its pid."""

_SEAL_SIZE = 16


def scope_of(*parts: object) -> bytes:
    """Give the digest of what a cursor is bound to: the search as understood, the caller."""
    return sha256(json.dumps(parts, default=str).encode()).digest()


def _seal(secret: bytes, scope: bytes, place: bytes) -> bytes:
    return hmac.digest(secret, scope + place, "sha256")[:_SEAL_SIZE]


def seal(secret: bytes, scope: bytes, place: Place) -> str:
    """Give the cursor of a place."""
    spelled = json.dumps(place, ensure_ascii=False, separators=(",", ":")).encode()
    return urlsafe_b64encode(_seal(secret, scope, spelled) + spelled).rstrip(b"=").decode()


def unseal(secret: bytes, scope: bytes, cursor: str, size: int) -> Place:
    """Give the place of ``size`` values of a cursor; raises Invalid for one of another search."""
    try:
        whole = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except (binascii.Error, ValueError):
        raise _refused() from None
    given, spelled = whole[:_SEAL_SIZE], whole[_SEAL_SIZE:]
    if not hmac.compare_digest(given, _seal(secret, scope, spelled)):
        raise _refused()
    place = json.loads(spelled)
    if len(place) != size:
        raise _refused()
    return tuple(place)


def _refused() -> Invalid:
    return Invalid(issue("search.cursor-invalid", "_cursor"))
