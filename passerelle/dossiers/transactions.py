"""Transactions and batches over the one door (https://hl7.org/fhir/R4/http.html#transaction).

A transaction is decided in one go: conditions are read, ids given, links rewritten, all entries
checked, then one unit is committed under the expectation that the conditions still hold. When they
changed meanwhile everything is decided anew.
"""

import re
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import parse_qsl

from passerelle.dossiers import keeping
from passerelle.dossiers.conditions import expect
from passerelle.dossiers.entry_answer import EntryAnswer
from passerelle.dossiers.repository import Repository
from passerelle.dossiers.retrying import settle
from passerelle.errors.refusals import (
    Conflict,
    Gone,
    Invalid,
    Issue,
    NotFound,
    PasserelleError,
    PreconditionFailed,
    Unprocessable,
)
from passerelle.errors.rules import issue
from passerelle.fhir.bundles.transaction_entries import PlannedEntry
from passerelle.fhir.bundles.transaction_plan import Plan, conditional_references, plan, rewrite
from passerelle.fhir.conformance.structure_table import resource_types
from passerelle.fhir.resource import Key, Resource
from passerelle.fhir.search.query import Query, parse, parse_criteria
from passerelle.store.contract import Delete, Expectation, Outcome, Put, Unit

WRITE = re.compile(r"writes\[([0-9]+)\]")
"""How the commit names one of several writes."""


@dataclass(slots=True)
class _Decided:
    """What one attempt decides: a key for each entry, the writes, what they were decided on."""

    keys: dict[int, Key] = field(default_factory=dict)
    writes: dict[int, Put | Delete] = field(default_factory=dict)
    kept: set[int] = field(default_factory=set)  # conditional creates that found their match
    new: set[int] = field(default_factory=set)
    expectations: list[Expectation] = field(default_factory=list)
    blobs: list[bytes] = field(default_factory=list)
    faults: list[Issue] = field(default_factory=list)
    links: dict[str, str] = field(default_factory=dict)  # conditional references as resolved


