"""A push that comes again under its Idempotency-Key is answered as it was the first time.

https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-idempotency-key-header . Kept are receipts,
for a day; a push that was refused is tried again. When the gateway dies between a push and its
receipt, the push is done once more: that changes nothing, and the receipt says so.
"""

from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import NamedTuple

from passerelle.dossiers.gateway import Gateway
from passerelle.errors.refusals import Conflict, Invalid, Unprocessable
from passerelle.errors.rules import issue
from passerelle.fhir.instants import SECOND
from passerelle.store.caller import Caller

KEPT_SECONDS = 24 * 3600
LEASE_SECONDS = 120
"""As long a push may take before another one may take its key."""

KEY_MAX = 255


class Answered(NamedTuple):
    """The answer to a push; ``again``: it was given before."""

    status: int
    etag: str
    body: bytes
    again: bool = False


def demand_key(text: str) -> str:
    """Read an Idempotency-Key. Raises Invalid for an empty one, or one that is too long."""
    key = text.strip().strip('"')
    if not key or len(key) > KEY_MAX or not key.isprintable():
        raise Invalid(issue("dossier.idempotency-key", "Idempotency-Key", limit=KEY_MAX))
    return key


async def once(
    gateway: Gateway,
    caller: Caller,
    key: str,
    asked: tuple[str | bytes, ...],
    push: Callable[[], Awaitable[Answered]],
) -> Answered:
    """Answer a push, or give the answer that it had; ``asked`` is all that it depends on.

    Raises Unprocessable (the key was of another request), Conflict (it is being answered), and what
    the push raises.
    """
    name, request = _digest(caller.kind, caller.subject, key), _digest(*asked)
    answers, holder, now = gateway.store.kept_answers, gateway.new_id(), gateway.clock()
    kept = await answers.begin(
        name,
        request,
        holder=holder,
        now=now,
        lease=now + LEASE_SECONDS * SECOND,
        expires=now + KEPT_SECONDS * SECOND,
    )
    if kept is None:
        return await _first(gateway, name, holder, push)
    if kept.request != request:
        raise Unprocessable(issue("dossier.idempotency-key-reused", "Idempotency-Key"))
    if kept.status is None:
        raise Conflict(issue("dossier.idempotency-under-way", "Idempotency-Key"))
    return Answered(kept.status, kept.etag or "", bytes(kept.body or b""), again=True)


async def _first(
    gateway: Gateway, name: str, holder: str, push: Callable[[], Awaitable[Answered]]
) -> Answered:
    answers = gateway.store.kept_answers
    try:
        answered = await push()
    except BaseException:
        await answers.drop(name, holder=holder)
        raise
    await answers.keep(
        name, holder=holder, status=answered.status, etag=answered.etag, body=answered.body
    )
    return answered


def _digest(*parts: str | bytes) -> str:
    """Give the digest of some parts, none of which can be taken for two."""
    digest = sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(b"%d:" % len(data))
        digest.update(data)
    return digest.hexdigest()
