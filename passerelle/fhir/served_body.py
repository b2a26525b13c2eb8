"""The body as served, cut where the commit will write the version and its instant.

https://hl7.org/fhir/R4/http.html#create : the server sets ``id``, ``meta.versionId`` and
``meta.lastUpdated`` and leaves everything else as it came.
"""

from collections.abc import Mapping
from typing import Any

from passerelle.fhir.json_text import encode
from passerelle.fhir.resource import Key, Resource

_ASSIGNED = ("versionId", "lastUpdated")


def split(resource: Resource, key: Key) -> tuple[bytes, bytes, bytes]:
    """Give (before, between, after), so that the body is before+version+between+instant+after.

    ``id`` is the key's; in ``meta`` the version and the instant come first and replace those sent;
    every other member stays as and where it was. An ``id`` or ``meta`` that was not there comes
    right after ``resourceType``. The resource itself is left as it is.
    """
    before, after = _around_meta(resource, key)
    meta = resource.get("meta")
    kept = {k: v for k, v in meta.items() if k not in _ASSIGNED} if isinstance(meta, dict) else {}
    return (
        b"{" + _members(before, b"", b",") + b'"meta":{"versionId":"',
        b'","lastUpdated":"',
        b'"' + _members(kept, b",", b"") + b"}" + _members(after, b",", b"") + b"}",
    )


def _around_meta(resource: Resource, key: Key) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give the members before and after ``meta``, ``id`` set, in their order."""
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    part = before
    typed = "resourceType" in resource
    if not typed:
        before["resourceType"] = key.type
        part = _inserted(resource, key, before, after)
    for name, value in resource.items():
        if name == "meta":
            part = after
        elif name == "id":
            part["id"] = key.id
        elif name == "resourceType":
            part[name] = value
            part = _inserted(resource, key, part, after)
        else:
            part[name] = value
    return before, after


def _inserted(
    resource: Resource, key: Key, part: dict[str, Any], after: dict[str, Any]
) -> dict[str, Any]:
    """Put in what is missing after ``resourceType``; give the part that goes on from there."""
    if "id" not in resource:
        part["id"] = key.id
    return part if "meta" in resource else after


def _members(members: Mapping[str, Any], lead: bytes, trail: bytes) -> bytes:
    """Write members without their braces, between two bytes; nothing when there are none."""
    return lead + encode(members)[1:-1] + trail if members else b""
