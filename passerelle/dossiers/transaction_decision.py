"""What a transaction comes to, decided on the record as it is now, before anything is written.

In the order of processing (https://hl7.org/fhir/R4/http.html#trules): conditions are read and ids
given, links rewritten, all entries checked, then what refers to what. What was decided on goes into
the unit, so that the commit refuses (Stale) when it changed meanwhile.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

from passerelle.dossiers import deletions, keeping, packaged, patching, written_references
from passerelle.dossiers.bundle_refusals import place_of, placed, refusal_of
from passerelle.dossiers.documents import replacing, shared_documents
from passerelle.dossiers.documents.shared_documents import Written
from passerelle.dossiers.gateway import Gateway
from passerelle.dossiers.transaction_keys import Keys
from passerelle.dossiers.transaction_links import Links
from passerelle.dossiers.turns import Turns, apart, give_way, weight
from passerelle.dossiers.writing_policy import Profiles
from passerelle.errors.refusals import Issue, PasserelleError, TooLarge
from passerelle.errors.rules import issue
from passerelle.fhir.bundles import patch_entries
from passerelle.fhir.bundles.bundle_links import rewrite
from passerelle.fhir.bundles.transaction_entries import PlannedEntry
from passerelle.fhir.bundles.transaction_plan import FAULTS_MAX, Plan
from passerelle.fhir.document_sharing import metadata_update
from passerelle.fhir.reference_places import Reference
from passerelle.fhir.resource import Key, Resource
from passerelle.store.caller import Caller
from passerelle.store.contract import Delete, Expectation, Put, Unit, Version
from passerelle.store.referring import Referred

PATCHED_BYTES_MAX = 100_000_000
"""As large what the patches of one transaction change may be together: a patch is small, what it
changes need not be, and all of it is held at once."""

READ_TOGETHER = 50

ADDED = -1
"""The entry of a write that no entry asks for: the cascade of a deletion, a document replaced."""


@dataclass(slots=True)
class Decision:
    """The writes, each with the index of its entry, and what they were decided on."""

    keys: Mapping[int, Key]
    kept: set[int]  # conditional creates that found their match
    expectations: list[Expectation]
    writes: list[tuple[int, Put | Delete]] = field(default_factory=list)
    present: tuple[Key, ...] = ()
    unreferenced: tuple[Referred, ...] = ()
    blobs: list[bytes] = field(default_factory=list)
    warnings: dict[int, tuple[Issue, ...]] = field(default_factory=dict)

    def unit(self) -> Unit:
        """Give what is to be committed; its writes stand in the order of ``writes``."""
        return Unit(
            writes=tuple(write for _, write in self.writes),
            expectations=tuple(self.expectations),
            present=self.present,
            unreferenced=self.unreferenced,
            blobs=tuple(self.blobs),
        )


class Looked(NamedTuple):
    """A resource of an entry with its final links, what is said of it, and what it refers to."""

    resource: Resource
    said: tuple[Issue, ...]
    references: tuple[Reference, ...]


class Deciding:
    """One attempt at deciding a transaction."""

    def __init__(self, gateway: Gateway, caller: Caller, planned: Plan) -> None:
        self.gateway = gateway
        self.caller = caller
        self.planned = planned
        self.turns = Turns()
        self.keys = Keys(gateway, caller)
        self.links = Links(planned, self.keys)
        self.made = Decision(self.keys.by_entry, self.keys.kept, self.keys.expectations)
        self._faults = self.keys.faults
        self._references: dict[int, tuple[Reference, ...]] = {}
        self._heads: Mapping[Key, Version] = {}  # of what is patched
        self._written = Written()  # what documents are looked at beside
        self._documents: dict[int, Resource] = {}
        self._policies: dict[Key, Profiles] = {}  # of profiles, where a patch has its own
        self._weights: dict[int, int] = {}  # of what the entries bring
        self._methods = {entry.index: entry.method for entry in planned.entries}

    async def run(self) -> Decision:
        """Decide. Raises the refusal of every fault: see ``refusal_of``."""
        entries = self.planned.entries
        for number, entry in enumerate(entries):
            await give_way(number)
            await self.keys.give(entry)
        self.keys.refuse_doubles(entries)
        for entry in entries:
            weighed = self._weights[entry.index] = weight(entry.resource or {})
            await self.turns.take(weighed)
            await self.links.look_up(entry)
        if not self._faults:
            await self._read_patched()
            for entry in entries:
                if len(self._faults) > FAULTS_MAX:
                    break  # no more are told
                await self._write(entry)
        if not self._faults:
            await self._look_at_documents()
            await self._look_at_references()
            await self._look_at_deletions()
            await self._look_at_packages()
        if self._faults:
            raise refusal_of(self._faults)
        return self.made

    async def _read_patched(self) -> None:
        """Read what is patched. Raises TooLarge."""
        keys = self.keys.by_entry
        patched = [keys[e.index] for e in self.planned.entries if e.method == "PATCH"]
        found: dict[Key, Version] = {}
        size = 0
        for start in range(0, len(patched), READ_TOGETHER):
            part = patched[start : start + READ_TOGETHER]
            found |= await self.gateway.store.read_many(part, self.caller)
            size += sum(len(found[key].body or b"") for key in part if key in found)
            if size > PATCHED_BYTES_MAX:
                raise TooLarge(issue("bundle.patched-too-large", limit=PATCHED_BYTES_MAX))
        self._heads = found

    async def _write(self, entry: PlannedEntry) -> None:
        """Add what an entry writes, or note its faults."""
        index = entry.index
        if index in self.keys.deleted:
            gone = self.keys.deleted[index]
            self.made.writes += [(index, Delete(one, entry.if_match)) for one in gone]
            return
        key = self.keys.by_entry.get(index)
        if key is None or entry.resource is None or index in self.keys.kept:
            return
        if entry.method == "PATCH":
            await self._write_patched(entry, entry.resource, key)
        else:
            await self._put(entry, key, entry.resource)

    async def _write_patched(self, entry: PlannedEntry, given: Resource, key: Key) -> None:
        place = place_of(entry.index)
        head = self._heads.get(key)
        try:
            found = patching.head_to_patch(head, key, entry.if_match)
        except PasserelleError as refusal:
            told = [replace(said, expression=f"{place}.request") for said in refusal.issues]
            self._faults += [(entry.index, said) for said in told]
            return
        try:
            resource = patch_entries.read(given, self.links.resolve)(found)
        except PasserelleError as refusal:
            told = [placed(said, f"{place}.resource") for said in refusal.issues]
            self._faults += [(entry.index, said) for said in told]
            return
        closed = metadata_update.faults(found, resource)
        if closed:
            self._faults += [(entry.index, placed(said, f"{place}.resource")) for said in closed]
            return
        self._policies[key] = keeping.profiles_of_patch(found, self.gateway.writing.profiles)
        await self._put(entry, key, resource, head)

    async def _put(
        self, entry: PlannedEntry, key: Key, resource: Resource, head: Version | None = None
    ) -> None:
        """Add the writing of a resource, unless it has faults; of a patched one, by its head."""
        made, index = self.made, entry.index
        parts = self._weights[index] if head is None else weight(resource)
        await self.turns.take(parts)
        looked = await apart(parts, self._looked_at, key, resource, head is None)
        resource = looked.resource
        place = f"{place_of(index)}.resource"
        said = [placed(one, place) for one in looked.said]
        graves = [one for one in said if keeping.is_grave(one)]
        if graves:
            self._faults += [(index, one) for one in graves]
            return
        made.warnings[index] = tuple(said)
        self._references[index] = looked.references
        is_new = index in self.keys.new
        blob = None if head is None else head.blob
        kept = await keeping.prepare(
            self.gateway.store,
            self.caller,
            key,
            resource,
            must_be_new=is_new,
            blob=blob,
            parts=parts,
        )
        method: Literal["POST", "PUT"] = "POST" if entry.method == "POST" else "PUT"
        put = Put(
            kept.draft,
            method,
            None if head is not None else entry.if_match,
            is_new,
            kept.beside if head is None else head.version,
            must_be_absent=entry.must_be_absent,
            may_create=is_new or self.gateway.writing.update_create,
        )
        made.writes.append((index, put))
        made.blobs += kept.blobs
        self._written.add(put, resource, next(iter(kept.blobs), None))
        if key.type in shared_documents.LOOKED_AT:
            self._documents[index] = resource

    async def _look_at_documents(self) -> None:
        """See that documents are what they say of their bytes; supersede what they replace."""
        if not self._documents:
            return
        found: list[tuple[int, Issue]] = []
        for number, (index, document) in enumerate(self._documents.items()):
            await give_way(number)
            said = await shared_documents.issues(self.gateway, self.caller, document, self._written)
            found += [(index, one) for one in said]
        stated = {i: one for i, one in self._documents.items() if self._methods[i] != "PATCH"}
        written = {w.draft.key if isinstance(w, Put) else w.key for _, w in self.made.writes}
        puts, told = await shared_documents.superseded(self.gateway, self.caller, stated, written)
        self.made.writes += [(ADDED, put) for put in puts]
        again = {i for i, method in self._methods.items() if method == "PUT"}
        found += [(i, one) for i, one in told if not (i in again and one.rule == replacing.ALREADY)]
        for index, one in found:
            said_there = placed(one, f"{place_of(index)}.resource")
            if keeping.is_grave(one):
                self._faults.append((index, said_there))
            else:
                self.made.warnings[index] = (*self.made.warnings.get(index, ()), said_there)

    def _looked_at(self, key: Key, given: Resource, is_linked: bool) -> Looked:
        """Give a resource with its final links, and what is to be said of it."""
        resource = rewrite(given, self.links.resolve) if is_linked else given
        registry = self.gateway.store.parameters.registry
        structural, identity = keeping.faults(
            resource,
            self.gateway.ins,
            registry,
            profiles=self._policies.get(key, self.gateway.writing.profiles),
        )
        found = written_references.references_of(self.gateway, key, resource)
        return Looked(resource, (*structural, *identity), found)

    async def _look_at_references(self) -> None:
        """See that what the bundle refers to is there, or made by it."""
        written = {w.draft.key for _, w in self.made.writes if isinstance(w, Put)}
        kept = {self.keys.by_entry[index] for index in self.keys.kept}
        deleted = {key for keys in self.keys.deleted.values() for key in keys}
        found = [one for each in self._references.values() for one in each]
        gone, self.made.present = await written_references.missing(
            self.gateway, self.caller, found, made=written | kept, deleted=deleted
        )
        for index, each in self._references.items() if gone else ():
            place = f"{place_of(index)}.resource"
            said = [placed(s, place) for s in written_references.told(self.gateway, each, gone)]
            self._faults += [(index, one) for one in said if keeping.is_grave(one)]
            self.made.warnings[index] += tuple(one for one in said if not keeping.is_grave(one))

    async def _look_at_deletions(self) -> None:
        """See that nothing else refers to what the bundle deletes, or let it go along."""
        deleted = {key: index for index, keys in self.keys.deleted.items() for key in keys}
        if not deleted:
            return
        written = [w.draft.key for _, w in self.made.writes if isinstance(w, Put)]
        decided = await deletions.decide(self.gateway, deleted, written=written)
        for key, said in decided.refused.items():
            place = f"{place_of(deleted[key])}.request"
            self._faults.append((deleted[key], replace(said, expression=place)))
        self.made.writes += [(ADDED, Delete(key)) for key in decided.cascaded]
        self.made.unreferenced = decided.guarded

    async def _look_at_packages(self) -> None:
        """See that what packages brought stays as it is."""
        found = await packaged.faults(self.gateway, [write for _, write in self.made.writes])
        for number, said in found.items():
            index = self.made.writes[number][0]
            place = place_of(index) if index != ADDED else "Bundle"
            self._faults.append((index, placed(said, f"{place}.resource")))
