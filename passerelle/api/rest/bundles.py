"""Batch and transaction at the base (https://hl7.org/fhir/R4/http.html#transaction)."""

from dataclasses import replace
from typing import Any

from passerelle.api.rest import responses
from passerelle.api.rest.negotiation import Return
from passerelle.api.rest.requests import Request
from passerelle.api.rest.responses import Reply
from passerelle.api.rest.searches import searchset
from passerelle.dossiers.entry_answer import EntryAnswer
from passerelle.dossiers.repository import Repository
from passerelle.dossiers.transactions import Batch, Transaction
from passerelle.errors.rules import issue
from passerelle.fhir.bundles import bundle

WRITTEN = frozenset({201})


async def apply(repository: Repository, request: Request) -> Reply:
    """Apply a batch or transaction Bundle and answer each entry in its place.

    A written resource is given back whole only when ``Prefer: return=representation`` asks for it;
    ``return=OperationOutcome`` has each entry say what became of it.
    """
    asked = await request.resource()
    batch = asked.get("type") == "batch"
    run = Batch(repository) if batch else Transaction(repository)
    answers = await run.run(asked)
    methods = [_method(entry) for entry in asked.get("entry", [])]
    returns = request.preference.returns
    base = repository.gateway.base_url
    kind = "batch-response" if batch else "transaction-response"
    made = [
        _answer(_told(answer, returns), base, with_resource=_is_whole(method, returns))
        for answer, method in zip(answers, methods, strict=True)
    ]
    return responses.fhir(bundle.responses(kind, made))


def _method(entry: Any) -> Any:
    """Give the method of an entry; of a batch's entry nothing is sure, not even that it is one."""
    request = entry.get("request") if isinstance(entry, dict) else None
    return request.get("method") if isinstance(request, dict) else None


def _is_whole(method: Any, returns: Return | None) -> bool:
    """Tell whether the answer to an entry gives its resource."""
    return method == "GET" or (returns == "representation" and method != "HEAD")


def _told(answer: EntryAnswer, returns: Return | None) -> EntryAnswer:
    """Have a write that was done say so, when that is asked for."""
    if returns != "OperationOutcome" or answer.status >= 300:
        return answer
    return replace(answer, outcome=(*answer.outcome, issue("http.done")))


def _answer(answer: EntryAnswer, base_url: str, *, with_resource: bool) -> bundle.Answer:
    if answer.page is not None and answer.query is not None:
        page = searchset(base_url, answer.query, answer.page)
        shown = page if with_resource else None
        return bundle.Answer(answer.status, resource=shown, issues=answer.outcome)
    version = answer.version
    if version is None:
        return bundle.Answer(answer.status, issues=answer.outcome)
    body = version.body if with_resource else None
    return bundle.Answer(
        answer.status,
        full_url=f"{base_url}/{version.key}" if body is not None else None,
        location=f"{version.key}/_history/{version.version}",
        version=version.version,
        at=version.at,
        resource=body,
        issues=answer.outcome,
    )
