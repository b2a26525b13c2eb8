"""Which resource each entry of a transaction is about: ids given, conditions read.

https://hl7.org/fhir/R4/http.html#trules . What a condition was found to designate goes into the
unit as an expectation.
"""

from dataclasses import replace
from typing import TypeAlias

from passerelle.dossiers import deletions
from passerelle.dossiers.bundle_refusals import place_of
from passerelle.dossiers.conditions import condition, expect
from passerelle.dossiers.gateway import Gateway
from passerelle.errors.refusals import Issue, PasserelleError
from passerelle.errors.rules import issue
from passerelle.fhir.bundles.transaction_entries import PlannedEntry
from passerelle.fhir.resource import Key
from passerelle.fhir.search.query import Query
from passerelle.store.caller import Caller
from passerelle.store.contract import Expectation

Criteria: TypeAlias = tuple[str, tuple[tuple[str, str], ...]]
"""Type and criteria of a condition: two entries with equal ones mean the same resource."""


class Keys:
    """The keys of the entries, given one entry after another in the order of processing.

    ``by_entry`` holds the key of each entry that has one, ``deleted`` all those of the deletions,
    by entry; ``kept`` are conditional creates that found their match, ``new`` those that make.
    """

    def __init__(self, gateway: Gateway, caller: Caller) -> None:
        self.gateway = gateway
        self.caller = caller
        self.by_entry: dict[int, Key] = {}
        self.deleted: dict[int, tuple[Key, ...]] = {}
        self.kept: set[int] = set()
        self.new: set[int] = set()
        self.expectations: list[Expectation] = []
        self.faults: list[tuple[int, Issue]] = []
        self._gone: set[Key] = set()
        self._found: dict[Criteria, tuple[str, ...]] = {}  # what the record has, by condition
        self._wanted: dict[Criteria, Key] = {}  # what the bundle itself makes, by condition

    async def give(self, entry: PlannedEntry) -> None:
        """Give an entry its key, or note why it cannot be given one."""
        try:
            await self._give(entry)
        except PasserelleError as refusal:
            place = f"{place_of(entry.index)}.request"
            self.faults += [(entry.index, replace(s, expression=place)) for s in refusal.issues]

    async def _give(self, entry: PlannedEntry) -> None:
        if entry.interaction == "delete_matching":
            await self._give_deleted(entry)
        elif entry.interaction == "patch_matching":
            await self._give_patched(entry)
        elif entry.interaction == "create" and entry.if_none_exist is not None:
            await self._give_matching(entry, entry.if_none_exist, None)
        elif entry.interaction == "update_matching":
            given = (entry.resource or {}).get("id")
            await self._give_matching(entry, entry.criteria or "", given)
        elif entry.interaction == "create":
            self._give_new(entry, None)
        elif entry.key is not None:
            self.by_entry[entry.index] = entry.key
            if entry.interaction == "delete":
                self._delete(entry, (entry.key,))

    def _delete(self, entry: PlannedEntry, keys: tuple[Key, ...]) -> None:
        self.deleted[entry.index] = keys
        self._gone.update(keys)

    async def _give_deleted(self, entry: PlannedEntry) -> None:
        """Give a conditional delete all that it designates. Raises as ``designated``."""
        query = await condition(self.gateway, self.caller, entry.type, entry.criteria or "")
        ids = await deletions.designated(
            self.gateway, self.caller, entry.type, entry.criteria or ""
        )
        if entry.if_match is not None and len(ids) != 1:
            self._fault(entry, "record.version-conflict", "request.ifMatch")
        self.expectations.append(expect(query, ids))
        keys = tuple(Key(entry.type, id_) for id_ in ids)
        if keys:
            self.by_entry[entry.index] = keys[0]
        self._delete(entry, keys)

    async def _give_patched(self, entry: PlannedEntry) -> None:
        query = await condition(self.gateway, self.caller, entry.type, entry.criteria or "")
        ids = await self.designated(query)
        if len(ids) == 1:
            self.by_entry[entry.index] = Key(entry.type, ids[0])
            return
        rule = "record.several-match" if ids else "record.none-match"
        self._fault(entry, rule, "request.url")

    async def _give_matching(self, entry: PlannedEntry, criteria: str, given: str | None) -> None:
        """Give an entry what its condition designates, in the record or earlier in the bundle."""
        query = await condition(self.gateway, self.caller, entry.type, criteria)
        ids = await self.designated(query)
        if len(ids) > 1:
            self._fault(entry, "record.several-match", "request")
            return
        wanted = criteria_of(query)
        key = Key(query.type, ids[0]) if ids else self._wanted.get(wanted)
        if key is None:
            if given and not self.gateway.writing.update_create:
                self._fault(entry, "record.ids-are-given", "resource.id")
            self._wanted[wanted] = self._give_new(entry, given)
            return
        self.by_entry[entry.index] = key
        if entry.interaction == "create":
            self.kept.add(entry.index)
        elif given and given != key.id:
            self._fault(entry, "record.id-mismatch", "resource.id")

    def _give_new(self, entry: PlannedEntry, given: str | None) -> Key:
        key = Key(entry.type, given or self.gateway.new_id())
        self.new.add(entry.index)
        self.by_entry[entry.index] = key
        return key

    async def designated(self, query: Query) -> tuple[str, ...]:
        """Give the ids, two at the least if so many, that a condition designates now.

        Those that the bundle deletes are gone: deletions are processed first.
        """
        wanted = criteria_of(query)
        if wanted in self._found:
            return self._found[wanted]
        gone = {key.id for key in self._gone if key.type == query.type}
        ids = await self.gateway.store.matching(query, self.caller, limit=2 + len(gone))
        left = self._found[wanted] = tuple(id_ for id_ in ids if id_ not in gone)
        if len(left) < 2:
            self.expectations.append(expect(query, ids))
        return left

    def refuse_doubles(self, entries: tuple[PlannedEntry, ...]) -> None:
        """Refuse a bundle in which two entries come to write one resource."""
        written: dict[Key, int] = {}
        for entry in entries:
            if entry.interaction == "ask" or entry.index in self.kept:
                continue
            key = self.by_entry.get(entry.index)
            alone = () if key is None else (key,)
            for one in self.deleted.get(entry.index, alone):
                first = written.setdefault(one, entry.index)
                if first != entry.index:
                    self._fault(entry, "bundle.identity-duplicate", "request", other=first)
                    break

    def _fault(self, entry: PlannedEntry, rule: str, element: str, **parts: object) -> None:
        place = f"{place_of(entry.index)}.{element}"
        self.faults.append((entry.index, issue(rule, place, **parts)))


def criteria_of(query: Query) -> Criteria:
    """Give type and criteria of a condition, however it was spelled."""
    return query.type, tuple(sorted(query.self_pairs()))
