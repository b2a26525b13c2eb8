"""Patching: a patch is applied to the head and committed beside it, or applied anew.

https://hl7.org/fhir/R4/http.html#patch . What comes of it is checked as any write.
"""

from passerelle.dossiers import keeping, packaged, written_references
from passerelle.dossiers.conditions import condition, expect, one_designated
from passerelle.dossiers.documents import shared_documents
from passerelle.dossiers.gateway import Gateway
from passerelle.dossiers.retrying import settle
from passerelle.dossiers.turns import apart
from passerelle.errors.refusals import Gone, NotAllowed, NotFound, PreconditionFailed
from passerelle.errors.rules import issue
from passerelle.fhir import json_text
from passerelle.fhir.document_sharing import metadata_update
from passerelle.fhir.patch.patch import Patch
from passerelle.fhir.resource import Key, Resource
from passerelle.fhir.search.query import Query
from passerelle.store.caller import Caller
from passerelle.store.contract import Outcome, Put, Unit, Version


def head_to_patch(head: Version | None, key: Key, if_match: int | None) -> Resource:
    """Give the resource that a patch is applied to.

    Raises NotFound, Gone, PreconditionFailed (``if_match``).
    """
    if head is None:
        raise NotFound(issue("record.not-found", key.type))
    if head.body is None:
        raise Gone(issue("record.deleted", key.type), version=head.version)
    if if_match is not None and head.version != if_match:
        raise PreconditionFailed(issue("record.version-conflict"))
    return json_text.decode(head.body)


async def patch(
    gateway: Gateway, caller: Caller, key: Key, change: Patch, *, if_match: int | None = None
) -> Outcome:
    """Patch a resource; ``kept`` when nothing comes of it.

    Raises NotFound, Gone, PreconditionFailed, Unprocessable (the patch cannot be applied),
    NotAllowed (of a PDSm document, more than its metadata), and what a write raises.
    """

    async def attempt() -> Outcome:
        return await _attempt(gateway, caller, key, change, if_match)

    return await settle(attempt)


async def patch_matching(
    gateway: Gateway,
    caller: Caller,
    type: str,
    criteria: str,
    change: Patch,
    *,
    if_match: int | None = None,
) -> Outcome:
    """Patch the one resource that the criteria designate.

    Raises NotFound when there is none, PreconditionFailed when there are several, and as ``patch``.
    """
    query = await condition(gateway, caller, type, criteria)

    async def attempt() -> Outcome:
        ids = await one_designated(gateway, caller, query)
        if not ids:
            raise NotFound(issue("record.none-match", type))
        return await _attempt(gateway, caller, Key(type, ids[0]), change, if_match, (query, ids))

    return await settle(attempt)


async def _attempt(
    gateway: Gateway,
    caller: Caller,
    key: Key,
    change: Patch,
    if_match: int | None,
    expectation: tuple[Query, tuple[str, ...]] | None = None,
) -> Outcome:
    head = await gateway.store.read(key, caller)
    found = head_to_patch(head, key, if_match)
    resource = await apart(found, change, found)
    closed = metadata_update.faults(found, resource)
    if closed:
        raise NotAllowed(*closed)
    assert head is not None  # else refused above
    registry = gateway.store.parameters.registry
    profiles = keeping.profiles_of_patch(found, gateway.writing.profiles)
    warnings = await apart(
        resource, keeping.demand, resource, gateway.ins, registry, profiles=profiles
    )
    checked = await written_references.check(gateway, caller, key, resource)
    said = await shared_documents.check(gateway, caller, resource)
    kept = await keeping.prepare(gateway.store, caller, key, resource, blob=head.blob)
    put = Put(kept.draft, beside=head.version)
    await packaged.demand(gateway, (put,))
    unit = Unit(
        writes=(put,),
        expectations=() if expectation is None else (expect(*expectation),),
        present=checked.present,
        blobs=kept.blobs,
    )
    (outcome,) = await gateway.store.commit(unit, caller)
    return outcome._replace(warnings=(*warnings, *checked.warnings, *said))
