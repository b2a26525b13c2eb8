"""A document's size and hash beside the bytes that its address leads to.

https://hl7.org/fhir/R4/datatypes.html#Attachment : ``hash`` is the SHA-1 of the bytes, ``size``
their number. MHD wants them accurate (https://profiles.ihe.net/ITI/MHD/ITI-65.html,
2:3.65.4.1.2.1): what declares a profile of document sharing is refused when they are not, anything
else is warned of. Looked at wherever the Binary is in the record or comes along.
"""

import asyncio
import hashlib
from base64 import b64decode
from binascii import Error
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from passerelle.dossiers.gateway import Gateway
from passerelle.errors.refusals import Issue
from passerelle.errors.rules import issue
from passerelle.fhir.document_sharing.pdsm_profiles import (
    COMPREHENSIVE,
    SIMPLIFIED,
    is_shared,
    profiles,
)
from passerelle.fhir.reference_places import key_of
from passerelle.fhir.resource import Key, Resource
from passerelle.store.caller import Caller
from passerelle.store.contract import Put

SHARED = ("document.size-mismatch", "document.hash-mismatch")
PLAIN = ("document.size-differs", "document.hash-differs")
"""The rules that size and hash break, where a profile is declared and where none is."""

MISCOUNTED = (PLAIN[0], SHARED[1])
"""Of what declares MHD only: a wrong size is no harm where the hash proves the bytes. (The example
of IHE for a replacement counts one byte too many.)"""

FRENCH = (COMPREHENSIVE, SIMPLIFIED)

MISSING = {"enforce": "document.binary-missing", "warn": "document.binary-not-there"}
"""The rule that an address to nothing breaks, by the policy of references."""

ATTACHMENTS_MAX = 20
"""As many of one resource are looked at: PDSm and MHD admit one."""

READ_BYTES_MAX = 500_000_000
"""As many bytes are read for one commit; of what is beyond, the hash is not compared."""

LARGE = 1_000_000
"""Bytes that are hashed in a thread, so that others are answered meanwhile."""

Measure = tuple[int, bytes | None]
"""Size and SHA-1; no SHA-1 where the bytes were not read."""

NOT_YET: Measure = (-1, None)


@dataclass(slots=True)
class Binaries:
    """The Binaries of one commit: what it writes, with the bytes that come along, and what was
    measured for it, each once."""

    coming: dict[Key, tuple[Put, bytes | None]] = field(default_factory=dict)
    measured: dict[Key, Measure | None] = field(default_factory=dict)
    left: int = READ_BYTES_MAX


async def check(
    gateway: Gateway, caller: Caller, resource: Resource, binaries: Binaries
) -> list[Issue]:
    """Give the issues of the attachments of a checked DocumentReference; none of another type."""
    if resource.get("resourceType") != "DocumentReference":
        return []
    shared = is_shared(resource)
    french = not profiles(resource).isdisjoint(FRENCH)
    found: list[Issue] = []
    for number, content in enumerate(resource.get("content", ())[:ATTACHMENTS_MAX]):
        attachment = content.get("attachment") or {}
        key = key_of(str(attachment.get("url", "")), gateway.base_url)
        if key is None or key.type != "Binary":
            continue
        place = f"DocumentReference.content[{number}].attachment"
        measured = await _measured(gateway, caller, key, binaries, hashed="hash" in attachment)
        if measured is not None:
            found += _compared(attachment, measured, place, shared=shared, french=french)
        elif shared and (rule := MISSING.get(gateway.writing.references)):
            found.append(issue(rule, f"{place}.url"))
    return found


async def _measured(
    gateway: Gateway, caller: Caller, key: Key, binaries: Binaries, *, hashed: bool
) -> Measure | None:
    """Give size and SHA-1 of the bytes of a Binary, None when it is not there.

    Each is read once for a commit, and only where a hash is stated (``hashed``).
    """
    known = binaries.measured.get(key, NOT_YET)
    if known is NOT_YET or (hashed and known is not None and known[1] is None):
        known = await _read(gateway, caller, key, binaries, hashed=hashed)
        binaries.measured[key] = known
    return known


async def _read(
    gateway: Gateway, caller: Caller, key: Key, binaries: Binaries, *, hashed: bool
) -> Measure | None:
    digest = hashlib.sha1(usedforsecurity=False)
    put, data = binaries.coming.get(key, (None, None))
    if data is not None:
        if len(data) > LARGE:
            await asyncio.to_thread(digest.update, data)
        else:
            digest.update(data)
        return len(data), digest.digest()
    if put is None:
        head = await gateway.store.read(key, caller)
        if head is None or head.body is None:
            return None
        blob = head.blob
    else:
        blob = put.draft.blob
    if blob is None:
        return 0, digest.digest()
    size = await gateway.store.blob_size(blob)
    if not hashed or size > binaries.left:
        return size, None
    binaries.left -= size
    async for part in gateway.store.blob(blob):
        digest.update(part)
    return size, digest.digest()


def _compared(
    attachment: Mapping[str, Any],
    measured: Measure,
    place: str,
    *,
    shared: bool,
    french: bool,
) -> list[Issue]:
    """Say what is not as it was measured. A wrong size tells of a wrong hash as well."""
    size, sha1 = measured
    rules = SHARED if shared else PLAIN
    is_stated = "hash" in attachment and sha1 is not None
    is_other = is_stated and _bytes_of(attachment["hash"]) != sha1
    if attachment.get("size", size) != size:
        proven = is_stated and not is_other
        rules = MISCOUNTED if shared and not french and proven else rules
        return [issue(rules[0], f"{place}.size")]
    return [issue(rules[1], f"{place}.hash")] if is_other else []


def _bytes_of(text: str) -> bytes | None:
    try:
        return b64decode("".join(text.split()), validate=True)
    except (Error, ValueError):
        return None
