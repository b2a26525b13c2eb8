"""Transactions and batches over the one door (https://hl7.org/fhir/R4/http.html#transaction).

A transaction is decided in one go (``transaction_decision``), then one unit is committed under the
expectation that what it was decided on still holds. When it changed meanwhile everything is decided
anew.
"""

from urllib.parse import parse_qsl

from passerelle.dossiers.bundle_refusals import of_commit, place_of, placed
from passerelle.dossiers.entry_answer import EntryAnswer
from passerelle.dossiers.repository import Repository
from passerelle.dossiers.retrying import settle
from passerelle.dossiers.search_terms import parsed
from passerelle.dossiers.transaction_decision import Deciding, Decision
from passerelle.errors.refusals import (
    Conflict,
    Gone,
    Issue,
    NotAllowed,
    NotFound,
    PasserelleError,
    PreconditionFailed,
)
from passerelle.errors.rules import issue
from passerelle.fhir.bundles import patch_entries
from passerelle.fhir.bundles.transaction_entries import PlannedEntry
from passerelle.fhir.bundles.transaction_plan import Plan, plan
from passerelle.fhir.conformance.structure_table import resource_types
from passerelle.fhir.resource import Key, Resource
from passerelle.fhir.search.query import parse
from passerelle.store.contract import Outcome


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
            decided = await Deciding(self.gateway, self.caller, planned).run()
            try:
                outcomes = await self.gateway.store.commit(decided.unit(), self.caller)
            except (Conflict, NotAllowed, PreconditionFailed) as refusal:
                raise of_commit(refusal, [index for index, _ in decided.writes]) from None
            done = {
                index: outcome for (index, _), outcome in zip(decided.writes, outcomes, strict=True)
            }
            return await self._answers(planned, decided, done)

        return await settle(attempt)

    async def _answers(
        self, planned: Plan, decided: Decision, done: dict[int, Outcome]
    ) -> list[EntryAnswer]:
        answers: dict[int, EntryAnswer] = {}
        for entry in planned.entries:
            if entry.index in done:
                said = (*entry.issues, *decided.warnings.get(entry.index, ()))
                answers[entry.index] = answer_of(done[entry.index], said)
            elif entry.index in decided.kept:
                answers[entry.index] = await self._answer_kept(decided.keys[entry.index], entry)
            elif entry.interaction == "delete_matching":  # that designated nothing
                answers[entry.index] = EntryAnswer(204, outcome=entry.issues)
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
            made = await repository.update(
                key, resource, if_match=entry.if_match, must_be_absent=entry.must_be_absent
            )
        elif entry.interaction == "update_matching" and resource is not None:
            made = await repository.update_matching(
                entry.type, entry.criteria or "", resource, if_match=entry.if_match
            )
        elif entry.interaction in ("patch", "patch_matching") and resource is not None:
            made = await self._patch(entry, resource)
        elif entry.interaction == "delete_matching":
            gone = await repository.delete_matching(
                entry.type, entry.criteria or "", if_match=entry.if_match
            )
            return EntryAnswer(204, outcome=(issue("http.deleted", count=len(gone)),))
        elif entry.interaction == "delete" and key is not None:
            made = await repository.delete(key, if_match=entry.if_match)
        else:
            return await read_entry(repository, entry)
        place = f"{place_of(entry.index)}.resource"
        warnings = (placed(said, place) for said in made.warnings)
        return answer_of(made, (*entry.issues, *warnings))

    async def _patch(self, entry: PlannedEntry, resource: Resource) -> Outcome:
        change = patch_entries.read(resource, lambda _: None)
        if entry.key is not None:
            return await self.repository.patch(entry.key, change, if_match=entry.if_match)
        return await self.repository.patch_matching(
            entry.type, entry.criteria or "", change, if_match=entry.if_match
        )


async def read_entry(repository: Repository, entry: PlannedEntry) -> EntryAnswer:
    """Answer a GET entry. Raises what the reading raises."""
    if entry.interaction == "search":
        pairs = parse_qsl(entry.criteria or "", keep_blank_values=True)
        query = await parsed(
            repository.gateway,
            repository.caller,
            lambda terms: parse(entry.type, pairs, strict=False, terminology=terms),
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
