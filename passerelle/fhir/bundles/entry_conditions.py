"""The conditions of an entry: on which version, on the absence of what, on what is held already.

https://hl7.org/fhir/R4/bundle-definitions.html#Bundle.entry.request
"""

import re
from collections.abc import Callable
from typing import Any

from passerelle.fhir.instants import parse_instant
from passerelle.fhir.resource import Resource

ETAG = re.compile(r'(?:W/)?"([0-9]{1,18})"\Z')
WRITING = ("POST", "PUT", "PATCH")


def etag_version(text: str) -> int | None:
    """Read the version of ``W/"3"`` (or ``"3"``); None when it is no such tag."""
    match = ETAG.match(text.strip())
    return int(match[1]) if match else None


def read(request: Resource, fault: Callable[[str, str], None]) -> dict[str, Any]:
    """Give the conditions by the names that ``PlannedEntry`` has for them.

    ``fault`` is told the rule and the element of each one that cannot be read.
    """
    found: dict[str, Any] = {}
    text = request.get("ifMatch")
    if text is not None:
        found["if_match"] = etag_version(text) if isinstance(text, str) else None
        if found["if_match"] is None:
            fault("bundle.etag-malformed", "request.ifMatch")
    if request.get("method") in WRITING:
        found["must_be_absent"] = _absent(request, fault)
    else:
        found |= _held(request, fault)
    criteria = request.get("ifNoneExist")
    if criteria is not None:
        # Some senders write the whole search, `Patient?identifier=…`: the query is what counts.
        text = criteria.rpartition("?")[2] if isinstance(criteria, str) else ""
        found["if_none_exist"] = text
        if not text:
            fault("bundle.criteria-missing", "request.ifNoneExist")
    return found


def _absent(request: Resource, fault: Callable[[str, str], None]) -> bool:
    """Tell whether a write asks that there be nothing yet: only ``*`` on ``Type/id`` can."""
    text = request.get("ifNoneMatch")
    if text is None:
        return False
    if text != "*" or request.get("method") != "PUT" or "?" in str(request.get("url")):
        fault("http.if-none-match-write", "request.ifNoneMatch")
    return True


def _held(request: Resource, fault: Callable[[str, str], None]) -> dict[str, Any]:
    """Read what the client says that it holds already."""
    found: dict[str, Any] = {}
    text = request.get("ifNoneMatch")
    if text is not None:
        found["if_none_match"] = text
        if not isinstance(text, str) or not all(map(_is_tag, text.split(","))):
            fault("bundle.etag-malformed", "request.ifNoneMatch")
    since = request.get("ifModifiedSince")
    if since is not None:
        try:
            found["if_modified_since"] = parse_instant(since)
        except (TypeError, ValueError, OverflowError):
            fault("bundle.instant-malformed", "request.ifModifiedSince")
    return found


def _is_tag(text: str) -> bool:
    return text.strip() == "*" or etag_version(text) is not None