class Transaction:
    """One transaction of one caller."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self.gateway = repository.gateway
        self.caller = repository.caller

    async def run(self, bundle: Resource) -> list[EntryAnswer]:
        """Apply all entries or none; answers in the order of the entries.

        Raises Invalid or Unprocessable naming every faulty entry, PreconditionFailed, Conflict.
        """
        planned = plan(bundle, types=resource_types(), base_url=self.gateway.base_url)

        async def attempt() -> list[EntryAnswer]:
            decided = await self._decide(planned)
            unit = Unit(
                writes=tuple(decided.writes.values()),
                expectations=tuple(decided.expectations),
                blobs=tuple(decided.blobs),
            )
            try:
                outcomes = await self.gateway.store.commit(unit, self.caller)
            except (Conflict, PreconditionFailed) as refusal:
                raise _of_commit(refusal, tuple(decided.writes)) from None
            done = dict(zip(decided.writes, outcomes, strict=True))
            return await self._answers(planned, decided, done)

        return await settle(attempt)

    async def _decide(self, planned: Plan) -> _Decided:
        decided = _Decided()
        for entry in planned.entries:
            await self._give_key(entry, decided)
        self._refuse_doubles(planned, decided)
        await self._resolve_conditions(planned, decided)
        if not decided.faults:
            for entry in planned.entries:
                await self._write(planned, entry, decided)
        if decided.faults:
            raise _refusal(decided.faults)
        return decided

    async def _give_key(self, entry: PlannedEntry, decided: _Decided) -> None:
        if entry.interaction == "create":
            given = None
            criteria = entry.if_none_exist
        elif entry.interaction == "update_matching":
            given = (entry.resource or {}).get("id")
            criteria = entry.criteria
        else:
            if entry.key is not None:
                decided.keys[entry.index] = entry.key
            return
        if criteria is not None:
            query, ids = await self._designated(entry, criteria, decided)
            if query is None:
                return
            if ids:
                decided.keys[entry.index] = Key(entry.type, ids[0])
                if entry.interaction == "create":
                    decided.kept.add(entry.index)
                elif given and given != ids[0]:
                    place = f"Bundle.entry[{entry.index}].resource.id"
                    decided.faults.append(issue("record.id-mismatch", place))
                return
        decided.new.add(entry.index)
        decided.keys[entry.index] = Key(entry.type, given or self.gateway.new_id())

    async def _designated(
        self, entry: PlannedEntry, criteria: str, decided: _Decided
    ) -> tuple[Query | None, tuple[str, ...]]:
        """Give the query of a condition and the id it designates; its faults are recorded."""
        place = f"Bundle.entry[{entry.index}].request"
        try:
            query = parse_criteria(entry.type, criteria, self.gateway.base_url)
        except PasserelleError as refusal:
            decided.faults += [_placed(said, place) for said in refusal.issues]
            return None, ()
        ids = await self.gateway.store.matching(query, self.caller, limit=2)
        if len(ids) > 1:
            decided.faults.append(issue("record.several-match", place))
            return None, ()
        decided.expectations.append(expect(query, ids))
        return query, ids

    def _refuse_doubles(self, planned: Plan, decided: _Decided) -> None:
        """Refuse a bundle in which two entries come to write one resource."""
        written: dict[Key, int] = {}
        for entry in planned.entries:
            key = decided.keys.get(entry.index)
            if key is None or entry.method == "GET" or entry.index in decided.kept:
                continue
            first = written.setdefault(key, entry.index)
            if first != entry.index:
                place = f"Bundle.entry[{entry.index}].request"
                decided.faults.append(issue("bundle.identity-duplicate", place, other=first))

    async def _resolve_conditions(self, planned: Plan, decided: _Decided) -> None:
        """Find what the conditional references of all entries designate."""
        for entry in planned.entries:
            for text in conditional_references(entry.resource or {}):
                if text in decided.links:
                    continue
                type_, _, criteria = text.partition("?")
                place = f"Bundle.entry[{entry.index}].resource"
                try:
                    query = parse_criteria(type_, criteria, self.gateway.base_url)
                    ids = await self.gateway.store.matching(query, self.caller, limit=2)
                except PasserelleError as refusal:
                    decided.faults += [_placed(said, place) for said in refusal.issues]
                    continue
                if len(ids) == 1:
                    decided.links[text] = f"{type_}/{ids[0]}"
                    decided.expectations.append(expect(query, ids))
                else:
                    rule = "bundle.reference-several" if ids else "bundle.reference-none"
                    decided.faults.append(issue(rule, place))

    async def _write(self, planned: Plan, entry: PlannedEntry, decided: _Decided) -> None:
        key = decided.keys.get(entry.index)
        if key is None or entry.index in decided.kept:
            return
        if entry.interaction == "delete":
            decided.writes[entry.index] = Delete(key, entry.if_match)
            return
        if entry.resource is None:
            return
        to_entry = planned.resolver(decided.keys)

        def resolve(link: str) -> str | None:
            return decided.links.get(link) or to_entry(link)

        resource = rewrite(entry.resource, resolve)
        structural, identity = keeping.faults(resource, self.gateway.ins)
        graves = [i for i in (*structural, *identity) if keeping.is_grave(i)]
        if graves:
            place = f"Bundle.entry[{entry.index}].resource"
            decided.faults += [_placed(said, place) for said in graves]
            return
        is_new = entry.index in decided.new
        prepared = await keeping.prepare(
            self.gateway.store, self.caller, key, resource, must_be_new=is_new
        )
        method: Literal["POST", "PUT"] = "POST" if entry.method == "POST" else "PUT"
        decided.writes[entry.index] = Put(
            prepared.draft, method, entry.if_match, is_new, prepared.beside
        )
        decided.blobs += prepared.blobs

    async def _answers(
        self, planned: Plan, decided: _Decided, done: dict[int, Outcome]
    ) -> list[EntryAnswer]:
        answers: dict[int, EntryAnswer] = {}
        for entry in planned.entries:
            if entry.index in done:
                answers[entry.index] = answer_of(done[entry.index], entry.issues)
            elif entry.index in decided.kept:
                answers[entry.index] = await self._answer_kept(decided.keys[entry.index], entry)
            else:
                answers[entry.index] = await self._answer_read(entry)
        return [answers[index] for index in sorted(answers)]

    async def _answer_kept(self, key: Key, entry: PlannedEntry) -> EntryAnswer:
        """Answer a conditional create that found its match, were it deleted since."""
        try:
            return EntryAnswer(200, key, await self.repository.read(key), entry.issues)
        except (NotFound, Gone):
            return EntryAnswer(200, key, None, entry.issues)

    async def _answer_read(self, entry: PlannedEntry) -> EntryAnswer:
        """Answer a GET: what it cannot be given stands in its place, since all is written by now.

        A refusal of the whole would say of the writes that they were not done.
        """
        try:
            return await read_entry(self.repository, entry)
        except PasserelleError as refusal:
            return EntryAnswer(refusal.status, entry.key, outcome=refusal.issues)


class Batch:
    """One batch of one caller: each entry stands alone."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository

    async def run(self, bundle: Resource) -> list[EntryAnswer]:
        """Apply each entry on its own, as processing is ordered; answer as the bundle is."""
        base_url = self.repository.gateway.base_url
        planned = plan(bundle, types=resource_types(), base_url=base_url)
        answers = {
            index: EntryAnswer(refusal.status, outcome=refusal.issues)
            for index, refusal in planned.refused.items()
        }
        for entry in planned.entries:
            try:
                answers[entry.index] = await self._apply(entry)
            except PasserelleError as refusal:
                answers[entry.index] = EntryAnswer(refusal.status, outcome=refusal.issues)
        return [answers[index] for index in sorted(answers)]

    async def _apply(self, entry: PlannedEntry) -> EntryAnswer:
        repository, resource, key = self.repository, entry.resource, entry.key
        if entry.interaction == "create" and resource is not None:
            made = await repository.create(resource, if_none_exist=entry.if_none_exist)
        elif entry.interaction == "update" and resource is not None and key is not None:
            made = await repository.update(key, resource, if_match=entry.if_match)
        elif entry.interaction == "update_matching" and resource is not None:
            made = await repository.update_matching(
                entry.type, entry.criteria or "", resource, if_match=entry.if_match
            )
        elif entry.interaction == "delete" and key is not None:
            made = await repository.delete(key, if_match=entry.if_match)
        else:
            return await read_entry(repository, entry)
        return answer_of(made, entry.issues)


