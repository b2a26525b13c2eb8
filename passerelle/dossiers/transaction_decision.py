"""What a transaction comes to, decided on the record as it is now, before anything is written.

In the order of processing (https://hl7.org/fhir/R4/http.html#trules): conditions are read and ids
given, links rewritten, all entries checked. What was decided on goes into the unit as expectations,
so that the commit refuses (Stale) when it changed meanwhile.
"""

from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from passerelle.dossiers import keeping
from passerelle.dossiers.bundle_refusals import place_of, placed, refusal_of
from passerelle.dossiers.conditions import expect
from passerelle.dossiers.gateway import Gateway
from passerelle.dossiers.turns import give_way
from passerelle.errors.refusals import Issue, PasserelleError
from passerelle.errors.rules import issue
from passerelle.fhir.bundles.transaction_entries import PlannedEntry
from passerelle.fhir.bundles.transaction_plan import Plan, conditional_references, rewrite
from passerelle.fhir.resource import Key
from passerelle.fhir.search.query import Query, parse_criteria
from passerelle.store.caller import Caller
from passerelle.store.contract import Delete, Expectation, Put, Unit

Criteria: TypeAlias = tuple[str, tuple[tuple[str, str], ...]]
"""Type and criteria of a condition: two entries with equal ones mean the same resource."""


@dataclass(slots=True)
class Decision:
    """A key for each entry, the writes, and what they were decided on; all by entry index."""

    keys: dict[int, Key] = field(default_factory=dict)
    writes: dict[int, Put | Delete] = field(default_factory=dict)
    kept: set[int] = field(default_factory=set)  # conditional creates that found their match
    new: set[int] = field(default_factory=set)
    expectations: list[Expectation] = field(default_factory=list)
    blobs: list[bytes] = field(default_factory=list)
    warnings: dict[int, tuple[Issue, ...]] = field(default_factory=dict)

    def unit(self) -> Unit:
        """Give what is to be committed; its writes stand in the order of ``writes``."""
        return Unit(
            writes=tuple(self.writes.values()),
            expectations=tuple(self.expectations),
            blobs=tuple(self.blobs),
        )


