"""Transactions and batches over the one door (https://hl7.org/fhir/R4/http.html#transaction).

A transaction is decided in one go (``transaction_decision``), then one unit is committed under the
expectation that what it was decided on still holds. When it changed meanwhile everything is decided
anew.
"""

from collections.abc import Callable

from passerelle.dossiers import transaction_decision
from passerelle.dossiers.bundle_refusals import of_commit, place_of, placed
from passerelle.dossiers.effort import Effort
from passerelle.dossiers.entry_answer import NOTHING_ASKED, Asking, EntryAnswer
from passerelle.dossiers.repository import Repository
from passerelle.dossiers.retrying import settle
from passerelle.dossiers.transaction_decision import Deciding, Decision
from passerelle.dossiers.turns import admitted, apart, give_way, weight
from passerelle.errors.refusals import (
    Conflict,
    Gone,
    Issue,
    NotAllowed,
    NotFound,
    NotSupported,
    PasserelleError,
    PreconditionFailed,
    TooLarge,
)
from passerelle.errors.rules import issue
from passerelle.fhir.bundles import patch_entries
from passerelle.fhir.bundles.bundle_links import rewrite
from passerelle.fhir.bundles.transaction_entries import PlannedEntry
from passerelle.fhir.bundles.transaction_plan import Plan, plan
from passerelle.fhir.conformance.structure_table import resource_types
from passerelle.fhir.resource import Key, Resource
from passerelle.store.contract import Outcome


class Transaction:
    """One transaction of one caller."""

    def __init__(
        self,
        repository: Repository,
        asking: Asking = NOTHING_ASKED,
        effort: Effort | None = None,
    ) -> None:
        """``effort``: what the entries that ask may take together."""
        self.effort = effort or Effort()
        self.repository = repository
        self.gateway = repository.gateway
        self.caller = repository.caller
        self.asking = asking

    async def run(self, bundle: Resource) -> list[EntryAnswer]:
        """Apply all entries or none; answers in the order of the entries.

        Raises Invalid or Unprocessable naming every faulty entry, PreconditionFailed, Conflict.
        """
        base_url, parts = self.gateway.base_url, weight(bundle)
        planned = await apart(parts, plan, bundle, types=resource_types(), base_url=base_url)
        asked = [entry for entry in planned.entries if entry.interaction == "ask"]
        refused = {entry.index: self.asking.refuses(entry) for entry in asked}
        faults = [refused[index] for index in sorted(refused)]
        if any(faults):
            raise NotSupported(*(said for said in faults if said is not None))

        async def attempt() -> list[EntryAnswer]:
            async with admitted(parts):
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
                answer = answer_of(done.pop(entry.index), said)
            elif entry.index in decided.kept:
                answer = await self._answer_kept(decided.keys[entry.index], entry)
            elif entry.interaction == "delete_matching":  # that designated nothing
                answer = EntryAnswer(204, outcome=entry.issues)
            else:
                answer = await self._answer_asked(entry, planned.resolver(decided.keys))
            answers[entry.index] = self.asking.shown(entry.method, answer)
        return [answers[index] for index in sorted(answers)]

    async def _answer_kept(self, key: Key, entry: PlannedEntry) -> EntryAnswer:
        """Answer a conditional create that found its match, were it deleted since."""
        try:
            return EntryAnswer(200, key, await self.repository.read(key), entry.issues)
        except (NotFound, Gone):
            return EntryAnswer(200, key, None, entry.issues)

    async def _answer_asked(
        self, entry: PlannedEntry, resolve: Callable[[str], str | None]
    ) -> EntryAnswer:
        """Answer what is asked: what it cannot be given stands in its place, all is written by now.

        A refusal of the whole would say of the writes that they were not done.
        """
        inputs = None if entry.resource is None else rewrite(entry.resource, resolve)
        try:
            self.effort.demand(place_of(entry.index))
            return await self.effort.of(self.asking.answer(entry, inputs))
        except PasserelleError as refusal:
            return EntryAnswer(refusal.status, entry.key, outcome=refusal.issues)


class Batch:
    """One batch of one caller: each entry stands alone."""

    def __init__(
        self,
        repository: Repository,
        asking: Asking = NOTHING_ASKED,
        effort: Effort | None = None,
    ) -> None:
        """``effort``: what the entries may take together."""
        self.effort = effort or Effort()
        self.repository = repository
        self.asking = asking
        self._patched = 0  # bytes of what patches made

    async def run(self, bundle: Resource) -> list[EntryAnswer]:
        """Apply each entry on its own, as processing is ordered; answer as the bundle is."""
        base_url = self.repository.gateway.base_url
        planned = await apart(bundle, plan, bundle, types=resource_types(), base_url=base_url)
        answers = {
            index: self.asking.shown("", EntryAnswer(refusal.status, outcome=refusal.issues))
            for index, refusal in planned.refused.items()
        }
        for number, entry in enumerate(planned.entries):
            await give_way(number)
            try:
                self.effort.demand(place_of(entry.index))
                answer = await self.effort.of(self._apply(entry))
            except PasserelleError as refusal:
                answer = EntryAnswer(refusal.status, outcome=refusal.issues)
            answers[entry.index] = self.asking.shown(entry.method, answer)
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
            return await self.asking.answer(entry, resource)
        place = f"{place_of(entry.index)}.resource"
        warnings = (placed(said, place) for said in made.warnings)
        return answer_of(made, (*entry.issues, *warnings))

    async def _patch(self, entry: PlannedEntry, resource: Resource) -> Outcome:
        """Patch; a small bundle that changes much is bounded as a transaction is."""
        limit = transaction_decision.PATCHED_BYTES_MAX
        if self._patched > limit:
            raise TooLarge(issue("bundle.patched-too-large", place_of(entry.index), limit=limit))
        change = patch_entries.read(resource, lambda _: None)
        if entry.key is not None:
            made = await self.repository.patch(entry.key, change, if_match=entry.if_match)
        else:
            made = await self.repository.patch_matching(
                entry.type, entry.criteria or "", change, if_match=entry.if_match
            )
        if made.version is not None:
            self._patched += len(made.version.body or b"")
        return made


def answer_of(outcome: Outcome, issues: tuple[Issue, ...] = ()) -> EntryAnswer:
    """Give the answer that stands for what became of a write."""
    if outcome.action in ("deleted", "absent"):
        return EntryAnswer(204, outcome.version.key if outcome.version else None, None, issues)
    status = 201 if outcome.action == "created" else 200
    version = outcome.version
    return EntryAnswer(status, version.key if version else None, version, issues)
