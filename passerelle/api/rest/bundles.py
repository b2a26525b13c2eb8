"""Batch and transaction at the base (https://hl7.org/fhir/R4/http.html#transaction)."""

from dataclasses import replace

from passerelle.api.rest import responses
from passerelle.api.rest.bundle_entries import Entries
from passerelle.api.rest.negotiation import Return
from passerelle.api.rest.requests import Request
from passerelle.api.rest.responses import Reply
from passerelle.dossiers.effort import Effort
from passerelle.dossiers.entry_answer import EntryAnswer
from passerelle.dossiers.repository import Repository
from passerelle.dossiers.transactions import Batch, Transaction
from passerelle.errors.rules import issue
from passerelle.fhir.bundles import bundle


async def apply(repository: Repository, request: Request) -> Reply:
    """Apply a batch or transaction Bundle and answer each entry in its place.

    A written resource is given back whole only when ``Prefer: return=representation`` asks for it;
    ``return=OperationOutcome`` has each entry say what became of it. What is answered has a bound:
    see ``bundle_entries``.
    """
    asked = await request.resource()
    batch = asked.get("type") == "batch"
    returns = request.preference.returns
    assert request.inner is not None  # set at the base, where bundles are taken
    entries = Entries(repository, request, request.inner, whole=returns == "representation")
    effort = Effort(request.batch_seconds)
    run = (Batch if batch else Transaction)(repository, entries, effort)
    answers = await run.run(asked)
    base = repository.gateway.base_url
    kind = "batch-response" if batch else "transaction-response"
    made = [_answer(_told(answer, returns), base) for answer in answers]
    more = () if returns is None else (responses.RETURNED[returns],)
    return responses.fhir(bundle.responses(kind, made), more=more)


def _told(answer: EntryAnswer, returns: Return | None) -> EntryAnswer:
    """Have what was done say so, when that is asked for."""
    if returns != "OperationOutcome" or answer.status >= 300:
        return answer
    return replace(answer, outcome=(*answer.outcome, issue("http.done")))


def _answer(answer: EntryAnswer, base_url: str) -> bundle.Answer:
    version = answer.version
    if version is None:
        return bundle.Answer(answer.status, resource=answer.resource, issues=answer.outcome)
    return bundle.Answer(
        answer.status,
        full_url=f"{base_url}/{version.key}" if answer.resource is not None else None,
        location=f"{version.key}/_history/{version.version}",
        version=version.version,
        at=version.at,
        resource=answer.resource,
        issues=answer.outcome,
    )