class Deciding:
    """One attempt at deciding a transaction."""

    def __init__(self, gateway: Gateway, caller: Caller, planned: Plan) -> None:
        self.gateway = gateway
        self.caller = caller
        self.planned = planned
        self.made = Decision()
        self._faults: list[tuple[int, Issue]] = []
        self._deleted: set[Key] = set()
        self._found: dict[Criteria, tuple[str, ...]] = {}  # what the record has, by condition
        self._wanted: dict[Criteria, Key] = {}  # what the bundle itself makes, by condition
        self._links: dict[str, str | Issue] = {}  # conditional references, resolved or at fault
        self._to_entry = planned.resolver(self.made.keys)

    async def run(self) -> Decision:
        """Decide. Raises PreconditionFailed, Invalid or Unprocessable with every fault."""
        for number, entry in enumerate(self.planned.entries):
            await give_way(number)
            await self._give_key(entry)
        self._refuse_doubles()
        for number, entry in enumerate(self.planned.entries):
            await give_way(number)
            await self._resolve_conditions(entry)
        if not self._faults:
            for number, entry in enumerate(self.planned.entries):
                await give_way(number)
                await self._write(entry)
        if self._faults:
            raise refusal_of(self._faults)
        return self.made

    async def _give_key(self, entry: PlannedEntry) -> None:
        given: str | None = None
        if entry.interaction == "create":
            criteria = entry.if_none_exist
        elif entry.interaction == "update_matching":
            given = (entry.resource or {}).get("id")
            criteria = entry.criteria
        else:
            if entry.key is not None:
                self.made.keys[entry.index] = entry.key
            if entry.key is not None and entry.interaction == "delete":
                self._deleted.add(entry.key)
            return
        if criteria is None:
            self._give_new(entry, given)
            return
        try:
            query = parse_criteria(entry.type, criteria, self.gateway.base_url)
        except PasserelleError as refusal:
            place = f"{place_of(entry.index)}.request"
            told = [replace(said, expression=place) for said in refusal.issues]
            self._faults += [(entry.index, said) for said in told]
            return
        await self._give_matching(entry, query, given)

    def _give_new(self, entry: PlannedEntry, given: str | None) -> Key:
        key = Key(entry.type, given or self.gateway.new_id())
        self.made.new.add(entry.index)
        self.made.keys[entry.index] = key
        return key

    async def _give_matching(self, entry: PlannedEntry, query: Query, given: str | None) -> None:
        """Give an entry what its condition designates, in the record or earlier in the bundle."""
        ids = await self._designated(query)
        if len(ids) > 1:
            place = f"{place_of(entry.index)}.request"
            self._faults.append((entry.index, issue("record.several-match", place)))
            return
        wanted = _criteria(query)
        key = Key(query.type, ids[0]) if ids else self._wanted.get(wanted)
        if key is None:
            self._wanted[wanted] = self._give_new(entry, given)
            return
        self.made.keys[entry.index] = key
        if entry.interaction == "create":
            self.made.kept.add(entry.index)
        elif given and given != key.id:
            place = f"{place_of(entry.index)}.resource.id"
            self._faults.append((entry.index, issue("record.id-mismatch", place)))

    async def _designated(self, query: Query) -> tuple[str, ...]:
        """Give the ids, two at the least if so many, that a condition designates now.

        Those that the bundle deletes are gone: deletions are processed first.
        """
        wanted = _criteria(query)
        if wanted in self._found:
            return self._found[wanted]
        gone = {key.id for key in self._deleted if key.type == query.type}
        ids = await self.gateway.store.matching(query, self.caller, limit=2 + len(gone))
        left = self._found[wanted] = tuple(id_ for id_ in ids if id_ not in gone)
        if len(left) < 2:
            self.made.expectations.append(expect(query, ids))
        return left

    def _refuse_doubles(self) -> None:
        """Refuse a bundle in which two entries come to write one resource."""
        written: dict[Key, int] = {}
        for entry in self.planned.entries:
            key = self.made.keys.get(entry.index)
            if key is None or entry.method == "GET" or entry.index in self.made.kept:
                continue
            first = written.setdefault(key, entry.index)
            if first != entry.index:
                place = f"{place_of(entry.index)}.request"
                said = issue("bundle.identity-duplicate", place, other=first)
                self._faults.append((entry.index, said))

    async def _resolve_conditions(self, entry: PlannedEntry) -> None:
        """Find what the conditional references of an entry designate; name each at fault."""
        place = f"{place_of(entry.index)}.resource"
        for text, expression in conditional_references(entry.resource or {}, place):
            if text not in self._links:
                self._links[text] = await self._resolved(text)
            found = self._links[text]
            if isinstance(found, Issue):
                self._faults.append((entry.index, replace(found, expression=expression)))

    async def _resolved(self, text: str) -> str | Issue:
        """Give the one resource that a conditional reference designates, or what is at fault."""
        type_, _, criteria = text.partition("?")
        try:
            query = parse_criteria(type_, criteria, self.gateway.base_url)
        except PasserelleError as refusal:
            return refusal.issues[0]
        ids = await self._designated(query)
        if len(ids) == 1:
            return f"{type_}/{ids[0]}"
        return issue("bundle.reference-several" if ids else "bundle.reference-none")

    def _resolve(self, link: str) -> str | None:
        found = self._links.get(link)
        return found if isinstance(found, str) else self._to_entry(link)

    async def _write(self, entry: PlannedEntry) -> None:
        made, index = self.made, entry.index
        key = made.keys.get(index)
        if key is None or index in made.kept:
            return
        if entry.interaction == "delete":
            made.writes[index] = Delete(key, entry.if_match)
            return
        if entry.resource is None:
            return
        resource = rewrite(entry.resource, self._resolve)
        structural, identity = keeping.faults(resource, self.gateway.ins)
        place = f"{place_of(index)}.resource"
        said = [placed(one, place) for one in (*structural, *identity)]
        graves = [one for one in said if keeping.is_grave(one)]
        if graves:
            self._faults += [(index, one) for one in graves]
            return
        made.warnings[index] = tuple(said)
        is_new = index in made.new
        kept = await keeping.prepare(
            self.gateway.store, self.caller, key, resource, must_be_new=is_new
        )
        method: Literal["POST", "PUT"] = "POST" if entry.method == "POST" else "PUT"
        made.writes[index] = Put(kept.draft, method, entry.if_match, is_new, kept.beside)
        made.blobs += kept.blobs


def _criteria(query: Query) -> Criteria:
    return query.type, tuple(sorted(query.self_pairs()))