async def read_entry(repository: Repository, entry: PlannedEntry) -> EntryAnswer:
    """Answer a GET entry. Raises what the reading raises."""
    if entry.interaction == "search":
        query = parse(
            entry.type, parse_qsl(entry.criteria or "", keep_blank_values=True), strict=False
        )
        return EntryAnswer(200, page=await repository.search(query), query=query)
    if entry.key is None:
        raise NotFound(issue("record.not-found", f"Bundle.entry[{entry.index}].request.url"))
    if entry.interaction == "vread" and entry.version is not None:
        version = await repository.vread(entry.key, entry.version)
    else:
        version = await repository.read(entry.key)
    if entry.if_none_match == version.version:
        return EntryAnswer(304, version.key, version._replace(body=None), entry.issues)
    return EntryAnswer(200, version.key, version, entry.issues)


def answer_of(outcome: Outcome, issues: tuple[Issue, ...] = ()) -> EntryAnswer:
    """Give the answer that stands for what became of a write."""
    if outcome.action in ("deleted", "absent"):
        return EntryAnswer(204, outcome.version.key if outcome.version else None, None, issues)
    status = 201 if outcome.action == "created" else 200
    version = outcome.version
    return EntryAnswer(status, version.key if version else None, version, issues)


def _of_commit(
    refusal: Conflict | PreconditionFailed, entries: tuple[int, ...]
) -> Conflict | PreconditionFailed:
    """Give the refusal of a commit with the places of the bundle instead of those of the unit."""
    issues = []
    for said in refusal.issues:
        number = WRITE.fullmatch(said.expression or "")
        index = int(number[1]) if number else 0
        part = "resource.identifier" if said.rule == "record.identifier-taken" else "request"
        place = f"Bundle.entry[{entries[index]}].{part}"
        issues.append(Issue(said.severity, said.code, said.rule, said.text, said.text_en, place))
    return type(refusal)(*issues)


def _placed(said: Issue, place: str) -> Issue:
    """Give an issue of a resource with its expression inside the bundle."""
    tail = (said.expression or "").partition(".")[2]
    expression = f"{place}.{tail}" if tail else place
    return Issue(said.severity, said.code, said.rule, said.text, said.text_en, expression)


def _refusal(faults: list[Issue]) -> PasserelleError:
    """Choose the refusal: a condition that several match, a rule of ours, else what is invalid."""
    rules = {said.rule for said in faults}
    if "record.several-match" in rules:
        return PreconditionFailed(*faults)
    if all(rule.startswith("ins.") for rule in rules):
        return Unprocessable(*faults)
    return Invalid(*faults)
