"""The one door to the record (house section 1.3): every way in writes and reads through it.

One repository per request, holding the caller. Rights, validation, identity rules, keeping and
outbox happen here. https://hl7.org/fhir/R4/http.html
"""

from collections.abc import AsyncIterator
from typing import Literal

from passerelle.dossiers import deletions, keeping, packaged, patching, written_references
from passerelle.dossiers.conditions import condition, expect, one_designated
from passerelle.dossiers.documents import publishing, shared_documents
from passerelle.dossiers.gateway import Gateway
from passerelle.dossiers.retrying import settle
from passerelle.dossiers.turns import apart, weight
from passerelle.errors.refusals import Gone, Invalid, Issue, NotAllowed, NotFound
from passerelle.errors.rules import issue
from passerelle.fhir import json_text
from passerelle.fhir.document_sharing.pdsm_profiles import is_simplified
from passerelle.fhir.history_query import HistoryQuery
from passerelle.fhir.patch.patch import Patch
from passerelle.fhir.resource import Key, Resource
from passerelle.fhir.search import added_parameters
from passerelle.fhir.search.query import Query
from passerelle.store.caller import Caller
from passerelle.store.contract import HistoryPage, Outcome, Page, Put, Unit, Version


class Repository:
    """What a caller may do with the record; ``warns``: somebody reads what a write warns of."""

    def __init__(self, gateway: Gateway, caller: Caller, *, warns: bool = True) -> None:
        self.gateway = gateway
        self.caller = caller
        self.warns = warns

    async def read(self, key: Key) -> Version:
        """Give the current version. Raises NotFound, or Gone when it has been deleted."""
        found = await self.gateway.store.read(key, self.caller)
        if found is None:
            raise NotFound(issue("record.not-found", key.type))
        if found.body is None:
            raise Gone(issue("record.deleted", key.type), version=found.version)
        return found

    async def vread(self, key: Key, version: int) -> Version:
        """Give one version. Raises NotFound, or Gone when that version is the deletion."""
        found = await self.gateway.store.vread(key, version, self.caller)
        if found is None:
            raise NotFound(issue("record.version-not-found", key.type))
        if found.body is None:
            raise Gone(issue("record.deleted", key.type), version=found.version)
        return found

    async def past(self, query: HistoryQuery) -> HistoryPage:
        """Give one page of a history, deletions included.

        Raises NotFound for a resource that there never was, Invalid for a cursor of another one.
        """
        page = await self.gateway.store.past(query, self.caller)
        if not page.versions and query.type is not None and query.id is not None:
            key = Key(query.type, query.id)
            if await self.gateway.store.read(key, self.caller) is None:
                raise NotFound(issue("record.not-found", key.type))
        return page

    async def search(self, query: Query) -> Page:
        """Give one page of a search."""
        return await self.gateway.store.search(query, self.caller)

    async def create(
        self, resource: Resource, *, if_none_exist: str | None = None, blob: str | None = None
    ) -> Outcome:
        """Keep a new resource under an id of ours; ``blob`` as for an update.

        With ``if_none_exist`` (criteria of If-None-Exist) the one resource that matches is given
        back as ``kept``. A document that declares the simplified publication comes apart: see
        ``publishing``. Raises Invalid, Unprocessable, PreconditionFailed when several match.
        """
        if is_simplified(resource) and blob is None:
            return await publishing.publish(
                self.gateway, self.caller, resource, if_none_exist=if_none_exist
            )
        if if_none_exist is None:
            return await self._put(self._new_key(resource), resource, must_be_new=True, blob=blob)
        query = await condition(self.gateway, self.caller, resource["resourceType"], if_none_exist)
        warnings = await self._demanded(resource)

        async def attempt() -> Outcome:
            ids = await one_designated(self.gateway, self.caller, query)
            if ids:
                return Outcome("kept", await self.read(Key(query.type, ids[0])))
            return await self._keep(
                self._new_key(resource),
                resource,
                must_be_new=True,
                expectation=(query, ids),
                blob=blob,
            )

        return _warned(await settle(attempt), warnings)

    async def update(
        self,
        key: Key,
        resource: Resource,
        *,
        if_match: int | None = None,
        must_be_absent: bool = False,
        blob: str | None = None,
    ) -> Outcome:
        """Keep a version of a resource, creating it under the caller's id when it is new.

        Identical content is ``kept`` and makes no version. ``blob`` holds the bytes of a Binary
        that has no ``data``. Raises Invalid, Unprocessable, PreconditionFailed (``if_match``,
        ``must_be_absent``), NotAllowed (ids are not the client's to give).
        """
        return await self._put(
            key, resource, if_match=if_match, must_be_absent=must_be_absent, blob=blob
        )

    async def update_matching(
        self, type: str, criteria: str, resource: Resource, *, if_match: int | None = None
    ) -> Outcome:
        """Update the one resource that the criteria designate, or create it.

        https://hl7.org/fhir/R4/http.html#cond-update . Raises PreconditionFailed when several
        match, Invalid when the body's id is not that of the match.
        """
        query = await condition(self.gateway, self.caller, type, criteria)
        warnings = await self._demanded(resource)
        given = resource.get("id")

        async def attempt() -> Outcome:
            ids = await one_designated(self.gateway, self.caller, query)
            if not ids:
                if given and not self.gateway.writing.update_create:
                    raise NotAllowed(issue("record.ids-are-given"))
                key = Key(type, given) if given else self._new_key(resource)
                return await self._keep(
                    key,
                    resource,
                    if_match=if_match,
                    must_be_new=True,
                    expectation=(query, ids),
                )
            if given and given != ids[0]:
                raise Invalid(issue("record.id-mismatch", f"{type}.id"))
            return await self._keep(
                Key(type, ids[0]), resource, if_match=if_match, expectation=(query, ids)
            )

        return _warned(await settle(attempt), warnings)

    async def delete(self, key: Key, *, if_match: int | None = None) -> Outcome:
        """Delete a resource; its versions stay. Deleting again is no error.

        Raises PreconditionFailed (``if_match``), Conflict when something refers to it.
        """
        return await deletions.delete(self.gateway, self.caller, key, if_match=if_match)

    async def delete_matching(
        self, type: str, criteria: str, *, if_match: int | None = None
    ) -> tuple[Outcome, ...]:
        """Delete what the criteria designate: see ``deletions.delete_matching``."""
        return await deletions.delete_matching(
            self.gateway, self.caller, type, criteria, if_match=if_match
        )

    async def patch(self, key: Key, change: Patch, *, if_match: int | None = None) -> Outcome:
        """Patch a resource: see ``patching.patch``."""
        return await patching.patch(self.gateway, self.caller, key, change, if_match=if_match)

    async def patch_matching(
        self, type: str, criteria: str, change: Patch, *, if_match: int | None = None
    ) -> Outcome:
        """Patch the one resource that the criteria designate: see ``patching``."""
        return await patching.patch_matching(
            self.gateway, self.caller, type, criteria, change, if_match=if_match
        )

    async def create_binary(
        self,
        resource: Resource,
        chunks: AsyncIterator[bytes],
        *,
        size_max: int,
        if_none_exist: str | None = None,
    ) -> Outcome:
        """Keep the bytes of a document as a Binary, which comes without them. Raises TooLarge."""
        digest, _ = await self.gateway.store.put_blob(chunks, size_max=size_max)
        return await self.create(resource, if_none_exist=if_none_exist, blob=digest)

    async def update_binary(
        self,
        key: Key,
        resource: Resource,
        chunks: AsyncIterator[bytes],
        *,
        size_max: int,
        if_match: int | None = None,
        must_be_absent: bool = False,
    ) -> Outcome:
        """Keep bytes as a version of a Binary. Raises TooLarge, and what an update raises."""
        digest, _ = await self.gateway.store.put_blob(chunks, size_max=size_max)
        return await self.update(
            key, resource, if_match=if_match, must_be_absent=must_be_absent, blob=digest
        )

    async def binary(self, key: Key) -> tuple[str, AsyncIterator[bytes]]:
        """Give the content type and the bytes of a Binary, streamed. Raises NotFound, Gone."""
        found = await self.read(key)
        assert found.body is not None  # read() refuses deletions
        content_type = str(json_text.decode(found.body).get("contentType", ""))
        return content_type, self.binary_bytes(found)

    async def binary_size(self, binary: Version) -> int:
        """Give how many bytes a version of a Binary has."""
        return 0 if binary.blob is None else await self.gateway.store.blob_size(binary.blob)

    def binary_bytes(
        self, binary: Version, *, first: int = 0, last: int | None = None
    ) -> AsyncIterator[bytes]:
        """Stream the bytes of a version of a Binary, from ``first`` to ``last`` (included)."""
        if binary.blob is None:
            return _nothing()
        return self.gateway.store.blob(binary.blob, first=first, last=last)

    async def _demanded(self, resource: Resource, parts: int | None = None) -> tuple[Issue, ...]:
        parameters = self.gateway.store.parameters
        if resource.get("resourceType") == added_parameters.PLACE:
            await parameters.refresh(now=True)  # another process may have added one just now
        registry = parameters.registry
        heavy = resource if parts is None else parts
        return await apart(
            heavy,
            keeping.demand,
            resource,
            self.gateway.ins,
            registry,
            profiles=self.gateway.writing.profiles,
        )

    def _new_key(self, resource: Resource) -> Key:
        return Key(resource["resourceType"], self.gateway.new_id())

    async def _put(
        self,
        key: Key,
        resource: Resource,
        *,
        if_match: int | None = None,
        must_be_new: bool = False,
        must_be_absent: bool = False,
        blob: str | None = None,
    ) -> Outcome:
        parts = weight(resource)
        warnings = await self._demanded(resource, parts)

        async def attempt() -> Outcome:
            return await self._keep(
                key,
                resource,
                if_match=if_match,
                must_be_new=must_be_new,
                must_be_absent=must_be_absent,
                blob=blob,
                parts=parts,
            )

        return _warned(await settle(attempt), warnings)

    async def _keep(
        self,
        key: Key,
        resource: Resource,
        *,
        if_match: int | None = None,
        must_be_new: bool = False,
        must_be_absent: bool = False,
        expectation: tuple[Query, tuple[str, ...]] | None = None,
        blob: str | None = None,
        parts: int | None = None,
    ) -> Outcome:
        """Commit a resource that has been demanded of; ``parts`` is its weight, where known."""
        checked = await written_references.check(
            self.gateway, self.caller, key, resource, warns=self.warns
        )
        said = await shared_documents.check(self.gateway, self.caller, resource)
        store, new = self.gateway.store, must_be_new
        kept = await keeping.prepare(
            store, self.caller, key, resource, must_be_new=new, blob=blob, parts=parts
        )
        method: Literal["POST", "PUT"] = "POST" if must_be_new else "PUT"
        put = Put(
            kept.draft,
            method,
            if_match,
            must_be_new,
            kept.beside,
            must_be_absent=must_be_absent,
            may_create=must_be_new or self.gateway.writing.update_create,
        )
        await packaged.demand(self.gateway, (put,))
        unit = Unit(
            writes=(put,),
            expectations=() if expectation is None else (expect(*expectation),),
            present=checked.present,
            blobs=kept.blobs,
        )
        (outcome,) = await self.gateway.store.commit(unit, self.caller)
        return outcome._replace(warnings=(*checked.warnings, *said))


def _warned(outcome: Outcome, warnings: tuple[Issue, ...]) -> Outcome:
    return outcome._replace(warnings=(*warnings, *outcome.warnings))


async def _nothing() -> AsyncIterator[bytes]:
    nothing: tuple[bytes, ...] = ()
    for chunk in nothing:
        yield chunk
